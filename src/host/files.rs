//! Files on a host.

use std::fmt;

use camino::{Utf8Component, Utf8Path};

use super::{Host, HostError, SshTarget, commands, local};
use crate::process::{Command, Ending, Processes, Sink};

/// Permission bits, such as `Mode(0o600)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode(pub u32);

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// Paths are absolute and without `..`. Operations on this machine happen in this process, those on another one by `ssh`;
/// both do the same.
impl Host {
    /// Writes a file. It has its mode before it has its name, and whoever opens it sees the old content or the new one,
    /// also after a crash. The file belongs to whom we work as; what was there before is replaced, link or not.
    ///
    /// # Errors
    ///
    /// If the folder is not there, or the file cannot be written.
    pub async fn write_file(
        &self,
        processes: &Processes,
        path: &Utf8Path,
        contents: &[u8],
        mode: Mode,
        sink: &Sink,
    ) -> Result<(), HostError> {
        plain(path)?;
        match self {
            Self::Local => Ok(local::write_file(path, contents, mode).await?),
            Self::Ssh(target) => {
                let arguments = [path.as_str(), &contents.len().to_string(), &mode.to_string()];
                let command = target.command(&commands::script(commands::WRITE, &arguments))?;
                Ok(processes.run_with_input(&command, contents, sink).await?)
            }
        }
    }

    /// Makes a folder, and those above it, if it is not there, and gives it its mode in either case.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub async fn create_dir(
        &self,
        processes: &Processes,
        path: &Utf8Path,
        mode: Mode,
        sink: &Sink,
    ) -> Result<(), HostError> {
        plain(path)?;
        match self {
            Self::Local => Ok(local::create_dir(path, mode).await?),
            Self::Ssh(target) => run(target, processes, &commands::create_dir(path, mode), sink).await,
        }
    }

    /// Whether something is there, be it a link to nowhere.
    ///
    /// # Errors
    ///
    /// If it cannot be known.
    pub async fn exists(&self, processes: &Processes, path: &Utf8Path) -> Result<bool, HostError> {
        plain(path)?;
        match self {
            Self::Local => Ok(local::exists(path).await?),
            Self::Ssh(target) => {
                let command = target.attached(&commands::script(commands::EXISTS, &[path.as_str()]))?;
                Ok(processes.capture(&command).await?.trim() == "yes")
            }
        }
    }

    /// Reads a text file; none if there is none.
    ///
    /// # Errors
    ///
    /// If it is there and cannot be read, is no text, or has more than 64 MiB.
    pub async fn read_file(&self, processes: &Processes, path: &Utf8Path) -> Result<Option<String>, HostError> {
        if !self.exists(processes, path).await? {
            return Ok(None);
        }
        match self {
            Self::Local => Ok(Some(local::read_file(path).await?)),
            Self::Ssh(target) => {
                let command = target.attached(&Command::new("cat").args(["--", path.as_str()]))?;
                Ok(Some(processes.capture(&command).await?))
            }
        }
    }

    /// Renames a file or a folder within one file system. A file in the way is replaced, an empty folder too, anything else
    /// refused.
    ///
    /// # Errors
    ///
    /// If it cannot be renamed.
    pub async fn rename(
        &self,
        processes: &Processes,
        from: &Utf8Path,
        to: &Utf8Path,
        sink: &Sink,
    ) -> Result<(), HostError> {
        plain(from)?;
        plain(to)?;
        match self {
            Self::Local => Ok(local::rename(from, to).await?),
            Self::Ssh(target) => run(target, processes, &commands::rename(from, to), sink).await,
        }
    }

    /// Removes a folder with all that is in it, if there is one, provided that it lies inside of `root` (all links
    /// followed) and is not `root` itself.
    ///
    /// # Errors
    ///
    /// [`HostError::Outside`], or if it cannot be removed.
    pub async fn remove_dir_all(
        &self,
        processes: &Processes,
        path: &Utf8Path,
        root: &Utf8Path,
        sink: &Sink,
    ) -> Result<(), HostError> {
        plain(path)?;
        plain(root)?;
        let outside = || HostError::Outside {
            path: path.to_owned(),
            root: root.to_owned(),
        };
        if !path.starts_with(root) || path == root {
            return Err(outside());
        }
        match self {
            Self::Local if local::remove_within(path, root).await? => Ok(()),
            Self::Local => Err(outside()),
            Self::Ssh(target) => {
                let script = commands::script(commands::REMOVE_WITHIN, &[path.as_str(), root.as_str()]);
                match processes.run(&target.command(&script)?, sink).await {
                    Err(error) if error.ending() == Some(Ending::Exited(3)) => Err(outside()),
                    result => Ok(result?),
                }
            }
        }
    }
}

async fn run(target: &SshTarget, processes: &Processes, command: &Command, sink: &Sink) -> Result<(), HostError> {
    Ok(processes.run(&target.command(command)?, sink).await?)
}

/// Refuses paths that a guard could not compare.
fn plain(path: &Utf8Path) -> Result<(), HostError> {
    let steps = path
        .components()
        .skip(1)
        .all(|part| matches!(part, Utf8Component::Normal(_)));
    if path.is_absolute() && steps && path.parent().is_some() && !path.as_str().contains('\0') {
        Ok(())
    } else {
        Err(HostError::NotPlain { path: path.to_owned() })
    }
}
