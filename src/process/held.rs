//! A child that stays: it answers once, and works for as long as it is held.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::timeout;

use super::command::Command;
use super::running::{Out, Running, nothing};
use super::{ProcessError, Processes, Sink};
use crate::event::Stream;

/// The line that ends an answer.
const COMPLETE: &str = ".";

/// How long a child may take to end by itself when its input has ended.
const ENDS: Duration = Duration::from_secs(5);

/// A child that stays until it is let go. Dropping it kills it.
pub struct Held {
    running: Running,
}

impl Processes {
    /// Starts a framed command that stays, and returns it with its answer: the lines before one with a single dot.
    ///
    /// # Errors
    ///
    /// As [`Processes::run`] if it ends before its answer is complete; [`ProcessError::Cancelled`].
    pub async fn hold(&self, command: &Command) -> Result<(Held, Vec<String>), ProcessError> {
        let (told, mut lines) = unbounded_channel();
        let sink: Sink = Arc::new(move |stream, line| {
            if stream == Stream::Out {
                // Nobody listens any more when the answer is complete.
                let _ = told.send(line.to_owned());
            }
        });
        let mut running = self.start(command, nothing(command), Out::Lines, &sink)?;
        running.feed(command, self.cancellation()).await;
        drop(sink);
        let mut answer = Vec::new();
        loop {
            let line = tokio::select! {
                line = lines.recv() => line,
                () = self.cancellation().cancelled() => {
                    running.end().await;
                    return Err(running.cancelled());
                }
            };
            match line {
                Some(line) if line == COMPLETE => return Ok((Held { running }, answer)),
                Some(line) => answer.push(line),
                None => break,
            }
        }
        // Its output has ended, and so has it.
        let ending = running.ended(self.cancellation()).await?;
        running.judged(ending)?;
        Err(running.not_begun())
    }
}

impl Held {
    /// Says that it is still wanted.
    ///
    /// # Errors
    ///
    /// If it reads no more.
    pub async fn say(&mut self, line: &str) -> std::io::Result<()> {
        match &mut self.running.input {
            Some(input) => input.write_all(format!("{line}\n").as_bytes()).await,
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) {
        // An error would mean that it was waited for already.
        let _ = self.running.child.wait().await;
    }

    /// Closes its input, and waits until it has ended.
    pub async fn let_go(mut self) {
        self.running.input = None;
        let _ = timeout(ENDS, self.running.child.wait()).await;
        self.running.end().await;
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held")
            .field("command", &self.running.line)
            .finish_non_exhaustive()
    }
}
