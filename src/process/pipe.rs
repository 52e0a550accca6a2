//! One command's output into another's input, counted on the way.

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::command::Command;
use super::group::GRACE;
use super::running::{DRAIN, Out, Running, nothing};
use super::{Ending, ProcessError, Processes, Sink};

/// How much is carried at once, in bytes: twice a pipe's capacity, so that neither side waits for the other's switch.
const BUFFER: usize = 128 * 1024;

/// Why the bytes stopped.
enum Stop {
    /// The writer has ended with success, and all it wrote has been handed over.
    Complete,
    /// The writer has ended without success.
    WriterFailed(Ending),
    /// The reader has ended without success.
    ReaderFailed(Ending),
    /// The reader took no more.
    ReaderClosed,
    /// The writer has ended, and something holds its output open.
    LeftOpen,
    /// Reading from the writer failed.
    CannotRead(io::Error),
    /// Writing to the reader failed, for another reason than its end.
    CannotWrite(io::Error),
    /// The run was cancelled.
    Cancelled,
}

/// The beginning of what a writer prints, before anybody takes it.
pub struct Beginning {
    out: ChildStdout,
    bytes: Vec<u8>,
    ended: Arc<AtomicBool>,
    cancellation: CancellationToken,
    line: String,
}

impl Beginning {
    /// Returns what was read so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads on until so many bytes are there in all, or no more come. Returns whether more may come.
    ///
    /// # Errors
    /// [`ProcessError::Cancelled`]; [`ProcessError::Stream`] where reading fails.
    pub async fn read_to(&mut self, count: usize) -> Result<bool, ProcessError> {
        while self.bytes.len() < count {
            let read = tokio::select! {
                biased;
                read = self.out.read_buf(&mut self.bytes) => read,
                () = self.cancellation.cancelled() => {
                    return Err(ProcessError::Cancelled { command: self.line.clone() });
                }
            };
            let read = read.map_err(|source| ProcessError::Stream {
                command: self.line.clone(),
                source,
            })?;
            if read == 0 {
                self.ended.store(true, Ordering::Relaxed);
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Processes {
    /// Carries what `from` prints into the standard input of `to` and returns how many bytes that were. `counted` is told
    /// the sum so far after every step.
    ///
    /// Both must succeed. The input of `to` is closed only when `from` is known to have exited with status 0; otherwise
    /// `to` is ended first, so that an archive that was cut in the middle never looks complete to it. (A reader beyond
    /// `docker exec` or ssh sees its input end when its local half is ended: what goes through such a pipe must be a format
    /// that knows its own end, and never plain SQL.)
    ///
    /// # Errors
    ///
    /// The error of the member that failed first. A reader's failure cannot be the consequence of the broken pipe that it
    /// causes: while both live, the writer's output is never closed.
    pub async fn pipe(
        &self,
        from: &Command,
        to: &Command,
        from_sink: &Sink,
        to_sink: &Sink,
        counted: impl Fn(u64) + Send,
    ) -> Result<u64, ProcessError> {
        let opening = async |beginning| Ok::<_, ProcessError>((beginning, Vec::new()));
        self.pipe_behind(from, to, from_sink, to_sink, opening, counted).await
    }

    /// The same for a reader that has to be told first what it gets: `opening` reads as much of the beginning as it wants,
    /// and what it returns goes to `to` before that. `to` is started afterwards.
    ///
    /// # Errors
    ///
    /// As [`Processes::pipe`], and those of `opening`, unless the writer's own failure is what it met.
    pub async fn pipe_behind<E: From<ProcessError>>(
        &self,
        from: &Command,
        to: &Command,
        from_sink: &Sink,
        to_sink: &Sink,
        opening: impl AsyncFnOnce(Beginning) -> Result<(Beginning, Vec<u8>), E>,
        counted: impl Fn(u64) + Send,
    ) -> Result<u64, E> {
        let mut writer = self.start(from, nothing(from), Out::Bytes, from_sink)?;
        let Some(out) = writer.out.take() else {
            writer.end().await;
            return Err(writer.lost(io::ErrorKind::NotConnected.into()).into());
        };
        let ended = Arc::new(AtomicBool::new(false));
        let beginning = Beginning {
            out,
            bytes: Vec::new(),
            ended: ended.clone(),
            cancellation: self.cancellation().clone(),
            line: writer.line.clone(),
        };
        let (beginning, before) = match opening(beginning).await {
            Ok(opened) => opened,
            Err(error) => {
                let ending = match ended.load(Ordering::Relaxed) {
                    true => timeout(GRACE, writer.child.wait()).await.ok().and_then(Result::ok),
                    false => None,
                };
                writer.end().await;
                return Err(match ending.map(Ending::from) {
                    Some(ending) if !ending.is_success() => writer.failed(ending).into(),
                    _ => error,
                });
            }
        };
        writer.out = Some(beginning.out);
        let mut reader = match self.start(to, Stdio::piped(), Out::Lines, to_sink) {
            Ok(reader) => reader,
            Err(error) => {
                writer.end().await;
                return Err(error.into());
            }
        };
        Ok(self
            .between(&mut writer, &mut reader, [before, beginning.bytes], counted)
            .await?)
    }

    /// Carries everything from one to the other: first what goes before, of which the second part is the writer's.
    async fn between(
        &self,
        writer: &mut Running,
        reader: &mut Running,
        first: [Vec<u8>; 2],
        counted: impl Fn(u64) + Send,
    ) -> Result<u64, ProcessError> {
        let mut total = 0;
        let stop = self.carry(writer, reader, first, |count| {
            total += count;
            counted(total);
        });
        let stop = stop.await;
        match stop {
            Stop::Complete => {
                reader.input = None;
                let ending = reader.ended(self.cancellation()).await;
                writer.settle().await;
                reader.judged(ending?)?;
                Ok(total)
            }
            Stop::WriterFailed(ending) => {
                tokio::join!(writer.settle(), reader.end());
                Err(writer.failed(ending))
            }
            Stop::ReaderFailed(ending) => Err(self.blame(writer, reader, Some(ending)).await),
            Stop::ReaderClosed => {
                // Closing its input is often the first thing a program does when it fails: its status says why.
                let ending = tokio::select! {
                    ended = timeout(GRACE, reader.child.wait()) => ended.ok().and_then(Result::ok).map(Ending::from),
                    () = self.cancellation().cancelled() => None,
                };
                Err(self.blame(writer, reader, ending).await)
            }
            Stop::LeftOpen => {
                end(writer, reader).await;
                Err(writer.left_open())
            }
            Stop::CannotRead(source) => {
                end(writer, reader).await;
                Err(writer.lost(source))
            }
            Stop::CannotWrite(source) => {
                end(writer, reader).await;
                Err(reader.lost(source))
            }
            Stop::Cancelled => {
                end(writer, reader).await;
                Err(writer.cancelled())
            }
        }
    }

    /// Carries the bytes until something happens.
    async fn carry(
        &self,
        writer: &mut Running,
        reader: &mut Running,
        first: [Vec<u8>; 2],
        counted: impl FnMut(u64),
    ) -> Stop {
        let (Some(out), Some(input)) = (writer.out.as_mut(), reader.input.as_mut()) else {
            return Stop::CannotRead(io::ErrorKind::NotConnected.into());
        };
        let writer_gone = CancellationToken::new();
        let mut pump = std::pin::pin!(pump(first, out, input, &writer_gone, counted));
        let (mut emptied, mut written, mut read) = (false, false, false);
        while !(emptied && written) {
            tokio::select! {
                biased;
                status = writer.child.wait(), if !written => match status.map(Ending::from) {
                    Ok(ending) if ending.is_success() => {
                        written = true;
                        writer_gone.cancel();
                    }
                    Ok(ending) => return Stop::WriterFailed(ending),
                    Err(source) => return Stop::CannotRead(source),
                },
                // A reader that ends with success may have had all it needs; whether it left anything unread shows when
                // the next bytes come, or do not.
                status = reader.child.wait(), if !read => match status.map(Ending::from) {
                    Ok(ending) if ending.is_success() => read = true,
                    Ok(ending) => return Stop::ReaderFailed(ending),
                    Err(source) => return Stop::CannotWrite(source),
                },
                stop = &mut pump, if !emptied => match stop {
                    Stop::Complete => emptied = true,
                    stop => return stop,
                },
                () = self.cancellation().cancelled() => return Stop::Cancelled,
            }
        }
        Stop::Complete
    }

    /// Ends both members and names the cause when the reader has failed, or taken no more: the writer, if it has failed
    /// too. Its output was open until now, so its failure is its own, and the reader's may be the consequence.
    async fn blame(&self, writer: &mut Running, reader: &mut Running, ending: Option<Ending>) -> ProcessError {
        let writer_ending = writer.child.try_wait().ok().flatten().map(Ending::from);
        end(writer, reader).await;
        match (writer_ending, ending) {
            _ if self.cancellation().is_cancelled() && ending.is_none() => writer.cancelled(),
            (Some(ending), _) if !ending.is_success() => writer.failed(ending),
            (_, Some(ending)) if !ending.is_success() => reader.failed(ending),
            _ => reader.stopped_reading(),
        }
    }
}

/// Ends both members; the reader's input stays open until it has ended.
async fn end(writer: &mut Running, reader: &mut Running) {
    tokio::join!(writer.end(), reader.end());
}

/// Carries bytes until the writer's output ends ([`Stop::Complete`]) or something breaks.
async fn pump(
    first: [Vec<u8>; 2],
    out: &mut ChildStdout,
    input: &mut ChildStdin,
    writer_gone: &CancellationToken,
    mut counted: impl FnMut(u64),
) -> Stop {
    let [before, beginning] = first;
    for (bytes, count) in [(&before, 0), (&beginning, beginning.len() as u64)] {
        match hand_over(input, bytes).await {
            None if count > 0 => counted(count),
            None => {}
            Some(stop) => return stop,
        }
    }
    drop((before, beginning));
    let mut buffer = vec![0; BUFFER];
    loop {
        let left_open = async {
            writer_gone.cancelled().await;
            sleep(DRAIN).await;
        };
        let count = tokio::select! {
            biased;
            read = out.read(&mut buffer) => match read {
                Ok(0) => return Stop::Complete,
                Ok(count) => count,
                Err(source) => return Stop::CannotRead(source),
            },
            () = left_open => return Stop::LeftOpen,
        };
        match hand_over(input, &buffer[..count]).await {
            None => counted(count as u64),
            Some(stop) => return stop,
        }
    }
}

/// Gives the reader bytes, or says why it does not get them.
async fn hand_over(input: &mut ChildStdin, bytes: &[u8]) -> Option<Stop> {
    match input.write_all(bytes).await {
        Ok(()) => None,
        Err(source) if source.kind() == io::ErrorKind::BrokenPipe => Some(Stop::ReaderClosed),
        Err(source) => Some(Stop::CannotWrite(source)),
    }
}
