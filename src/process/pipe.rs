//! One command's output into another's input, counted on the way.

use std::io;
use std::process::Stdio;

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
        let mut reader = self.start(to, Stdio::piped(), Out::Lines, to_sink)?;
        let mut writer = match self.start(from, nothing(from), Out::Bytes, from_sink) {
            Ok(writer) => writer,
            Err(error) => {
                reader.end().await;
                return Err(error);
            }
        };
        let mut total = 0;
        let stop = self.carry(&mut writer, &mut reader, |count| {
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
            Stop::ReaderFailed(ending) => Err(self.blame(&mut writer, &mut reader, Some(ending)).await),
            Stop::ReaderClosed => {
                // Closing its input is often the first thing a program does when it fails: its status says why.
                let ending = tokio::select! {
                    ended = timeout(GRACE, reader.child.wait()) => ended.ok().and_then(Result::ok).map(Ending::from),
                    () = self.cancellation().cancelled() => None,
                };
                Err(self.blame(&mut writer, &mut reader, ending).await)
            }
            Stop::LeftOpen => {
                end(&mut writer, &mut reader).await;
                Err(writer.left_open())
            }
            Stop::CannotRead(source) => {
                end(&mut writer, &mut reader).await;
                Err(writer.lost(source))
            }
            Stop::CannotWrite(source) => {
                end(&mut writer, &mut reader).await;
                Err(reader.lost(source))
            }
            Stop::Cancelled => {
                end(&mut writer, &mut reader).await;
                Err(writer.cancelled())
            }
        }
    }

    /// Carries the bytes until something happens.
    async fn carry(&self, writer: &mut Running, reader: &mut Running, counted: impl FnMut(u64)) -> Stop {
        let (Some(out), Some(input)) = (writer.out.as_mut(), reader.input.as_mut()) else {
            return Stop::CannotRead(io::ErrorKind::NotConnected.into());
        };
        let writer_gone = CancellationToken::new();
        let mut pump = std::pin::pin!(pump(out, input, &writer_gone, counted));
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
    out: &mut ChildStdout,
    input: &mut ChildStdin,
    writer_gone: &CancellationToken,
    mut counted: impl FnMut(u64),
) -> Stop {
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
        match input.write_all(&buffer[..count]).await {
            Ok(()) => counted(count as u64),
            Err(source) if source.kind() == io::ErrorKind::BrokenPipe => return Stop::ReaderClosed,
            Err(source) => return Stop::CannotWrite(source),
        }
    }
}
