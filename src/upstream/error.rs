//! What can go wrong with an upstream.

use camino::Utf8PathBuf;
use thiserror::Error;

use crate::error::{Diagnostic, ExitCode, Explain};
use crate::process::ProcessError;

/// An upstream that cannot be asked, or whose answer is not understood.
#[derive(Debug, Error)]
pub enum UpstreamError {
    /// A name that could be read as something else than a name.
    #[error("`{text}` is no name of a {what}: it {why}")]
    Name {
        /// Of what it should be the name.
        what: &'static str,
        /// The text.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A path on the upstream that is relative, the root folder, or has characters that a shell could read.
    #[error(
        "`{path}` cannot be pulled: it must be an absolute path of letters, digits, `/ . _ @ + = , -`, without `..`"
    )]
    Remote {
        /// The path.
        path: Utf8PathBuf,
    },
    /// A folder of this machine that is not named by an absolute path.
    #[error("`{path}` is not a plain absolute path on this machine")]
    Local {
        /// The path.
        path: Utf8PathBuf,
    },
    /// An answer that is not what the question asks for.
    #[error("{upstream} answered something that is not understood")]
    Answer {
        /// The upstream's name.
        upstream: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The question could not be asked, or failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

impl Explain for UpstreamError {
    fn explain(&self) -> Diagnostic {
        match self {
            Self::Name { .. } => Diagnostic::new(ExitCode::Usage, self.to_string())
                .hint("names are letters, digits, `.`, `_` and `-`, and begin with a letter, a digit or `_`"),
            Self::Remote { .. } | Self::Local { .. } => Diagnostic::new(ExitCode::Usage, self.to_string()),
            Self::Answer { source, .. } => Diagnostic::new(ExitCode::Failed, self.to_string())
                .note(source.to_string())
                .hint("something there prints more than it is asked for: look at the login scripts of the ssh user"),
            Self::Process(error) => error.explain(),
        }
    }
}
