//! The beginning of an answer: what a login script printed before it is not part of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many of the lines before the beginning are kept, for the error of a command that never began.
const KEPT: usize = 20;

/// The line behind which a child's output is its own, and whether it has come. Clones share that.
#[derive(Debug, Clone)]
pub(super) struct Begin {
    line: String,
    came: Arc<AtomicBool>,
}

impl Begin {
    pub(super) fn new(line: &str) -> Self {
        Self {
            line: line.to_owned(),
            came: Arc::default(),
        }
    }

    /// Whether the line has come.
    pub(super) fn came(&self) -> bool {
        self.came.load(Ordering::Acquire)
    }

    /// What stands in a whole output behind the line; none if the line is not there.
    pub(super) fn cut(&self, text: &str) -> Option<String> {
        let end = text.find(&format!("{}\n", self.line))? + self.line.len() + 1;
        Some(text[end..].to_owned())
    }

    /// Passes over the lines before it.
    pub(super) fn skip(self) -> Skip {
        Skip {
            begin: self,
            left: Vec::new(),
        }
    }
}

/// Passes over what stands before the beginning.
#[derive(Debug)]
pub(super) struct Skip {
    begin: Begin,
    left: Vec<String>,
}

impl Skip {
    /// Whether the line is none of the child's own. A login script may have left its last line without an end, so that the
    /// beginning stands behind it.
    pub(super) fn takes(&mut self, line: &str) -> bool {
        if self.begin.came() {
            return false;
        }
        if line.ends_with(&self.begin.line) {
            self.begin.came.store(true, Ordering::Release);
            self.left.clear();
        } else if self.left.len() < KEPT {
            self.left.push(line.to_owned());
        }
        true
    }

    /// The lines that were passed over, if there was no beginning.
    pub(super) fn left(self) -> Vec<String> {
        self.left
    }
}
