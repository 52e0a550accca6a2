//! A command that only reads.

use std::fmt;

use crate::process::Command;

/// A command that reads from an upstream and cannot write there. Only [`Upstream`](super::Upstream) makes one. Whoever has
/// one can show it:
///
/// ```
/// use opw_task::{process::Command, upstream::ReadOnly};
/// let show = |command: ReadOnly| command.to_string();
/// let command = Command::new("ssh").args(["root@opw-prod.example", "dropdb opw"]);
/// # let _ = (show, command);
/// ```
///
/// With the same names, neither this compiles, for its field is private, nor that, for its function is:
///
/// ```compile_fail,E0423
/// use opw_task::{process::Command, upstream::ReadOnly};
/// let command = ReadOnly(Command::new("ssh").args(["root@opw-prod.example", "dropdb opw"]));
/// ```
///
/// ```compile_fail,E0624
/// use opw_task::{process::Command, upstream::ReadOnly};
/// let command = ReadOnly::new(Command::new("ssh").args(["root@opw-prod.example", "dropdb opw"]));
/// ```
#[derive(Debug, Clone)]
pub struct ReadOnly(Command);

impl ReadOnly {
    pub(in crate::upstream) fn new(command: Command) -> Self {
        Self(command)
    }

    /// The command, to be run or shown.
    #[must_use]
    pub fn command(&self) -> &Command {
        &self.0
    }
}

impl fmt::Display for ReadOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
