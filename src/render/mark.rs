//! The line by which a rendered file is known as ours, wherever it was cloned to, and by which edits by hand are seen.
//!
//! It is the last one, because a file's first line may mean something to its reader; `#` begins a comment in all formats
//! that are rendered.

use sha2::{Digest, Sha256};

const BEGIN: &str = "# opw-task: rendered from a template; sum of the text above: ";

/// What a file that lies in a rendered one's place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// It is as opw-task wrote it.
    Ours,
    /// opw-task wrote it, and somebody has changed it since.
    Edited,
    /// An opw-task wrote it that set no mark; whether it was changed since cannot be known.
    Earlier,
    /// Somebody else wrote it.
    Foreign,
}

impl Author {
    /// Who wrote a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        match split(text) {
            Some((body, said)) if sum(body) == said => Self::Ours,
            Some(_) => Self::Edited,
            None if text.contains(BEGIN) => Self::Edited,
            None if is_earlier(text) => Self::Earlier,
            None => Self::Foreign,
        }
    }
}

/// The text with its mark.
#[must_use]
pub(super) fn marked(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let mark = format!("{BEGIN}{}\n", sum(&text));
    text + &mark
}

/// The text without its mark, if it has one.
#[must_use]
pub fn without_mark(text: &str) -> &str {
    split(text).map_or(text, |(body, _)| body)
}

fn split(text: &str) -> Option<(&str, &str)> {
    let at = text.trim_end().rfind('\n').map_or(0, |at| at + 1);
    let said = text[at..].strip_prefix(BEGIN)?.trim_end();
    Some((&text[..at], said))
}

/// Half of a SHA-256 in hexadecimal. git may have changed the ends of lines.
fn sum(text: &str) -> String {
    let digest = Sha256::digest(text.replace("\r\n", "\n").as_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// How the built-in templates have begun since the first version.
fn is_earlier(text: &str) -> bool {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let is_stack = first.starts_with("# Stack ") || first.starts_with("; Stack ");
    let words = [
        ", rendered by `opw-task",
        ", rendered by opw-task",
        ": all variables merged, for docker compose.",
    ];
    let overlays = [
        ": what this host publishes.",
        ": the keys with which scripts",
        ": the checkout's addons instead",
    ];
    is_stack && words.iter().chain(&overlays).any(|word| first.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_who_wrote_a_text() {
        for text in ["", "a: 1", "a: 1\n", "a: |\n  x\n\n"] {
            let ours = marked(text.to_owned());
            assert_eq!(Author::of(&ours), Author::Ours, "{ours}");
            assert_eq!(Author::of(&ours.replace('\n', "\r\n")), Author::Ours, "{ours}");
            assert_eq!(without_mark(&ours).trim_end(), text.trim_end());
            assert_eq!(Author::of(&format!("b: 2\n{ours}")), Author::Edited);
            assert_eq!(Author::of(&format!("{ours}b: 2\n")), Author::Edited);
        }
        assert_eq!(Author::of("services: {}\n"), Author::Foreign);
        for text in [
            "# Stack a, rendered by opw-task from compose/base.yaml.j2. Written anew\n",
            "# Stack a, rendered by `opw-task render a` from coolify.yml.j2: change\n",
            "# Stack a: all variables merged, for docker compose. Holds secrets\n",
            "; Stack a, rendered by opw-task from odoo.conf.j2.\n",
        ] {
            assert_eq!(Author::of(text), Author::Earlier, "{text}");
        }
    }
}
