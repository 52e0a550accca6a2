//! Stars in place of secrets, in everything that a child prints.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::AhoCorasick;

use crate::secret::{LONGEST_CREDENTIALS, MASK, Secret, credentials};

/// Secrets shorter than this are not looked for: `odoo` is a password in many a local stack, and `a` would blot out
/// every line. Counted in bytes.
const SHORTEST: usize = 4;

/// Lines of a secret of many lines (a private key) are looked for one by one if they have at least this many bytes.
const SHORTEST_LINE: usize = 8;

/// Replaces the secrets of a run with [`MASK`], also in the forms in which programs like to print them again: as part of
/// a URL, quoted for a shell, in JSON; and the passwords of URLs, whether they are known or not. Cheap to clone.
#[derive(Clone, Default)]
pub struct Redactor(Option<Arc<Patterns>>);

struct Patterns {
    automaton: AhoCorasick,
    longest: usize,
}

impl Redactor {
    /// Knows these secrets from here on.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut texts: Vec<String> = secrets.into_iter().flat_map(|secret| forms(secret.expose())).collect();
        texts.sort_unstable();
        texts.dedup();
        if texts.is_empty() {
            return Self(None);
        }
        let longest = texts.iter().map(String::len).max().unwrap_or(0);
        // Building fails only beyond 2^31 patterns or bytes, which an environment cannot hold.
        Self(
            AhoCorasick::new(&texts)
                .ok()
                .map(|automaton| Arc::new(Patterns { automaton, longest })),
        )
    }

    /// The text with stars in place of every secret. Secrets that overlap become one mask, so no piece of either stays.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let spans = self.spans(text);
        if spans.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut redacted = String::with_capacity(text.len());
        let mut from = 0;
        for span in spans {
            redacted.push_str(&text[from..span.start]);
            redacted.push_str(MASK);
            from = span.end;
        }
        redacted.push_str(&text[from..]);
        Cow::Owned(redacted)
    }

    /// The text with a star in place of every byte of a secret: whatever else stands in it stays at its place.
    #[must_use]
    pub fn blank(&self, text: &str) -> String {
        let mut blanked = String::with_capacity(text.len());
        let mut from = 0;
        for span in self.spans(text) {
            blanked.push_str(&text[from..span.start]);
            for byte in text[span.clone()].bytes() {
                blanked.push(if byte == b'\n' { '\n' } else { '*' });
            }
            from = span.end;
        }
        blanked.push_str(&text[from..]);
        blanked
    }

    /// Whether a known secret stands in the text.
    #[must_use]
    pub fn knows_any_in(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|known| known.automaton.is_match(text))
    }

    /// Where there is something to hide, in order.
    fn spans(&self, text: &str) -> Vec<Range<usize>> {
        let mut spans = credentials(text);
        if let Some(known) = &self.0 {
            let found = known.automaton.find_overlapping_iter(text);
            spans.extend(found.map(|found| found.range()));
        }
        merged(spans)
    }

    /// The length in bytes of the longest text that is looked for: a text that is cut must be redacted before it is cut,
    /// with this many bytes beyond the cut.
    pub(super) fn longest(&self) -> usize {
        let known = self.0.as_ref().map_or(0, |patterns| patterns.longest);
        known.max(LONGEST_CREDENTIALS)
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

/// Joins spans that overlap or touch.
fn merged(mut spans: Vec<Range<usize>>) -> Vec<Range<usize>> {
    spans.sort_unstable_by_key(|span| span.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// The texts as which a secret may appear in a line.
fn forms(secret: &str) -> Vec<String> {
    let whole = secret.trim_end_matches(['\r', '\n']);
    let mut texts = Vec::new();
    if whole.contains('\n') {
        texts.extend(
            whole
                .lines()
                .filter(|line| line.len() >= SHORTEST_LINE)
                .map(str::to_owned),
        );
    } else {
        texts.push(whole.to_owned());
    }
    let encoded: Vec<String> = texts
        .iter()
        .flat_map(|text| {
            let json = serde_json::to_string(text).unwrap_or_default();
            [
                url_encoded(text, |byte| format!("%{byte:02X}")),
                url_encoded(text, |byte| {
                    if byte == b' ' {
                        "+".into()
                    } else {
                        format!("%{byte:02X}")
                    }
                }),
                url_encoded(text, |byte| format!("%{byte:02x}")),
                text.replace('\'', r"'\''"),
                text.replace('\'', r#"'"'"'"#),
                text.replace('\\', r"\\")
                    .replace('"', "\\\"")
                    .replace('$', r"\$")
                    .replace('`', r"\`"),
                json.get(1..json.len().saturating_sub(1)).unwrap_or_default().to_owned(),
            ]
        })
        .collect();
    texts.extend(encoded);
    texts.retain(|text| text.len() >= SHORTEST);
    texts
}

/// The text as a URL carries it: everything but RFC 3986's unreserved characters escaped.
fn url_encoded(text: &str, escape: impl Fn(u8) -> String) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => escape(byte),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(secrets: &[&str]) -> Redactor {
        let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::new(*text)).collect();
        Redactor::new(&secrets)
    }

    #[test]
    fn every_form_is_masked() {
        let redactor = redactor(&["p@ss'w $rd", "CANARY"]);
        for line in [
            "p@ss'w $rd",
            "p%40ss%27w%20%24rd",
            "p%40ss%27w+%24rd",
            r"p@ss'\''w $rd",
            r#"p@ss'"'"'w $rd"#,
            r"p@ss'w \$rd",
        ] {
            assert_eq!(redactor.redact(&format!("<{line}>")), "<***>", "{line}");
        }
        assert_eq!(redactor.redact("xCANARYx CANARY"), "x***x ***");
        assert_eq!(redactor.redact("nothing here"), "nothing here");
    }

    #[test]
    fn lower_case_url_encoding_of_a_mixed_case_secret_is_masked() {
        assert_eq!(
            redactor(&["Ab/Cd"]).redact("u:Ab%2fCd@h u:Ab%2FCd@h"),
            "u:***@h u:***@h"
        );
    }

    #[test]
    fn passwords_of_urls_are_masked_though_nobody_knows_them() {
        for redactor in [Redactor::default(), redactor(&["CANARY"])] {
            assert_eq!(
                redactor.redact("to postgres://odoo:hunter2@db/x"),
                "to postgres://odoo:***@db/x"
            );
        }
        assert_eq!(redactor(&["u:p@h", "CANARY"]).redact("a://u:p@h"), "a://***");
    }

    #[test]
    fn what_is_blanked_stays_as_long() {
        assert_eq!(
            redactor(&["größe1"]).blank("<größe1> a://u:pw@h"),
            "<********> a://u:**@h"
        );
    }

    #[test]
    fn overlapping_secrets_leave_no_piece() {
        assert_eq!(redactor(&["abcd", "cdef"]).redact("-abcdef-"), "-***-");
        assert_eq!(redactor(&["secret", "secret-long"]).redact("secret-long"), "***");
    }

    #[test]
    fn short_and_empty_secrets_do_not_blot_out_lines() {
        assert_eq!(redactor(&["", "a", "abc"]).redact("abc a"), "abc a");
        assert_eq!(Redactor::default().redact("a"), "a");
    }

    #[test]
    fn the_lines_of_a_key_are_masked_one_by_one() {
        let redactor = redactor(&["-----BEGIN KEY-----\nAAAAB3NzaC1\n-----END KEY-----\n"]);
        assert_eq!(redactor.redact("key: AAAAB3NzaC1"), "key: ***");
    }
}
