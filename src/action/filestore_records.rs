//! What is noted of the filestores of a database, in a folder of opw-task's own: that a swap is under way, and which run
//! brought which filestore.
//!
//! Filestores themselves can be written to by code in the stack's containers, so nothing that decides stands in them. A
//! filestore is known by its folder's identity, which it keeps under every name. Earlier versions wrote a file into the
//! filestore, and their note beside it: those are read where nothing is noted here, and never written.

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::{Folder, PathError};
use crate::stack::Paths;

/// The file of earlier versions in a filestore that names the run which brought it; empty for one that opw-task did not
/// bring. Odoo looks at folders of two hexadecimal digits only.
const EARLIER_MARK: &str = ".opw-task-run";

const SWAP: &str = "swap";
const RUNS: &str = "runs";

/// The mode of what only root, or whoever works for the stack, may enter.
pub(super) const PRIVATE: u32 = 0o700;

/// The notes of one database.
#[derive(Debug)]
pub(super) struct Records {
    folder: Folder,
}

/// What is noted of one filestore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// The run that brought it; empty where opw-task did not bring it.
    pub run: String,
    /// How many folders with files it had when it was put aside: nobody removes any then.
    pub folders: Option<usize>,
}

impl Records {
    /// Where they lie.
    pub(super) fn path(paths: &Paths, database: &str) -> Utf8PathBuf {
        paths.own().join("filestore").join(database)
    }

    /// Where it is noted that a swap is under way.
    pub(super) fn swap(paths: &Paths, database: &str) -> Utf8PathBuf {
        Self::path(paths, database).join(SWAP)
    }

    /// The notes, if there are any.
    pub(super) fn open(root: &Utf8Path, database: &str) -> Result<Option<Self>, PathError> {
        if !root.is_dir() {
            return Ok(None);
        }
        let mut folder = Folder::open(root)?;
        for name in [".opw-task", "filestore", database] {
            match folder.folder(name)? {
                Some(next) => folder = next,
                None => return Ok(None),
            }
        }
        Ok(Some(Self { folder }))
    }

    /// The notes; their folder is made if it is not there.
    pub(super) fn make(root: &Utf8Path, database: &str) -> Result<Self, PathError> {
        let root = Folder::open(root)?;
        let own = root.folder_made(".opw-task", PRIVATE)?;
        let (found, above) = (own.facts()?, root.facts()?);
        let me = rustix::process::geteuid().as_raw();
        // Whoever owns the state root may own what is in it: a person who runs this with sudo now and then.
        if found.st_uid != me && found.st_uid != above.st_uid {
            return Err(PathError {
                doing: "use folder",
                path: own.path().to_owned(),
                source: std::io::Error::other(format!("it belongs to user {}, who could change it", found.st_uid)),
            });
        }
        if found.st_uid == me {
            own.give(None, PRIVATE)?;
        }
        let filestore = own.folder_made("filestore", PRIVATE)?;
        let folder = filestore.folder_made(database, PRIVATE)?;
        Ok(Self { folder })
    }

    /// The folder, in which a copy may lie too.
    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The same, for whoever needs nothing else.
    pub(super) fn into_folder(self) -> Folder {
        self.folder
    }

    /// Notes that a swap is under way.
    pub(super) fn note_swap(&self) -> Result<(), PathError> {
        self.folder.write(SWAP, "")
    }

    /// Whether a swap was begun and is not known to have ended.
    pub(super) fn swap_is_noted(&self) -> Result<bool, PathError> {
        Ok(self.folder.look(SWAP)?.is_some())
    }

    /// Notes that no swap is under way.
    pub(super) fn end_swap(&self) -> Result<(), PathError> {
        self.folder.remove_file(SWAP)
    }

    /// What is noted of a filestore.
    pub(super) fn mark(&self, filestore: &Folder) -> Result<Option<Mark>, PathError> {
        let noted = match self.folder.folder(RUNS)? {
            Some(runs) => runs.read(&filestore.identity()?)?,
            None => None,
        };
        let text = match noted {
            Some(text) => Some(text),
            None => filestore.read(EARLIER_MARK)?,
        };
        Ok(text.map(|text| {
            let mut lines = text.lines();
            Mark {
                run: lines.next().unwrap_or_default().to_owned(),
                folders: lines.next().and_then(|count| count.parse().ok()),
            }
        }))
    }

    /// Notes of a filestore which run brought it.
    pub(super) fn set_mark(&self, filestore: &Folder, mark: &Mark) -> Result<(), PathError> {
        let count = mark.folders.map(|count| count.to_string()).unwrap_or_default();
        let runs = self.folder.folder_made(RUNS, PRIVATE)?;
        runs.write(&filestore.identity()?, &format!("{}\n{count}\n", mark.run))
    }

    /// Forgets a filestore that is about to be removed. One that is only missing may come back.
    pub(super) fn forget(&self, filestore: &Folder) -> Result<(), PathError> {
        match self.folder.folder(RUNS)? {
            Some(runs) => runs.remove_file(&filestore.identity()?),
            None => Ok(()),
        }
    }
}
