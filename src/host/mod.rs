//! Machines: this one, or one that is reached by ssh. A [`Host`] wraps commands so that they run there, and does with files
//! there what a restore needs.
//!
//! What is sent to a remote shell is built from quoted words only, and never holds a secret: every user of that machine
//! could read it in its process list. Contents travel through standard input.
mod beneath;
mod commands;
mod error;
mod files;
mod local;
mod look;
mod path_error;
mod same_machine;
mod ssh_target;
mod ssh_target_error;
mod there;

pub use beneath::{Folder, is_file};
pub use commands::{create_dir, remove_dir_all, rename};
pub use error::HostError;
pub use files::Mode;
pub use local::unfinished_files;
pub use look::{Found, here};
pub use path_error::PathError;
pub use same_machine::{is_loopback, is_this_machine, plain_name, same_machine, same_name};
pub use ssh_target::SshTarget;
pub use ssh_target_error::SshTargetError;
pub(crate) use there::HOLD;
pub use there::Pass;

use std::fmt;

use crate::process::Command;

/// A machine that runs stacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// This one.
    Local,
    /// One that is reached by ssh.
    Ssh(SshTarget),
}

impl Host {
    /// The command that runs a command on this host. On another one it ends with the connection.
    ///
    /// # Errors
    ///
    /// [`HostError::SecretInRemoteCommand`] if it carries a secret and the host is remote.
    pub fn command(&self, command: Command) -> Result<Command, HostError> {
        match self {
            Self::Local => Ok(command),
            Self::Ssh(target) => target.attached(&command),
        }
    }

    /// The command that runs a command on this host; on another one it goes on to its end when the connection ends.
    ///
    /// # Errors
    ///
    /// As [`Host::command`].
    pub fn command_to_its_end(&self, command: Command, pass: &Pass<'_>) -> Result<Command, HostError> {
        match self {
            Self::Local => Ok(command),
            Self::Ssh(target) => target.to_its_end(&command, pass),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("this machine"),
            Self::Ssh(target) => target.fmt(f),
        }
    }
}
