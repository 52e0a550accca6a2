//! Compares what a stack renders with what lies where it belongs, or prints it. Nothing is written.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use similar::TextDiff;

use super::super::{ActionError, Scene};
use super::relative;
use crate::error::{Diagnostic, ExitCode, Explain};
use crate::event::Stream;
use crate::host::Found;
use crate::plain_text;
use crate::render::{File, without_mark};

/// Files that are not what their stack renders.
#[derive(Debug, thiserror::Error)]
#[error("not as stack `{stack}` renders {}: {}", if files.len() == 1 { "it" } else { "them" }, joined(files))]
pub struct Differs {
    /// The stack.
    pub stack: String,
    /// The files, as the user would name them.
    pub files: Vec<Utf8PathBuf>,
}

fn joined(files: &[Utf8PathBuf]) -> String {
    files.iter().map(|file| file.as_str()).collect::<Vec<_>>().join(", ")
}

impl Explain for Differs {
    fn explain(&self) -> Diagnostic {
        Diagnostic::new(ExitCode::Failed, self.to_string())
            .note("nothing was written")
            .hint(format!("`opw-task render {}` writes what it renders", self.stack))
    }
}

/// Prints each file that anybody may read, as it would be written. Of several each has its path above it.
pub(super) fn print(scene: &Scene, files: &[File]) {
    let (open, closed): (Vec<&File>, Vec<&File>) = files.iter().partition(|file| is_open(file));
    for file in &open {
        if open.len() > 1 {
            scene.report.line(
                Stream::Out,
                &format!("# ── {}", relative(&file.path, &scene.project.root)),
            );
        }
        for line in file.contents.lines() {
            scene.report.line(Stream::Out, line);
        }
    }
    for file in closed {
        scene
            .report
            .note(format!("{} holds secrets and is not printed", file.path));
    }
}

/// Fails where a file is not there, or is not what is rendered, and prints how it differs.
pub(super) fn compare(scene: &Scene, files: &[File], found: Vec<Option<Found>>) -> Result<(), ActionError> {
    let mut differing = Vec::new();
    for (file, found) in files.iter().zip(found) {
        let path = relative(&file.path, &scene.project.root);
        let lines = match found {
            None => vec![format!("{path} is not there")],
            // git may have changed the ends of lines.
            Some(found) if found.text.replace("\r\n", "\n") == file.contents => continue,
            Some(found) if is_open(file) => diff(path.as_str(), &found.text, &file.contents),
            Some(found) => names_that_differ(path.as_str(), &found.text, &file.contents),
        };
        for line in lines {
            scene.report.line(Stream::Out, &plain_text::line(&line));
        }
        differing.push(path.to_owned());
    }
    match differing.is_empty() {
        true => {
            scene.report.note("every file is what is rendered");
            Ok(())
        }
        false => Err(ActionError::Differs(Box::new(Differs {
            stack: scene.stack()?.name.clone(),
            files: differing,
        }))),
    }
}

/// Whether anybody may read it, so that it holds no secret.
fn is_open(file: &File) -> bool {
    file.mode & 0o077 != 0
}

fn diff(path: &str, old: &str, new: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(old, new);
    let mut text = diff.unified_diff();
    let text = text.header(path, &format!("{path} (rendered)")).to_string();
    text.lines().map(str::to_owned).collect()
}

/// The variables that differ, by their names alone: what an older file says may be a secret that nobody knows any more.
fn names_that_differ(path: &str, old: &str, new: &str) -> Vec<String> {
    let (old, new) = (assignments(old), assignments(new));
    let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
    let mut lines: Vec<String> = names
        .filter_map(|name| match (old.get(name), new.get(name)) {
            (Some(one), Some(other)) if one == other => None,
            (Some(_), Some(_)) => Some(format!("{path}: {name} has another value")),
            (Some(_), None) => Some(format!("{path}: {name} is not rendered")),
            _ => Some(format!("{path}: {name} is missing")),
        })
        .collect();
    if lines.is_empty() {
        lines.push(format!("{path}: other comments or another order"));
    }
    lines
}

fn assignments(text: &str) -> BTreeMap<&str, &str> {
    let lines = without_mark(text).lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_file_with_secrets_only_names_are_told() {
        let told = names_that_differ("s/.env", "# a\nA=1\nB='CANARY'\nC=3\n", "# b\nA=1\nB='new'\nD=CANARY\n");
        assert_eq!(
            told,
            [
                "s/.env: B has another value",
                "s/.env: C is not rendered",
                "s/.env: D is missing"
            ]
        );
    }
}
