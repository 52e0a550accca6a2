//! Old journals are removed when a new one begins.

use std::fs::{self, File};

use camino::Utf8Path;

use super::{BYTES_KEPT, RUNS_KEPT};
use crate::run::id::is_run_id;

/// Removes the oldest runs beyond [`RUNS_KEPT`], and those that make the earlier runs bigger than [`BYTES_KEPT`]: never the one in use, none that another process has in use, and nothing
/// whose name is not one of ours.
///
/// What cannot be removed stays: a run must not fail, nor warn, because of another's leavings.
pub(super) fn prune(runs: &Utf8Path, in_use: &str, events: &str) {
    let Ok(entries) = runs.read_dir_utf8() else {
        return;
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.file_name().to_owned())
        .filter(|name| is_run_id(name) && name != in_use)
        .collect();
    // Identities begin with their time, so the order of names is the order of runs: the newest first.
    names.sort_unstable_by(|one, other| other.cmp(one));
    let mut bytes = 0;
    for (index, name) in names.iter().enumerate() {
        let folder = runs.join(name);
        bytes += size(&folder);
        let is_surplus = index + 1 >= RUNS_KEPT || bytes > BYTES_KEPT;
        if is_surplus && !is_running(&folder.join(events)) {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// How much the files of a run take, in bytes.
fn size(folder: &Utf8Path) -> u64 {
    let Ok(entries) = folder.read_dir_utf8() else { return 0 };
    let sizes = entries.flatten().filter_map(|entry| entry.metadata().ok());
    sizes.map(|file| file.len()).sum()
}

/// Whether a living process holds the journal's lock.
fn is_running(events: &Utf8Path) -> bool {
    match File::open(events) {
        Ok(file) => matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)),
        Err(_) => false,
    }
}
