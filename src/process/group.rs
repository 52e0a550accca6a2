//! Process groups: what is ended together.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::time::{Instant, sleep};

/// How long a group may take to end after SIGTERM, before SIGKILL: as long as `docker stop` gives a container, and more
/// than `pg_restore` needs to cancel its servers' statements (under half a second, measured).
pub const GRACE: Duration = Duration::from_secs(10);

/// How long SIGKILL may take to show. Only a process that hangs in the kernel (a dead network disk) takes longer, and
/// that one nobody can end.
const KILLED: Duration = Duration::from_secs(1);

/// How often a group that is ending is looked at. The kernel has no event for the end of a process that is not one's own
/// child, and the members of a group mostly are children of its leader.
const LOOK: Duration = Duration::from_millis(20);

/// The groups that are alive in this run. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups(Arc<Mutex<HashSet<Pid>>>);

impl Groups {
    /// Enters a group under its leader's process id.
    pub(super) fn enter(&self, leader: Pid) -> Group {
        self.with(|groups| groups.insert(leader));
        Group {
            leader,
            groups: self.clone(),
        }
    }

    /// Ends every group: SIGTERM, [`GRACE`], SIGKILL.
    pub(super) async fn end_all(&self) {
        let groups: Vec<Pid> = self.with(|groups| groups.iter().copied().collect());
        end(&groups).await;
    }

    /// Kills every group, without asking first.
    pub(super) fn kill_all(&self) {
        let groups: Vec<Pid> = self.with(|groups| groups.iter().copied().collect());
        for leader in groups {
            signal(leader, Signal::KILL);
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut HashSet<Pid>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A child's process group. Dropping it kills what is left of the group: nothing that a run began outlives the wish for it.
///
/// The group's id stays taken as long as one member lives. When the last has gone and the leader has been waited for, the
/// kernel may give the id away again, in theory; it hands ids out in a circle of at least 32768, and between a leader's end
/// and our last signal lie milliseconds.
#[derive(Debug)]
pub(super) struct Group {
    leader: Pid,
    groups: Groups,
}

impl Group {
    /// Ends what is left of the group: SIGTERM, [`GRACE`], SIGKILL. Returns at once if nothing is left.
    pub(super) async fn end(&self) {
        end(&[self.leader]).await;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        signal(self.leader, Signal::KILL);
        self.groups.with(|groups| groups.remove(&self.leader));
    }
}

async fn end(leaders: &[Pid]) {
    for (attempt, patience) in [(Signal::TERM, GRACE), (Signal::KILL, KILLED)] {
        for leader in leaders {
            signal(*leader, attempt);
            // A stopped process (one that tried to read from the terminal) would not see SIGTERM before it goes on.
            signal(*leader, Signal::CONT);
        }
        let deadline = Instant::now() + patience;
        while leaders.iter().any(|leader| lives(*leader)) {
            if Instant::now() >= deadline {
                break;
            }
            sleep(LOOK).await;
        }
        if !leaders.iter().any(|leader| lives(*leader)) {
            return;
        }
    }
}

/// Sends a signal to a group. The only error that can happen is that nobody is left to receive it, which is what we want.
fn signal(leader: Pid, signal: Signal) {
    let _ = kill_process_group(leader, signal);
}

/// Whether a group has a member that still runs. Zombies do not count: those whose parent has died wait for process 1 to
/// bury them, and in many a container process 1 never does.
fn lives(leader: Pid) -> bool {
    test_kill_process_group(leader).is_ok() && runs(leader).unwrap_or(true)
}

/// Whether `/proc` knows a member of the group that is no zombie; none where there is no `/proc`.
fn runs(leader: Pid) -> Option<bool> {
    let group = leader.as_raw_nonzero().to_string();
    let processes = std::fs::read_dir("/proc").ok().filter(|_| cfg!(target_os = "linux"))?;
    Some(processes.flatten().any(|process| {
        let Ok(stat) = std::fs::read_to_string(process.path().join("stat")) else {
            return false;
        };
        // `PID (NAME) STATE PPID PGRP …`: the name may hold anything, so the fields begin after its last bracket.
        let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let (state, group_id) = (fields.next(), fields.nth(1));
        group_id == Some(&group) && !matches!(state, Some("Z" | "X"))
    }))
}
