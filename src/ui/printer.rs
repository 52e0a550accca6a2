//! The one door through which the program writes to the user.

use std::fmt;
use std::io::{self, Write};

/// Data goes to standard output, talk to standard error.
pub struct Printer {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    /// The first failure of standard output; nothing more is written there after it.
    failure: Option<io::Error>,
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
        }
    }

    /// Writes what the user asked for.
    pub fn data(&mut self, text: &str) {
        if self.failure.is_some() {
            return;
        }
        // Flushed at once: a reader at the other end of a pipe follows a run as it happens.
        let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        self.failure = written.err();
    }

    /// Writes a remark. Where standard error cannot be written there is nobody left to tell it to.
    pub fn talk(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }

    /// Whether everything reached standard output. A reader that had enough (`| head`) is no failure.
    ///
    /// # Errors
    ///
    /// The first failure to write, once.
    pub fn finish(&mut self) -> io::Result<()> {
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
