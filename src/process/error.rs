//! What can go wrong with a child process.

use std::io;

use thiserror::Error;

use super::Ending;
use super::brief::brief;
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
    #[error("could not start `{}`", brief(command))]
    Spawn {
        /// The command's line.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// The program ran and did not succeed.
    #[error("`{}` ended with {ending}", brief(command))]
    Failed {
        /// The command's line.
        command: String,
        /// How it ended.
        ending: Ending,
        /// The last lines that it printed, oldest first.
        last_lines: Vec<String>,
    },
    /// ssh ended with success, and the command was not run there: the login shell did something else.
    #[error("`{}` was not run there", brief(command))]
    NotBegun {
        /// The command's line.
        command: String,
        /// What was printed instead, oldest line first.
        last_lines: Vec<String>,
    },
    /// The reader at the end of a pipe ended with success before it had read all that there was.
    #[error("`{}` ended before it had read all its input", brief(command))]
    StoppedReading {
        /// The reader's line.
        command: String,
        /// The last lines that it printed, oldest first.
        last_lines: Vec<String>,
    },
    /// The writer at the beginning of a pipe ended, but something that it left behind keeps its output open, so that
    /// nobody can know whether the output is complete.
    #[error("`{}` ended and left its output open", brief(command))]
    LeftOpen {
        /// The writer's line.
        command: String,
    },
    /// Reading from or writing to the child failed, for another reason than its end.
    #[error("lost the connection to `{}`", brief(command))]
    Stream {
        /// The command's line.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// More output than an answer can be.
    #[error("`{}` printed more than {limit} bytes", brief(command))]
    TooMuch {
        /// The command's line.
        command: String,
        /// The bound, in bytes.
        limit: usize,
    },
    /// The output was to be text and is not UTF-8.
    #[error("`{}` printed something that is not text (UTF-8)", brief(command))]
    NotText {
        /// The command's line.
        command: String,
    },
    /// The run was cancelled: by the user, or because something else failed.
    #[error("`{}` was cancelled", brief(command))]
    Cancelled {
        /// The command's line.
        command: String,
    },
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

    /// The command's whole line, unless its program was not even found.
    #[must_use]
    pub fn command(&self) -> Option<&str> {
        match self {
            Self::MissingProgram { .. } => None,
            Self::Spawn { command, .. }
            | Self::Failed { command, .. }
            | Self::NotBegun { command, .. }
            | Self::StoppedReading { command, .. }
            | Self::LeftOpen { command }
            | Self::Stream { command, .. }
            | Self::TooMuch { command, .. }
            | Self::NotText { command }
            | Self::Cancelled { command } => Some(command),
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
        let told = match self {
            Self::MissingProgram { hint, .. } => told.hint(hint),
            Self::Spawn { source, .. } | Self::Stream { source, .. } => told.note(source.to_string()),
            Self::Failed { command, ending, last_lines } => {
                let mut told = told.evidence(last_lines.iter().cloned());
                told.notes.extend(meaning(command, *ending).map(str::to_owned));
                told.hints.extend(advice(last_lines).map(str::to_owned));
                told
            }
            Self::NotBegun { last_lines, .. } => told
                .evidence(last_lines.iter().cloned())
                .note("the login shell of that user ended with success without having run it")
                .hint("the user needs a login shell that runs commands (`sh`, `bash`), and a key without a `command=` of its own"),
            Self::StoppedReading { last_lines, .. } => {
                told.evidence(last_lines.iter().cloned()).note("what it did not read is lost, so its work counts as failed")
            }
            Self::LeftOpen { .. } => told
                .note("a process that it began still holds the output, so it cannot be known whether the output is complete")
                .hint("make the command wait for what it starts"),
            Self::TooMuch { .. } | Self::NotText { .. } => told.note("its output was to be read as an answer"),
            Self::Cancelled { .. } => told,
        };
        match self.command() {
            Some(command) if !self.is_cancelled() && brief(command) != command => {
                told.note(format!("the whole command: {command}"))
            }
            _ => told,
        }
    }
}

/// What an ending means where the number alone says too little.
fn meaning(command: &str, ending: Ending) -> Option<&'static str> {
    match ending {
        Ending::Exited(255) if ["ssh ", "rsync "].iter().any(|program| command.starts_with(program)) => {
            Some("255 is ssh's own: the connection failed or broke, and what ran there did not end by itself")
        }
        Ending::Exited(126) => Some("126 is the shell's way to say that the program was found and could not be run"),
        Ending::Exited(127) => Some("127 is the shell's way to say that a program was not found"),
        Ending::Signalled(9) => {
            Some("nobody here sent SIGKILL: often it is the kernel, out of memory (`dmesg` would say so)")
        }
        _ => None,
    }
}

const NO_COMPOSE: &str = "install Docker's compose plugin (`docker compose version` shows whether it is there): https://docs.docker.com/compose/install/linux/";

/// What helps against complaints that are met again and again.
fn advice(lines: &[String]) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 7] = [
        (
            "Host key verification failed",
            "connect once by hand (`ssh` to the same host), compare the key that it shows, and accept it",
        ),
        (
            "Permission denied (publickey",
            "the host does not accept your key: `ssh -v` to it shows which ones were tried",
        ),
        (
            "sudo: a password is required",
            "let that user run the command without a password (sudoers: NOPASSWD)",
        ),
        (
            "Cannot connect to the Docker daemon",
            "start Docker (`systemctl start docker`), or look at DOCKER_HOST",
        ),
        // What docker says of `docker compose` where it does not know it: older ones first.
        ("unknown flag: --project-name", NO_COMPOSE),
        ("'compose' is not a docker command", NO_COMPOSE),
        (
            "No space left on device",
            "make room on that disk (`df -h`; for Docker `docker system df`)",
        ),
    ];
    KNOWN
        .iter()
        .find(|(complaint, _)| lines.iter().any(|line| line.contains(complaint)))
        .map(|(_, advice)| *advice)
}
