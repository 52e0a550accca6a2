//! Room that a restore keeps for the time when there is none.
//!
//! PostgreSQL cannot drop a database on a disk that is completely full: the drop makes a checkpoint, and that writes. So a
//! restore sets a file aside before it copies anything, on the disk that it is about to use; whoever clears up after it
//! removes that file first.
//!
//! Killed half-way a run leaves the file, which is what it is for.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;

use camino::Utf8PathBuf;
use rustix::fs::FallocateFlags;

use super::ActionError;
use crate::stack::Stack;

/// Two files of write-ahead log.
pub(super) const SIZE: u64 = 32 << 20;

/// Sets the file aside. A file system that cannot promise room has none to set aside.
pub(super) fn set_aside(stack: &Stack) -> Result<(), ActionError> {
    let path = place(stack);
    give_back(stack)?;
    let file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(|source| ActionError::path("make", &path, source))?;
    match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, SIZE) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS | rustix::io::Errno::INVAL) => give_back(stack),
        Err(errno) => {
            give_back(stack)?;
            Err(ActionError::path("set room aside in", &path, errno.into()))
        }
    }
}

/// Gives the room back.
pub(super) fn give_back(stack: &Stack) -> Result<(), ActionError> {
    let path = place(stack);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(ActionError::path("remove", &path, error)),
        _ => Ok(()),
    }
}

/// In the state root, where PostgreSQL's data lies too.
fn place(stack: &Stack) -> Utf8PathBuf {
    stack.paths.root.join(".opw-task.reserve")
}
