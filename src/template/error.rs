//! What can go wrong with a template.

use camino::Utf8PathBuf;
use minijinja::ErrorKind;

use super::IS_SECRET;
use super::bounds::{FUEL, Unbounded};
use crate::error::{Diagnostic, ExitCode, Explain, Place, Source};

/// A template that cannot be rendered. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A template that does not parse, or speaks of what is not there.
    #[error("{message}")]
    Template {
        /// What is wrong.
        message: String,
        /// Where.
        place: Box<Place>,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A template that is neither built in nor in the project.
    #[error("there is no template `{name}`")]
    NoTemplate {
        /// Its name.
        name: String,
        /// The project's folder that was searched.
        folder: Utf8PathBuf,
        /// What there is.
        hint: Option<String>,
    },
    /// A template that was given up: it took too long, or too much memory.
    #[error("the template `{name}`: {message}")]
    Unbounded {
        /// The template.
        name: String,
        /// What it would not stop doing.
        message: String,
    },
    /// A rendered compose file that is no YAML.
    #[error("the template `{name}` rendered what is no YAML: {message}")]
    NotYaml {
        /// The template.
        name: String,
        /// What the parser says.
        message: String,
        /// The rendered line.
        place: Option<Box<Place>>,
    },
}

impl RenderError {
    /// An error in a string of the manifest. The span is the whole string: TOML's escapes make finer ones untrue.
    pub(crate) fn in_manifest(error: &minijinja::Error, text: &str, place: &Place) -> Self {
        let column = error
            .range()
            .and_then(|range| text.get(range))
            .filter(|part| !part.is_empty() && part.len() < text.len());
        let mut place = place.clone();
        let message = match (error.kind(), column) {
            (ErrorKind::UndefinedError, Some(part)) => format!("`{part}` is not set"),
            (ErrorKind::UndefinedError, None) => "something that this string speaks of is not set".into(),
            (_, part) => {
                place.label = part.map(|part| format!("here: {part}")).unwrap_or_default();
                message(error)
            }
        };
        Self::Template {
            message,
            place: Box::new(place),
            hint: hint(error),
        }
    }

    /// A string of the manifest that was given up.
    pub(crate) fn unbounded(why: &Unbounded, place: &Place) -> Self {
        Self::Template {
            message: why.to_string(),
            place: Box::new(place.clone()),
            hint: None,
        }
    }

    /// A string of the manifest with more text than a template may have.
    pub(crate) fn too_large(limit: usize, place: &Place) -> Self {
        Self::Template {
            message: format!("a template may have {} KiB at most", limit >> 10),
            place: Box::new(place.clone()),
            hint: None,
        }
    }

    /// A string of the manifest that speaks of a name that is never there.
    pub(crate) fn unknown(kind: &str, name: &str, there: &[&str], place: &Place) -> Self {
        Self::Template {
            message: format!("there is no {kind} `{name}` here"),
            place: Box::new(place.clone()),
            hint: crate::suggest::hint(name, there.iter().copied()),
        }
    }

    /// An error in a template file.
    pub(crate) fn in_file(error: &minijinja::Error, source: Source) -> Self {
        let line_start = error.line().map_or(0, |line| {
            source
                .text
                .split_inclusive('\n')
                .take(line.saturating_sub(1))
                .map(str::len)
                .sum()
        });
        let line_length = source
            .text
            .get(line_start..)
            .and_then(|rest| rest.lines().next())
            .map_or(0, str::len);
        let span = error.range().unwrap_or(line_start..line_start + line_length);
        let part = source.text.get(span.clone()).filter(|_| error.range().is_some());
        let message = match (error.kind(), part) {
            (ErrorKind::UndefinedError, Some(part)) => format!("`{part}` is not set"),
            _ => message(error),
        };
        let hint = match hint(error) {
            Some(_) if is_about_a_secret(error) => {
                Some("let compose look it up when it reads the file: ${NAME}".into())
            }
            hint => hint,
        };
        Self::Template {
            message,
            place: Box::new(Place {
                source,
                span,
                label: String::new(),
            }),
            hint,
        }
    }
}

/// What to do about an error in a template, where that is known.
fn hint(error: &minijinja::Error) -> Option<String> {
    match error.kind() {
        ErrorKind::OutOfFuel => Some("a loop here has too many rounds".into()),
        ErrorKind::UndefinedError => Some("set it, or say what stands for it: `… | default(\"\")`".into()),
        _ if is_about_a_secret(error) => {
            Some("hand it to the command in its environment: env = { NAME = \"{{ env.NAME }}\" }".into())
        }
        _ => None,
    }
}

fn is_about_a_secret(error: &minijinja::Error) -> bool {
    error.detail().is_some_and(|detail| detail.contains(IS_SECRET))
}

/// minijinja's message without its own account of the place.
fn message(error: &minijinja::Error) -> String {
    let kind = error.kind().to_string();
    if error.kind() == ErrorKind::OutOfFuel {
        return format!("this does not come to an end: it was given up after {FUEL} steps");
    }
    match error.detail() {
        // Ours, and a sentence of its own.
        Some(detail) if error.kind() == ErrorKind::InvalidOperation => detail.to_owned(),
        Some(detail) => format!("{kind}: {detail}"),
        None => kind,
    }
}

impl Explain for RenderError {
    fn explain(&self) -> Diagnostic {
        let plain = Diagnostic::new(ExitCode::Usage, self.to_string());
        match self {
            Self::Template { place, hint, .. } => {
                let placed = plain.at(Some((**place).clone()));
                match hint {
                    Some(hint) => placed.hint(hint),
                    None => placed,
                }
            }
            Self::NoTemplate { folder, hint, .. } => {
                let plain = plain.note(format!("neither built in nor in {folder}"));
                match hint {
                    Some(hint) => plain.hint(hint),
                    None => plain,
                }
            }
            Self::Unbounded { .. } => plain.hint("look at what its loops make larger in each round"),
            Self::NotYaml { place, .. } => plain.at(place.as_deref().cloned()),
        }
    }
}
