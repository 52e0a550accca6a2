//! What env files speak of although nobody sets it.

use std::fmt;

use camino::Utf8PathBuf;

/// A name in an env file that stands for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unset {
    /// The file.
    pub path: Utf8PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The name.
    pub name: String,
    /// The variable in whose value it stands.
    pub stands_in: String,
}

impl fmt::Display for Unset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            name,
            stands_in,
        } = self;
        write!(
            f,
            "{path}:{line}: {name} is not set, and nothing stands for it in {stands_in}"
        )
    }
}
