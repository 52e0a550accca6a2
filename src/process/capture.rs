//! Answers: commands whose output is read as a whole.

use std::io::{self, PipeWriter, Write};
use std::process::ExitStatus;

use rustix::process::Pid;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::unix::pipe::Receiver;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::command::Command;
use super::find::find;
use super::frame::Begin;
use super::lines::{AfterEnd, LineReader};
use super::running::{DRAIN, prepare};
use super::tail::Tail;
use super::{Ending, ProcessError, Processes, discard};
use crate::event::Stream;
use crate::secret::Secret;

/// How much an answer may be, in bytes: the largest that is asked for, a `docker compose config` or a list of a
/// filestore's files, stays under a tenth of it.
const LIMIT: usize = 64 * 1024 * 1024;

/// How much is read at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// What a command answered. Unlike lines, the text is data: it has not passed the redactor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// How the command ended.
    pub ending: Ending,
    /// Its standard output.
    pub text: String,
    /// The last lines of its standard error, redacted.
    pub last_lines: Vec<String>,
}

impl Processes {
    /// Runs a command and returns its standard output, as it is.
    ///
    /// # Errors
    ///
    /// As [`Processes::run`]; [`ProcessError::TooMuch`] beyond 64 MiB; [`ProcessError::NotText`] unless it is UTF-8.
    pub async fn capture(&self, command: &Command) -> Result<String, ProcessError> {
        let Captured {
            ending,
            text,
            mut last_lines,
        } = self.try_capture(command).await?;
        if ending.is_success() {
            return Ok(text);
        }
        if last_lines.is_empty() && !command.is_discreet() {
            // Some programs complain on standard output.
            let tail = Tail::default();
            text.lines().for_each(|line| tail.push(&self.redactor().redact(line)));
            last_lines = tail.lines();
        }
        Err(ProcessError::Failed {
            command: self.line(command),
            ending,
            last_lines,
        })
    }

    /// The same for a question to which failure is an answer: the ending is part of it.
    ///
    /// # Errors
    ///
    /// As [`Processes::capture`], but for [`ProcessError::Failed`].
    pub async fn try_capture(&self, command: &Command) -> Result<Captured, ProcessError> {
        let line = self.line(command);
        if self.cancellation().is_cancelled() {
            return Err(ProcessError::Cancelled { command: line });
        }
        let spawn = |source| ProcessError::Spawn {
            command: line.clone(),
            source,
        };

        // Our own pipes instead of duct's: reading those blocks as long as any process holds them.
        let (out, out_end) = std::io::pipe().map_err(spawn)?;
        let (err, err_end) = std::io::pipe().map_err(spawn)?;
        let mut out = Receiver::from_owned_fd(out.into()).map_err(spawn)?;
        let err = Receiver::from_owned_fd(err.into()).map_err(spawn)?;
        let prepared = command.clone();
        let expression = duct::cmd(find(command)?, command.arguments());
        let (expression, input) = match command.frame() {
            Some(_) => {
                let (input_end, input) = std::io::pipe().map_err(spawn)?;
                (expression.stdin_file(input_end), Some(input))
            }
            None => (expression.stdin_null(), None),
        };
        let expression = expression
            .stdout_file(out_end)
            .stderr_file(err_end)
            .unchecked()
            .before_spawn(move |child| {
                prepare(&prepared, child);
                Ok(())
            });
        let handle = expression.start().map_err(spawn)?;
        drop(expression); // It holds the child's ends of the pipes.
        // Held open as long as the answer is waited for: its end ends a framed command.
        let _input = input.map(|input| hold(input, command.first_input().cloned()));
        let leader = handle
            .pids()
            .first()
            .and_then(|id| i32::try_from(*id).ok())
            .and_then(Pid::from_raw);
        let group = leader.map(|leader| self.groups().enter(leader));
        let waiting = tokio::task::spawn_blocking(move || handle.wait().map(|output| output.status));

        let tail = Tail::default();
        let mut bytes = Vec::new();
        let reading = async {
            let lines = LineReader {
                stream: Stream::Err,
                redactor: self.redactor().clone(),
                discreet: command.is_discreet(),
                begin: None,
                tail: tail.clone(),
                sink: discard(),
                room: None,
                // Who waits for the answer ends the reading.
                after: AfterEnd {
                    ended: CancellationToken::new(),
                    patience: DRAIN,
                },
            }
            .read(err);
            // An answer that is too long is known before the child closes its standard error.
            let lines = async {
                lines.await;
                Ok::<(), End>(())
            };
            tokio::try_join!(read_all(&mut out, &mut bytes), lines).map(drop)
        };
        let end = self.await_end(waiting, reading).await;
        if let Some(group) = group {
            group.end().await;
        }
        let status = match end {
            End::Status(status) => status,
            End::TooMuch => {
                return Err(ProcessError::TooMuch {
                    command: line,
                    limit: LIMIT,
                });
            }
            End::Lost(source) => {
                return Err(ProcessError::Stream { command: line, source });
            }
            End::Cancelled => return Err(ProcessError::Cancelled { command: line }),
        };
        let Ok(text) = String::from_utf8(bytes) else {
            return Err(ProcessError::NotText { command: line });
        };
        let ending = Ending::from(status);
        let text = match command.frame().map(|begin| Begin::new(begin).cut(&text)) {
            Some(Some(own)) => own,
            Some(None) if ending.is_success() => {
                text.lines().for_each(|line| tail.push(&self.redactor().redact(line)));
                return Err(ProcessError::NotBegun {
                    command: line,
                    last_lines: tail.lines(),
                });
            }
            _ => text,
        };
        Ok(Captured {
            ending,
            text,
            last_lines: tail.lines(),
        })
    }

    /// Waits until the child has ended and its output is read, but no longer than [`DRAIN`] for output after the end.
    async fn await_end(
        &self,
        mut waiting: JoinHandle<io::Result<ExitStatus>>,
        reading: impl Future<Output = Result<(), End>>,
    ) -> End {
        let mut reading = std::pin::pin!(reading);
        let mut complete = false;
        let status = loop {
            tokio::select! {
                biased;
                ended = &mut waiting => break ended.map_err(io::Error::other).flatten(),
                read = &mut reading, if !complete => match read {
                    Ok(()) => complete = true,
                    Err(end) => return end,
                },
                () = self.cancellation().cancelled() => return End::Cancelled,
            }
        };
        if !complete && let Ok(Err(end)) = timeout(DRAIN, reading).await {
            return end;
        }
        status.map_or_else(End::Lost, End::Status)
    }
}

/// Writes what a framed command reads first, and returns what holds its input open. A thread of its own, for a pipe takes so
/// much at once and no more; it ends when the child does not read any more.
fn hold(mut input: PipeWriter, first: Option<Secret>) -> JoinHandle<PipeWriter> {
    tokio::task::spawn_blocking(move || {
        if let Some(first) = first {
            // Whatever keeps it from being read shows in how the command ends.
            let _broken = input.write_all(first.expose().as_bytes());
        }
        input
    })
}

/// Why there is no more to wait for.
enum End {
    /// The child has ended.
    Status(ExitStatus),
    /// It printed more than [`LIMIT`].
    TooMuch,
    /// Reading its output, or waiting for it, failed.
    Lost(io::Error),
    /// The run was cancelled.
    Cancelled,
}

/// Reads all there is, up to [`LIMIT`].
async fn read_all(from: &mut (impl AsyncRead + Unpin), into: &mut Vec<u8>) -> Result<(), End> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match from.read(&mut chunk).await.map_err(End::Lost)? {
            0 => return Ok(()),
            count if into.len() + count > LIMIT => return Err(End::TooMuch),
            count => into.extend_from_slice(&chunk[..count]),
        }
    }
}
