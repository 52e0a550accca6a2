//! The graph of tasks: which are pulled in, and in what order they stand.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::manifest::{ArgumentDef, Manifest, Sourced, TaskDef, Text};
use crate::template::{RenderError, Strings};

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

/// The tasks that need a stack: those that act on one or speak of one, and all that need such a task.
#[must_use]
pub fn tasks_on_a_stack(manifest: &Manifest) -> HashSet<&str> {
    let mut needed_by: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, task) in &manifest.tasks {
        for need in &task.def.needs {
            needed_by.entry(need.get_ref().as_str()).or_default().push(name);
        }
    }
    let strings = Strings::default();
    let own = manifest
        .tasks
        .iter()
        .filter(|(_, task)| speaks_of_a_stack(task, &strings));
    let mut found: HashSet<&str> = own.map(|(name, _)| name.as_str()).collect();
    let mut ahead: Vec<&str> = found.iter().copied().collect();
    while let Some(name) = ahead.pop() {
        let parents = needed_by.get(name).into_iter().flatten();
        ahead.extend(parents.copied().filter(|parent| found.insert(parent)));
    }
    found
}

/// The manifest has been checked: every string can be read.
fn speaks_of_a_stack(task: &Sourced<TaskDef>, strings: &Strings) -> bool {
    let speaks = |names: Result<Vec<String>, RenderError>| {
        let mut names = names.into_iter().flatten();
        names.any(|name| matches!(name.split('.').next(), Some("stack" | "env")))
    };
    let text = |text: &Text| speaks(strings.names(text.get_ref(), &task.place(text)));
    let run = task.def.run.as_ref().is_some_and(|run| match &run.argument {
        ArgumentDef::Line(line) | ArgumentDef::Script(line) => run.grammar.on_stack || text(line),
        _ => run.grammar.on_stack,
    });
    let when = task.def.when.as_ref();
    run || when.is_some_and(|when| speaks(strings.names_of_expression(when.get_ref(), &task.place(when))))
        || task.def.env.values().any(text)
}
