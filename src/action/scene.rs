//! What an action sees of the world.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use tokio::task::AbortHandle;

use super::{ActionError, Handover};
use crate::event::{Event, Events, NodeName, Progress, Stream};
use crate::process::{Command, Processes, Redactor, Sink};
use crate::stack::{Project, Stack, StackError};

/// What an action knows before anything runs.
#[derive(Debug, Clone, Copy)]
pub struct Outline<'a> {
    /// The run's identity, or what stands for it in a dry run.
    pub run: &'a str,
    /// The project.
    pub project: &'a Project,
    /// The stack, if the plan has one.
    pub stack: Option<&'a Stack>,
    /// Whether everything is told that the action would do: it was asked for by name, not as a part of another.
    pub in_full: bool,
}

impl<'a> Outline<'a> {
    /// The stack.
    ///
    /// # Errors
    /// [`ActionError::NoStack`]; plans give every action that needs a stack one.
    pub fn stack(&self) -> Result<&'a Stack, ActionError> {
        self.stack.ok_or(ActionError::NoStack)
    }
}

/// What an action sees while it runs.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The run's identity.
    pub run: Arc<str>,
    /// What was asked for, such as `restore opw-testing`.
    pub command: Arc<str>,
    /// The project.
    pub project: Arc<Project>,
    /// The stack, if the plan has one.
    pub stack: Option<Arc<Stack>>,
    /// The door for children.
    pub processes: Processes,
    /// Where the action tells what happens.
    pub report: Report,
    /// What actions of one run give each other.
    pub handover: Arc<Handover>,
    /// The folder of the run's journal, if one is kept.
    pub journal: Option<Utf8PathBuf>,
}

impl Scene {
    /// What was known before anything ran.
    #[must_use]
    pub fn outline(&self) -> Outline<'_> {
        Outline {
            run: &self.run,
            project: &self.project,
            stack: self.stack.as_deref(),
            in_full: false,
        }
    }

    /// The stack.
    ///
    /// # Errors
    /// [`ActionError::NoStack`]; plans give every action that needs a stack one.
    pub fn stack(&self) -> Result<&Stack, ActionError> {
        self.stack.as_deref().ok_or(ActionError::NoStack)
    }

    /// Runs a command on the stack's host, its lines in the node's log.
    ///
    /// # Errors
    /// The command's failure, or a host that cannot be reached that way.
    pub async fn run_there(&self, command: Command) -> Result<(), ActionError> {
        let command = self.stack()?.host.command(command)?;
        self.run(&command).await
    }

    /// Runs a command here, its lines in the node's log.
    ///
    /// # Errors
    /// The command's failure.
    pub async fn run(&self, command: &Command) -> Result<(), ActionError> {
        self.report.command(command);
        Ok(self.processes.run(command, &self.report.sink()).await?)
    }

    /// What a command on the stack's host answers.
    ///
    /// # Errors
    /// The command's failure, or a host that cannot be reached that way.
    pub async fn ask_there(&self, command: Command) -> Result<String, ActionError> {
        let command = self.stack()?.host.command(command)?;
        self.report.command(&command);
        Ok(self.processes.capture(&command).await?)
    }

    /// Waits for work on a session. When the run is cancelled the session is cut off: the server rolls back what was begun,
    /// and the work ends at once, with an error.
    pub(super) async fn cut_off_when_cancelled<T>(&self, session: AbortHandle, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        tokio::select! {
            done = &mut work => done,
            () = self.processes.cancellation().cancelled() => {
                session.abort();
                work.await
            }
        }
    }

    /// The error of work that was cut off: that of a cancelled run is its cancellation.
    pub(super) fn unless_cancelled(&self, error: impl Into<ActionError>) -> ActionError {
        if self.processes.cancellation().is_cancelled() {
            ActionError::Interrupted
        } else {
            error.into()
        }
    }

    /// Refuses a stack whose host is not this machine.
    ///
    /// # Errors
    /// [`StackError::Unfit`].
    pub fn require_local(&self) -> Result<(), ActionError> {
        let stack = self.stack()?;
        match stack.host {
            crate::host::Host::Local => Ok(()),
            crate::host::Host::Ssh(_) => Err(StackError::Unfit {
                stack: stack.name.clone(),
                why: "runs on another host; its database is reached on the machine that runs Docker".into(),
                hint: "log in there and run the same command with --here, in the stack's checkout".into(),
            }
            .into()),
        }
    }
}

/// Progress is told at most so often: more cannot be read, and the journal keeps every event.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// Where an action tells what happens. Everything passes the redactor here.
#[derive(Debug, Clone)]
pub struct Report {
    node: NodeName,
    events: Events,
    redactor: Redactor,
    pace: Arc<Mutex<Pace>>,
}

/// The progress of a node between two that are told.
#[derive(Debug, Default)]
struct Pace {
    told: Option<Instant>,
    /// The newest that was not told; it will be, or a newer one in its place.
    held: Option<Progress>,
}

impl Report {
    /// A report for a node.
    #[must_use]
    pub fn new(node: NodeName, events: Events, redactor: Redactor) -> Self {
        Self {
            node,
            events,
            redactor,
            pace: Arc::default(),
        }
    }

    /// The node that reports.
    #[must_use]
    pub fn node(&self) -> &NodeName {
        &self.node
    }

    /// Sends an event. Nobody listens only when the program is ending.
    pub fn send(&self, event: &Event) {
        self.events.send(event);
    }

    /// A command is about to run.
    pub fn command(&self, command: &Command) {
        let line = self.redactor.redact(&command.to_string()).into_owned();
        self.send(&Event::Command {
            node: self.node.clone(),
            line,
        });
    }

    /// A fact worth telling.
    pub fn note(&self, text: impl AsRef<str>) {
        let text = self.redactor.redact(text.as_ref()).into_owned();
        self.send(&Event::Note {
            node: self.node.clone(),
            text,
        });
    }

    /// Something that should be mended.
    pub fn warn(&self, text: impl AsRef<str>) {
        let text = self.redactor.redact(text.as_ref()).into_owned();
        self.send(&Event::Warning {
            node: self.node.clone(),
            text,
        });
    }

    /// How far the action has come. Told five times a second at most; the last one is told by [`Report::end`].
    pub fn progress(&self, progress: Progress) {
        let now = Instant::now();
        let mut pace = self.pace();
        if pace.told.is_some_and(|told| now.duration_since(told) < PROGRESS_EVERY) {
            pace.held = Some(progress);
            return;
        }
        *pace = Pace {
            told: Some(now),
            held: None,
        };
        self.tell_progress(progress);
    }

    /// The action has ended: what was held back of its progress is told.
    pub fn end(&self) {
        let held = self.pace().held.take();
        if let Some(progress) = held {
            self.tell_progress(progress);
        }
    }

    fn tell_progress(&self, progress: Progress) {
        self.send(&Event::Progress {
            node: self.node.clone(),
            progress,
        });
    }

    /// Nothing panics while it holds the lock; if it did, a pace is whole at every instant.
    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line for the node's log.
    pub fn line(&self, stream: Stream, text: &str) {
        let text = self.redactor.redact(text).as_ref().into();
        self.send(&Event::Line {
            node: self.node.clone(),
            stream,
            text,
        });
    }

    /// What receives a child's lines.
    #[must_use]
    pub fn sink(&self) -> Sink {
        let report = self.clone();
        // Lines of children have passed the redactor at the door.
        Arc::new(move |stream, text| {
            report.send(&Event::Line {
                node: report.node.clone(),
                stream,
                text: text.into(),
            });
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Interest, Lines, Queue, Unit};

    #[test]
    fn progress_is_told_first_last_and_seldom_between() {
        let queue = Queue::new(Interest {
            lines: Lines::Waited,
            commands: true,
            progress: true,
            all_is_data: false,
        });
        let report = Report::new("copy".into(), Events::to([queue.clone()]), Redactor::default());
        let reader = std::thread::spawn(move || {
            let events = std::iter::from_fn(|| queue.take()).flatten();
            let done = events.filter_map(|event| match event {
                Event::Progress { progress, .. } => Some(progress.done),
                _ => None,
            });
            done.collect::<Vec<_>>()
        });
        for done in 1..=10_000 {
            report.progress(Progress {
                done,
                total: None,
                unit: Unit::Items,
                current: String::new(),
            });
        }
        report.end();
        report.end();
        report.events.close();
        let told = reader.join().unwrap();
        assert_eq!(told.last(), Some(&10_000));
        assert!(told.len() < 10, "{told:?}");
    }
}
