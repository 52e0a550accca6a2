//! What can go wrong with a child process.

use std::borrow::Cow;
use std::io;

use thiserror::Error;

use super::Ending;
use crate::error::{Diagnostic, ExitCode, Explain};

/// A child that could not be run, or did not succeed. Command lines and lines in it have passed the redactor.
#[derive(Debug, Error)]
pub enum ProcessError {
    /// The program is not on `PATH`.
    #[error("`{program}` is not installed, or not on PATH")]
    MissingProgram {
        /// Its name, as it was asked for.
        program: String,
        /// How to get it.
        hint: String,
    },
    /// The program is there but could not be started.
    #[error("could not start `{command}`", command = brief(command))]
    Spawn {
        /// The command's line.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// The program ran and did not succeed.
    #[error("`{command}` ended with {ending}", command = brief(command))]
    Failed {
        /// The command's line.
        command: String,
        /// How it ended.
        ending: Ending,
        /// The last lines that it printed, oldest first.
        last_lines: Vec<String>,
    },
    /// The reader at the end of a pipe ended with success before it had read all that there was.
    #[error("`{command}` ended before it had read all its input", command = brief(command))]
    StoppedReading {
        /// The reader's line.
        command: String,
        /// The last lines that it printed, oldest first.
        last_lines: Vec<String>,
    },
    /// The writer at the beginning of a pipe ended, but something that it left behind keeps its output open, so that
    /// nobody can know whether the output is complete.
    #[error("`{command}` ended and left its output open", command = brief(command))]
    LeftOpen {
        /// The writer's line.
        command: String,
    },
    /// Reading from or writing to the child failed, for another reason than its end.
    #[error("lost the connection to `{command}`", command = brief(command))]
    Stream {
        /// The command's line.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// More output than an answer can be.
    #[error("`{command}` printed more than {limit} bytes", command = brief(command))]
    TooMuch {
        /// The command's line.
        command: String,
        /// The bound, in bytes.
        limit: usize,
    },
    /// The output was to be text and is not UTF-8.
    #[error("`{command}` printed something that is not text (UTF-8)", command = brief(command))]
    NotText {
        /// The command's line.
        command: String,
    },
    /// The run was cancelled: by the user, or because something else failed.
    #[error("`{command}` was cancelled", command = brief(command))]
    Cancelled {
        /// The command's line.
        command: String,
    },
}

/// How much of a command a message shows, in characters; the node's log has all of it.
const BRIEF: usize = 100;

/// A command's beginning and end: what it is, and what it was to do. What stands between are mostly files.
fn brief(command: &str) -> Cow<'_, str> {
    let words: Vec<&str> = command.split(' ').collect();
    if command.chars().count() <= BRIEF || words.len() < 5 {
        return Cow::Borrowed(command);
    }
    let mut tail = words.len();
    let mut length = 0;
    while tail > 3 && length + words[tail - 1].chars().count() < BRIEF - 20 {
        tail -= 1;
        length += words[tail].chars().count() + 1;
    }
    Cow::Owned(format!("{} … {}", words[..2].join(" "), words[tail..].join(" ")))
}

impl ProcessError {
    /// How the program ended, if it ran to an end of its own that was no success.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        match self {
            Self::Failed { ending, .. } => Some(*ending),
            _ => None,
        }
    }

    /// Whether this is no failure of the command's but the end of the run.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled { .. })
    }
}

impl Explain for ProcessError {
    fn explain(&self) -> Diagnostic {
        let exit = if self.is_cancelled() {
            ExitCode::Interrupted
        } else {
            ExitCode::Failed
        };
        let told = Diagnostic::new(exit, self.to_string());
        match self {
            Self::MissingProgram { hint, .. } => told.hint(hint),
            Self::Spawn { source, .. } | Self::Stream { source, .. } => told.note(source.to_string()),
            Self::Failed { ending, last_lines, .. } => {
                let told = told.evidence(last_lines.iter().cloned());
                match explanation(*ending) {
                    Some(note) => told.note(note),
                    None => told,
                }
            }
            Self::StoppedReading { last_lines, .. } => {
                told.evidence(last_lines.iter().cloned()).note("what it did not read is lost, so its work counts as failed")
            }
            Self::LeftOpen { .. } => told
                .note("a process that it began still holds the output, so it cannot be known whether the output is complete")
                .hint("make the command wait for what it starts"),
            Self::TooMuch { .. } | Self::NotText { .. } => told.note("its output was to be read as an answer"),
            Self::Cancelled { .. } => told,
        }
    }
}

/// What an ending means where the number alone says too little.
fn explanation(ending: Ending) -> Option<&'static str> {
    match ending {
        Ending::Exited(126) => Some("126 is the shell's way to say that the program was found and could not be run"),
        Ending::Exited(127) => Some("127 is the shell's way to say that a program was not found"),
        Ending::Signalled(9) => {
            Some("nobody here sent SIGKILL: often it is the kernel, out of memory (`dmesg` would say so)")
        }
        _ => None,
    }
}
