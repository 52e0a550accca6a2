//! Runs commands.

use std::fmt;
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

use super::command::Command;
use super::group::Groups;
use super::running::{Out, Running, nothing};
use super::{ProcessError, Redactor, Sink};
use crate::event::Room;

/// Runs commands, and knows every process group that lives because of it. Clones share the groups.
///
/// Children read nothing (`/dev/null`) unless they are given an input. Nothing that a child began outlives the call that
/// ran it: what it left in its group is ended with it. A program that must live longer makes itself a session of its own.
#[derive(Clone)]
pub struct Processes {
    redactor: Redactor,
    cancellation: CancellationToken,
    groups: Groups,
    room: Option<Room>,
}

impl Processes {
    /// For a run with these secrets, whose children end when the token is cancelled.
    #[must_use]
    pub fn new(redactor: Redactor, cancellation: CancellationToken) -> Self {
        Self {
            redactor,
            cancellation,
            groups: Groups::default(),
            room: None,
        }
    }

    /// The same with another token: a node's own, or a fresh one for what must be put in order after the run was
    /// cancelled.
    #[must_use]
    pub fn with_cancellation(&self, cancellation: CancellationToken) -> Self {
        Self {
            cancellation,
            ..self.clone()
        }
    }

    /// The same with children that wait for room before more of their lines is read.
    #[must_use]
    pub fn with_room(&self, room: Room) -> Self {
        Self {
            room: Some(room),
            ..self.clone()
        }
    }

    pub(super) fn room(&self) -> Option<&Room> {
        self.room.as_ref()
    }

    /// What hides the run's secrets.
    #[must_use]
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// What says that the run is over.
    #[must_use]
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }

    /// Runs a command; the lines of both its streams go to the sink.
    ///
    /// # Errors
    ///
    /// [`ProcessError::Failed`] unless the exit status is 0; [`ProcessError::Cancelled`], after the group has ended.
    pub async fn run(&self, command: &Command, sink: &Sink) -> Result<(), ProcessError> {
        let mut running = self.start(command, nothing(command), Out::Lines, sink)?;
        running.feed(command, &self.cancellation).await;
        let ending = running.ended(&self.cancellation).await?;
        running.judged(ending)
    }

    /// Runs a command with these bytes as its standard input.
    ///
    /// A child that is cancelled while it reads is ended before its input is closed. A child beyond ssh or `docker exec`
    /// cannot be held that way: it sees the end of its input when the connection goes, and must know by itself how much
    /// it was to get.
    ///
    /// # Errors
    ///
    /// As [`Processes::run`], and [`ProcessError::StoppedReading`] if it succeeds without having taken all of the input.
    pub async fn run_with_input(&self, command: &Command, input: &[u8], sink: &Sink) -> Result<(), ProcessError> {
        let mut running = self.start(command, Stdio::piped(), Out::Lines, sink)?;
        let Running {
            child, input: stdin, ..
        } = &mut running;
        let fed = async {
            match stdin {
                Some(stdin) => stdin.write_all(input).await.is_ok(),
                None => false,
            }
        };
        let fed = tokio::select! {
            biased;
            fed = fed => fed,
            // Its status says more than the broken pipe would.
            _ = child.wait() => false,
            () = self.cancellation.cancelled() => false,
        };
        if fed || !self.cancellation.is_cancelled() {
            running.input = None;
        }
        let ending = running.ended(&self.cancellation).await?;
        running.judged(ending)?;
        if fed { Ok(()) } else { Err(running.stopped_reading()) }
    }

    /// Ends every child that still lives: SIGTERM, [`GRACE`](super::GRACE), SIGKILL. For the end of a run; those who wait
    /// for one of the children get its ending as an error.
    pub async fn end_all(&self) {
        self.groups.end_all().await;
    }

    /// Kills every child that still lives. For a user who does not want to wait any longer.
    pub fn kill_all(&self) {
        self.groups.kill_all();
    }

    pub(super) fn groups(&self) -> &Groups {
        &self.groups
    }

    /// The command as it is told: the line that a person could type, without secrets.
    pub(super) fn line(&self, command: &Command) -> String {
        self.redactor.redact(&command.to_string()).into_owned()
    }
}

impl fmt::Debug for Processes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Processes")
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}
