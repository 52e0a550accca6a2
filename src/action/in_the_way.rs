//! What happens to a file that lies where one is to be rendered: ours is replaced, another is kept or stops the run.
//!
//! A file of the checkout may be deployed by others, so what it says of where data lies is never changed without being
//! told, also where opw-task wrote it.

use std::fmt;

use camino::Utf8PathBuf;

use crate::error::{Diagnostic, ExitCode, Explain};
use crate::host::Found;
use crate::render::{Author, File, moved, without_mark};
use crate::shell_words::quote;

/// What is done with a rendered file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It is there already.
    Same,
    /// It is written, and replaces what is ours or nothing.
    Write,
    /// It is written, and what lies there is kept under another name.
    Keep,
    /// Nothing is written at all.
    Stop(InTheWay),
}

/// A file that keeps another from being rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InTheWay {
    path: Utf8PathBuf,
    why: Why,
    /// What of the data would lie elsewhere; none where that cannot be known.
    moved: Option<Vec<String>>,
    first_line: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Foreign,
    Edited,
    Moves,
}

/// Where a rendered file belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Belongs {
    /// In the checkout, to whoever works there.
    Checkout,
    /// In the state root, where this version has written before or not.
    StateRoot { marked: bool },
}

/// What is done with a rendered file where this lies in its place.
pub(super) fn way(file: &File, found: Option<&Found>, belongs: Belongs, is_told: bool) -> Way {
    let Some(found) = found else { return Way::Write };
    let author = Author::of(&found.text);
    if without_mark(&found.text) == without_mark(&file.contents) {
        let is_same = author == Author::Ours && found.mode == file.mode && !found.is_link;
        return if is_same { Way::Same } else { Way::Write };
    }
    let in_checkout = belongs == Belongs::Checkout;
    let moved = moved(&found.text, &file.contents);
    let moves = in_checkout && moved.as_ref().is_some_and(|moved| !moved.is_empty());
    let why = match author {
        Author::Ours | Author::Earlier if moves => Why::Moves,
        Author::Ours => return Way::Write,
        Author::Earlier => return Way::Keep,
        // A version that set no marks may have rendered it from a template of the project's own.
        Author::Foreign if belongs == (Belongs::StateRoot { marked: false }) => return Way::Keep,
        Author::Edited => Why::Edited,
        Author::Foreign => Why::Foreign,
    };
    if is_told {
        return Way::Keep;
    }
    Way::Stop(InTheWay {
        path: file.path.clone(),
        why,
        moved: moved.filter(|_| in_checkout || !file.path.as_str().ends_with(".env")),
        // An env file's first line may be a secret.
        first_line: match file.mode & 0o077 {
            0 => String::new(),
            _ => found.text.lines().next().unwrap_or_default().to_owned(),
        },
    })
}

impl fmt::Display for InTheWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match self.why {
            Why::Foreign => write!(f, "{path} was not written by opw-task"),
            Why::Edited => write!(f, "{path} was changed by hand since opw-task wrote it"),
            Why::Moves => write!(f, "{path} would keep data elsewhere than it does now"),
        }
    }
}

/// Files that keep others from being rendered.
#[derive(Debug, thiserror::Error)]
#[error("{}", .files.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct WouldOverwrite {
    /// The files.
    pub files: Vec<InTheWay>,
    /// The command that was given, such as `render coolify`.
    pub command: String,
}

impl Explain for WouldOverwrite {
    fn explain(&self) -> Diagnostic {
        let mut told = Diagnostic::new(ExitCode::Refused, self.to_string());
        let (mut edited, mut line) = (false, format!("opw-task {}", self.command));
        for file in &self.files {
            edited |= file.why == Why::Edited;
            line += &format!(" --take-over {}", quote(file.path.as_str()));
            if file.why == Why::Foreign && !file.first_line.is_empty() {
                told = told.evidence([format!("{} begins: {}", file.path, file.first_line)]);
            }
            match &file.moved {
                Some(moved) => told = told.evidence(moved.iter().cloned()),
                None => told = told.evidence([format!("{}: cannot be read as a compose file", file.path)]),
            }
        }
        let moves = |file: &InTheWay| file.moved.as_ref().is_some_and(|moved| !moved.is_empty());
        let told = told.note("nothing was written");
        let told = match self.files.iter().any(moves) {
            true => {
                told.note("what is deployed from the new file begins with empty folders where it keeps data elsewhere")
            }
            false => told,
        };
        let told = match edited {
            true => told.hint("write the change into the template (docs/manifest.md, \"Files of a stack\")"),
            false => told,
        };
        told.hint(format!(
            "`{line}` writes it all the same; the old file stays beside it as FILE.kept-RUN"
        ))
    }
}
