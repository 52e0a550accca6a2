//! Limits for templates: a template that never ends, grows without bounds or nests without measure ends as an error, not
//! with the program.
//!
//! Fuel ends loops, and names the line. What one instruction can do, such as doubling a text, is seen from outside: the
//! work runs on a thread of its own that is left alone when it takes too long or too much memory. That thread's stack
//! suffices for whatever nesting a source of [`SOURCE`] bytes can hold, because minijinja's parser and compiler recurse.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

/// A template's source may have so many bytes. The built-in ones have some 3,000.
pub(crate) const SOURCE: usize = 128 * 1024;

/// A file or string may be made of so many instructions. The built-in templates take some thousands.
pub(crate) const FUEL: u64 = 2_000_000;

/// A rendered file may have so many bytes.
pub(crate) const OUTPUT: usize = 16 * 1024 * 1024;

/// Address space that is only used where a template nests deeply. An unoptimised build needs some 2 KiB for a byte of
/// source.
const STACK: usize = SOURCE * 4096;

/// Rendering may take so long.
const TIME: Duration = Duration::from_secs(60);

/// The process may grow by so many bytes while a template is rendered.
const MEMORY: u64 = 1 << 30;

/// Between two looks at the memory.
const LOOK: Duration = Duration::from_millis(20);

/// Why work was left alone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unbounded {
    /// It took too long.
    #[error("this does not come to an end: it was given up after {} s", TIME.as_secs())]
    Time,
    /// It took too much memory.
    #[error("this grows without bounds: it was given up after {} MiB", MEMORY >> 20)]
    Memory,
    /// It has no thread, or its thread died.
    #[error("this cannot be rendered: {0}")]
    Thread(io::Error),
}

/// Does work on a thread of its own and waits for it, within the limits. Work that is given up goes on until the program
/// ends.
pub(crate) fn bounded<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Unbounded> {
    let (done, result) = sync_channel(1);
    let (begun, before) = (Instant::now(), resident());
    let thread = Builder::new().name("template".into()).stack_size(STACK);
    // Nobody listens any more when it was given up.
    let started = thread.spawn(move || drop(done.send(work())));
    drop(started.map_err(Unbounded::Thread)?);
    loop {
        match result.recv_timeout(LOOK) {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Disconnected) => return Err(Unbounded::Thread(io::Error::other("its thread died"))),
            Err(RecvTimeoutError::Timeout) if begun.elapsed() > TIME => return Err(Unbounded::Time),
            Err(RecvTimeoutError::Timeout) if resident().saturating_sub(before) > MEMORY => {
                return Err(Unbounded::Memory);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// The bytes of memory that this process holds; 0 where the system does not say so in `/proc`.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// Takes up to [`OUTPUT`] bytes, and says in `full` that there was more.
#[derive(Debug)]
pub(crate) struct Output {
    text: Vec<u8>,
    full: Arc<AtomicBool>,
}

impl Output {
    /// Nothing yet.
    pub(crate) fn new(full: &Arc<AtomicBool>) -> Self {
        full.store(false, Ordering::Relaxed);
        Self {
            text: Vec::new(),
            full: full.clone(),
        }
    }

    /// The text that was written.
    pub(crate) fn into_text(self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

impl io::Write for Output {
    /// What is too much goes nowhere: an error here would lose the template's line. The next value that is written, or
    /// the end, finds `full` set.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.text.len() + bytes.len() > OUTPUT {
            self.full.store(true, Ordering::Relaxed);
        } else {
            self.text.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The error of a template that renders too much.
pub(crate) fn too_long() -> minijinja::Error {
    minijinja::Error::new(
        minijinja::ErrorKind::InvalidOperation,
        format!("it renders more than {} MiB", OUTPUT >> 20),
    )
}
