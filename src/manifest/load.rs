//! Reads a manifest and all that it includes, and merges them key by key: what the including file says wins.

use std::collections::HashMap;
use std::ops::Range;

use camino::Utf8Path;
use indexmap::IndexMap;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::model::ManifestFile;
use super::sources::{Sources, moved};
use super::{Grammar, Manifest, ManifestError, RunDef, Sourced, StackDef, TaskDef, check, include, run, templates};
use crate::error::Source;

/// The name under `[stacks]` that is no stack.
const DEFAULTS: &str = "defaults";

/// Tables of named definitions, whose keys are merged one by one.
const DEFINITIONS: [&str; 4] = ["upstreams", "hosts", "stacks", "tasks"];

/// Keys of a definition that hold names of the user's own: these are merged one by one too.
const MAPS: [&str; 5] = ["env", "files", "params", "ports", "vars"];

/// Reads, merges and checks a manifest.
///
/// # Errors
/// A file that cannot be read, a text that is no manifest, an unknown name; each with its place.
pub fn load(path: &Utf8Path, grammar: &Grammar) -> Result<Manifest, ManifestError> {
    let sources = Sources::new(include::read(path, grammar.builtins)?);
    let mut apart = Apart::default();
    let mut merged = DeTable::new();
    for (offset, source) in sources.files() {
        let table = DeTable::parse(&source.text).map_err(|error| {
            ManifestError::of_toml(&error, |span| sources.place(span.start + offset..span.end + offset))
        })?;
        let mut table = moved(table.into_inner(), *offset);
        apart.take(&sources, &mut table)?;
        lay_over(&mut merged, table, 0);
    }
    let manifest = typed(path, &sources, merged, apart, grammar)?;
    let mut errors = Vec::new();
    check::check(&manifest, &mut errors);
    templates::check(&manifest, &mut errors);
    ManifestError::all(errors)?;
    Ok(manifest)
}

/// What is not merged here, because whoever resolves it needs to know which file says what.
#[derive(Default)]
struct Apart {
    /// `[stacks.defaults]` of every file, the one that wins first.
    defaults: Vec<Sourced<StackDef>>,
    /// `[sanitise]` of every file, the one that wins last.
    sanitise: Vec<Sourced<Spanned<toml::Table>>>,
    /// `sanitise` of stacks, in every file, the one that wins last.
    of_stacks: HashMap<String, Vec<Sourced<Spanned<toml::Table>>>>,
}

impl Apart {
    /// Takes these out of a file's tables.
    fn take(&mut self, sources: &Sources, file: &mut DeTable<'_>) -> Result<(), ManifestError> {
        self.sanitise.extend(policy(sources, file)?);
        let Some(DeValue::Table(stacks)) = file.get_mut("stacks").map(Spanned::get_mut) else {
            return Ok(());
        };
        if let Some((name, value)) = stacks.remove_entry(DEFAULTS) {
            let heading = name.span();
            let mut value = value;
            let own = match value.get_mut() {
                DeValue::Table(table) => policy(sources, table)?,
                _ => None,
            };
            let mut def: StackDef = read(sources, value)?;
            def.sanitise.extend(own);
            self.defaults.insert(0, sourced(sources, heading, def));
        }
        for (name, stack) in stacks.iter_mut() {
            let DeValue::Table(stack) = stack.get_mut() else {
                continue;
            };
            if let Some(policy) = policy(sources, stack)? {
                self.of_stacks
                    .entry(name.get_ref().to_string())
                    .or_default()
                    .push(policy);
            }
        }
        Ok(())
    }
}

/// Takes `sanitise` out of a table.
fn policy(sources: &Sources, table: &mut DeTable<'_>) -> Result<Option<Sourced<Spanned<toml::Table>>>, ManifestError> {
    let Some((key, value)) = table.remove_entry("sanitise") else {
        return Ok(None);
    };
    let policy: Spanned<toml::Table> = read(sources, value)?;
    Ok(Some(sourced(sources, key.span(), policy)))
}

fn read<'de, T: Deserialize<'de>>(sources: &Sources, value: Spanned<DeValue<'de>>) -> Result<T, ManifestError> {
    T::deserialize(toml::de::ValueDeserializer::from(value))
        .map_err(|error| ManifestError::of_toml(&error, |span| sources.place(span)))
}

/// Lays a table over another. `depth` counts from the top: definitions and their maps are merged, all else is replaced.
fn lay_over<'i>(under: &mut DeTable<'i>, over: DeTable<'i>, depth: usize) {
    for (key, value) in over {
        let name: &str = key.get_ref();
        let is_merged = match depth {
            0 => DEFINITIONS.contains(&name),
            1 => true,
            2 => MAPS.contains(&name),
            _ => false,
        };
        match (under.get_mut(name).filter(|_| is_merged).map(Spanned::get_mut), value) {
            (Some(DeValue::Table(below)), value) if value.get_ref().is_table() => {
                if let DeValue::Table(table) = value.into_inner() {
                    lay_over(below, table, depth + 1);
                }
            }
            (_, value) => drop(under.insert(key, value)),
        }
    }
}

/// Reads the merged tables, each definition by itself: all that cannot be read is told at once.
fn typed(
    path: &Utf8Path,
    sources: &Sources,
    mut merged: DeTable<'_>,
    mut apart: Apart,
    grammar: &Grammar,
) -> Result<Manifest, ManifestError> {
    let mut errors = Vec::new();
    let mut written = taken(&mut merged, "tasks");
    let mut runs = runs(sources, &mut written, grammar, &mut errors);
    let mut tasks: IndexMap<String, Sourced<TaskDef>> = each(sources, written, &mut errors);
    for (name, task) in &mut tasks {
        task.def.run = runs.remove(name);
    }
    let mut stacks: IndexMap<String, Sourced<StackDef>> = each(sources, taken(&mut merged, "stacks"), &mut errors);
    for (name, stack) in &mut stacks {
        stack.def.sanitise = apart.of_stacks.remove(name).unwrap_or_default();
    }
    let upstreams = each(sources, taken(&mut merged, "upstreams"), &mut errors);
    let hosts = each(sources, taken(&mut merged, "hosts"), &mut errors);
    let whole = Spanned::new(0..0, merged);
    let rest = ManifestFile::deserialize(toml::Deserializer::from(whole))
        .map_err(|error| ManifestError::of_toml(&error, |span| sources.place(span)));
    let project = match rest {
        Ok(file) => file.project,
        Err(error) => {
            errors.push(error);
            None
        }
    };
    ManifestError::all(errors)?;
    let project = project.map(|def| sourced(sources, def.name.span(), def));
    let project = project.ok_or_else(|| {
        ManifestError::invalid(format!("{path} has no [project]"), None)
            .hinted(Some("begin the file with [project] and name = \"…\"".into()))
    })?;
    let source: Source = project.place(&project.def.name).source;
    let folder = source.path.parent().unwrap_or(Utf8Path::new(""));
    let here = if folder.as_str().is_empty() {
        Utf8Path::new(".")
    } else {
        folder
    };
    let root = here.canonicalize_utf8().map_err(|source| ManifestError::Read {
        path: here.to_owned(),
        included: None,
        source,
    })?;
    Ok(Manifest {
        path: path.to_owned(),
        root,
        upstreams,
        hosts,
        stack_defaults: apart.defaults,
        stacks,
        tasks,
        sanitise: apart.sanitise,
        project,
    })
}

/// Takes the definitions of a kind out of the merged tables.
fn taken<'i>(merged: &mut DeTable<'i>, kind: &str) -> DeTable<'i> {
    match merged.get_mut(kind).map(Spanned::get_mut) {
        Some(DeValue::Table(table)) => std::mem::take(table),
        // What is no table is refused with the rest.
        _ => DeTable::new(),
    }
}

/// Takes `run` out of every task.
fn runs(
    sources: &Sources,
    tasks: &mut DeTable<'_>,
    grammar: &Grammar,
    errors: &mut Vec<ManifestError>,
) -> HashMap<String, RunDef> {
    let mut found = HashMap::new();
    for (name, task) in tasks.iter_mut() {
        let DeValue::Table(task) = task.get_mut() else { continue };
        let Some(value) = task.remove("run") else { continue };
        match run::read(value, &grammar.actions) {
            Ok(run) => drop(found.insert(name.get_ref().to_string(), run)),
            Err(fault) => errors.push(ManifestError::Syntax {
                message: fault.message,
                hint: fault.hint,
                place: Some(Box::new(sources.place(fault.span))),
            }),
        }
    }
    found
}

/// Reads each definition by itself.
fn each<'i, T: Deserialize<'i>>(
    sources: &Sources,
    definitions: DeTable<'i>,
    errors: &mut Vec<ManifestError>,
) -> IndexMap<String, Sourced<T>> {
    let mut found = IndexMap::new();
    for (name, value) in definitions {
        let heading = name.span();
        match read(sources, value) {
            Ok(def) => drop(found.insert(name.into_inner().into_owned(), sourced(sources, heading, def))),
            Err(error) => errors.push(error),
        }
    }
    found
}

fn sourced<T>(sources: &Sources, heading: Range<usize>, def: T) -> Sourced<T> {
    Sourced {
        sources: sources.clone(),
        heading,
        def,
    }
}
