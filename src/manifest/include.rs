//! Reads a manifest and all that it includes, each file once.

use std::collections::HashSet;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use toml::de::{DeTable, ValueDeserializer};

use super::{Builtin, ManifestError, Text};
use crate::error::{Place, Source};

/// How an include begins that names a manifest of opw-task's own.
const BUILTIN: &str = "builtin:";

/// So many files may include each other in a chain.
const DEPTH: usize = 32;

/// A file whose includes are being read.
struct Open {
    source: Source,
    /// What tells it from other files, by whatever path.
    identity: Utf8PathBuf,
    /// Those that are not read yet, the last one first.
    ahead: Vec<Text>,
}

/// Reads `path` and everything it includes: a file comes after all that it includes, so that later files win.
pub(super) fn read(path: &Utf8Path, builtins: &[Builtin]) -> Result<Vec<Source>, ManifestError> {
    let mut read = Vec::new();
    let mut seen = HashSet::new();
    let mut chain: Vec<Open> = Vec::new();
    let mut next = Some(open(path, None, builtins)?);
    loop {
        if let Some(file) = next.take() {
            if let Some(at) = chain.iter().position(|open| open.identity == file.identity) {
                let names: Vec<&str> = chain[at..].iter().map(|open| open.source.path.as_str()).collect();
                let place = chain.last().and_then(|open| open.ahead_place());
                let error = ManifestError::invalid(format!("{} includes itself", file.source.path), place);
                return Err(match names.len() {
                    1 => error,
                    _ => error.because(format!("by {}", names.join(", which includes "))),
                });
            }
            if chain.len() == DEPTH {
                let names: Vec<&str> = chain.iter().map(|open| open.source.path.as_str()).collect();
                let error = ManifestError::invalid(
                    format!("more than {DEPTH} manifests include each other in a chain"),
                    chain.last().and_then(|open| open.ahead_place()),
                );
                return Err(error.because(names.join(" includes ")));
            }
            if seen.insert(file.identity.clone()) {
                chain.push(file);
            } else if let Some(open) = chain.last_mut() {
                open.ahead.pop();
            }
            continue;
        }
        let Some(open_file) = chain.last() else { break };
        match open_file.ahead.last() {
            Some(include) => {
                let place = open_file.place(include);
                let other = match include.get_ref().starts_with(BUILTIN) {
                    true => Utf8PathBuf::from(include.get_ref().as_str()),
                    false => open_file
                        .source
                        .path
                        .parent()
                        .unwrap_or(Utf8Path::new(""))
                        .join(include.get_ref()),
                };
                next = Some(open(&other, Some(place), builtins)?);
            }
            None => {
                read.extend(chain.pop().map(|open| open.source));
                if let Some(parent) = chain.last_mut() {
                    parent.ahead.pop();
                }
            }
        }
    }
    Ok(read)
}

impl Open {
    fn place(&self, text: &Text) -> Place {
        Place {
            source: self.source.clone(),
            span: text.span(),
            label: String::new(),
        }
    }

    /// The include that is being read.
    fn ahead_place(&self) -> Option<Place> {
        self.ahead.last().map(|text| self.place(text))
    }
}

fn open(path: &Utf8Path, included: Option<Place>, builtins: &[Builtin]) -> Result<Open, ManifestError> {
    let (identity, text): (_, Arc<str>) = match path.as_str().strip_prefix(BUILTIN) {
        Some(name) => {
            let Some(builtin) = builtins.iter().find(|builtin| builtin.name == name) else {
                let hint = crate::suggest::hint(name, builtins.iter().map(|builtin| builtin.name));
                return Err(
                    ManifestError::invalid(format!("there is no built-in manifest `{name}`"), included).hinted(hint),
                );
            };
            (path.to_owned(), builtin.text.into())
        }
        None => {
            let read_error = |source| ManifestError::Read {
                path: path.to_owned(),
                included: included.clone().map(Box::new),
                source,
            };
            let identity = path.canonicalize_utf8().map_err(read_error)?;
            (identity, std::fs::read_to_string(path).map_err(read_error)?.into())
        }
    };
    let source = Source {
        path: path.to_owned(),
        text,
    };
    let mut ahead = includes(&source)?;
    ahead.reverse();
    Ok(Open {
        source,
        identity,
        ahead,
    })
}

/// Returns what a file includes. Any other mistake in it is told when all files are merged.
fn includes(source: &Source) -> Result<Vec<Text>, ManifestError> {
    let place = |span| Place {
        source: source.clone(),
        span,
        label: String::new(),
    };
    let wrong = |error: &toml::de::Error| ManifestError::of_toml(error, place);
    let mut table = DeTable::parse(&source.text).map_err(|error| wrong(&error))?;
    let Some(include) = table.get_mut().remove("include") else {
        return Ok(Vec::new());
    };
    Vec::deserialize(ValueDeserializer::from(include)).map_err(|error| wrong(&error))
}
