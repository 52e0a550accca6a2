//! The folder in which a run's copy of the filestore comes to be, out of everybody's reach.
//!
//! rsync runs as root where opw-task does, and finds its way by names: in a folder that code in a container can write to,
//! a link planted in time would lead it elsewhere. And nobody is to read production's files before they are sanitised. So
//! the copy lies in opw-task's own folder, which is in no container, until it goes live. Where that is on another file
//! system than the filestore, a folder beside the filestore holds it, which only its owner may enter, and rsync is led
//! there by a handle.

use camino::Utf8PathBuf;
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use super::filestore_records::PRIVATE;
use crate::host::{Folder, PathError, is_file};

/// The copy, in the run's folder.
const FILES: &str = "files";

/// Hard links to what is there already, from which rsync takes them.
const HAVE: &str = "have";

/// The mode of a filestore's folders, as rsync makes them.
pub(super) const FILESTORE: u32 = 0o750;

/// A run's folder.
#[derive(Debug)]
pub(super) struct Workplace {
    folder: Folder,
    /// Whether others can exchange the folder for another one.
    exposed: bool,
}

/// Where a run's folder may lie, and its name there.
#[derive(Debug)]
pub(super) struct Spot<'a> {
    /// The folder above it.
    pub above: &'a Folder,
    /// Its name.
    pub name: String,
    /// Whether code in containers can write to the folder above.
    pub exposed: bool,
}

impl Workplace {
    /// Makes the run's folder in the first of the spots from which a folder can be renamed into `filestores`.
    pub(super) fn make(spots: &[Spot<'_>; 2], filestores: &Folder, trial: &str) -> Result<Self, PathError> {
        let [own, beside] = spots;
        let spot = if is_beside(own.above, filestores, trial)? {
            own
        } else {
            beside
        };
        spot.above.make(&spot.name, PRIVATE)?;
        let made = Self::open(spot)?.filter(|made| made.folder.entries().is_ok_and(|entries| entries.is_empty()));
        made.ok_or_else(|| PathError {
            doing: "use folder",
            path: spot.above.path().join(&spot.name),
            source: std::io::Error::other("it was exchanged for another one the moment it was made"),
        })
    }

    /// Opens the run's folder, if it is there and is ours.
    pub(super) fn open(spot: &Spot<'_>) -> Result<Option<Self>, PathError> {
        // What is no folder is not ours.
        let is_folder = |found: Stat| FileType::from_raw_mode(found.st_mode).is_dir();
        if !spot.above.look(&spot.name)?.is_some_and(is_folder) {
            return Ok(None);
        }
        let Some(folder) = spot.above.folder(&spot.name)? else {
            return Ok(None);
        };
        let found = folder.facts()?;
        let ours = found.st_uid == rustix::process::geteuid().as_raw() && found.st_mode & 0o077 == 0;
        Ok(Some(Self {
            folder,
            exposed: spot.exposed,
        })
        .filter(|_| ours || !spot.exposed))
    }

    /// The folder that holds the copy.
    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The name of the copy in it.
    pub(super) fn name(&self) -> &'static str {
        FILES
    }

    /// The copy, if it was begun.
    pub(super) fn copy(&self) -> Result<Option<Folder>, PathError> {
        self.folder.folder(FILES)
    }

    /// The paths that rsync is to be given: of the folder that it makes, and of the one that has hard links to what need
    /// not travel.
    pub(super) fn paths(&self, name: &str) -> (Utf8PathBuf, Utf8PathBuf) {
        let base = if self.exposed {
            self.folder.held_path()
        } else {
            self.folder.path().to_owned()
        };
        (base.join(name), base.join(HAVE))
    }

    /// Makes hard links to what a filestore has, if there is one. rsync takes them where they are what it would bring.
    pub(super) fn offer(&self, filestore: Option<&Folder>) -> Result<(), PathError> {
        self.folder.remove(HAVE)?;
        let have = self.folder.folder_made(HAVE, PRIVATE)?;
        let Some(filestore) = filestore else { return Ok(()) };
        for (name, kind) in filestore.entries()? {
            if !is_content(&name) || !kind.is_dir() {
                continue;
            }
            // A folder that became a link meanwhile is offered by nobody.
            let Ok(Some(from)) = filestore.folder(&name) else {
                continue;
            };
            let into = have.folder_made(&name, PRIVATE)?;
            for (file, kind) in from.entries()? {
                if kind.is_file() {
                    // What cannot be linked travels.
                    let _ = from.link(&file, &into, &file);
                }
            }
        }
        Ok(())
    }

    /// Takes the offer back.
    pub(super) fn end_offer(&self) -> Result<(), PathError> {
        self.folder.remove(HAVE)
    }

    /// Adds to the copy what a second pull, which lies beside it under that name, has of these files.
    pub(super) fn add_from(
        &self,
        second: &str,
        missing: &[String],
        owner: Option<(u32, u32)>,
    ) -> Result<(), PathError> {
        let (Some(from), Some(copy)) = (self.folder.folder(second)?, self.copy()?) else {
            return Ok(());
        };
        for file in missing {
            let Some((folder, name)) = file.split_once('/').filter(|(folder, _)| is_content(folder)) else {
                continue;
            };
            let Some(from) = from.folder(folder)? else { continue };
            if !from.look(name)?.is_some_and(|found| is_file(&found)) {
                continue;
            }
            let into = match copy.folder(folder)? {
                Some(into) => into,
                None => {
                    copy.make(folder, PRIVATE)?;
                    let Some(made) = copy.folder(folder)? else { continue };
                    made.give(owner, FILESTORE)?;
                    made
                }
            };
            into.remove(name)?;
            from.link(name, &into, name)?;
        }
        self.folder.remove(second)
    }
}

/// Whether the name is that of a folder with contents in a filestore: two hexadecimal digits.
pub(super) fn is_content(name: &str) -> bool {
    name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether folders can be renamed from one folder into the other.
fn is_beside(one: &Folder, other: &Folder, trial: &str) -> Result<bool, PathError> {
    one.make(trial, PRIVATE)?;
    let renamed = one.rename(trial, other, trial);
    match &renamed {
        Ok(()) => other.remove(trial)?,
        Err(_) => one.remove(trial)?,
    }
    match renamed {
        Err(error) if error.source.raw_os_error() == Some(Errno::XDEV.raw_os_error()) => Ok(false),
        Err(error) => Err(error),
        Ok(()) => Ok(true),
    }
}
