//! Removing a folder with all that is in it, while others may still write to it.

use std::ffi::CStr;

use rustix::fs::{AtFlags, Dev, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::{Folder, component, failed};
use crate::host::PathError;

/// So many folders are held open at once. What lies deeper is moved up first, so that no depth uses up our handles.
const DEPTH: usize = 32;

/// So often a folder is gone through; each time takes `DEPTH` levels away. Whoever fills it faster than that is told.
const PASSES: usize = 4096;

impl Folder {
    /// Removes what has a name in it, if anything has: a file, a link, or a folder with all that is in it. No link is
    /// followed, and a folder in which something is mounted is left.
    ///
    /// # Errors
    ///
    /// If it cannot be removed, also where others fill it as fast as it is emptied.
    pub fn remove(&self, name: &str) -> Result<(), PathError> {
        let name = component("remove", self, name)?;
        match rustix::fs::unlinkat(&self.handle, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            // macOS says EPERM of a folder.
            Err(Errno::ISDIR | Errno::PERM) => {}
            Err(errno) => return Err(self.refused("remove", name, errno)),
        }
        let Some(folder) = self.folder(name)? else {
            return Ok(());
        };
        let device = folder.facts()?.st_dev as Dev;
        if device != self.facts()?.st_dev as Dev {
            return Err(self.refused("remove", name, Errno::XDEV));
        }
        for _ in 0..PASSES {
            folder.empty(&folder, device, DEPTH)?;
            match rustix::fs::unlinkat(&self.handle, name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => return Ok(()),
                Err(Errno::NOTEMPTY | Errno::EXIST) => {}
                Err(errno) => return Err(self.refused("remove", name, errno)),
            }
        }
        Err(self.refused("remove", name, Errno::NOTEMPTY))
    }

    /// Removes what is in it, as far as `depth` levels; what lies deeper is moved to `top`.
    fn empty(&self, top: &Self, device: Dev, depth: usize) -> Result<(), PathError> {
        for (name, kind) in self.raw_entries()? {
            let as_file = match kind {
                FileType::Directory => AtFlags::REMOVEDIR,
                _ => AtFlags::empty(),
            };
            match rustix::fs::unlinkat(&self.handle, &name, as_file) {
                Ok(()) | Err(Errno::NOENT) => continue,
                Err(Errno::NOTEMPTY | Errno::EXIST) if kind == FileType::Directory => {}
                // Exchanged for something of another type since it was listed: the next pass sees that.
                Err(Errno::ISDIR | Errno::NOTDIR) => continue,
                Err(errno) => return Err(self.unremoved(&name, errno)),
            }
            if depth == 0 {
                let aside = format!(".removed.{}", uuid::Uuid::new_v4().simple());
                let moved = rustix::fs::renameat(&self.handle, &name, &top.handle, &aside);
                moved.map_err(|errno| self.unremoved(&name, errno))?;
                continue;
            }
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let handle = match rustix::fs::openat(&self.handle, &name, flags, Mode::empty()) {
                Ok(handle) => handle,
                Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => continue,
                Err(errno) => return Err(self.unremoved(&name, errno)),
            };
            let folder = Self {
                handle,
                path: self.path.join(name.to_string_lossy().as_ref()),
            };
            if folder.facts()?.st_dev as Dev != device {
                return Err(self.unremoved(&name, Errno::XDEV));
            }
            folder.empty(top, device, depth - 1)?;
            match rustix::fs::unlinkat(&self.handle, &name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => {}
                Err(errno) => return Err(self.unremoved(&name, errno)),
            }
        }
        Ok(())
    }

    fn unremoved(&self, name: &CStr, errno: Errno) -> PathError {
        failed("remove", self.path.join(name.to_string_lossy().as_ref()), errno)
    }
}
