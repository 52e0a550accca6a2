//! The journal on a thread of its own: a slow disk holds up nobody but the child whose lines it is to keep.

use std::io;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Journal;
use crate::event::{Interest, Lines, Queue};

/// What the journal wants of a run: everything.
pub const JOURNAL: Interest = Interest {
    lines: Lines::Waited,
    commands: true,
    progress: true,
    all_is_data: false,
};

/// How long the end of the journal is waited for: a disk that hangs must not hold a run that is over.
const PATIENCE: Duration = Duration::from_secs(5);

/// The thread that writes a journal.
#[derive(Debug)]
pub struct JournalWriter(oneshot::Receiver<()>);

impl JournalWriter {
    /// Writes down what comes out of the queue. The first failure is told to `warn`.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(journal: Journal, queue: Queue, warn: impl Fn(String) + Send + 'static) -> io::Result<Self> {
        let (done, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("journal".to_owned());
        thread.spawn(move || {
            write(journal, &queue, &warn);
            // Nobody waits any more if the disk was too slow.
            let _ = done.send(());
        })?;
        Ok(Self(ended))
    }

    /// Waits until everything is written, after the queue was closed. Whether it was.
    pub async fn finish(self) -> bool {
        timeout(PATIENCE, self.0).await.is_ok_and(|ended| ended.is_ok())
    }
}

fn write(mut journal: Journal, queue: &Queue, warn: &dyn Fn(String)) {
    let told = |result: Result<(), super::JournalError>| {
        if let Err(error) = result {
            warn(error.to_string());
        }
    };
    while let Some(events) = queue.take() {
        for event in &events {
            told(journal.record(event));
        }
        told(journal.flush());
    }
    told(journal.close());
}
