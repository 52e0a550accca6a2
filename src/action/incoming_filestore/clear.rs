//! What of the filestores is of no use any more, to be told and removed.

use camino::Utf8PathBuf;

use super::{FILESTORES, FilestorePair, Records, TRIAL, blocking};
use crate::action::ActionError;
use crate::host::Folder;

/// A folder that a run left which ended.
#[derive(Debug)]
pub(in crate::action) struct Left {
    above: Folder,
    name: String,
}

impl Left {
    /// Where it lies, for messages.
    pub(in crate::action) fn path(&self) -> Utf8PathBuf {
        self.above.path().join(&self.name)
    }
}

impl FilestorePair {
    /// Whether the filestore that serves is the one that this run brought.
    pub(in crate::action) fn serves(&self, run: &str) -> bool {
        let look = || -> Result<bool, ActionError> {
            let held = self.held()?;
            let live = held.filestores.folder(&self.live)?;
            self.is_of(&held, live.as_ref(), run)
        };
        look().unwrap_or(false)
    }

    /// Removes what a run has brought so far, because it will not be put in place.
    pub(in crate::action) async fn discard(&self, run: &str) -> Result<(), ActionError> {
        let (pair, run) = (self.clone(), run.to_owned());
        blocking(move || pair.remove_copy(&pair.held()?, &run)).await
    }

    /// The folders that runs left which ended, and what tried the file system for one. They are of no use unless a swap was
    /// cut off. Nothing is made to find out: the disk may be full.
    pub(in crate::action) fn left_behind(&self) -> Result<Vec<Left>, ActionError> {
        let mut left = Vec::new();
        let mut look = |folder: &Folder, open: &dyn Fn() -> Result<Option<Folder>, ActionError>, prefixes: &[&str]| {
            for (name, _) in folder.entries()? {
                if prefixes.iter().any(|prefix| name.starts_with(prefix))
                    && let Some(above) = open()?
                {
                    left.push(Left { above, name });
                }
            }
            Ok::<_, ActionError>(())
        };
        let root = &self.paths.root;
        if let Some(records) = Records::open(root, &self.live)? {
            let open = || Ok(Records::open(root, &self.live)?.map(Records::into_folder));
            look(records.folder(), &open, &["incoming_", TRIAL])?;
        }
        if self.paths.data.is_dir() {
            let open = || Ok(Some(Folder::open(&self.paths.data)?));
            let data = Folder::open(&self.paths.data)?;
            look(&data, &open, &[&format!(".{}", self.incoming_prefix)])?;
            if let Some(filestores) = data.folder(FILESTORES)? {
                let open = || Ok(data.folder(FILESTORES)?);
                look(
                    &filestores,
                    &open,
                    &[&self.incoming_prefix, &self.retired_prefix, TRIAL],
                )?;
            }
        }
        Ok(left)
    }

    /// Removes a folder that [`FilestorePair::left_behind`] named.
    pub(in crate::action) async fn remove_left(&self, left: Left) -> Result<(), ActionError> {
        blocking(move || Ok(left.above.remove(&left.name)?)).await
    }

    /// The filestore that is kept for a rollback, if there is one.
    pub(in crate::action) fn previous(&self) -> Option<Utf8PathBuf> {
        let path = self.paths.filestore(&self.previous);
        path.symlink_metadata()
            .is_ok_and(|found| found.is_dir())
            .then_some(path)
    }

    /// Removes the filestore that is kept for a rollback. Its database is gone.
    pub(in crate::action) async fn remove_previous(&self) -> Result<(), ActionError> {
        let pair = self.clone();
        blocking(move || {
            let held = pair.held()?;
            if let Some(previous) = held.filestores.folder(&pair.previous)? {
                held.records.forget(&previous)?;
            }
            Ok(held.filestores.remove(&pair.previous)?)
        })
        .await
    }
}
