//! What a run did, kept on disk: `<root>/.opw-task/runs/<run>/`.
//!
//! `<node>.log` holds what one node ran and what its children said, `events.jsonl` every other event. Times are UTC with
//! milliseconds, so that they can be laid beside `docker logs --timestamps` and a PostgreSQL log of another host.
//!
//! Nothing is held back for longer than it takes to write it: a `kill -9` of this process loses what was said in the last
//! milliseconds. (A power failure may lose more; a journal is not worth an `fsync` a line.)
//!
//! It has limits, whatever a child prints: a log keeps its head and its tail, and old runs go when there are too many of
//! them or they are too big.

mod bounded;
mod folder;
mod node_log;
mod prune;
mod writer;

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde::Serialize;

use crate::error::{Diagnostic, ExitCode, Explain};
use crate::event::Event;
use node_log::NodeLogs;

pub use node_log::Logs;
pub use writer::{JOURNAL, JournalWriter};

/// How many runs are kept, the one that is beginning among them.
const RUNS_KEPT: usize = 50;

/// How much the earlier runs may take together, in bytes.
const BYTES_KEPT: u64 = 256 * 1024 * 1024;

/// How many bytes of `events.jsonl` may tell progress: hours of it.
const PROGRESS_KEPT: usize = 4 * 1024 * 1024;

const EVENTS: &str = "events.jsonl";

/// Why a run cannot be written down.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The folder of the run cannot be made.
    #[error("cannot make the journal's folder {path}: {source}")]
    Folder {
        /// The folder.
        path: Utf8PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file of the journal cannot be opened or written, such as on a full disk.
    #[error("cannot write the journal {path}: {source}")]
    Write {
        /// The file.
        path: Utf8PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl JournalError {
    fn source_error(&self) -> &io::Error {
        match self {
            Self::Folder { source, .. } | Self::Write { source, .. } => source,
        }
    }
}

impl Explain for JournalError {
    fn explain(&self) -> Diagnostic {
        let diagnostic = Diagnostic::new(ExitCode::Failed, self.to_string());
        match self.source_error().kind() {
            io::ErrorKind::PermissionDenied => {
                diagnostic.hint("make `.opw-task` writable for this user, or remove it if another user made it")
            }
            io::ErrorKind::NotADirectory => {
                diagnostic.hint("`.opw-task` is a folder of the program's own: move away what is there")
            }
            io::ErrorKind::ReadOnlyFilesystem => {
                diagnostic.hint("run it in a checkout that can be written: each run keeps a journal")
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                diagnostic.hint("free space; the run itself goes on, its journal has a gap")
            }
            _ => diagnostic,
        }
    }
}

impl JournalError {
    /// Whether the place cannot be written by this user, or not now: a run can do without its journal there. Anything else
    /// is in the way and can be mended.
    #[must_use]
    pub fn is_of_the_place(&self) -> bool {
        matches!(
            self.source_error().kind(),
            io::ErrorKind::PermissionDenied
                | io::ErrorKind::ReadOnlyFilesystem
                | io::ErrorKind::StorageFull
                | io::ErrorKind::QuotaExceeded
        )
    }
}

/// The journal of one run. It belongs to one task, which hands it every event in order.
#[derive(Debug)]
pub struct Journal {
    folder: Utf8PathBuf,
    /// Locked as long as this journal lives, so that no other run prunes it away.
    events: File,
    logs: NodeLogs,
    /// How many bytes of progress were written down.
    progress: usize,
    now: Clock,
    /// A write of `events.jsonl` was cut short: its line must be ended before the next one.
    torn: bool,
    /// A failure has been reported; a full disk is told once and not once a line.
    told: bool,
}

#[derive(Serialize)]
struct Entry<'a> {
    at: String,
    // Only ever written: the poor messages of a flattened type arise when it is read.
    #[serde(flatten)]
    event: &'a Event,
}

impl Journal {
    /// Makes the folder of a run under `<root>/.opw-task/runs` and removes the oldest ones beyond fifty.
    ///
    /// Folders are 0700 and files 0600: what children print may hold customers' data even where it holds no secret.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made, or exists already.
    pub fn create(root: &Utf8Path, run: &str) -> Result<Self, JournalError> {
        let runs = folder::prepare(root)?;
        let folder = folder::make_run(&runs, run)?;
        let path = folder.join(EVENTS);
        let events = folder::append(&path)?;
        // No other process can hold this new file; on a file system without locks a run goes on unlocked.
        let _ = events.try_lock();
        prune::prune(&runs, run, EVENTS);
        Ok(Self {
            logs: NodeLogs::new(Logs::new(folder.clone())),
            progress: 0,
            now: Clock::default(),
            folder,
            events,
            torn: false,
            told: false,
        })
    }

    /// The run's folder.
    #[must_use]
    pub fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// Where the logs of the run's nodes are.
    #[must_use]
    pub fn logs(&self) -> Logs {
        Logs::new(self.folder.clone())
    }

    /// Writes an event down. What belongs into a log is with the kernel after [`Journal::flush`].
    ///
    /// # Errors
    ///
    /// The first time that something cannot be written. It is meant as a warning; later events are still tried, and
    /// later failures are silent.
    pub fn record(&mut self, event: &Event) -> Result<(), JournalError> {
        let at = self.now.text();
        // A line stands in its node's log.
        let kept = match event {
            Event::Line { .. } | Event::LinesLeftOut { .. } => Ok(()),
            Event::Progress { .. } if self.progress > PROGRESS_KEPT => Ok(()),
            _ => self.record_event(&at, event),
        };
        let logged = self.logs.record(&at, event);
        self.once(kept.and(logged))
    }

    /// Hands the logs to the kernel.
    ///
    /// # Errors
    ///
    /// As [`Journal::record`].
    pub fn flush(&mut self) -> Result<(), JournalError> {
        let flushed = self.logs.flush();
        self.once(flushed)
    }

    /// Closes the logs of nodes that have not ended.
    ///
    /// # Errors
    ///
    /// As [`Journal::record`].
    pub fn close(mut self) -> Result<(), JournalError> {
        let at = self.now.text();
        let closed = self.logs.close(&at);
        self.once(closed)
    }

    /// A failure, if it is the first one.
    fn once(&mut self, result: Result<(), JournalError>) -> Result<(), JournalError> {
        match result {
            Err(error) if !self.told => {
                self.told = true;
                Err(error)
            }
            _ => Ok(()),
        }
    }

    fn record_event(&mut self, at: &str, event: &Event) -> Result<(), JournalError> {
        let at = at.to_owned();
        let is_progress = matches!(event, Event::Progress { .. });
        let result = serde_json::to_string(&Entry { at, event })
            .map_err(io::Error::from)
            .and_then(|json| {
                self.progress += if is_progress { json.len() } else { 0 };
                let begin = if self.torn { "\n" } else { "" };
                self.events.write_all(format!("{begin}{json}\n").as_bytes())
            });
        self.torn = result.is_err();
        result.map_err(|source| JournalError::Write {
            path: self.folder.join(EVENTS),
            source,
        })
    }
}

/// The time as it is written, made once a millisecond.
#[derive(Debug, Default)]
struct Clock {
    millisecond: i64,
    text: Arc<str>,
}

impl Clock {
    fn text(&mut self) -> Arc<str> {
        let now = Timestamp::now();
        if now.as_millisecond() != self.millisecond {
            self.millisecond = now.as_millisecond();
            self.text = format!("{now:.3}").into();
        }
        self.text.clone()
    }
}

#[cfg(test)]
mod tests;
