//! The looks of credentials, for texts that are read here and not by PostgreSQL.

use std::ops::Range;
use std::sync::OnceLock;

use regex::{Regex, bytes};

use super::format::{Format, any_mark_here, formats};

/// The format that `secret::credentials` finds, with what stands for a password.
const IN_URLS: &str = "password in a URL";

/// Finds credentials in a text that have a known look, but for passwords in URLs.
///
/// A text is asked for marks first: the expressions themselves are large, and most processes never need them.
#[derive(Debug)]
pub struct CredentialFormats {
    marks: Option<bytes::Regex>,
    patterns: String,
    known: OnceLock<Option<Regex>>,
}

impl CredentialFormats {
    /// Reads all formats. A test proves that all of them can be read.
    #[must_use]
    pub fn new() -> Self {
        let mut formats = formats().unwrap_or_default();
        formats.retain(|format| &*format.name != IN_URLS);
        let patterns = formats.iter().map(in_our_language);
        let patterns: Vec<String> = patterns.map(|pattern| format!("(?:{pattern})")).collect();
        Self {
            marks: any_mark_here(&formats).ok(),
            patterns: patterns.join("|"),
            known: OnceLock::new(),
        }
    }

    /// Where they are, as ranges of bytes.
    #[must_use]
    pub fn find_in(&self, text: &str) -> Vec<Range<usize>> {
        if !self.marks.as_ref().is_some_and(|marks| marks.is_match(text.as_bytes())) {
            return Vec::new();
        }
        let known = self.known.get_or_init(|| Regex::new(&self.patterns).ok());
        let found = known.iter().flat_map(|known| known.find_iter(text));
        found.map(|found| found.range()).collect()
    }
}

impl Default for CredentialFormats {
    fn default() -> Self {
        Self::new()
    }
}

/// A regular expression of PostgreSQL's in the language of [`regex`]: `\m` and `\M` are the borders of a word, and what
/// only looks ahead is left out, so that a little more matches.
fn in_our_language(format: &Format) -> String {
    if let Some(ours) = &format.here {
        return ours.clone();
    }
    let mut ours = format.pattern.replace(r"\m", r"\b{start}").replace(r"\M", r"\b{end}");
    while let Some(begin) = ours.find("(?=")
        && let Some(length) = ours[begin..].find(')')
    {
        ours.replace_range(begin..=begin + length, "");
    }
    ours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_of_every_format_is_seen_here_too() {
        let mut found = false;
        let known = CredentialFormats::new();
        for format in formats().unwrap() {
            found |= &*format.name == IN_URLS;
            let alone = regex::Regex::new(&in_our_language(&format)).unwrap();
            for sample in &format.samples {
                assert!(alone.is_match(sample), "{}: {sample}", format.name);
                let is_url = &*format.name == IN_URLS;
                assert!(
                    is_url || !known.find_in(&format!("x {sample} y")).is_empty(),
                    "{sample}"
                );
            }
        }
        assert!(found);
        assert!(known.find_in("Straße 5, see https://example.com/a@b").is_empty());
    }
}
