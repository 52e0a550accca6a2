//! The lock of a stack on this machine.

use std::fs::{DirBuilder, File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

use camino::Utf8Path;
use rustix::fs::OFlags;
use rustix::process::{Pid, test_kill_process};

use super::{Holder, LockError, told};
use crate::host::PathError;
use crate::stack::{Paths, Stack};

/// A locked file.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

pub(super) fn take(stack: &Stack, holder: &Holder) -> Result<Lock, LockError> {
    let path = stack.paths.lock();
    make(&stack.paths.root).map_err(|source| wrong("make", &stack.paths.root, source))?;
    let mut file = open(&path, true).map_err(|source| wrong("open the lock", &path, source))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(LockError::Held {
                stack: stack.name.clone(),
                holder: lines(&mut file),
                lock: told(stack),
            });
        }
        Err(TryLockError::Error(source)) => return Err(wrong("lock", &path, source)),
    }
    let work = nobody_is_at_work(stack, &mut file)?;
    // A full disk takes no name, and is no reason to refuse what may make room on it.
    let _ = file
        .set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| file.write_all(holder.to_string().as_bytes()));
    drop(work);
    Ok(Lock { _file: file })
}

/// Makes sure that no command is at work that a run from another machine began here. The file that is returned keeps any
/// from beginning.
fn nobody_is_at_work(stack: &Stack, lock: &mut File) -> Result<Option<File>, LockError> {
    let path = stack.paths.work();
    let mut work = match open(&path, false) {
        Ok(work) => work,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(wrong("open", &path, source)),
    };
    match work.try_lock() {
        Ok(()) => Ok(Some(work)),
        Err(TryLockError::WouldBlock) => {
            let mut commands: Vec<String> = lines(&mut work).iter().filter_map(|line| alive(line)).collect();
            commands.extend(lines(lock));
            Err(LockError::AtWork {
                stack: stack.name.clone(),
                commands,
                host: stack.host.to_string(),
            })
        }
        Err(TryLockError::Error(source)) => Err(wrong("lock", &path, source)),
    }
}

/// A line `PID COMMAND` of a process that lives, as it is told.
fn alive(line: &str) -> Option<String> {
    let (pid, command) = line.split_once(' ')?;
    test_kill_process(Pid::from_raw(pid.parse().ok()?)?).ok()?;
    Some(format!("process {pid}: {command}"))
}

/// Links are not followed: nobody makes a link of that name in good faith.
fn open(path: &Utf8Path, create: bool) -> std::io::Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create(create)
        .truncate(false)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
}

/// Makes the state root: nobody else may list it.
fn make(folder: &Utf8Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent)?;
    }
    DirBuilder::new().recursive(true).mode(Paths::ROOT_MODE).create(folder)
}

/// The file's lines; none if it cannot be read.
fn lines(file: &mut File) -> Vec<String> {
    let mut text = String::new();
    match file
        .seek(SeekFrom::Start(0))
        .and_then(|_| file.read_to_string(&mut text))
    {
        Ok(_) => text.lines().map(str::to_owned).collect(),
        Err(_) => Vec::new(),
    }
}

fn wrong(doing: &'static str, path: &Utf8Path, source: std::io::Error) -> LockError {
    PathError {
        doing,
        path: path.to_owned(),
        source,
    }
    .into()
}
