//! What the user sees when something went wrong: what, where, why, and what to do.
//!
//! Each layer has its own error type; all of them can turn themselves into one [`Diagnostic`] through [`Explain`].
//! `ui` draws diagnostics, nobody else does.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use camino::Utf8PathBuf;

/// The exit codes of the program. They are part of its interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything that was asked for is done.
    Done = 0,
    /// A task failed.
    Failed = 1,
    /// The command line or the manifest is wrong; nothing was begun.
    Usage = 2,
    /// A guard refused: production, a protected stack, a lock, an unsanitised copy.
    Refused = 3,
    /// Interrupted by the user.
    Interrupted = 130,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

/// A text and where it came from, kept so that an error can show its own line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// Where the text was read from, as it is shown to the user.
    pub path: Utf8PathBuf,
    /// The whole text.
    pub text: Arc<str>,
}

/// A place in a [`Source`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The text.
    pub source: Source,
    /// Bytes of the text.
    pub span: Range<usize>,
    /// What is said under the span; may be empty.
    pub label: String,
}

impl fmt::Display for Place {
    /// `path:line`, lines beginning with 1.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.source.text.as_bytes().iter().take(self.span.start);
        let line = before.filter(|byte| **byte == b'\n').count() + 1;
        write!(f, "{}:{line}", self.source.path)
    }
}

/// An error as it is told to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What failed, one line, lower case, no full stop.
    pub title: String,
    /// Where, if it is in a text of the user's.
    pub place: Option<Box<Place>>,
    /// Evidence: the last lines of a command, a server's message. Shown as it is, indented.
    pub evidence: Vec<String>,
    /// Why it is an error.
    pub notes: Vec<String>,
    /// What to do about it.
    pub hints: Vec<String>,
    /// How the program ends because of it.
    pub exit: ExitCode,
    /// Other mistakes that were found with it, such as those of one manifest.
    others: Option<Box<Others>>,
}

/// Diagnostics behind one pointer, so that a [`Diagnostic`] stays small enough to be returned as an error.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Others(Vec<Diagnostic>);

impl Diagnostic {
    /// A diagnostic that has only a title so far.
    #[must_use]
    pub fn new(exit: ExitCode, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            place: None,
            evidence: Vec::new(),
            notes: Vec::new(),
            hints: Vec::new(),
            exit,
            others: None,
        }
    }

    /// Adds the place in the user's text.
    #[must_use]
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.place = place.map(Box::new);
        self
    }

    /// Adds evidence lines.
    #[must_use]
    pub fn evidence<I: IntoIterator<Item = String>>(mut self, lines: I) -> Self {
        self.evidence.extend(lines);
        self
    }

    /// Adds why it is an error.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same with each of its texts changed, the label of its place too; the place's source stays as it is.
    #[must_use]
    pub fn mapped(self, change: impl Fn(&str) -> String) -> Self {
        self.mapped_by(&change)
    }

    fn mapped_by(mut self, change: &dyn Fn(&str) -> String) -> Self {
        self.title = change(&self.title);
        for text in self.evidence.iter_mut().chain(&mut self.notes).chain(&mut self.hints) {
            *text = change(text);
        }
        if let Some(place) = &mut self.place {
            place.label = change(&place.label);
        }
        let others = self.take_others().into_iter();
        let others: Vec<_> = others.map(|other| other.mapped_by(change)).collect();
        self.with_others(others)
    }

    /// Adds others that were found with it.
    #[must_use]
    pub fn with_others(mut self, others: impl IntoIterator<Item = Diagnostic>) -> Self {
        let mut all = self.take_others();
        all.extend(others);
        self.others = (!all.is_empty()).then(|| Box::new(Others(all)));
        self
    }

    /// Takes the others that were found with it.
    #[must_use]
    pub fn take_others(&mut self) -> Vec<Diagnostic> {
        self.others.take().map(|others| others.0).unwrap_or_default()
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// An error that can be told to the user.
pub trait Explain: std::error::Error {
    /// What, where, why, what to do.
    fn explain(&self) -> Diagnostic;
}
