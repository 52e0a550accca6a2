//! The one door through which the program writes to the user.

use std::fmt;
use std::io::{self, Write};

use crate::event::Stream;

/// How much is held back before it is written, in bytes: a Linux pipe's usual capacity.
const HELD: usize = 64 * 1024;

/// Data goes to standard output, talk to standard error. What is said is held back until [`Printer::flush`], or until it
/// is a pipe full, and written in the order in which it was said.
pub struct Printer {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    /// The first failure of standard output; nothing more is written there after it.
    failure: Option<io::Error>,
    /// What is not written yet, and where it goes.
    held: String,
    to: Stream,
}

impl Printer {
    /// Writes to the process's own streams.
    #[must_use]
    pub fn of_process() -> Self {
        Self::new(io::stdout(), io::stderr())
    }

    /// Writes to the given streams.
    pub fn new(out: impl Write + Send + 'static, err: impl Write + Send + 'static) -> Self {
        Self {
            out: Box::new(out),
            err: Box::new(err),
            failure: None,
            held: String::new(),
            to: Stream::Out,
        }
    }

    /// Gives what the user asked for.
    pub fn data(&mut self, text: &str) {
        self.hold(Stream::Out, text);
    }

    /// Makes a remark. Where standard error cannot be written there is nobody left to tell it to.
    pub fn talk(&mut self, text: &str) {
        self.hold(Stream::Err, text);
    }

    fn hold(&mut self, to: Stream, text: &str) {
        if self.to != to || self.is_full() {
            self.flush();
            self.to = to;
        }
        self.held.push_str(text);
    }

    /// Whether so much is held back that it should be written.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.held.len() >= HELD
    }

    /// Whether what is held back goes to another stream.
    pub(super) fn goes_elsewhere(&self, stream: Stream) -> bool {
        !self.held.is_empty() && self.to != stream
    }

    /// Whether nothing is held back.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Writes what is held back.
    pub fn flush(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let write =
            |stream: &mut dyn Write, text: &str| stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
        match self.to {
            Stream::Out if self.failure.is_none() => self.failure = write(&mut *self.out, &self.held).err(),
            Stream::Out => {}
            Stream::Err => drop(write(&mut *self.err, &self.held)),
        }
        self.held.clear();
    }

    /// Whether everything reached standard output. A reader that had enough (`| head`) is no failure.
    ///
    /// # Errors
    ///
    /// The first failure to write, once.
    pub fn finish(&mut self) -> io::Result<()> {
        self.flush();
        match self.failure.take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Printer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Printer")
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}
