//! Errors in the address of an ssh host.

use camino::Utf8PathBuf;
use thiserror::Error;

use crate::error::{Diagnostic, ExitCode, Explain};

/// A text that names no machine for ssh.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SshTargetError {
    /// The user's or the host's name has characters that names do not have, or begins with `-`.
    #[error("`{text}` is no name for ssh: `{part}` {why}")]
    Name {
        /// The whole text.
        text: String,
        /// The part that is wrong.
        part: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The port is no number from 1 to 65535.
    #[error("`{text}` has no valid port: `{port}` is no number from 1 to 65535")]
    Port {
        /// The whole text.
        text: String,
        /// The port.
        port: String,
    },
    /// `host:port` or `host:path` without `ssh://`.
    #[error("`{text}` has a colon: with a port, write `ssh://{text}`")]
    Colon {
        /// The whole text.
        text: String,
    },
    /// A file name that ssh or rsync would not take as one: ssh reads a list where there is a blank, and `%` and `$` as
    /// the beginning of something else; rsync has quoting rules of its own.
    #[error("`{path}` cannot be handed to ssh: it must be absolute, without blanks, quotes, `%`, `$` and `\\`")]
    Path {
        /// The path.
        path: Utf8PathBuf,
    },
}

impl Explain for SshTargetError {
    fn explain(&self) -> Diagnostic {
        Diagnostic::new(ExitCode::Usage, self.to_string())
            .hint("write `user@host`, or `ssh://user@host:22722`; the rest belongs into ~/.ssh/config")
    }
}
