//! Why a stack's lock could not be had.

use crate::error::{Diagnostic, ExitCode, Explain};
use crate::host::PathError;
use crate::process::ProcessError;

/// A lock that could not be had, or was lost.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run has the stack.
    #[error("stack `{stack}` is being changed by another run")]
    Held {
        /// The stack.
        stack: String,
        /// Who, from where, since when, with what; one line each.
        holder: Vec<String>,
        /// The lock.
        lock: String,
    },
    /// Nobody holds the lock, but a command that a run began on the host is not over.
    #[error("a command of an earlier run is still at work on stack `{stack}`")]
    AtWork {
        /// The stack.
        stack: String,
        /// The commands, with their processes on the host; then the run as it was told.
        commands: Vec<String>,
        /// The host.
        host: String,
    },
    /// The lock was held on another machine, and is not any more.
    #[error("the lock of stack `{stack}` on {host} was lost: the connection that held it ended")]
    Lost {
        /// The stack.
        stack: String,
        /// The host.
        host: String,
    },
    /// The host gave another answer than the lock's.
    #[error("the lock of stack `{stack}` cannot be taken on {host}")]
    Answer {
        /// The stack.
        stack: String,
        /// The host.
        host: String,
        /// What it said.
        said: Vec<String>,
    },
    /// The file or its folder.
    #[error(transparent)]
    Path(#[from] PathError),
    /// ssh.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

impl Explain for LockError {
    fn explain(&self) -> Diagnostic {
        match self {
            Self::Held { holder, lock, .. } => Diagnostic::new(ExitCode::Refused, self.to_string())
                .evidence(holder.clone())
                .note(format!("the lock is {lock}; it goes with the process that holds it"))
                .hint("wait for that run, or end it"),
            Self::AtWork { commands, host, .. } => Diagnostic::new(ExitCode::Refused, self.to_string())
                .evidence(commands.clone())
                .note("its run has ended or lost its connection; what changes a stack is not cut off in the middle")
                .hint(format!("wait until it has ended, or look at it on {host}")),
            Self::Lost { .. } => Diagnostic::new(ExitCode::Failed, self.to_string())
                .note("without it another run may change the stack, so nothing more was begun")
                .note("what had begun there goes on to its end, and the stack is locked until then")
                .hint("run the same command again when the host can be reached"),
            Self::Answer { said, .. } => {
                Diagnostic::new(ExitCode::Failed, self.to_string()).evidence(said.iter().cloned())
            }
            Self::Path(error) => error.explain(),
            Self::Process(error) => error.explain(),
        }
    }
}
