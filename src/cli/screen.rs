//! The screen on a thread of its own: whoever does not read it holds up nobody but the child whose output it is to show.

use std::io;
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::error::Diagnostic;
use crate::event::{NewPassword, Queue};
use crate::run::Logs;
use crate::ui::Ui;

/// How long a screen that stands still is waited for at the end of a run, if all that it lacks is talk.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long anything is waited for once the user has interrupted.
const HURRIED: Duration = Duration::from_millis(500);

/// What is said when a run is over.
#[derive(Debug, Default)]
pub(super) struct Last {
    /// Why it failed.
    pub(super) diagnostic: Option<Diagnostic>,
    /// A password that is nowhere else.
    pub(super) password: Option<NewPassword>,
    /// Where the logs are, if they are kept.
    pub(super) logs: Option<Logs>,
}

/// The thread that shows a run.
#[derive(Debug)]
pub(super) struct Screen {
    queue: Queue,
    last: mpsc::Sender<Last>,
    ended: oneshot::Receiver<io::Result<()>>,
}

impl Screen {
    /// Shows what comes out of the queue.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(super) fn start(ui: Ui, queue: Queue) -> io::Result<Self> {
        let (last, to_say) = mpsc::channel();
        let (done, ended) = oneshot::channel();
        let shown = queue.clone();
        let thread = std::thread::Builder::new().name("screen".to_owned());
        // The thread is not waited for where it is stuck: it ends with the process.
        thread.spawn(move || {
            let _ = done.send(show(ui, &shown, &to_say));
        })?;
        Ok(Self { queue, last, ended })
    }

    /// Says what is left to say, after the queue was closed, and waits until it is written. Nothing where it could not be
    /// written, because nobody reads: what the user asked for waits for its reader as it does in a shell's pipeline, until
    /// the user interrupts; talk does not.
    pub(super) async fn finish(mut self, last: Last, interrupted: &CancellationToken) -> Option<io::Result<()>> {
        let is_owed = last.password.is_some();
        // It is the thread that receives it, and that ends with this.
        let _ = self.last.send(last);
        loop {
            let taken = self.queue.taken();
            tokio::select! {
                biased;
                ended = &mut self.ended => return ended.ok(),
                () = hurried(interrupted) => return None,
                () = sleep(PATIENCE) => {}
            }
            let stands_still = self.queue.taken() == taken;
            if stands_still && !is_owed && !self.queue.owes() {
                return None;
            }
        }
    }
}

async fn hurried(interrupted: &CancellationToken) {
    interrupted.cancelled().await;
    sleep(HURRIED).await;
}

fn show(mut ui: Ui, queue: &Queue, last: &mpsc::Receiver<Last>) -> io::Result<()> {
    while let Some(events) = queue.take() {
        for event in &events {
            ui.receive(event);
        }
        ui.flush();
    }
    let Last {
        diagnostic,
        password,
        logs,
    } = last.recv().unwrap_or_default();
    if let Some(diagnostic) = diagnostic {
        ui.diagnostic(&diagnostic);
    }
    if let Some(password) = password {
        ui.password(&password);
    }
    ui.finish(|node| logs.as_ref().map(|logs| logs.path(node)))
}
