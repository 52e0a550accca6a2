//! The words of which stand-ins are made.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::sanitise::error::SanitiseError;

/// The words of one script.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Script {
    /// Its name, for tests and people.
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests read it"))]
    pub name: String,
    /// An expression that texts in it match; none for the script of all other texts.
    pub pattern: Option<String>,
    /// Whether the family name comes first.
    pub family_first: bool,
    /// What stands between the parts of a name.
    pub glue: String,
    /// Given names.
    pub given: Vec<String>,
    /// Family names.
    pub family: Vec<String>,
    /// What tells people of one name apart: initials, or a second given name.
    pub middle: Vec<String>,
    /// What companies do.
    pub trade: Vec<String>,
    /// Streets.
    pub street: Vec<String>,
    /// Towns.
    pub city: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    script: Vec<Script>,
}

static SCRIPTS: LazyLock<Result<Vec<Script>, String>> = LazyLock::new(|| {
    toml::from_str::<File>(include_str!("words.toml"))
        .map(|file| file.script)
        .map_err(|error| error.message().to_owned())
});

/// All scripts; the first is that of texts that match no pattern.
pub(super) fn scripts() -> Result<&'static [Script], SanitiseError> {
    match &*SCRIPTS {
        Ok(scripts) => Ok(scripts),
        Err(reason) => Err(SanitiseError::Words { reason: reason.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The script that a text would be taken for.
    fn recognised<'a>(scripts: &'a [Script], text: &str) -> &'a str {
        let matches = |script: &&Script| {
            let pattern = script.pattern.as_ref().filter(|_| !text.is_ascii());
            pattern.is_some_and(|pattern| regex::Regex::new(pattern).unwrap().is_match(text))
        };
        scripts
            .iter()
            .find(matches)
            .map_or("latin", |script| script.name.as_str())
    }

    #[test]
    fn a_stand_in_is_recognised_as_of_its_own_script() {
        let scripts = scripts().unwrap();
        assert!(scripts.len() > 10);
        for script in scripts {
            for words in [&script.family, &script.trade, &script.street, &script.city] {
                for word in words {
                    assert_eq!(recognised(scripts, word), script.name, "{word}");
                }
            }
        }
    }

    #[test]
    fn no_word_stands_twice_and_latin_is_plain() {
        for script in scripts().unwrap() {
            for words in [&script.given, &script.family, &script.middle, &script.trade] {
                assert_eq!(
                    words.iter().collect::<BTreeSet<_>>().len(),
                    words.len(),
                    "{}",
                    script.name
                );
                assert!(words.iter().all(|word| !word.contains(['"', '\\', '{', ',', '\''])));
                // Multiplying by this prime turns the counting of ids into a walk through all pairs of words.
                assert!(words.len() < 7919);
            }
        }
        let latin = &scripts().unwrap()[0];
        assert!(latin.given.iter().chain(&latin.family).all(|word| word.is_ascii()));
    }
}
