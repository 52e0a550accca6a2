//! What an action will do, for a person to read before it is done.

use camino::Utf8PathBuf;

/// A step of an action, as `--dry-run` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A command that a person could type.
    Command(String),
    /// A statement, with a `--` comment in front where it is not plain what it is for.
    Sql(String),
    /// A file that is written.
    File {
        /// Where.
        path: Utf8PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What no command says.
    Note(String),
}
