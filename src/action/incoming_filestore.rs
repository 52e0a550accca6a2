//! The filestores of a database: live, previous, incoming; and the way from one to the other.
//!
//! A filestore carries the run that brought it, in a file of its own, as a database does in its comment. Whoever finds
//! a live database and a live filestore of different runs knows that a swap was cut off between the two, and which
//! folder is the right one. A folder without the file matches nothing.
//!
//! The steps of a swap, each one of them whole: the older previous folder steps aside (`__retired_`), live and incoming
//! are exchanged, what was live becomes the previous one. Only then is anything removed.

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::ActionError;
use crate::postgres::Names;
use crate::stack::Stack;

/// The file in a filestore that names the run which brought it; empty for one that opw-task did not bring. Odoo looks at
/// folders of two hexadecimal digits only.
pub(crate) const MARK: &str = ".opw-task-run";

/// How the folders are called with which the exchange of two names is tried.
const TRIAL: &str = ".opw-task-trial-";

/// The filestores of one database.
#[derive(Debug, Clone)]
pub(super) struct FilestorePair {
    live: Utf8PathBuf,
    previous: Utf8PathBuf,
    folder: Utf8PathBuf,
    incoming_prefix: String,
    retired_prefix: String,
}

impl FilestorePair {
    /// The filestores beside a stack's live database.
    pub(super) fn of(stack: &Stack, names: &Names) -> Self {
        Self {
            live: stack.paths.filestore(names.live().as_str()),
            previous: stack.paths.filestore(names.previous().as_str()),
            folder: stack.paths.data.join("filestore"),
            incoming_prefix: names.incoming_prefix(),
            retired_prefix: names.retired_prefix(),
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
        let (folder, run) = (self.incoming(run), run.to_owned());
        blocking(move || write_mark(&folder, &run)).await
    }

    /// Whether the filestore that serves is the one that this run brought.
    pub(super) fn serves(&self, run: &str) -> bool {
        matches!(mark_of(&self.live), Ok(Some(mark)) if mark == run)
    }

    /// Removes what a run has brought so far, because it will not be put in place.
    pub(super) async fn discard(&self, run: &str) -> Result<(), ActionError> {
        let path = self.incoming(run);
        blocking(move || if path.is_dir() { remove(&path) } else { Ok(()) }).await
    }

    /// The folders that runs left which ended, and what tried the file system for one. They are of no use unless a swap was
    /// cut off.
    pub(super) fn left_behind(&self) -> Result<Vec<Utf8PathBuf>, ActionError> {
        let mut left = self.all(&self.incoming_prefix)?;
        left.extend(self.all(&self.retired_prefix)?);
        left.extend(self.all(TRIAL)?);
        Ok(left)
    }

    /// Removes a folder that [`FilestorePair::left_behind`] named.
    pub(super) async fn remove_left(&self, path: Utf8PathBuf) -> Result<(), ActionError> {
        blocking(move || remove(&path)).await
    }

    /// The filestore that is kept for a rollback, if there is one.
    pub(super) fn previous(&self) -> Option<&Utf8Path> {
        self.previous.is_dir().then_some(&*self.previous)
    }

    /// Removes the filestore that is kept for a rollback. Its database is gone.
    pub(super) async fn remove_previous(&self) -> Result<(), ActionError> {
        let path = self.previous.clone();
        blocking(move || if path.is_dir() { remove(&path) } else { Ok(()) }).await
    }

    /// Makes sure, before anything is stopped, that the swap can be done: the copy is whole and on the disk, and the
    /// file system can exchange two names. From here on a run that is cut off leaves a note of it.
    pub(super) async fn prepare(&self, run: &str) -> Result<(), ActionError> {
        let (pair, run) = (self.clone(), run.to_owned());
        blocking(move || pair.prepare_now(&run)).await
    }

    /// Puts the incoming filestore in the live one's place and keeps that as the previous one.
    pub(super) async fn activate(&self, run: &str) -> Result<(), ActionError> {
        let (pair, incoming) = (self.clone(), self.incoming(run));
        let run = run.to_owned();
        blocking(move || pair.put_in_place(&incoming, &run)).await
    }

    /// Exchanges the live and the previous filestore.
    pub(super) async fn rollback(&self) -> Result<(), ActionError> {
        let pair = self.clone();
        blocking(move || {
            if pair.previous.is_dir() {
                exchange(&pair.previous, &pair.live)
            } else {
                Ok(())
            }
        })
        .await
    }

    /// Notes that live database and live filestore are about to change places with others.
    pub(super) async fn note_swap(&self) -> Result<(), ActionError> {
        let path = self.note();
        blocking(move || std::fs::write(&path, "").map_err(|source| ActionError::path("write", &path, source))).await
    }

    /// Whether a swap was begun and is not known to have ended.
    pub(super) fn swap_was_cut_off(&self) -> bool {
        self.note().exists()
    }

    /// Brings the filestores into the state that the live database's run says they should be in, and removes what no
    /// database will want: no run is at work, the caller holds the lock. Says what it did.
    pub(super) async fn mend(&self, live_run: Option<String>) -> Result<Vec<String>, ActionError> {
        let pair = self.clone();
        blocking(move || pair.mend_now(live_run.as_deref())).await
    }

    /// Removes filestores that stepped aside for good, and the note of the swap. This can take minutes.
    pub(super) async fn tidy(&self) -> Result<(), ActionError> {
        let pair = self.clone();
        blocking(move || pair.tidy_now().map(drop)).await
    }

    /// The note of a swap that was begun and is not known to have ended.
    pub(super) fn note(&self) -> Utf8PathBuf {
        self.folder.join(format!(".{}opw-task-swap", self.retired_prefix))
    }

    fn prepare_now(&self, run: &str) -> Result<(), ActionError> {
        let incoming = self.incoming(run);
        if mark_of(&incoming)?.as_deref() != Some(run) {
            return Err(ActionError::NotHandedOver {
                what: "a whole copy of the filestore",
                task: "copy-filestore",
            });
        }
        let copy = std::fs::File::open(&incoming).map_err(|source| ActionError::path("open", &incoming, source))?;
        rustix::fs::syncfs(&copy).map_err(|errno| ActionError::path("write out", &incoming, errno.into()))?;
        let trial = [0, 1].map(|n| self.folder.join(format!("{TRIAL}{run}-{n}")));
        for path in &trial {
            std::fs::create_dir(path).map_err(|source| ActionError::path("make", path, source))?;
        }
        let exchanged = exchange(&trial[0], &trial[1]);
        for path in &trial {
            remove(path)?;
        }
        exchanged
    }

    fn mend_now(&self, live_run: Option<&str>) -> Result<Vec<String>, ActionError> {
        let mut done = Vec::new();
        if let Some(run) = live_run
            && mark_of(&self.live)?.as_deref() != Some(run)
        {
            let incoming = self.incoming(run);
            let brought = mark_of(&incoming)?.as_deref() == Some(run);
            if brought || mark_of(&self.previous)?.as_deref() == Some(run) {
                if brought {
                    self.put_in_place(&incoming, run)?;
                } else {
                    exchange(&self.previous, &self.live)?;
                }
                done.push("finished the swap of filestores that a run was ended in".to_owned());
            }
        }
        let live_mark = mark_of(&self.live)?;
        for path in self.all(&self.incoming_prefix)? {
            let run = path
                .file_name()
                .and_then(|name| name.strip_prefix(&self.incoming_prefix));
            let was_live = run.is_some() && run == live_mark.as_deref();
            if was_live && !self.previous.exists() {
                // Exchanged already: this folder is what served before.
                rename(&path, &self.previous)?;
            } else if was_live {
                done.push(format!("{path} is kept: it may be what served before"));
            } else {
                remove(&path)?;
                done.push(format!("removed {path}, left by a run that was ended"));
            }
        }
        done.extend(self.tidy_now()?);
        Ok(done)
    }

    fn put_in_place(&self, incoming: &Utf8Path, run: &str) -> Result<(), ActionError> {
        if !self.live.is_dir() {
            return rename(incoming, &self.live);
        }
        if mark_of(&self.live)?.is_none() {
            write_mark(&self.live, "")?;
        }
        if self.previous.is_dir() {
            rename(
                &self.previous,
                &self.folder.join(format!("{}{run}", self.retired_prefix)),
            )?;
        }
        exchange(incoming, &self.live)?;
        rename(incoming, &self.previous)
    }

    fn tidy_now(&self) -> Result<Vec<String>, ActionError> {
        let retired = self.all(&self.retired_prefix)?;
        for path in &retired {
            remove(path)?;
        }
        match std::fs::remove_file(self.note()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(ActionError::path("remove", &self.note(), error))
            }
            _ => Ok(retired.iter().map(|path| format!("removed {path}")).collect()),
        }
    }

    fn all(&self, prefix: &str) -> Result<Vec<Utf8PathBuf>, ActionError> {
        let entries = match self.folder.read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(ActionError::path("read", &self.folder, source)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| ActionError::path("read", &self.folder, source))?;
            if entry.file_name().starts_with(prefix) {
                found.push(entry.into_path());
            }
        }
        Ok(found)
    }
}

/// The run that brought a filestore; nothing for a folder that is not there or was never marked.
fn mark_of(path: &Utf8Path) -> Result<Option<String>, ActionError> {
    let mark = path.join(MARK);
    match std::fs::read_to_string(&mark) {
        Ok(run) => Ok(Some(run)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ActionError::path("read", &mark, source)),
    }
}

/// By a new file under the old name: the file that is there may be a hard link into another filestore.
fn write_mark(folder: &Utf8Path, run: &str) -> Result<(), ActionError> {
    let (mark, new) = (folder.join(MARK), folder.join(format!("{MARK}.new")));
    std::fs::write(&new, run).map_err(|source| ActionError::path("mark", &new, source))?;
    rename(&new, &mark)
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
            retired_prefix: "shop__retired_".into(),
        }
    }

    /// A filestore with one file that says what it is.
    fn make(path: &Utf8Path, what: &str, mark: Option<&str>) {
        std::fs::create_dir_all(path).unwrap();
        std::fs::write(path.join("what"), what).unwrap();
        if let Some(run) = mark {
            write_mark(path, run).unwrap();
        }
    }

    fn what(path: &Utf8Path) -> String {
        std::fs::read_to_string(path.join("what")).unwrap_or_default()
    }

    fn temp() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        (dir, path)
    }

    /// Live of run a, previous of run z, incoming of run b.
    fn three(dir: &Utf8Path, live_mark: Option<&str>) -> FilestorePair {
        let pair = pair(dir);
        make(&pair.live, "old", live_mark);
        make(&pair.previous, "older", Some("z"));
        make(&pair.incoming("b"), "new", Some("b"));
        pair
    }

    fn folders(pair: &FilestorePair) -> Vec<String> {
        let mut names: Vec<String> = pair
            .all("")
            .unwrap()
            .iter()
            .filter_map(|path| path.file_name())
            .map(str::to_owned)
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_old_one_is_kept_and_the_older_one_goes() {
        let (_guard, dir) = temp();
        let pair = three(&dir, Some("a"));
        pair.prepare_now("b").unwrap();
        pair.put_in_place(&pair.incoming("b"), "b").unwrap();
        assert_eq!(
            (what(&pair.live).as_str(), what(&pair.previous).as_str()),
            ("new", "old")
        );
        pair.tidy_now().unwrap();
        assert_eq!(folders(&pair), ["shop", "shop__previous"]);
    }

    /// Wherever the swap is cut off, the database says which is right and nothing that served is lost.
    #[test]
    fn a_swap_that_was_cut_off_is_finished_by_what_the_database_says() {
        for live_mark in [Some("a"), Some(""), None] {
            for steps in 0..=3 {
                let (_guard, dir) = temp();
                let pair = three(&dir, live_mark);
                if steps > 0 {
                    rename(&pair.previous, &dir.join("shop__retired_b")).unwrap();
                }
                if steps > 1 {
                    exchange(&pair.incoming("b"), &pair.live).unwrap();
                }
                if steps > 2 {
                    rename(&pair.incoming("b"), &pair.previous).unwrap();
                }
                pair.mend_now(Some("b")).unwrap();
                let found = (what(&pair.live), what(&pair.previous));
                assert_eq!(
                    found,
                    ("new".to_owned(), "old".to_owned()),
                    "{steps} steps, live marked {live_mark:?}"
                );
                assert_eq!(folders(&pair), ["shop", "shop__previous"]);
            }
        }
    }

    #[test]
    fn a_copy_that_never_went_live_is_removed_whatever_the_live_one_says() {
        for (live_run, mark) in [
            (Some("a"), Some("a")),
            (None, None),
            (None, Some("a")),
            (Some(""), Some("a")),
        ] {
            let (_guard, dir) = temp();
            let pair = three(&dir, mark);
            std::fs::remove_file(pair.incoming("b").join(MARK)).unwrap();
            pair.mend_now(live_run).unwrap();
            assert_eq!(
                (what(&pair.live).as_str(), what(&pair.previous).as_str()),
                ("old", "older")
            );
            assert_eq!(folders(&pair), ["shop", "shop__previous"]);
        }
    }

    #[test]
    fn a_rollback_that_was_cut_off_is_finished() {
        for run in ["z", ""] {
            let (_guard, dir) = temp();
            let pair = pair(&dir);
            make(&pair.live, "new", Some("b"));
            make(&pair.previous, "old", Some(run));
            pair.mend_now(Some(run)).unwrap();
            assert_eq!(
                (what(&pair.live).as_str(), what(&pair.previous).as_str()),
                ("old", "new")
            );
        }
    }

    #[test]
    fn a_copy_that_is_not_whole_cannot_be_put_in_place() {
        let (_guard, dir) = temp();
        let pair = three(&dir, Some("a"));
        std::fs::remove_file(pair.incoming("b").join(MARK)).unwrap();
        assert!(pair.prepare_now("b").is_err());
    }

    #[test]
    fn a_mark_is_never_written_through_a_hard_link() {
        let (_guard, dir) = temp();
        let pair = three(&dir, Some("a"));
        let linked = pair.incoming("b").join(MARK);
        std::fs::remove_file(&linked).unwrap();
        std::fs::hard_link(pair.live.join(MARK), &linked).unwrap();
        write_mark(&pair.incoming("b"), "b").unwrap();
        assert_eq!(mark_of(&pair.live).unwrap().as_deref(), Some("a"));
    }
}
