//! Looks for what cannot be resolved later: unknown names, cycles, parameters that contradict each other.

use indexmap::IndexMap;

use super::{Manifest, ManifestError, ParamDef, Sourced, StackDef, TaskDef, Text};
use crate::error::Place;

/// Words of the command line that no task may be called.
pub(super) const COMMANDS: [&str; 4] = ["list", "env", "upstream", "help"];

/// The variables by which the `docker` command chooses an engine.
pub const CHOOSES_DOCKER: [&str; 3] = ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"];

/// Options that every command takes, so that no parameter may be called like them.
pub const OPTIONS: [&str; 10] = [
    "file",
    "output",
    "verbose",
    "jobs",
    "here",
    "dry-run",
    "set",
    "take-over",
    "help",
    "version",
];

/// Checks all names of a manifest, and adds what is wrong with them.
pub(super) fn check(manifest: &Manifest, errors: &mut Vec<ManifestError>) {
    for (name, task) in &manifest.tasks {
        check_task(manifest, name, task, errors);
    }
    for layer in &manifest.stack_defaults {
        check_layer(manifest, layer, errors);
    }
    for (name, stack) in &manifest.stacks {
        errors.extend(well_named("stack", name, stack.heading()));
        check_layer(manifest, stack, errors);
    }
    // A path through tasks that are not there is none.
    if errors.is_empty() {
        errors.extend(path_of_cycle(manifest).map(|path| cycle(manifest, &path)));
    }
}

fn check_layer(manifest: &Manifest, layer: &Sourced<StackDef>, errors: &mut Vec<ManifestError>) {
    if let Some(host) = &layer.def.host {
        errors.extend(bears(layer, host, "host", &manifest.hosts));
    }
    if let Some(upstream) = &layer.def.upstream {
        errors.extend(bears(layer, upstream, "upstream", &manifest.upstreams));
    }
    let variables = layer.def.vars.keys().chain(layer.def.inherit.iter().flatten());
    errors.extend(variables.filter_map(|variable| well_named_variable(layer, variable)));
}

fn check_task(manifest: &Manifest, name: &str, task: &Sourced<TaskDef>, errors: &mut Vec<ManifestError>) {
    errors.extend(well_named("task", name, task.heading()));
    if COMMANDS.contains(&name) && !task.def.private {
        let error = ManifestError::invalid(
            format!("task `{name}` has the name of a command of opw-task itself"),
            Some(task.heading()),
        );
        errors.push(error.hinted(Some("give it another name".into())));
    }
    for other in task.def.needs.iter().chain(&task.def.after) {
        errors.extend(bears(task, other, "task", &manifest.tasks));
    }
    for (param, def) in &task.def.params {
        if let Some(why) = fault_of_param(param.get_ref(), def) {
            let title = format!("parameter `{}` of task `{name}` {why}", param.get_ref());
            errors.push(ManifestError::invalid(title, Some(task.place(param))));
        }
    }
    let rests = task.def.params.iter().filter(|(_, def)| def.rest).skip(1);
    errors.extend(rests.take(1).map(|(second, _)| {
        let title = format!("task `{name}` has two parameters that take the rest of the line");
        ManifestError::invalid(title, Some(task.place(second)))
    }));
    let is_on_stack = task.def.run.as_ref().is_some_and(|run| run.grammar.on_stack);
    for variable in task.def.env.keys() {
        if is_on_stack && CHOOSES_DOCKER.contains(&variable.get_ref().as_str()) {
            let title = format!(
                "task `{name}` selects another Docker engine through {}",
                variable.get_ref()
            );
            let error = ManifestError::invalid(title, Some(task.place(variable)));
            errors.push(error.hinted(Some(
                "to run a stack on another machine, set its `host` to one of [hosts]".into(),
            )));
        }
        errors.extend(well_named_variable(task, variable));
    }
}

/// What is wrong with a parameter, if anything is.
fn fault_of_param(name: &str, def: &ParamDef) -> Option<&'static str> {
    if !is_name(name) {
        return Some("is not a name: use lower-case letters, digits and `-`, starting with a letter");
    }
    if OPTIONS.contains(&name) {
        return Some("has the name of an option that every command takes");
    }
    if def.flag && (def.default.is_some() || !def.choices.is_empty() || def.rest) {
        return Some("is a flag, so it cannot have a default, choices or rest");
    }
    match &def.default {
        Some(_) if def.rest => Some("takes the rest of the line, so it cannot have a default"),
        Some(default) if !def.choices.is_empty() && !def.choices.contains(default) => {
            Some("has a default that is not one of its choices")
        }
        _ => None,
    }
}

fn bears<T, D>(
    layer: &Sourced<T>,
    name: &Text,
    kind: &str,
    known: &IndexMap<String, Sourced<D>>,
) -> Option<ManifestError> {
    if known.contains_key(name.get_ref()) {
        return None;
    }
    let error = ManifestError::invalid(
        format!("there is no {kind} `{}`", name.get_ref()),
        Some(layer.place(name)),
    );
    Some(error.hinted(crate::suggest::hint(name.get_ref(), known.keys().map(String::as_str))))
}

fn well_named(kind: &str, name: &str, place: Place) -> Option<ManifestError> {
    let error = || {
        ManifestError::invalid(format!("`{name}` cannot be the name of a {kind}"), Some(place))
            .because("names go into command lines, folders and compose projects")
            .hinted(Some(
                "use lower-case letters, digits and `-`, starting with a letter".into(),
            ))
    };
    (!is_name(name)).then(error)
}

fn well_named_variable<T>(layer: &Sourced<T>, name: &Text) -> Option<ManifestError> {
    if is_variable_name(name.get_ref()) {
        return None;
    }
    let title = format!("`{}` cannot be the name of a variable", name.get_ref());
    let error = ManifestError::invalid(title, Some(layer.place(name)));
    Some(error.hinted(Some(
        "use letters, digits and `_`; the first character cannot be a digit".into(),
    )))
}

/// Whether a text can name an environment variable, in a shell and in an env file too.
#[must_use]
pub fn is_variable_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !text.is_empty() && text.chars().all(plain) && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether a text can name a task, a stack or a parameter.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn cycle(manifest: &Manifest, path: &[&str]) -> ManifestError {
    let place = path.first().zip(path.get(1)).and_then(|(from, to)| {
        let task = manifest.tasks.get(*from)?;
        let mut edges = task.def.needs.iter().chain(&task.def.after);
        edges.find(|edge| edge.get_ref() == to).map(|edge| task.place(edge))
    });
    ManifestError::invalid(
        format!("tasks depend on each other in a cycle: {}", path.join(" → ")),
        place,
    )
}

/// The first cycle among `needs` and `after`, as `[a, b, a]`, in the order written.
fn path_of_cycle(manifest: &Manifest) -> Option<Vec<&str>> {
    let mut done = std::collections::HashSet::new();
    manifest.tasks.keys().find_map(|start| walk(manifest, start, &mut done))
}

/// Depth first without recursion: a chain of ten thousand tasks must not end the program.
fn walk<'a>(
    manifest: &'a Manifest,
    start: &'a str,
    done: &mut std::collections::HashSet<&'a str>,
) -> Option<Vec<&'a str>> {
    let edges = |name: &str| -> Vec<&'a str> {
        manifest.tasks.get(name).map_or_else(Vec::new, |task| {
            let all = task.def.needs.iter().chain(&task.def.after);
            all.map(|edge| edge.get_ref().as_str()).collect()
        })
    };
    if done.contains(start) {
        return None;
    }
    let mut path = vec![(start, edges(start).into_iter())];
    let mut on_path = std::collections::HashSet::from([start]);
    while let Some((name, rest)) = path.last_mut() {
        match rest.next() {
            Some(next) if on_path.contains(next) => {
                let mut cycle: Vec<_> = path
                    .iter()
                    .map(|(name, _)| *name)
                    .skip_while(|name| *name != next)
                    .collect();
                cycle.push(next);
                return Some(cycle);
            }
            Some(next) if done.contains(next) => {}
            Some(next) => {
                on_path.insert(next);
                path.push((next, edges(next).into_iter()));
            }
            None => {
                on_path.remove(name);
                done.insert(name);
                path.pop();
            }
        }
    }
    None
}
