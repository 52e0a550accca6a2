//! Looks at every string that is a template: whether it can be read, and whether what it speaks of can be there.
//!
//! Which variables `env` holds is known only when a stack is resolved; all other names are known now.

use super::{Manifest, ManifestError, RunDef, Sourced, StackDef, TaskDef, Text};
use crate::error::Place;
use crate::template::{RenderError, Strings};

/// What strings of stacks, hosts and upstreams may speak of.
const OF_STACKS: [&str; 4] = ["project", "stack", "env", "home"];
/// What strings of tasks may speak of.
const OF_TASKS: [&str; 4] = ["project", "params", "stack", "env"];

/// Checks all templates of a manifest, and adds what is wrong with them.
pub(super) fn check(manifest: &Manifest, errors: &mut Vec<ManifestError>) {
    let strings = Strings::default();
    let mut look = |text: &Text, place: Place| {
        let known = strings
            .names(text.get_ref(), &place)
            .and_then(|spoken| known("name", &spoken, &OF_STACKS, &place));
        errors.extend(known.err().map(ManifestError::from));
    };
    for stack in manifest.stacks.values().chain(&manifest.stack_defaults) {
        texts_of_stack(&stack.def).for_each(|text| look(text, stack.place(text)));
    }
    for host in manifest.hosts.values() {
        let def = &host.def;
        let texts = [Some(&def.ssh), def.identity.as_ref(), def.known_hosts.as_ref()];
        texts
            .into_iter()
            .flatten()
            .for_each(|text| look(text, host.place(text)));
    }
    for upstream in manifest.upstreams.values() {
        let def = &upstream.def;
        let always = [&def.host, &def.database, &def.database_user, &def.filestore];
        let texts = always.into_iter().chain(&def.identity).chain(&def.known_hosts);
        texts.for_each(|text| look(text, upstream.place(text)));
    }
    for task in manifest.tasks.values() {
        check_task(task, &strings, errors);
    }
}

fn texts_of_stack(def: &StackDef) -> impl Iterator<Item = &Text> {
    let lists = [&def.env, &def.overlays].into_iter().flatten().flatten();
    let single = [
        &def.path,
        &def.project,
        &def.state_root,
        &def.base_url,
        &def.database,
        &def.missing_files,
        &def.missing_modules,
    ];
    let bind = def.ports.iter().filter_map(|ports| ports.bind.as_ref());
    let maps = def.vars.values().chain(def.files.values());
    lists.chain(single.into_iter().flatten()).chain(bind).chain(maps)
}

fn check_task(task: &Sourced<TaskDef>, strings: &Strings, errors: &mut Vec<ManifestError>) {
    let def = &task.def;
    let params: Vec<String> = def.params.keys().map(|name| name.get_ref().replace('-', "_")).collect();
    let params: Vec<&str> = params.iter().map(String::as_str).collect();
    let mut look = |names: Result<Vec<String>, RenderError>, place: Place| {
        let known = names.and_then(|names| {
            known("name", &names, &OF_TASKS, &place)?;
            let said = names.iter().filter_map(|name| name.strip_prefix("params."));
            let said: Vec<String> = said.map(str::to_owned).collect();
            known("parameter", &said, &params, &place)
        });
        errors.extend(known.err().map(ManifestError::from));
    };
    let run = def.run.as_ref();
    let texts = run.map(RunDef::texts).unwrap_or_default();
    for text in texts.into_iter().chain(def.env.values()) {
        let place = task.place(text);
        look(strings.names(text.get_ref(), &place), place);
    }
    let conditions = run.map(RunDef::conditions).unwrap_or_default();
    for text in def.when.iter().chain(conditions) {
        let place = task.place(text);
        look(strings.names_of_expression(text.get_ref(), &place), place);
    }
}

/// Refuses a dotted name whose first part is none of those that are there.
fn known(kind: &str, spoken: &[String], there: &[&str], place: &Place) -> Result<(), RenderError> {
    for name in spoken {
        let first = name.split('.').next().unwrap_or(name);
        if !there.contains(&first) {
            return Err(RenderError::unknown(kind, first, there, place));
        }
    }
    Ok(())
}
