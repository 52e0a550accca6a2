//! What can go wrong on a host.

use camino::Utf8PathBuf;
use thiserror::Error;

use super::PathError;
use crate::error::{Diagnostic, ExitCode, Explain};
use crate::process::ProcessError;

/// Something on a host that could not be done.
#[derive(Debug, Error)]
pub enum HostError {
    /// A command for a remote host carries a secret in its environment, which would stand in the remote argument list.
    #[error("`{key}` is secret and cannot be sent to {host} in a command line")]
    SecretInRemoteCommand {
        /// The variable.
        key: String,
        /// The host.
        host: String,
    },
    /// A path is relative, holds `..`, or is the root folder itself.
    #[error("`{path}` is not a plain absolute path")]
    NotPlain {
        /// The path.
        path: Utf8PathBuf,
    },
    /// Something outside of the folder in which things may be removed.
    #[error("refused to remove `{path}`: it is not inside of `{root}`")]
    Outside {
        /// What was to be removed.
        path: Utf8PathBuf,
        /// Where removing is allowed.
        root: Utf8PathBuf,
    },
    /// A file of this machine.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A command, here or there.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

impl Explain for HostError {
    fn explain(&self) -> Diagnostic {
        match self {
            Self::SecretInRemoteCommand { .. } => Diagnostic::new(ExitCode::Failed, self.to_string())
                .note("every user of a machine can read the argument lists of its processes")
                .hint("write the value into a file of mode 0600 on the host and let the command read it"),
            Self::NotPlain { .. } => Diagnostic::new(ExitCode::Usage, self.to_string())
                .note("files on a host are named by absolute paths without `..`, so that a guard can compare them"),
            Self::Outside { .. } => Diagnostic::new(ExitCode::Refused, self.to_string()),
            Self::Path(error) => error.explain(),
            Self::Process(error) => error.explain(),
        }
    }
}
