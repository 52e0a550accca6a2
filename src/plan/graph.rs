//! The graph of tasks: which are pulled in, and in what order they stand.

use std::collections::{BTreeSet, HashMap};

use crate::manifest::{Manifest, RunDef, TaskDef};
use crate::render::Strings;

/// The task and all that it needs, each after everything that it waits for; otherwise in the order in which `needs`
/// names them. The manifest has been checked: names exist and there is no cycle.
pub(super) fn order<'a>(manifest: &'a Manifest, goal: &'a str) -> Vec<&'a str> {
    let pulled = closure(manifest, goal);
    let position: HashMap<&str, usize> = pulled.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let mut waiting: Vec<usize> = vec![0; pulled.len()];
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); pulled.len()];
    for (at, name) in pulled.iter().enumerate() {
        for before in waits_for(manifest, name).filter_map(|before| position.get(before)) {
            waiting[at] += 1;
            followers[*before].push(at);
        }
    }
    let mut ready: BTreeSet<usize> = (0..pulled.len()).filter(|at| waiting[*at] == 0).collect();
    let mut ordered = Vec::with_capacity(pulled.len());
    while let Some(at) = ready.pop_first() {
        ordered.push(pulled[at]);
        for follower in &followers[at] {
            waiting[*follower] -= 1;
            if waiting[*follower] == 0 {
                ready.insert(*follower);
            }
        }
    }
    ordered
}

/// The names that a task waits for, `needs` and `after`, each once.
pub(super) fn waits_for<'a>(manifest: &'a Manifest, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let edges: BTreeSet<&str> = manifest.tasks.get(name).map_or_else(BTreeSet::new, |task| {
        let all = task.def.needs.iter().chain(&task.def.after);
        all.map(|edge| edge.get_ref().as_str()).collect()
    });
    edges.into_iter()
}

/// The task and all that it needs, children before parents, without recursion.
pub(super) fn closure<'a>(manifest: &'a Manifest, goal: &'a str) -> Vec<&'a str> {
    let needs = |name: &str| -> std::vec::IntoIter<&'a str> {
        let needs = manifest.tasks.get(name).map_or_else(Vec::new, |task| {
            task.def.needs.iter().map(|need| need.get_ref().as_str()).collect()
        });
        needs.into_iter()
    };
    let mut seen = BTreeSet::from([goal]);
    let mut ordered = Vec::new();
    let mut path = vec![(goal, needs(goal))];
    while let Some((name, rest)) = path.last_mut() {
        match rest.next() {
            Some(next) if seen.insert(next) => path.push((next, needs(next))),
            Some(_) => {}
            None => {
                ordered.push(*name);
                path.pop();
            }
        }
    }
    ordered
}

/// Whether a task, or anything that it needs, acts on a stack or speaks of one.
#[must_use]
pub fn needs_stack(manifest: &Manifest, goal: &str) -> bool {
    let strings = Strings::default();
    let speaks = |task: &TaskDef| {
        let mentions = |text: &str| strings.mentions(text, "stack") || strings.mentions(text, "env");
        let expression =
            |text: &str| strings.expression_mentions(text, "stack") || strings.expression_mentions(text, "env");
        let run = match &task.run {
            None => false,
            Some(RunDef::Command(text) | RunDef::Shell(text)) => mentions(text.get_ref()),
            Some(_) => true,
        };
        run || task.when.as_ref().is_some_and(|when| expression(when.get_ref()))
            || task.env.values().any(|text| mentions(text.get_ref()))
    };
    closure(manifest, goal)
        .iter()
        .any(|name| manifest.tasks.get(*name).is_some_and(|task| speaks(&task.def)))
}
