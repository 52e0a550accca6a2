//! The names of the databases that stand beside a live one.

use super::error::PostgresError;
use super::identifier::{Identifier, LONGEST_NAME};

const INCOMING: &str = "__incoming_";
const RETIRED: &str = "__retired_";
const PREVIOUS: &str = "__previous";

/// The longest run id that fits into a name, in bytes.
pub const LONGEST_RUN: usize = 24;

/// The names that a restore of one live database uses. Different live names give different names here, also where a
/// long one has to be shortened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    live: Identifier,
    previous: Identifier,
    // The live name, or as much of it as leaves room for the longest ending.
    stem: String,
}

impl Names {
    /// The names beside `live`.
    ///
    /// # Errors
    /// [`PostgresError::Name`] when `live` is no name.
    pub fn new(live: &str) -> Result<Self, PostgresError> {
        let live = Identifier::new(live)?;
        let previous = Identifier::new(fit(live.as_str(), LONGEST_NAME - PREVIOUS.len()) + PREVIOUS)?;
        let stem = fit(live.as_str(), LONGEST_NAME - INCOMING.len() - LONGEST_RUN);
        Ok(Self { live, previous, stem })
    }

    /// The database that serves.
    #[must_use]
    pub fn live(&self) -> &Identifier {
        &self.live
    }

    /// The database that served before the last swap: what a rollback goes back to.
    #[must_use]
    pub fn previous(&self) -> &Identifier {
        &self.previous
    }

    /// The database that a run fills.
    ///
    /// # Errors
    /// [`PostgresError::Name`] when the run's id is longer than [`LONGEST_RUN`].
    pub fn incoming(&self, run: &str) -> Result<Identifier, PostgresError> {
        Ok(Identifier::new(format!("{}{run}", self.incoming_prefix()))?)
    }

    /// The former previous database between the swap that replaced it and its drop.
    ///
    /// # Errors
    /// [`PostgresError::Name`] when the run's id is longer than [`LONGEST_RUN`].
    pub fn retired(&self, run: &str) -> Result<Identifier, PostgresError> {
        Ok(Identifier::new(format!("{}{run}", self.retired_prefix()))?)
    }

    /// How the names of all runs' incoming databases begin.
    pub(crate) fn incoming_prefix(&self) -> String {
        format!("{}{INCOMING}", self.stem)
    }

    /// How the names of all runs' retired databases begin.
    pub(crate) fn retired_prefix(&self) -> String {
        format!("{}{RETIRED}", self.stem)
    }
}

/// Whether a live database cannot have this name: PostgreSQL's own, and those that restores give to what stands beside
/// a live one, which they also drop.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    ["postgres", "template0", "template1"].contains(&name)
        || name.ends_with(PREVIOUS)
        || [INCOMING, RETIRED].iter().any(|part| name.contains(part))
}

/// A name in at most `room` bytes: itself, or its beginning and a hash of all of it.
fn fit(name: &str, room: usize) -> String {
    if name.len() <= room {
        return name.to_owned();
    }
    let hash = format!("_{:08x}", stable_hash(name.as_bytes()) >> 32);
    let mut end = room - hash.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{hash}", &name[..end])
}

/// FNV-1a, 64 bits: the same on every machine and in every version of this program, which the standard library's hasher
/// does not promise. Names and lock keys of an old version must be found by a new one.
pub(crate) fn stable_hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "20261122-134509-ab12cd34";

    #[test]
    fn a_short_name_is_kept() {
        let names = Names::new("opw").unwrap();
        assert_eq!(names.previous().as_str(), "opw__previous");
        assert_eq!(names.incoming("r1").unwrap().as_str(), "opw__incoming_r1");
        assert_eq!(names.retired("r1").unwrap().as_str(), "opw__retired_r1");
    }

    #[test]
    fn long_names_fit_and_stay_apart() {
        let one = Names::new(&"ä".repeat(31)).unwrap();
        let other = Names::new(&format!("{}z", "ä".repeat(30))).unwrap();
        assert_eq!(RUN.len(), LONGEST_RUN);
        assert!(one.incoming(RUN).unwrap().as_str().len() <= LONGEST_NAME);
        assert_ne!(one.incoming(RUN).unwrap(), other.incoming(RUN).unwrap());
        assert_ne!(one.previous(), other.previous());
    }

    #[test]
    fn a_run_id_that_would_be_cut_is_refused() {
        assert!(
            Names::new(&"x".repeat(40))
                .unwrap()
                .incoming(&"r".repeat(LONGEST_RUN + 1))
                .is_err()
        );
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(stable_hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(stable_hash(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
