//! The identity of a run.

use jiff::Timestamp;

/// How many random characters end an identity.
const SUFFIX: usize = 4;
const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// A new identity such as `20261122t134501x7k2`: the second in UTC, so that identities sort by time, and four random
/// characters, so that two runs begun in one second differ.
///
/// It is part of folder names and of database names (`opw__incoming_<run>`), hence nothing but lower-case letters and
/// digits, and 19 of them: PostgreSQL cuts identifiers at 63 bytes.
#[must_use]
pub fn run_id() -> String {
    // 36 does not divide 256; the slight bias costs nothing here, where only equality matters.
    let random = uuid::Uuid::new_v4().into_bytes();
    let suffix = random.iter().take(SUFFIX);
    let suffix = suffix.map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
    Timestamp::now()
        .strftime("%Y%m%dt%H%M%S")
        .to_string()
        .chars()
        .chain(suffix)
        .collect()
}

/// Whether a name is of the shape that [`run_id`] gives.
#[must_use]
pub fn is_run_id(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() == 15 + SUFFIX
        && bytes[8] == b't'
        && bytes[..8].iter().all(u8::is_ascii_digit)
        && bytes[9..15].iter().all(u8::is_ascii_digit)
        && bytes[15..].iter().all(|byte| ALPHABET.contains(byte))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn fits_in_an_identifier_and_is_recognised() {
        let id = run_id();
        assert_eq!(id.len(), 19);
        assert!(is_run_id(&id), "{id}");
        assert!(is_run_id("20261122t134501x7k2"));
        for other in [
            "",
            "notes",
            "20261122T134501x7k2",
            "20261122t134501x7k2.bak",
            "20261122-134501x7k2",
            "é0261122t134501x7k",
        ] {
            assert!(!is_run_id(other), "{other}");
        }
    }

    #[test]
    fn runs_of_one_second_differ() {
        let suffixes: BTreeSet<String> = (0..10_000).map(|_| run_id().split_off(15)).collect();
        // Of 10,000 out of 36^4, about 30 are expected to meet by chance.
        assert!(suffixes.len() > 9_900, "{}", suffixes.len());
    }
}
