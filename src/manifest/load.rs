//! Reads a manifest and all that it includes, and merges them: what the including file says wins.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::model::ManifestFile;
use super::{ActionGrammar, Manifest, ManifestError, RunDef, Sourced, Text, check, place, run, templates};
use crate::error::{Place, Source};

/// The name under `[stacks]` that is no stack.
const DEFAULTS: &str = "defaults";

/// Reads, merges and checks a manifest. `actions` are those that a task may run.
///
/// # Errors
/// A file that cannot be read, a text that is no manifest, a name that nothing bears; each with its place.
pub fn load(path: &Utf8Path, actions: &[&'static ActionGrammar]) -> Result<Manifest, ManifestError> {
    let mut files = Vec::new();
    read_with_includes(path, None, actions, &mut Vec::new(), &mut files)?;
    let manifest = merge(path, files)?;
    check::check(&manifest)?;
    templates::check(&manifest)?;
    Ok(manifest)
}

struct ReadFile {
    source: Source,
    file: ManifestFile,
}

/// Reads `path` after everything it includes, so that later files win.
fn read_with_includes(
    path: &Utf8Path,
    included: Option<Place>,
    actions: &[&'static ActionGrammar],
    chain: &mut Vec<Utf8PathBuf>,
    files: &mut Vec<ReadFile>,
) -> Result<(), ManifestError> {
    let read_error = |source| ManifestError::Read {
        path: path.to_owned(),
        included: included.clone().map(Box::new),
        source,
    };
    let canonical = path.canonicalize_utf8().map_err(read_error)?;
    if chain.contains(&canonical) {
        return Err(ManifestError::invalid(format!("{path} includes itself"), included));
    }
    let text: Arc<str> = std::fs::read_to_string(path).map_err(read_error)?.into();
    let source = Source {
        path: path.to_owned(),
        text,
    };
    let file = parse(&source, actions)?;
    chain.push(canonical);
    let folder = path.parent().unwrap_or(Utf8Path::new(""));
    for include in &file.include {
        let other = folder.join(include.get_ref());
        read_with_includes(&other, Some(place(&source, include)), actions, chain, files)?;
    }
    chain.pop();
    files.push(ReadFile { source, file });
    Ok(())
}

fn parse(source: &Source, actions: &[&'static ActionGrammar]) -> Result<ManifestFile, ManifestError> {
    let wrong = |error: toml::de::Error| ManifestError::Syntax {
        hint: crate::suggest::suggestion(error.message()),
        message: error.message().trim_end().replace('\n', " "),
        place: error.span().map(|span| at(source, span)),
    };
    let mut table = DeTable::parse(&source.text).map_err(wrong)?;
    let mut runs = runs(source, table.get_mut(), actions)?;
    let mut file = ManifestFile::deserialize(toml::Deserializer::from(table)).map_err(wrong)?;
    for (name, task) in &mut file.tasks {
        task.run = runs.remove(name.get_ref());
    }
    Ok(file)
}

fn at(source: &Source, span: Range<usize>) -> Box<Place> {
    Box::new(Place {
        source: source.clone(),
        span,
        label: String::new(),
    })
}

/// Takes `run` out of every task of a file.
fn runs(
    source: &Source,
    file: &mut DeTable<'_>,
    actions: &[&'static ActionGrammar],
) -> Result<HashMap<String, RunDef>, ManifestError> {
    let mut found = HashMap::new();
    let Some(DeValue::Table(tasks)) = file.get_mut("tasks").map(Spanned::get_mut) else {
        return Ok(found);
    };
    for (name, task) in tasks.iter_mut() {
        let DeValue::Table(task) = task.get_mut() else { continue };
        let Some(value) = task.remove("run") else { continue };
        let run = run::read(value, actions).map_err(|fault| ManifestError::Syntax {
            message: fault.message,
            hint: fault.hint,
            place: Some(at(source, fault.span)),
        })?;
        found.insert(name.get_ref().to_string(), run);
    }
    Ok(found)
}

fn merge(path: &Utf8Path, files: Vec<ReadFile>) -> Result<Manifest, ManifestError> {
    let mut project = None;
    let mut sanitise = Vec::new();
    let mut stack_defaults = Vec::new();
    let (mut upstreams, mut hosts, mut stacks, mut tasks) =
        (IndexMap::new(), IndexMap::new(), IndexMap::new(), IndexMap::new());
    for ReadFile { source, mut file } in files {
        if let Some((name, defaults)) = file.stacks.shift_remove_entry(DEFAULTS) {
            let defaults = sourced(&source, name.span(), defaults);
            stack_defaults.insert(0, defaults);
        }
        lay_over(&mut upstreams, &source, file.upstreams);
        lay_over(&mut hosts, &source, file.hosts);
        lay_over(&mut stacks, &source, file.stacks);
        lay_over(&mut tasks, &source, file.tasks);
        let own = file.project.map(|def| sourced(&source, def.name.span(), def));
        project = own.or(project);
        sanitise.extend(file.sanitise.map(|def| sourced(&source, def.span(), def)));
    }
    let project = project.ok_or_else(|| {
        ManifestError::invalid(format!("{path} has no [project]"), None)
            .hinted(Some("begin the file with [project] and name = \"…\"".into()))
    })?;
    let folder = project.source.path.parent().unwrap_or(Utf8Path::new(""));
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
        project,
        upstreams,
        hosts,
        stack_defaults,
        stacks,
        tasks,
        sanitise,
    })
}

fn sourced<T>(source: &Source, heading: Range<usize>, def: T) -> Sourced<T> {
    Sourced {
        source: source.clone(),
        heading,
        def,
    }
}

fn lay_over<T>(over: &mut IndexMap<String, Sourced<T>>, source: &Source, defs: IndexMap<Text, T>) {
    for (name, def) in defs {
        let heading = name.span();
        over.insert(name.into_inner(), sourced(source, heading, def));
    }
}
