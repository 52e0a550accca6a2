//! The last lines of a child, kept for its error.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// How many lines an error shows: enough for a Python traceback's end or `pg_restore`'s complaint with its context.
const LINES: usize = 20;

/// The last lines of a child's streams. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail(Arc<Mutex<VecDeque<String>>>);

impl Tail {
    /// Keeps a line, forgetting the oldest if there are too many.
    pub(super) fn push(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The oldest line's memory is used again: a talkative child has millions of them.
        let mut kept = match lines.len() {
            LINES => lines.pop_front().unwrap_or_default(),
            _ => String::new(),
        };
        kept.clear();
        kept.push_str(line);
        lines.push_back(kept);
    }

    /// The lines, oldest first.
    pub(super) fn lines(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }
}
