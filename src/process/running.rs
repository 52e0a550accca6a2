//! A child that runs, with all that must be put in order when it ends.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Pid;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::command::{Command, Env};
use super::find::find;
use super::frame::Begin;
use super::group::{GRACE, Group};
use super::lines::{AfterEnd, LineReader};
use super::tail::Tail;
use super::{Ending, ProcessError, Processes, Sink};
use crate::event::Stream;

/// How long output is waited for after the leader of a group has ended. What the leader wrote stands in the pipe by then
/// and takes milliseconds to read; only a process that it left behind (a daemon, ssh's connection master) can keep the
/// pipe open longer, and must not hold us.
pub(super) const DRAIN: Duration = Duration::from_secs(2);

/// What a framed command reads when it is to end; the scripts of `host` know it.
const END: &[u8] = b"end\n";

/// The input of a child that reads nothing. That of a framed command stays open: its end would mean that nobody wants the
/// command any more.
pub(super) fn nothing(command: &Command) -> Stdio {
    match command.frame() {
        Some(_) => Stdio::piped(),
        None => Stdio::null(),
    }
}

/// What becomes of a child's standard output.
pub(super) enum Out {
    /// Its lines go to the sink.
    Lines,
    /// Somebody takes it byte by byte from [`Running::out`].
    Bytes,
}

/// A child that runs.
///
/// The order of the fields matters when it is dropped half-way: the group is killed before the child's input is closed, so
/// that nobody ever takes the end of an unfinished input for the end of a complete one.
pub(super) struct Running {
    group: Group,
    pub(super) child: Child,
    pub(super) input: Option<ChildStdin>,
    pub(super) out: Option<ChildStdout>,
    readers: JoinSet<()>,
    /// Tells the readers that the leader has ended.
    leader_ended: CancellationToken,
    tail: Tail,
    /// Where its output begins, for a command that is framed.
    begin: Option<Begin>,
    /// The command's line, redacted.
    pub(super) line: String,
}

impl Processes {
    /// Starts a child in a group of its own.
    pub(super) fn start(
        &self,
        command: &Command,
        input: Stdio,
        out: Out,
        sink: &Sink,
    ) -> Result<Running, ProcessError> {
        let line = self.line(command);
        if self.cancellation().is_cancelled() {
            return Err(ProcessError::Cancelled { command: line });
        }
        let mut prepared = std::process::Command::new(find(command)?);
        prepared.args(command.arguments());
        prepare(command, &mut prepared);
        prepared.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let spawned = tokio::process::Command::from(prepared).kill_on_drop(true).spawn();
        let mut child = spawned.map_err(|source| ProcessError::Spawn {
            command: line.clone(),
            source,
        })?;
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let Some(leader) = leader else {
            // Only a child that has been waited for has no id.
            let source = std::io::Error::other("it has no process id");
            return Err(ProcessError::Spawn { command: line, source });
        };
        let group = self.groups().enter(leader);
        let tail = Tail::default();
        let begin = command.frame().map(Begin::new);
        let mut readers = JoinSet::new();
        let leader_ended = CancellationToken::new();
        let reader = |stream, begin| LineReader {
            stream,
            redactor: self.redactor().clone(),
            discreet: command.is_discreet(),
            begin,
            tail: tail.clone(),
            sink: sink.clone(),
            room: self.room().cloned(),
            after: AfterEnd {
                ended: leader_ended.clone(),
                patience: DRAIN,
            },
        };
        if let Some(err) = child.stderr.take() {
            readers.spawn(reader(Stream::Err, None).read(err));
        }
        let bytes = match (out, child.stdout.take()) {
            (Out::Lines, Some(lines)) => {
                readers.spawn(reader(Stream::Out, begin.clone()).read(lines));
                None
            }
            (_, bytes) => bytes,
        };
        // Taken out of the child because `wait` would close it.
        let input = child.stdin.take();
        Ok(Running {
            group,
            child,
            input,
            out: bytes,
            readers,
            leader_ended,
            tail,
            begin,
            line,
        })
    }
}

/// Gives a child its group, environment and folder.
pub(super) fn prepare(command: &Command, prepared: &mut std::process::Command) {
    use std::os::unix::process::CommandExt;
    prepared.process_group(0);
    for (key, value) in command.environment() {
        match value {
            Env::Plain(text) => prepared.env(key, text),
            Env::Secret(secret) => prepared.env(key, secret.expose()),
            Env::Unset => prepared.env_remove(key),
        };
    }
    for (key, secret) in command.secret_environment() {
        prepared.env(key, secret.expose());
    }
    if let Some(folder) = command.working_folder() {
        prepared.current_dir(folder);
    }
}

impl Running {
    /// Gives a framed command what it reads before all else.
    pub(super) async fn feed(&mut self, command: &Command, cancellation: &CancellationToken) {
        let Running { child, input, .. } = self;
        if let (Some(first), Some(input)) = (command.first_input(), input) {
            // Whatever keeps it from being read shows in how the command ends.
            tokio::select! {
                _ = input.write_all(first.expose().as_bytes()) => {}
                _ = child.wait() => {}
                () = cancellation.cancelled() => {}
            }
        }
    }

    /// Waits for the end, whatever it is, or ends the child when the token says so.
    pub(super) async fn ended(&mut self, cancellation: &CancellationToken) -> Result<Ending, ProcessError> {
        let status = tokio::select! {
            biased;
            status = self.child.wait() => status,
            () = cancellation.cancelled() => {
                self.end().await;
                return Err(self.cancelled());
            }
        };
        let ending = self.ending(status)?;
        self.settle().await;
        Ok(ending)
    }

    /// What the system says about the child's end.
    pub(super) fn ending(&self, status: std::io::Result<ExitStatus>) -> Result<Ending, ProcessError> {
        status.map(Ending::from).map_err(|source| self.lost(source))
    }

    /// Reads what the child's streams still hold, and ends what its leader left behind. To be called when the leader has
    /// ended.
    pub(super) async fn settle(&mut self) {
        // Somebody may still hold a stream: the readers give up by themselves, and count no time in which it is the
        // screen that is waited for.
        self.leader_ended.cancel();
        while self.readers.join_next().await.is_some() {}
        self.group.end().await;
    }

    /// Ends the whole group, in order. A command that runs on another machine is asked to end there first: once ssh is
    /// gone, nobody would know what became of it.
    pub(super) async fn end(&mut self) {
        if self.begin.is_some()
            && let Some(input) = &mut self.input
            && input.write_all(END).await.is_ok()
        {
            // Whatever comes of it, the group is ended below.
            let _ = timeout(GRACE, self.child.wait()).await;
        }
        // The leader is waited for meanwhile, so that it does not stay as a zombie.
        let (_, _) = tokio::join!(timeout(GRACE * 2, self.child.wait()), self.group.end());
        self.settle().await;
    }

    /// Success, or the error that this ending is.
    pub(super) fn judged(&self, ending: Ending) -> Result<(), ProcessError> {
        match &self.begin {
            _ if !ending.is_success() => Err(self.failed(ending)),
            Some(begin) if !begin.came() => Err(self.not_begun()),
            _ => Ok(()),
        }
    }

    pub(super) fn failed(&self, ending: Ending) -> ProcessError {
        ProcessError::Failed {
            command: self.line.clone(),
            ending,
            last_lines: self.tail.lines(),
        }
    }

    pub(super) fn not_begun(&self) -> ProcessError {
        ProcessError::NotBegun {
            command: self.line.clone(),
            last_lines: self.tail.lines(),
        }
    }

    pub(super) fn stopped_reading(&self) -> ProcessError {
        ProcessError::StoppedReading {
            command: self.line.clone(),
            last_lines: self.tail.lines(),
        }
    }

    pub(super) fn left_open(&self) -> ProcessError {
        ProcessError::LeftOpen {
            command: self.line.clone(),
        }
    }

    pub(super) fn lost(&self, source: std::io::Error) -> ProcessError {
        ProcessError::Stream {
            command: self.line.clone(),
            source,
        }
    }

    pub(super) fn cancelled(&self) -> ProcessError {
        ProcessError::Cancelled {
            command: self.line.clone(),
        }
    }
}
