//! Where the value of a variable came from.

use std::fmt;

use camino::Utf8PathBuf;

/// Where the value of a variable came from; later variants win over earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// What opw-task takes where nobody says anything.
    BuiltIn,
    /// `[stacks.defaults]`, with file and line.
    Defaults(String),
    /// An env file.
    File(Utf8PathBuf),
    /// `[stacks.NAME]`, with file and line.
    Manifest(String),
    /// The environment of opw-task itself, for the variables that the stack's `inherit` names.
    Environment,
    /// `--set`
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::Defaults(place) | Self::Manifest(place) => f.write_str(place),
            Self::File(path) => f.write_str(path.as_str()),
            Self::Environment => f.write_str("environment"),
            Self::CommandLine => f.write_str("--set"),
        }
    }
}
