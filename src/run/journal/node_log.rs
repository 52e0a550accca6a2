//! One log a node: what it ran and what its children said, for a person to read.

use std::collections::HashMap;
use std::fmt::Write as _;

use camino::Utf8PathBuf;

use super::JournalError;
use super::bounded::BoundedLog;
use crate::event::{Event, NodeName, Outcome, Stream};
use crate::plain_text;

/// A file name holds 255 bytes; what a node is called beyond this does not tell it from others.
const LONGEST_NAME: usize = 200;

/// How much of one log is held back before it is written, in bytes.
const HELD: usize = 64 * 1024;

/// Where the logs of a run's nodes are.
#[derive(Debug, Clone)]
pub struct Logs {
    folder: Utf8PathBuf,
}

impl Logs {
    pub(super) fn new(folder: Utf8PathBuf) -> Self {
        Self { folder }
    }

    /// Where a node's log is, or will be once the node has begun.
    #[must_use]
    pub fn path(&self, node: &str) -> Utf8PathBuf {
        self.folder.join(format!("{}.log", file_name(node)))
    }
}

#[derive(Debug)]
pub(super) struct NodeLogs {
    logs: Logs,
    open: HashMap<NodeName, BoundedLog>,
}

impl NodeLogs {
    pub(super) fn new(logs: Logs) -> Self {
        Self {
            logs,
            open: HashMap::new(),
        }
    }

    pub(super) fn record(&mut self, at: &str, event: &Event) -> Result<(), JournalError> {
        match event {
            Event::NodeStarted { node } => self.write(node, at, "start", ""),
            Event::Command { node, line } => self.write(node, at, "run", line),
            Event::Line { node, stream, text } => {
                let stream = match stream {
                    Stream::Out => "out",
                    Stream::Err => "err",
                };
                self.write(node, at, stream, text)
            }
            Event::LinesLeftOut { node, count } => {
                self.write(node, at, "gap", &format!("… {count} lines are left out here …"))
            }
            Event::Note { node, text } => self.write(node, at, "note", text),
            Event::Warning { node, text } => self.write(node, at, "warn", text),
            Event::NodeFinished { node, outcome, seconds } => {
                let text = match outcome {
                    Outcome::Done => format!("done after {seconds:.1} s"),
                    Outcome::Failed { error } => format!("failed after {seconds:.1} s: {error}"),
                    Outcome::Cancelled if self.open.contains_key(node) => {
                        format!("cancelled after {seconds:.1} s")
                    }
                    // A node that never began has no log.
                    Outcome::Cancelled | Outcome::Skipped { .. } => return Ok(()),
                };
                let written = self.write(node, at, "end", &text);
                let closed = match self.open.remove(node) {
                    Some(log) => log.close(|text| entry(at, "gap", text)),
                    None => Ok(()),
                };
                written.and(closed)
            }
            Event::RunStarted { .. } | Event::Interrupted | Event::Progress { .. } | Event::RunFinished { .. } => {
                Ok(())
            }
        }
    }

    fn write(&mut self, node: &NodeName, at: &str, kind: &str, text: &str) -> Result<(), JournalError> {
        let log = match self.open.get_mut(node) {
            Some(log) => log,
            None => {
                let log = BoundedLog::open(self.logs.path(node))?;
                self.open.entry(node.clone()).or_insert(log)
            }
        };
        for line in text.lines().chain(text.is_empty().then_some("")) {
            log.push(&entry(at, kind, line));
        }
        if log.held() < HELD { Ok(()) } else { log.flush() }
    }

    /// Writes what is held back of every log; the first failure.
    pub(super) fn flush(&mut self) -> Result<(), JournalError> {
        first_failure(self.open.values_mut().map(BoundedLog::flush))
    }

    /// Closes every log; the first failure.
    pub(super) fn close(&mut self, at: &str) -> Result<(), JournalError> {
        let closed = self
            .open
            .drain()
            .map(|(_, log)| log.close(|text| entry(at, "gap", text)));
        first_failure(closed)
    }
}

/// The first failure, after all was tried.
fn first_failure(results: impl Iterator<Item = Result<(), JournalError>>) -> Result<(), JournalError> {
    let failures: Vec<JournalError> = results.filter_map(Result::err).collect();
    failures.into_iter().next().map_or(Ok(()), Err)
}

/// A line of a log.
fn entry(at: &str, kind: &str, text: &str) -> String {
    let mut entry = format!("{at} {kind:<5} {}", plain_text::line(text));
    entry.truncate(entry.trim_end().len());
    entry
}

/// The name of a node as a file name. Different names stay different: what is not plain is written as `%` and its bytes.
fn file_name(node: &str) -> String {
    let mut name = String::with_capacity(node.len());
    for (index, byte) in node.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && index > 0);
        if plain {
            name.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(name, "%{byte:02x}");
        }
    }
    name.truncate(LONGEST_NAME);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_safe_file_names() {
        assert_eq!(file_name("copy-database"), "copy-database");
        assert_eq!(file_name("web:restart"), "web%3arestart");
        assert_eq!(file_name("../../etc/passwd"), "%2e.%2f..%2fetc%2fpasswd");
        assert_eq!(file_name(&"ü".repeat(300)).len(), LONGEST_NAME);
    }
}
