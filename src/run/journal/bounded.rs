//! A log that keeps its head and its tail, however much is written.
//!
//! The tail goes round in two files beside the log, so that it is on the disk at every moment: the last words before a
//! `kill -9` are what a log is read for. When the log is closed they are put at its end.

use std::fs::{self, File};
use std::io::{self, Read, Write};

use camino::{Utf8Path, Utf8PathBuf};

use super::JournalError;
use super::folder;
use crate::measure;

/// How much of a log's beginning is kept, in bytes.
const HEAD: u64 = 4 * 1024 * 1024;

/// How much of its end is kept at least, in bytes; at most twice that.
const TAIL: u64 = 1024 * 1024;

/// A log of one node, or one of the two files of its tail.
#[derive(Debug)]
struct Part {
    path: Utf8PathBuf,
    file: File,
    bytes: u64,
    lines: u64,
}

/// A log that is being written.
#[derive(Debug)]
pub(super) struct BoundedLog {
    head: Part,
    /// The tail's older file and the one that is being written, once the head is full.
    tail: Option<(Option<Part>, Part)>,
    /// What was in files of the tail that are gone.
    left_out: (u64, u64),
    /// What is not written yet.
    held: String,
    held_lines: u64,
}

impl BoundedLog {
    /// Opens a log, and makes it if it is not there.
    pub(super) fn open(path: Utf8PathBuf) -> Result<Self, JournalError> {
        let file = folder::append(&path)?;
        let bytes = file.metadata().map_or(0, |metadata| metadata.len());
        Ok(Self {
            head: Part {
                path,
                file,
                bytes,
                lines: 0,
            },
            tail: None,
            left_out: (0, 0),
            held: String::new(),
            held_lines: 0,
        })
    }

    /// Adds a line, which is held back until [`BoundedLog::flush`].
    pub(super) fn push(&mut self, line: &str) {
        self.held.push_str(line);
        self.held.push('\n');
        self.held_lines += 1;
    }

    /// How much is held back, in bytes.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Writes what is held back. What cannot be written is lost, and the log goes on.
    pub(super) fn flush(&mut self) -> Result<(), JournalError> {
        let held = std::mem::take(&mut self.held);
        let lines = std::mem::take(&mut self.held_lines);
        let written = match held.is_empty() {
            true => Ok(()),
            false => self.write(&held, lines),
        };
        self.held = held;
        self.held.clear();
        written
    }

    fn write(&mut self, text: &str, lines: u64) -> Result<(), JournalError> {
        if self.tail.is_none() && self.head.bytes < HEAD {
            return self.head.write(text, lines);
        }
        let (older, newer) = match self.tail.take() {
            None => (None, Part::make(self.tail_path(1))?),
            Some((older, newer)) if newer.bytes >= TAIL => {
                let path = older
                    .as_ref()
                    .map_or_else(|| self.tail_path(2), |older| older.path.clone());
                if let Some(older) = older {
                    self.left_out.0 += older.bytes;
                    self.left_out.1 += older.lines;
                }
                (Some(newer), Part::make(path)?)
            }
            Some(tail) => tail,
        };
        let (_, newer) = self.tail.insert((older, newer));
        newer.write(text, lines)
    }

    fn tail_path(&self, number: u8) -> Utf8PathBuf {
        Utf8PathBuf::from(format!("{}.tail-{number}", self.head.path))
    }

    /// Writes what is held back, and puts the tail where it belongs. `gap` says how what is missing is written.
    pub(super) fn close(mut self, gap: impl Fn(&str) -> String) -> Result<(), JournalError> {
        let flushed = self.flush();
        let Some((older, newer)) = self.tail.take() else {
            return flushed;
        };
        let (bytes, lines) = self.left_out;
        if bytes > 0 {
            let missing = format!("… {lines} lines ({}) are left out here …", measure::bytes(bytes));
            self.head.write(&(gap(&missing) + "\n"), 1)?;
        }
        for part in older.into_iter().chain([newer]) {
            self.head.append(&part.path)?;
        }
        flushed
    }
}

impl Part {
    fn make(path: Utf8PathBuf) -> Result<Self, JournalError> {
        let file = folder::append(&path)?;
        let emptied = file.set_len(0);
        emptied.map_err(|source| JournalError::Write {
            path: path.clone(),
            source,
        })?;
        Ok(Self {
            path,
            file,
            bytes: 0,
            lines: 0,
        })
    }

    fn write(&mut self, text: &str, lines: u64) -> Result<(), JournalError> {
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|source| JournalError::Write {
            path: self.path.clone(),
            source,
        })?;
        self.bytes += text.len() as u64;
        self.lines += lines;
        Ok(())
    }

    /// Puts a file's content at the end of this one, and removes it.
    fn append(&mut self, from: &Utf8Path) -> Result<(), JournalError> {
        let copied = File::open(from).and_then(|file| io::copy(&mut file.take(2 * TAIL), &mut self.file));
        let done = copied.and_then(|_| fs::remove_file(from));
        done.map_err(|source| JournalError::Write {
            path: self.path.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_and_tail_stay_and_the_rest_is_counted() {
        let temp = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(temp.path()).unwrap().join("a.log");
        let mut log = BoundedLog::open(path.clone()).unwrap();
        const LINES: u64 = 2_000_000;
        for number in 0..LINES {
            log.push(&format!("line {number}"));
            if number % 100 == 0 {
                log.flush().unwrap();
            }
        }
        // As a kill would leave it: everything but the last hundred lines is on the disk.
        let sizes: u64 = temp
            .path()
            .read_dir()
            .unwrap()
            .map(|file| file.unwrap().metadata().unwrap().len())
            .sum();
        assert!(sizes <= HEAD + 2 * TAIL + 3 * 8192, "{sizes}");
        log.close(|text| format!("gap {text}")).unwrap();

        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], *lines.last().unwrap()), ("line 0", "line 1999999"));
        let gap = lines.iter().position(|line| line.starts_with("gap ")).unwrap();
        let missing: u64 = lines[gap].split(' ').nth(2).unwrap().parse().unwrap();
        assert_eq!(lines.len() as u64 - 1 + missing, LINES);
        assert_eq!(lines[gap + 1], format!("line {}", gap as u64 + missing));
        assert_eq!(temp.path().read_dir().unwrap().count(), 1, "the tail's files are gone");
    }

    #[test]
    fn a_log_that_is_not_long_is_whole() {
        let temp = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(temp.path()).unwrap().join("a.log");
        let mut log = BoundedLog::open(path.clone()).unwrap();
        log.push("one");
        log.push("two");
        log.close(str::to_owned).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    }
}
