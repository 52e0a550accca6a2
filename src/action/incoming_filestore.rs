//! The filestores of a database: live, previous, incoming; and the way from one to the other.
//!
//! A filestore carries the run that brought it, in a file of its own, as a database does in its comment. Whoever finds
//! a live database and a live filestore of different runs knows that a swap was cut off between the two, and which
//! folder is the right one.

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::ActionError;
use crate::postgres::Names;
use crate::stack::Stack;

/// The file in a filestore that names the run which brought it. Odoo looks at folders of two hexadecimal digits only.
const MARK: &str = ".opw-task-run";

/// The filestores of one database.
#[derive(Debug, Clone)]
pub(super) struct FilestorePair {
    live: Utf8PathBuf,
    previous: Utf8PathBuf,
    folder: Utf8PathBuf,
    incoming_prefix: String,
}

impl FilestorePair {
    /// The filestores beside a stack's live database.
    pub(super) fn of(stack: &Stack, names: &Names) -> Self {
        Self {
            live: stack.paths.filestore(names.live().as_str()),
            previous: stack.paths.filestore(names.previous().as_str()),
            folder: stack.paths.data.join("filestore"),
            incoming_prefix: names.incoming_prefix(),
        }
    }

    /// The filestore that serves.
    pub(super) fn live(&self) -> &Utf8Path {
        &self.live
    }

    /// The filestore that a run fills.
    pub(super) fn incoming(&self, run: &str) -> Utf8PathBuf {
        self.folder.join(format!("{}{run}", self.incoming_prefix))
    }

    /// Marks a filled filestore as that of a run.
    pub(super) async fn mark(&self, run: &str) -> Result<(), ActionError> {
        let path = self.incoming(run).join(MARK);
        tokio::fs::write(&path, run)
            .await
            .map_err(|source| ActionError::path("mark", &path, source))
    }

    /// Puts the incoming filestore in the live one's place and keeps that as the previous one. The exchange is one
    /// step of the file system; everything after it only renames what nobody uses.
    pub(super) async fn activate(&self, run: &str) -> Result<(), ActionError> {
        let pair = self.clone();
        let incoming = self.incoming(run);
        blocking(move || pair.put_in_place(&incoming)).await
    }

    /// Exchanges the live and the previous filestore.
    pub(super) async fn rollback(&self) -> Result<(), ActionError> {
        let pair = self.clone();
        blocking(move || {
            if pair.previous.is_dir() {
                exchange(&pair.previous, &pair.live)?;
            }
            Ok(())
        })
        .await
    }

    /// Brings the filestores into the state that the live database's run says they should be in, and removes incoming
    /// ones: no run is at work, the caller holds the lock. Says what it did.
    pub(super) async fn mend(&self, live_run: Option<String>) -> Result<Vec<String>, ActionError> {
        let pair = self.clone();
        blocking(move || pair.mend_now(live_run.as_deref().unwrap_or_default())).await
    }

    fn mend_now(&self, live_run: &str) -> Result<Vec<String>, ActionError> {
        let mut done = Vec::new();
        let incoming = self.all_incoming()?;
        if mark_of(&self.live) != live_run {
            let candidates = incoming.iter().chain([&self.previous]);
            if let Some(right) = candidates
                .into_iter()
                .find(|path| path.is_dir() && mark_of(path) == live_run)
            {
                if right == &self.previous {
                    exchange(right, &self.live)?;
                } else {
                    self.put_in_place(right)?;
                }
                done.push(format!(
                    "finished the swap of filestores that run {live_run} was ended in"
                ));
            }
        }
        for path in self.all_incoming()? {
            remove(&path)?;
            done.push(format!("removed {path}, left by a run that was ended"));
        }
        Ok(done)
    }

    fn put_in_place(&self, incoming: &Utf8Path) -> Result<(), ActionError> {
        if !self.live.is_dir() {
            return rename(incoming, &self.live);
        }
        exchange(incoming, &self.live)?;
        if self.previous.is_dir() {
            remove(&self.previous)?;
        }
        rename(incoming, &self.previous)
    }

    fn all_incoming(&self) -> Result<Vec<Utf8PathBuf>, ActionError> {
        let entries = match self.folder.read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(ActionError::path("read", &self.folder, source)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| ActionError::path("read", &self.folder, source))?;
            if entry.file_name().starts_with(&self.incoming_prefix) {
                found.push(entry.into_path());
            }
        }
        Ok(found)
    }
}

/// The run that brought a filestore; empty for one that opw-task did not bring.
fn mark_of(path: &Utf8Path) -> String {
    std::fs::read_to_string(path.join(MARK)).unwrap_or_default()
}

fn exchange(one: &Utf8Path, other: &Utf8Path) -> Result<(), ActionError> {
    renameat_with(CWD, one.as_std_path(), CWD, other.as_std_path(), RenameFlags::EXCHANGE)
        .map_err(|errno| ActionError::path("exchange with the live filestore", one, errno.into()))
}

fn rename(from: &Utf8Path, to: &Utf8Path) -> Result<(), ActionError> {
    std::fs::rename(from, to).map_err(|source| ActionError::path("rename", from, source))
}

fn remove(path: &Utf8Path) -> Result<(), ActionError> {
    std::fs::remove_dir_all(path).map_err(|source| ActionError::path("remove", path, source))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ActionError> + Send + 'static,
) -> Result<T, ActionError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(ActionError::Interrupted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(folder: &Utf8Path) -> FilestorePair {
        FilestorePair {
            live: folder.join("shop"),
            previous: folder.join("shop__previous"),
            folder: folder.to_owned(),
            incoming_prefix: "shop__incoming_".into(),
        }
    }

    fn make(path: &Utf8Path, run: &str) {
        std::fs::create_dir_all(path).unwrap();
        std::fs::write(path.join(MARK), run).unwrap();
    }

    fn temp() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        (dir, path)
    }

    #[test]
    fn the_old_one_is_kept() {
        let (_guard, dir) = temp();
        let pair = pair(&dir);
        make(&pair.live, "old");
        make(&pair.previous, "older");
        make(&pair.incoming("new"), "new");
        pair.put_in_place(&pair.incoming("new")).unwrap();
        assert_eq!(
            (mark_of(&pair.live).as_str(), mark_of(&pair.previous).as_str()),
            ("new", "old")
        );
        assert!(!pair.incoming("new").exists());
    }

    /// Killed after the databases were swapped and before the folders were; after the exchange; after nothing.
    #[test]
    fn a_swap_that_was_cut_off_is_finished_by_what_the_database_says() {
        for exchanged in [false, true] {
            let (_guard, dir) = temp();
            let pair = pair(&dir);
            make(&pair.live, "old");
            make(&pair.incoming("new"), "new");
            if exchanged {
                exchange(&pair.incoming("new"), &pair.live).unwrap();
            }
            pair.mend_now("new").unwrap();
            assert_eq!(mark_of(&pair.live), "new", "exchanged: {exchanged}");
            assert!(!pair.incoming("new").exists());
        }
    }

    #[test]
    fn a_copy_that_never_went_live_is_removed() {
        let (_guard, dir) = temp();
        let pair = pair(&dir);
        make(&pair.live, "old");
        make(&pair.incoming("new"), "new");
        pair.mend_now("old").unwrap();
        assert_eq!(mark_of(&pair.live), "old");
        assert!(!pair.incoming("new").exists());
    }

    #[test]
    fn a_rollback_that_was_cut_off_is_finished() {
        let (_guard, dir) = temp();
        let pair = pair(&dir);
        make(&pair.live, "new");
        make(&pair.previous, "");
        pair.mend_now("").unwrap();
        assert_eq!(
            (mark_of(&pair.live).as_str(), mark_of(&pair.previous).as_str()),
            ("", "new")
        );
    }
}
