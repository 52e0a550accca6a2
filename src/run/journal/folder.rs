//! Folders and files that only their owner can read.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

use camino::{Utf8Path, Utf8PathBuf};

use super::JournalError;

/// Makes `<root>/.opw-task/runs`, with a `.gitignore` that keeps all of it out of the project's history.
pub(super) fn prepare(root: &Utf8Path) -> Result<Utf8PathBuf, JournalError> {
    let own = root.join(".opw-task");
    let runs = own.join("runs");
    make(&runs, true)?;
    let ignore = own.join(".gitignore");
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&ignore)
        .and_then(|mut file| file.write_all(b"*\n"));
    match written {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            Err(JournalError::Write { path: ignore, source })
        }
        _ => Ok(runs),
    }
}

/// Makes the folder of one run. That it is there already is an error: two runs must not write into one journal.
pub(super) fn make_run(runs: &Utf8Path, run: &str) -> Result<Utf8PathBuf, JournalError> {
    let path = runs.join(run);
    make(&path, false)?;
    Ok(path)
}

/// Opens a file for appending, and makes it if it is not there.
pub(super) fn append(path: &Utf8Path) -> Result<File, JournalError> {
    let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    opened.map_err(|source| JournalError::Write {
        path: path.to_owned(),
        source,
    })
}

fn make(path: &Utf8Path, with_parents: bool) -> Result<(), JournalError> {
    let made = DirBuilder::new().recursive(with_parents).mode(0o700).create(path);
    made.map_err(|source| JournalError::Folder {
        path: path.to_owned(),
        source,
    })
}
