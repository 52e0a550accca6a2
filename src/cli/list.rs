//! `opw-task list`: tasks and stacks.

use clap::ArgMatches;

use crate::manifest::Manifest;
use crate::plan::tasks_on_a_stack;
use crate::ui::{Table, Ui};

/// Lists what there is, in the order of the manifest.
pub(super) fn list(manifest: &Manifest, matches: &ArgMatches, ui: &mut Ui) {
    let all = matches
        .try_get_one::<bool>("all")
        .ok()
        .flatten()
        .is_some_and(|all| *all);
    let on_a_stack = tasks_on_a_stack(manifest);
    let mut tasks = Table::new(["task", "about"]);
    for (name, task) in manifest.tasks.iter().filter(|(_, task)| all || !task.def.private) {
        let usage = if on_a_stack.contains(name.as_str()) {
            format!("{name} STACK")
        } else {
            name.clone()
        };
        tasks.row([usage, task.def.about.clone().unwrap_or_default()]);
    }
    let mut stacks = Table::new(["stack", "upstream", "about"]);
    for (name, stack) in &manifest.stacks {
        let layers = std::iter::once(stack).chain(&manifest.stack_defaults);
        let upstream = layers.filter_map(|layer| layer.def.upstream.as_ref()).next();
        let upstream = upstream.map(|text| text.get_ref().clone()).unwrap_or_default();
        stacks.row([name.clone(), upstream, stack.def.about.clone().unwrap_or_default()]);
    }
    ui.table(&tasks);
    if !stacks.is_empty() {
        if !ui.is_json() {
            ui.data("\n");
        }
        ui.table(&stacks);
    }
}
