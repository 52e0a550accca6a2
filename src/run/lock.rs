//! One run at a time changes a stack: a lock file in its state root, held by the kernel for as long as the run lives.

use std::fs::{DirBuilder, File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::DirBuilderExt;

use camino::{Utf8Path, Utf8PathBuf};

use crate::action::ActionError;
use crate::host::Host;
use crate::stack::{Paths, Stack};

/// The right to change a stack. It goes when the value goes, or with the process, however that ends.
#[derive(Debug)]
pub struct StackLock {
    _file: File,
}

impl StackLock {
    /// Takes the lock. For a stack on another host it stands in this project's folder: it keeps runs of this machine
    /// apart; the database's advisory lock keeps restores apart everywhere.
    ///
    /// # Errors
    /// [`ActionError::Locked`] with who holds it; [`ActionError::Path`] if it cannot be made.
    pub fn take(stack: &Stack, root: &Utf8Path, title: &str, run: &str) -> Result<Self, ActionError> {
        let path = match stack.host {
            Host::Local => stack.paths.lock(),
            Host::Ssh(_) => root.join(".opw-task").join(format!("{}.lock", stack.name)),
        };
        if let Some(folder) = path.parent() {
            make(folder).map_err(|source| ActionError::path("make", folder, source))?;
        }
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| ActionError::path("open the lock", &path, source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(stack, &mut file, path)),
            Err(TryLockError::Error(source)) => return Err(ActionError::path("lock", &path, source)),
        }
        let who = format!(
            "process {} of user {}\nopw-task {title}\nrun {run}\n",
            std::process::id(),
            rustix::process::getuid().as_raw()
        );
        let written = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(who.as_bytes()));
        written.map_err(|source| ActionError::path("write", &path, source))?;
        Ok(Self { _file: file })
    }
}

/// Makes the folder of the lock. That is the state root, and this is where it comes to be: nobody else may list it.
fn make(folder: &Utf8Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent)?;
    }
    DirBuilder::new().recursive(true).mode(Paths::ROOT_MODE).create(folder)
}

fn held(stack: &Stack, file: &mut File, path: Utf8PathBuf) -> ActionError {
    let mut holder = String::new();
    if file.read_to_string(&mut holder).is_err() {
        holder.clear();
    }
    ActionError::Locked {
        stack: stack.name.clone(),
        holder,
        path,
    }
}
