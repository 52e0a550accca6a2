use std::fs;
use std::os::unix::fs::symlink;

use camino::Utf8Path;

use super::*;
use crate::action::filestore_copy::Workplace;

/// A state root with the filestores of one database.
struct Root {
    _guard: tempfile::TempDir,
    at: Utf8PathBuf,
    pair: FilestorePair,
}

impl Root {
    fn empty() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let at = Utf8PathBuf::from_path_buf(guard.path().to_owned()).unwrap();
        fs::create_dir_all(at.join("data/filestore")).unwrap();
        let pair = FilestorePair {
            paths: Paths {
                root: at.clone(),
                data: at.join("data"),
                database: at.join("postgres"),
                logs: at.join("logs"),
            },
            live: "shop".into(),
            previous: "shop__previous".into(),
            incoming_prefix: "shop__incoming_".into(),
            retired_prefix: "shop__retired_".into(),
            owner: None,
        };
        Self {
            _guard: guard,
            at,
            pair,
        }
    }

    /// Live of run a, previous of run z, incoming of run b.
    fn three(live_mark: Option<&str>) -> Self {
        let root = Self::empty();
        root.make("shop", "old", live_mark);
        root.make("shop__previous", "older", Some("z"));
        root.copy("b", "new");
        root
    }

    /// A filestore with one file that says what it is.
    fn make(&self, name: &str, what: &str, mark: Option<&str>) {
        let path = self.filestores().join(name);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("what"), what).unwrap();
        if let Some(run) = mark {
            self.mark(&path, run);
        }
    }

    /// The copy of a run, whole.
    fn copy(&self, run: &str, what: &str) {
        let path = self.begin(run, what);
        self.mark(&path, run);
    }

    /// The copy of a run, not known to be whole.
    fn begin(&self, run: &str, what: &str) -> Utf8PathBuf {
        let held = self.pair.held().unwrap();
        let spots = self.pair.spots(&held, run);
        let place = Workplace::make(&spots, &held.filestores, "trial").unwrap();
        let path = place.folder().path().join(place.name());
        fs::create_dir(&path).unwrap();
        fs::write(path.join("what"), what).unwrap();
        path
    }

    fn mark(&self, path: &Utf8Path, run: &str) {
        let records = Records::make(&self.at, "shop").unwrap();
        records
            .set_mark(&Folder::open(path).unwrap(), &brought_by(run))
            .unwrap();
    }

    fn filestores(&self) -> Utf8PathBuf {
        self.at.join("data/filestore")
    }

    fn what(&self, name: &str) -> String {
        fs::read_to_string(self.filestores().join(name).join("what")).unwrap_or_default()
    }

    /// What live and previous are.
    fn pairs(&self) -> (String, String) {
        (self.what("shop"), self.what("shop__previous"))
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.filestores())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// What opw-task's own folder has beside the marks.
    fn own(&self) -> Vec<String> {
        let held = self.pair.held().unwrap();
        let entries = held.records.folder().entries().unwrap().into_iter();
        entries.map(|(name, _)| name).filter(|name| name != "runs").collect()
    }

    /// Renames and exchanges as a run that was cut off has done them.
    fn step(&self, step: usize) {
        let held = self.pair.held().unwrap();
        let copy = self.pair.find(&held, "b").unwrap().unwrap();
        let filestores = &held.filestores;
        match step {
            1 => self.pair.retire_previous(&held, "b").unwrap(),
            2 => copy.above.exchange(&copy.name, filestores, "shop").unwrap(),
            _ => copy.above.rename(&copy.name, filestores, "shop__previous").unwrap(),
        }
    }
}

fn pairs(live: &str, previous: &str) -> (String, String) {
    (live.to_owned(), previous.to_owned())
}

fn activate(root: &Root, kept: bool) {
    let held = root.pair.held().unwrap();
    let copy = root.pair.find(&held, "b").unwrap().unwrap();
    root.pair.put_in_place(&held, &copy, "b", kept).unwrap();
}

#[test]
fn the_old_one_is_kept_and_the_older_one_goes() {
    let root = Root::three(Some("a"));
    root.pair.prepare_now("b").unwrap();
    activate(&root, true);
    assert_eq!(root.pairs(), pairs("new", "old"));
    root.pair.tidy_now(&root.pair.held().unwrap()).unwrap();
    assert_eq!(root.names(), ["shop", "shop__previous"]);
    assert_eq!(root.own(), [] as [&str; 0]);
}

#[test]
fn a_database_that_had_no_files_is_kept_with_an_empty_folder() {
    let root = Root::empty();
    root.copy("b", "new");
    activate(&root, true);
    assert_eq!(root.names(), ["shop", "shop__previous"]);
    assert_eq!(
        fs::read_dir(root.filestores().join("shop__previous")).unwrap().count(),
        0
    );

    let root = Root::empty();
    root.copy("b", "new");
    activate(&root, false);
    assert_eq!(root.names(), ["shop"]);
}

/// Wherever the swap is cut off, the database says which is right and nothing that served is lost.
#[test]
fn a_swap_that_was_cut_off_is_finished_by_what_the_database_says() {
    for live_mark in [Some("a"), Some(""), None] {
        for steps in 0..=3 {
            let root = Root::three(live_mark);
            for step in 1..=steps {
                root.step(step);
            }
            root.pair.mend_now(Some("b"), true).unwrap();
            assert_eq!(
                root.pairs(),
                pairs("new", "old"),
                "{steps} steps, live marked {live_mark:?}"
            );
            assert_eq!(root.names(), ["shop", "shop__previous"]);
            assert_eq!(root.own(), [] as [&str; 0]);
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
        let root = Root::empty();
        root.make("shop", "old", mark);
        root.make("shop__previous", "older", Some("z"));
        root.begin("b", "new");
        root.pair.mend_now(live_run, true).unwrap();
        assert_eq!(root.pairs(), pairs("old", "older"));
        assert_eq!(root.names(), ["shop", "shop__previous"]);
        assert_eq!(root.own(), [] as [&str; 0]);
    }
}

#[test]
fn a_rollback_that_was_cut_off_is_finished() {
    for run in ["z", ""] {
        let root = Root::empty();
        root.make("shop", "new", Some("b"));
        root.make("shop__previous", "old", Some(run));
        root.pair.mend_now(Some(run), true).unwrap();
        assert_eq!(root.pairs(), pairs("old", "new"));
    }
}

#[test]
fn a_copy_that_is_not_whole_cannot_be_put_in_place() {
    let root = Root::empty();
    root.make("shop", "old", Some("a"));
    root.begin("b", "new");
    assert!(root.pair.prepare_now("b").is_err());
}

/// What earlier versions left: the copy beside the live one, marks in the folders, the note beside them.
#[test]
fn a_swap_of_an_earlier_version_is_finished() {
    let root = Root::empty();
    for (name, what, run) in [("shop", "old", "a"), ("shop__incoming_b", "new", "b")] {
        root.make(name, what, None);
        fs::write(root.filestores().join(name).join(".opw-task-run"), run).unwrap();
    }
    fs::write(root.filestores().join(".shop__retired_opw-task-swap"), "").unwrap();
    assert!(root.pair.swap_was_cut_off().unwrap());
    root.pair.mend_now(Some("b"), true).unwrap();
    assert_eq!(root.pairs(), pairs("new", "old"));
    assert_eq!(root.names(), ["shop", "shop__previous"]);
    assert!(!root.pair.swap_was_cut_off().unwrap());
}

#[test]
fn what_was_planted_is_removed_and_never_written_through() {
    let root = Root::three(Some("a"));
    let victim = root.at.join("victim");
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join("file"), "untouched").unwrap();
    let at = |name: &str| root.filestores().join(name);
    symlink(victim.join("file"), at(".shop__retired_opw-task-swap")).unwrap();
    symlink(victim.join("file"), at("shop/.opw-task-run")).unwrap();
    symlink(&victim, at("shop__incoming_c")).unwrap();
    symlink(&victim, at("shop__retired_c")).unwrap();
    symlink(&victim, root.at.join("data/.shop__incoming_d")).unwrap();
    assert!(!root.pair.swap_was_cut_off().unwrap(), "a link is no note");
    root.pair.prepare_now("b").unwrap();
    activate(&root, true);
    root.pair.mend_now(Some("b"), true).unwrap();
    assert_eq!(root.pairs(), pairs("new", "old"));
    assert_eq!(root.names(), ["shop", "shop__previous"]);
    assert_eq!(fs::read_to_string(victim.join("file")).unwrap(), "untouched");
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 1);
}

#[test]
fn a_live_filestore_that_is_a_link_is_refused() {
    let root = Root::empty();
    let victim = root.at.join("victim");
    fs::create_dir(&victim).unwrap();
    symlink(&victim, root.filestores().join("shop")).unwrap();
    root.copy("b", "new");
    let held = root.pair.held().unwrap();
    let copy = root.pair.find(&held, "b").unwrap().unwrap();
    assert!(root.pair.put_in_place(&held, &copy, "b", true).is_err());
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 0);
}

#[tokio::test]
async fn previous_files_that_somebody_removed_are_missed() {
    let root = Root::empty();
    root.make("shop", "new", Some("b"));
    root.make("shop__previous", "old", Some("a"));
    let previous = root.filestores().join("shop__previous");
    for folder in ["ab", "cd"] {
        fs::create_dir(previous.join(folder)).unwrap();
    }
    // Back and forth: both are known with what they have.
    for _ in 0..2 {
        root.pair.can_roll_back().await.unwrap();
        root.pair.rollback().await.unwrap();
    }
    assert_eq!(root.pairs(), pairs("new", "old"));
    // Moved away for a while, it is known when it comes back.
    fs::rename(&previous, root.at.join("away")).unwrap();
    root.pair.mend_now(Some("b"), true).unwrap();
    fs::rename(root.at.join("away"), &previous).unwrap();
    fs::remove_dir(previous.join("ab")).unwrap();
    let error = root.pair.can_roll_back().await.unwrap_err();
    assert!(
        matches!(
            error,
            ActionError::FilesGone {
                count: Some((2, 1)),
                ..
            }
        ),
        "{error:?}"
    );
    fs::remove_dir_all(&previous).unwrap();
    let error = root.pair.can_roll_back().await.unwrap_err();
    assert!(matches!(error, ActionError::FilesGone { count: None, .. }), "{error:?}");
    // A person says that the database needs none.
    fs::create_dir(&previous).unwrap();
    root.pair.can_roll_back().await.unwrap();
}
