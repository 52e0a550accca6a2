//! What can be wrong with a manifest.

use camino::Utf8PathBuf;

use crate::error::{Diagnostic, ExitCode, Explain, Place};
use crate::template::RenderError;

/// A manifest that cannot be used. Nothing was begun.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// There is none.
    #[error("no tasks.toml in {folder} or in any folder above it")]
    NotFound {
        /// Where the search began.
        folder: Utf8PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: Utf8PathBuf,
        /// Where it is included, if it is.
        included: Option<Box<Place>>,
        /// Why not.
        source: std::io::Error,
    },
    /// The text is no manifest: no TOML, an unknown key, a wrong type.
    #[error("{message}")]
    Syntax {
        /// What the parser says.
        message: String,
        /// Where.
        place: Option<Box<Place>>,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A value that cannot be: an unknown name, a cycle, two things that exclude each other.
    #[error("{title}")]
    Invalid {
        /// What is wrong.
        title: String,
        /// Where.
        place: Option<Box<Place>>,
        /// Why.
        note: Option<String>,
        /// What to do about it.
        hint: Option<String>,
    },
    /// More than one mistake.
    #[error("{} mistakes in the manifest", .0.len())]
    Several(Vec<ManifestError>),
    /// A string that is no template, or speaks of what will never be there.
    #[error(transparent)]
    Template(#[from] RenderError),
}

impl ManifestError {
    /// What TOML's reader says; `place` tells where a span stands.
    pub(super) fn of_toml(error: &toml::de::Error, place: impl FnOnce(std::ops::Range<usize>) -> Place) -> Self {
        Self::Syntax {
            hint: crate::suggest::suggestion(error.message()),
            message: error.message().trim_end().replace('\n', " "),
            place: error.span().map(place).map(Box::new),
        }
    }

    /// Returns the errors as one, in the order of their places; none if there is none.
    pub(super) fn all(errors: Vec<Self>) -> Result<(), Self> {
        let placed = errors.into_iter().map(|error| {
            let diagnostic = error.explain();
            let place = diagnostic.place;
            let place = place.map(|place| (place.source.path.to_string(), place.span.start));
            (place, diagnostic.title, error)
        });
        let mut placed: Vec<_> = placed.collect();
        placed.sort_by(|one, other| one.0.cmp(&other.0));
        // What all stacks share is looked at for each of them.
        placed.dedup_by(|one, other| one.0.is_some() && (&one.0, &one.1) == (&other.0, &other.1));
        let mut errors: Vec<Self> = placed.into_iter().map(|(_, _, error)| error).collect();
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => Err(Self::Several(errors)),
        }
    }

    /// An invalid value at a place.
    #[must_use]
    pub fn invalid(title: impl Into<String>, place: Option<Place>) -> Self {
        Self::Invalid {
            title: title.into(),
            place: place.map(Box::new),
            note: None,
            hint: None,
        }
    }

    /// The same with why it is wrong.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        if let Self::Invalid { note, .. } = &mut self {
            *note = Some(why.into());
        }
        self
    }

    /// The same with what to do about it, if anything is known.
    #[must_use]
    pub fn hinted(mut self, what: Option<String>) -> Self {
        if let Self::Invalid { hint, .. } | Self::Syntax { hint, .. } = &mut self {
            *hint = what.or_else(|| hint.take());
        }
        self
    }
}

impl Explain for ManifestError {
    fn explain(&self) -> Diagnostic {
        let plain = Diagnostic::new(ExitCode::Usage, self.to_string());
        match self {
            Self::NotFound { .. } => {
                plain.hint("change into a project that has one, or name it: opw-task --file path/to/tasks.toml …")
            }
            Self::Read { source, included, .. } => plain.at(included.as_deref().cloned()).note(source.to_string()),
            Self::Syntax { place, hint, .. } => with_hint(plain.at(place.as_deref().cloned()), hint.as_ref()),
            Self::Invalid { place, note, hint, .. } => {
                let placed = plain.at(place.as_deref().cloned());
                let noted = match note {
                    Some(note) => placed.note(note),
                    None => placed,
                };
                with_hint(noted, hint.as_ref())
            }
            Self::Several(errors) => {
                let mut all = errors.iter().map(Explain::explain);
                match all.next() {
                    Some(first) => first.with_others(all),
                    None => plain,
                }
            }
            Self::Template(error) => error.explain(),
        }
    }
}

fn with_hint(diagnostic: Diagnostic, hint: Option<&String>) -> Diagnostic {
    match hint {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}
