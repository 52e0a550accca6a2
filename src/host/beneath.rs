//! Folders that are held open, and work in them that follows no link.
//!
//! Code in a stack's containers may write to parts of the state root, and opw-task often runs as root: a link that was
//! planted there would lead root's work to any file of the host. So nothing below a state root is reached by a path. Each
//! folder is opened by one name in the folder above it, with `O_NOFOLLOW`, and held; names in it are looked up in what is
//! held, not in what stands at its path by then. A folder that is exchanged for a link between a look and the work is
//! either refused or was opened before. One step at a time needs no `openat2`, and so works on every kernel and on macOS.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

use super::PathError;

mod remove;

/// No note or mark is longer; what is longer is none.
const LONGEST_NOTE: u64 = 4096;

/// A folder that is held open. What its methods take are names in it, of one component.
#[derive(Debug)]
pub struct Folder {
    handle: OwnedFd,
    path: Utf8PathBuf,
}

impl Folder {
    /// Opens a folder by its path, whose links are followed: only its owner, and those whom the owner lets, can have made
    /// them.
    ///
    /// # Errors
    ///
    /// If it is not there, or no folder.
    pub fn open(path: &Utf8Path) -> Result<Self, PathError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::open(path.as_std_path(), flags, Mode::empty()) {
            Ok(handle) => Ok(Self {
                handle,
                path: path.to_owned(),
            }),
            Err(errno) => Err(failed("open folder", path.to_owned(), errno)),
        }
    }

    /// Opens a folder in it; none if nothing has that name.
    ///
    /// # Errors
    ///
    /// If it is a link or no folder.
    pub fn folder(&self, name: &str) -> Result<Option<Self>, PathError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let name = component("open folder", self, name)?;
        match rustix::fs::openat(&self.handle, name, flags, Mode::empty()) {
            Ok(handle) => Ok(Some(Self {
                handle,
                path: self.path.join(name),
            })),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.refused("open folder", name, errno)),
        }
    }

    /// Opens a folder in it, and makes it before if nothing has that name.
    ///
    /// # Errors
    ///
    /// If it cannot be made, is a link or no folder.
    pub fn folder_made(&self, name: &str, mode: u32) -> Result<Self, PathError> {
        if let Some(there) = self.folder(name)? {
            return Ok(there);
        }
        match self.make(name, mode) {
            Err(error) if error.source.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => self
                .folder(name)?
                .ok_or_else(|| failed("make", self.path.join(name), Errno::NOENT)),
        }
    }

    /// Makes a folder in it where nothing has that name yet.
    ///
    /// # Errors
    ///
    /// If something has it.
    pub fn make(&self, name: &str, mode: u32) -> Result<(), PathError> {
        let name = component("make", self, name)?;
        rustix::fs::mkdirat(&self.handle, name, Mode::from_raw_mode(mode as rustix::fs::RawMode))
            .map_err(|errno| self.refused("make", name, errno))
    }

    /// The path that it was opened by. It is for messages: something else may stand there by now.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// A path that leads other programs of this user to the folder itself, whatever stands at its path by then, for as long
    /// as it is held. On systems without `/proc` it is the path that it was opened by.
    #[must_use]
    pub fn held_path(&self) -> Utf8PathBuf {
        if cfg!(target_os = "linux") {
            format!("/proc/{}/fd/{}", std::process::id(), self.handle.as_raw_fd()).into()
        } else {
            self.path.clone()
        }
    }

    /// What has a name in it, a link as a link; none if nothing has.
    ///
    /// # Errors
    ///
    /// If it cannot be looked at.
    pub fn look(&self, name: &str) -> Result<Option<Stat>, PathError> {
        let name = component("look at", self, name)?;
        match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(errno) => Err(self.refused("look at", name, errno)),
        }
    }

    /// Whether a plain file has that name.
    ///
    /// # Errors
    ///
    /// If it cannot be looked at.
    pub fn has_file(&self, name: &str) -> Result<bool, PathError> {
        Ok(self.look(name)?.is_some_and(|found| is_file(&found)))
    }

    /// What it is itself.
    ///
    /// # Errors
    ///
    /// If it cannot be looked at.
    pub fn facts(&self) -> Result<Stat, PathError> {
        rustix::fs::fstat(&self.handle).map_err(|errno| failed("look at", self.path.clone(), errno))
    }

    /// What tells this folder from all others of its file system, and stays when it is renamed: its inode's number and,
    /// where the file system keeps it, the time at which it was made, for numbers are used again.
    ///
    /// # Errors
    ///
    /// If it cannot be looked at.
    pub fn identity(&self) -> Result<String, PathError> {
        let inode = self.facts()?.st_ino;
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{StatxFlags, statx};
            let found = statx(&self.handle, "", AtFlags::EMPTY_PATH, StatxFlags::BTIME);
            if let Ok(found) = found
                && found.stx_mask & StatxFlags::BTIME.bits() != 0
            {
                let made = found.stx_btime;
                return Ok(format!("{inode}-{}.{:09}", made.tv_sec, made.tv_nsec));
            }
        }
        Ok(inode.to_string())
    }

    /// Opens a plain file in it for reading; none if nothing has that name, or something else than a plain file.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub fn file(&self, name: &str) -> Result<Option<File>, PathError> {
        // A pipe that nobody writes to must not keep us: O_NONBLOCK.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let name = component("read", self, name)?;
        let file = match rustix::fs::openat(&self.handle, name, flags, Mode::empty()) {
            Ok(handle) => File::from(handle),
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => return Ok(None),
            Err(errno) => return Err(self.refused("read", name, errno)),
        };
        let found = rustix::fs::fstat(&file).map_err(|errno| self.refused("read", name, errno))?;
        Ok(is_file(&found).then_some(file))
    }

    /// Reads a short text; none if nothing has that name, or something else than a plain file of a short text.
    ///
    /// # Errors
    ///
    /// If it is there and cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<String>, PathError> {
        let Some(file) = self.file(name)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(LONGEST_NOTE + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| self.error("read", name, source))?;
        let short = bytes.len() as u64 <= LONGEST_NOTE;
        Ok(String::from_utf8(bytes).ok().filter(|_| short))
    }

    /// Writes a short text for its owner alone, on the disk when this returns: a new file in the place of what had the name.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or a folder has the name.
    pub fn write(&self, name: &str, text: &str) -> Result<(), PathError> {
        let name = component("write", self, name)?;
        let new = format!(".new.{}", uuid::Uuid::new_v4().simple());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = rustix::fs::openat(&self.handle, &new, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|errno| self.refused("write", name, errno))?;
        let mut file = File::from(handle);
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| Ok(rustix::fs::renameat(&self.handle, &new, &self.handle, name)?))
            .and_then(|()| Ok(rustix::fs::fsync(&self.handle)?));
        written.map_err(|source| {
            let _ = rustix::fs::unlinkat(&self.handle, &new, AtFlags::empty());
            self.error("write", name, source)
        })
    }

    /// Renames a file or folder, also into another folder of the same mount. A file in the way is replaced, an empty folder
    /// too, anything else refused.
    ///
    /// # Errors
    ///
    /// If it cannot be renamed.
    pub fn rename(&self, name: &str, to: &Self, new: &str) -> Result<(), PathError> {
        let (name, new) = (component("rename", self, name)?, component("rename", to, new)?);
        rustix::fs::renameat(&self.handle, name, &to.handle, new).map_err(|errno| self.refused("rename", name, errno))
    }

    /// Exchanges two names in one step.
    ///
    /// # Errors
    ///
    /// If one of them is not there, or the file system cannot do it.
    pub fn exchange(&self, name: &str, with: &Self, other: &str) -> Result<(), PathError> {
        let (name, other) = (component("exchange", self, name)?, component("exchange", with, other)?);
        rustix::fs::renameat_with(&self.handle, name, &with.handle, other, RenameFlags::EXCHANGE)
            .map_err(|errno| self.refused("exchange", name, errno))
    }

    /// Gives a file a second name in another folder: a hard link, of a link itself where there is one.
    ///
    /// # Errors
    ///
    /// If it cannot be linked.
    pub fn link(&self, name: &str, into: &Self, new: &str) -> Result<(), PathError> {
        let (name, new) = (component("link", self, name)?, component("link", into, new)?);
        rustix::fs::linkat(&self.handle, name, &into.handle, new, AtFlags::empty())
            .map_err(|errno| self.refused("link", name, errno))
    }

    /// Removes a file or a link, if it is there.
    ///
    /// # Errors
    ///
    /// If it cannot be removed, or is a folder.
    pub fn remove_file(&self, name: &str) -> Result<(), PathError> {
        let name = component("remove", self, name)?;
        match rustix::fs::unlinkat(&self.handle, name, AtFlags::empty()) {
            Err(Errno::NOENT) | Ok(()) => Ok(()),
            Err(errno) => Err(self.refused("remove", name, errno)),
        }
    }

    /// The names in it, with what they are names of. A name that is no UTF-8 is passed over.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn entries(&self) -> Result<Vec<(String, FileType)>, PathError> {
        let entries = self.raw_entries()?.into_iter();
        Ok(entries
            .filter_map(|(name, kind)| Some((name.into_string().ok()?, kind)))
            .collect())
    }

    fn raw_entries(&self) -> Result<Vec<(std::ffi::CString, FileType)>, PathError> {
        let unread = |errno| failed("read folder", self.path.clone(), errno);
        let mut found = Vec::new();
        for entry in Dir::read_from(&self.handle).map_err(unread)? {
            let entry = entry.map_err(unread)?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let kind = match entry.file_type() {
                // Not every file system tells the type with the name.
                FileType::Unknown => match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                    Err(Errno::NOENT) => continue,
                    Err(errno) => return Err(unread(errno)),
                },
                kind => kind,
            };
            found.push((name.to_owned(), kind));
        }
        Ok(found)
    }

    /// Gives the folder itself to a user and a group, and a mode.
    ///
    /// # Errors
    ///
    /// If that is not ours to do.
    pub fn give(&self, owner: Option<(u32, u32)>, mode: u32) -> Result<(), PathError> {
        use rustix::fs::{Gid, Uid};
        let unchanged = |errno| failed("give away", self.path.clone(), errno);
        if let Some((user, group)) = owner {
            rustix::fs::fchown(&self.handle, Some(Uid::from_raw(user)), Some(Gid::from_raw(group)))
                .map_err(unchanged)?;
        }
        rustix::fs::fchmod(&self.handle, Mode::from_raw_mode(mode as rustix::fs::RawMode)).map_err(unchanged)
    }

    /// Writes its whole file system out to the disk.
    ///
    /// # Errors
    ///
    /// The disk's.
    pub fn write_out(&self) -> Result<(), PathError> {
        #[cfg(target_os = "linux")]
        let written = rustix::fs::syncfs(&self.handle);
        #[cfg(not(target_os = "linux"))]
        let written = rustix::fs::fsync(&self.handle);
        written.map_err(|errno| failed("write out", self.path.clone(), errno))
    }

    fn error(&self, doing: &'static str, name: &str, source: io::Error) -> PathError {
        PathError {
            doing,
            path: self.path.join(name),
            source,
        }
    }

    /// The error of a name; that of a link says so, in whichever word the system refused it.
    fn refused(&self, doing: &'static str, name: &str, errno: Errno) -> PathError {
        let link = || {
            let found = rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW);
            found.is_ok_and(|found| FileType::from_raw_mode(found.st_mode).is_symlink())
        };
        match errno {
            Errno::LOOP | Errno::NOTDIR if link() => {
                let why = "it is a link, and below a state root no link is followed";
                self.error(doing, name, io::Error::other(why))
            }
            _ => self.error(doing, name, errno.into()),
        }
    }
}

/// Whether it is a plain file.
#[must_use]
pub fn is_file(found: &Stat) -> bool {
    FileType::from_raw_mode(found.st_mode).is_file()
}

/// Refuses what is not one name: work would leave the folder.
fn component<'a>(doing: &'static str, folder: &Folder, name: &'a str) -> Result<&'a str, PathError> {
    if matches!(name, "" | "." | "..") || name.contains(['/', '\0']) {
        let why = io::Error::new(io::ErrorKind::InvalidInput, "not the name of a file or folder");
        return Err(folder.error(doing, name, why));
    }
    Ok(name)
}

fn failed(doing: &'static str, path: Utf8PathBuf, errno: Errno) -> PathError {
    PathError {
        doing,
        path,
        source: errno.into(),
    }
}

#[cfg(test)]
mod tests;
