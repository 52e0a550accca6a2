//! Whether the disks have room for a copy, looked at before anything of it is copied.
//!
//! A copy lies beside what serves until the swap, and what serves must be able to write all the while: a disk that a
//! restore fills stops the live stack. So what the upstream has is compared with what each volume has free. What the swap
//! will remove, the older previous pair, does not count: it goes after it.
//!
//! It sets a file aside for the time when the disk is full; see `reserve.rs`.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::compose::compose;
use super::copy_database::facts;
use super::copy_filestore::would_bring;
use super::{ActionError, Handed, Scene, reserve};
use crate::measure::bytes;
use crate::postgres::{DiskUse, Server};
use crate::process::Processes;
use crate::stack::Stack;
use crate::upstream::FilestoreSize;

/// What a volume keeps free beyond a copy: what is set aside, what the live stack writes meanwhile, and that sizes are
/// estimates.
const SPARE: u64 = reserve::SIZE + (32 << 20);
/// The same as a part of the copy.
const SPARE_PART: u64 = 10;

/// What a stack's rendered files take, at most.
const RENDERED: u64 = 4 << 20;

/// With less than this a disk is as good as full: PostgreSQL alone makes files of 16 MiB.
const SHORT: u64 = 64 << 20;

/// With less than this a copy is ended: two files of write-ahead log must still find room.
const RUNS_OUT: u64 = 32 << 20;

/// How often it is looked at while something is copied. A fast disk takes some 50 MB in that time.
const LOOK: Duration = Duration::from_millis(100);

/// The block of most file systems: a file takes up whole ones.
const BLOCK: u64 = 4096;

/// A place that a copy takes room in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// What is put there.
    pub what: String,
    /// Where that is.
    pub place: String,
    /// How much, in bytes.
    pub bytes: u64,
}

/// A volume that has too little room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// What it has to take.
    pub needs: Vec<Need>,
    /// What has to stay free beyond that, in bytes.
    pub spare: u64,
    /// What is free, in bytes.
    pub free: u64,
}

impl Shortage {
    /// How much is needed, all in all.
    fn needed(&self) -> u64 {
        self.needs.iter().map(|need| need.bytes).sum::<u64>() + self.spare
    }
}

impl std::fmt::Display for Shortage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut places: Vec<&str> = self.needs.iter().map(|need| need.place.as_str()).collect();
        places.dedup();
        let parts: Vec<String> = self
            .needs
            .iter()
            .map(|need| format!("{} for {}", bytes(need.bytes), need.what))
            .collect();
        write!(
            f,
            "{}: {} free, {} needed: {}, {} to spare",
            places.join(", "),
            bytes(self.free),
            bytes(self.needed()),
            parts.join(", "),
            bytes(self.spare)
        )
    }
}

/// A volume: what tells it from others, and what it has free.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Volume {
    device: u64,
    free: u64,
}

/// Refuses a copy for which there is no room. The first of the two copying actions looks for both.
pub(super) async fn look_at_room(scene: &Scene) -> Result<(), ActionError> {
    scene.handover.room.get_or_try_init(|| look(scene)).await.copied()
}

async fn look(scene: &Scene) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    // What cannot be asked is asked again by the action that needs it, and fails there, under its own name.
    let (facts, files) = tokio::join!(facts(scene), would_bring(scene));
    if scene.processes.cancellation().is_cancelled() {
        return Err(ActionError::Interrupted);
    }
    let mut needs = Vec::new();
    if let (Ok(facts), Ok(server)) = (facts, scene.handover.server.get(Handed::Server).await) {
        needs.extend(of_database(scene, stack, &server, facts.size).await?);
    }
    if let Ok(files) = files {
        needs.extend(volume(&stack.paths.data).map(|volume| (volume, of_files(stack, files))));
    }
    let rendered = Need {
        what: "the stack's files".into(),
        place: stack.paths.root.to_string(),
        bytes: RENDERED,
    };
    needs.extend(volume(&stack.paths.root).map(|volume| (volume, rendered)));
    match shortages(needs) {
        short if short.is_empty() => reserve::set_aside(stack),
        volumes => Err(ActionError::NoRoom {
            stack: stack.name.clone(),
            volumes,
        }),
    }
}

/// What the copy of a database takes: itself, and the write-ahead log of its writing, in its own place where that has one.
async fn of_database(
    scene: &Scene,
    stack: &Stack,
    server: &Server,
    size: u64,
) -> Result<Vec<(Volume, Need)>, ActionError> {
    let session = server.connect_maintenance().await?;
    let disk = DiskUse::of(&session).await?;
    // Asked where the server is: its data may lie in a volume that has no path here.
    let script = "for place in \"$1\" \"$1/pg_wal\"; do stat -L -c %d \"$place\"; df -Pk \"$place\" | tail -n 1; done";
    let ask = compose(stack).args(["exec", "-T", "database", "sh", "-c", script, "sh", &disk.data_directory]);
    let mut volumes = match scene.ask_there(ask).await {
        Err(error) if error.is_cancelled() => return Err(error),
        answer => volumes(&answer.unwrap_or_default()).into_iter(),
    };
    let place = |what: &str| format!("{what} ({})", stack.paths.database);
    let itself = Need {
        what: "the database".into(),
        place: place("PostgreSQL's data"),
        bytes: size,
    };
    let log = Need {
        what: "its write-ahead log".into(),
        place: place("PostgreSQL's data"),
        bytes: disk.log_of_writing(size),
    };
    // An image without these tools: the folder here tells as much on Linux.
    let data = volumes.next().or_else(|| volume(&stack.paths.database));
    let of_log = volumes.next().or_else(|| data.clone());
    Ok(data
        .map(|volume| (volume, itself))
        .into_iter()
        .chain(of_log.map(|volume| (volume, log)))
        .collect())
}

fn of_files(stack: &Stack, size: FilestoreSize) -> Need {
    let FilestoreSize { files, bytes } = size;
    Need {
        what: format!("{files} files that are not here yet"),
        place: format!("the filestore ({})", stack.paths.data),
        bytes: bytes.saturating_add(files.saturating_mul(BLOCK)),
    }
}

/// Copies as long as there is room. Others write to the disk too, and sizes are estimates: before what serves cannot write any
/// more, the copy is ended.
pub(super) async fn while_there_is_room<T>(
    scene: &Scene,
    copy: impl AsyncFnOnce(Processes) -> Result<T, ActionError>,
) -> Result<T, ActionError> {
    let stack = scene.stack()?;
    let stop = scene.processes.cancellation().child_token();
    let copying = copy(scene.processes.with_cancellation(stop.clone()));
    tokio::pin!(copying);
    // A file system gives no sign when it is nearly full: asking is all there is.
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            // The disk may have run full between two looks. What failed then says so in its own ways.
            done = &mut copying => return match done {
                Err(error) if !error.is_cancelled() => Err(ran_out(scene, stack).unwrap_or(error)),
                done => done,
            },
            _ = look.tick() => if let Some(error) = ran_out(scene, stack) {
                stop.cancel();
                // Its programs end first. If it was done in this moment, then it was.
                return copying.await.map_err(|_| error);
            },
        }
    }
}

/// The error of a copy whose disk has no room left. What was set aside is given back: what serves needs it now, because a
/// server that cannot write its log stops, and comes back when it can.
fn ran_out(scene: &Scene, stack: &Stack) -> Option<ActionError> {
    let (path, free) = least_free(stack).filter(|(_, free)| *free < RUNS_OUT)?;
    if let Err(error) = reserve::give_back(stack) {
        scene.report.warn(error.to_string());
    }
    Some(ActionError::RoomRanOut {
        stack: stack.name.clone(),
        path,
        free,
    })
}

/// Reads what `stat` and `df` say, two lines a place.
fn volumes(answer: &str) -> Vec<Volume> {
    let lines: Vec<&str> = answer.lines().collect();
    let volume = |pair: &[&str]| {
        let [device, df] = pair else { return None };
        // The name before the numbers, and the folder behind them, may hold blanks.
        let (before, _) = df.split_once("% ")?;
        let mut words = before.split_whitespace().rev();
        let free: i64 = words.nth(1)?.parse().ok()?;
        Some(Volume {
            device: device.trim().parse().ok()?,
            free: u64::try_from(free).unwrap_or(0).saturating_mul(1024),
        })
    };
    lines.chunks(2).filter_map(volume).collect()
}

/// The volume in which a path lies, or will.
fn volume(path: &Utf8Path) -> Option<Volume> {
    path.ancestors().find_map(|path| {
        let device = std::fs::metadata(path).ok()?.dev();
        let free = rustix::fs::statvfs(path.as_std_path()).ok()?;
        Some(Volume {
            device,
            // To others than root a part is not given, and PostgreSQL is not root.
            free: free.f_bavail.saturating_mul(free.f_frsize),
        })
    })
}

/// Adds up what is needed on each volume, and returns those that have less.
fn shortages(needs: Vec<(Volume, Need)>) -> Vec<Shortage> {
    let mut volumes: Vec<(u64, Shortage)> = Vec::new();
    for (volume, need) in needs {
        match volumes.iter_mut().find(|(device, _)| *device == volume.device) {
            Some((_, found)) => {
                found.free = found.free.min(volume.free);
                found.needs.push(need);
            }
            None => volumes.push((
                volume.device,
                Shortage {
                    needs: vec![need],
                    spare: 0,
                    free: volume.free,
                },
            )),
        }
    }
    for (_, volume) in &mut volumes {
        let copied: u64 = volume.needs.iter().map(|need| need.bytes).sum();
        // A volume that takes no more than the rendered files need not be larger.
        if copied > RENDERED {
            volume.spare = SPARE + copied / SPARE_PART;
        }
    }
    let short = volumes.into_iter().map(|(_, volume)| volume);
    short.filter(|volume| volume.free < volume.needed()).collect()
}

/// Whether one of the stack's volumes on this machine is as good as full.
#[must_use]
pub fn is_short(stack: &Stack) -> bool {
    least_free(stack).is_some_and(|(_, free)| free < SHORT)
}

/// The place of the stack on this machine whose volume has the least free, and how much that is.
fn least_free(stack: &Stack) -> Option<(Utf8PathBuf, u64)> {
    let paths = &stack.paths;
    let free = |path: &Utf8PathBuf| Some((path.clone(), volume(path)?.free));
    [&paths.root, &paths.data, &paths.database]
        .into_iter()
        .filter_map(free)
        .min_by_key(|(_, free)| *free)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(what: &str, bytes: u64) -> Need {
        Need {
            what: what.into(),
            place: "/state".into(),
            bytes,
        }
    }

    #[test]
    fn what_df_says_is_read_whatever_the_names() {
        let answer = "66304\n/dev/my disk 409600 200000 189600 52% /var/lib/postgresql data\n\
                      70\noverlay 100 100 -5 100% /\n";
        let found = volumes(answer);
        assert_eq!(
            found,
            [
                Volume {
                    device: 66304,
                    free: 189_600 * 1024
                },
                Volume { device: 70, free: 0 }
            ]
        );
        assert_eq!(volumes("no answer"), []);
    }

    #[test]
    fn one_volume_is_counted_once_and_must_take_everything() {
        let on = |device, free| Volume { device, free };
        let mebibytes = |count: u64| count << 20;
        let needs = |free| {
            vec![
                (on(1, free), need("the database", mebibytes(100))),
                (on(1, free), need("files", mebibytes(100))),
                (on(2, mebibytes(5)), need("the stack's files", RENDERED)),
            ]
        };
        assert_eq!(shortages(needs(mebibytes(300))), []);
        // Each would fit, both do not.
        let short = shortages(needs(mebibytes(200)));
        assert_eq!(short.len(), 1, "{short:?}");
        assert_eq!(short[0].needed(), mebibytes(284));
        assert!(
            short[0]
                .to_string()
                .starts_with("/state: 209.7 MB free, 297.8 MB needed: "),
            "{}",
            short[0]
        );
    }
}
