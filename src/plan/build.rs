//! From a task's name to a plan: order, conditions, and every string rendered.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use minijinja::{Value, context};

use super::graph::{closure, order, waits_for};
use super::params::seen_by;
use super::words::{split, word_or_words};
use super::{Node, ParamValue, Plan, PlanError};
use crate::action::{self, Action, Given, GivenOption, Voice};
use crate::error::Place;
use crate::manifest::{ArgumentDef, ArgumentGrammar, Manifest, OptionDef, OptionKind, RunDef, Sourced, TaskDef, Text};
use crate::process::{Env, Redactor};
use crate::secret::Secret;
use crate::stack::{Project, Stack, Variables, context_of_variables, context_that_notes};
use crate::template::Strings;

/// Builds the plan for a task. No program is run and no host is asked anything.
///
/// # Errors
/// A task that does not exist, a string that cannot be rendered, an act that the stack's guards refuse.
pub fn build(
    manifest: &Manifest,
    project: Arc<Project>,
    stack: Option<Arc<Stack>>,
    goal: &str,
    params: &IndexMap<String, ParamValue>,
) -> Result<Plan, PlanError> {
    let Some((goal, _)) = manifest.tasks.get_key_value(goal) else {
        return Err(no_such_task(manifest, goal));
    };
    if let Some(stack) = &stack {
        stack.guard_secrets()?;
    }
    let variables = match &stack {
        Some(stack) => stack.variables.clone(),
        None => Variables::of_no_stack(manifest),
    };
    let names = order(manifest, goal);
    let builder = Builder {
        project: &project,
        stack: stack.as_deref(),
        strings: Strings::default(),
        params,
        variables: variables.clone(),
        secrets: Redactor::new(&stack.as_ref().map_or_else(Vec::new, |stack| stack.secrets())),
    };
    let positions: HashMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let mut nodes = Vec::with_capacity(names.len());
    for name in &names {
        let Some(task) = manifest.tasks.get(*name) else {
            continue;
        };
        let waits = waits_for(manifest, name).filter_map(|before| positions.get(before).copied());
        let mut node = builder.node(name, task)?;
        node.waits_for = waits.collect();
        node.shown = node.action.as_ref().is_some_and(|action| match action.voice() {
            Voice::Silent => false,
            Voice::Speaks => *name == goal,
            Voice::Answers => true,
        });
        nodes.push(node);
    }
    let title = match &stack {
        Some(stack) => format!("{goal} {}", stack.name),
        None => goal.clone(),
    };
    let said = params.iter().filter_map(|(name, value)| match value {
        ParamValue::Text(text) if variables.is_secret_value(name, text) => Some(Secret::new(text.as_str())),
        _ => None,
    });
    let said = said.collect();
    let plan = Plan {
        title,
        project,
        stack,
        nodes,
        said,
        variables,
    };
    if let Some(stack) = &plan.stack {
        stack.guard(plan.change(), &plan.title)?;
    }
    // A private task is never done alone, and may be looked at alone.
    if !manifest.tasks.get(goal).is_some_and(|task| task.def.private) {
        require_givers(manifest, &plan)?;
    }
    Ok(plan)
}

/// Refuses an action that takes what no action before it gives.
fn require_givers(manifest: &Manifest, plan: &Plan) -> Result<(), PlanError> {
    for node in &plan.nodes {
        let Some(action) = &node.action else { continue };
        if action.takes().is_empty() {
            continue;
        }
        let mut before: HashSet<usize> = HashSet::new();
        let mut ahead = node.waits_for.clone();
        while let Some(index) = ahead.pop() {
            if before.insert(index) {
                ahead.extend(&plan.nodes[index].waits_for);
            }
        }
        let given = |what| {
            let mut actions = before.iter().filter_map(|index| plan.nodes[*index].action.as_ref());
            actions.any(|action| action.gives().contains(what))
        };
        let Some(missing) = action.takes().iter().find(|what| !given(what)) else {
            continue;
        };
        let task = manifest.tasks.get(&*node.name);
        let run = task.and_then(|task| Some((task, task.def.run.as_ref()?)));
        return Err(PlanError::NotGiven {
            task: node.name.to_string(),
            what: *missing,
            place: run.map(|(task, run)| Box::new(task.place(&run.key))),
        });
    }
    Ok(())
}

/// Why a word of the command line is no task that may be asked for.
#[must_use]
pub fn no_such_task(manifest: &Manifest, name: &str) -> PlanError {
    let public = manifest.tasks.iter().filter(|(_, task)| !task.def.private);
    if !manifest.tasks.contains_key(name) {
        return PlanError::Unknown {
            name: name.to_owned(),
            hint: crate::suggest::hint(name, public.map(|(name, _)| name.as_str())),
        };
    }
    let pulls = public.filter(|(goal, _)| closure(manifest, goal).contains(&name));
    PlanError::Private {
        name: name.to_owned(),
        pulled_by: pulls.map(|(goal, _)| goal.clone()).collect(),
    }
}

struct Builder<'a> {
    project: &'a Project,
    stack: Option<&'a Stack>,
    strings: Strings,
    params: &'a IndexMap<String, ParamValue>,
    /// The stack's, or none.
    variables: Variables,
    /// Knows the stack's secrets.
    secrets: Redactor,
}

impl Builder<'_> {
    fn node(&self, name: &str, task: &Sourced<TaskDef>) -> Result<Node, PlanError> {
        let context = self.context(&task.def);
        let skipped = match &task.def.when {
            Some(when) if !self.strings.holds(when.get_ref(), &task.place(when), &context)? => {
                Some(self.secrets.redact(&format!("not {}", when.get_ref())).into_owned())
            }
            _ => None,
        };
        let action = match (&task.def.run, &skipped) {
            (Some(run), None) => self.action(run, task, &context)?,
            _ => None,
        };
        Ok(Node {
            name: name.into(),
            about: task.def.about.clone().unwrap_or_default(),
            waits_for: Vec::new(),
            skipped,
            action,
            shown: false,
        })
    }

    /// What the strings of a task see.
    fn context(&self, task: &TaskDef) -> Value {
        self.context_with(task, self.stack.map(|stack| context_of_variables(&stack.variables)))
    }

    fn context_with(&self, task: &TaskDef, env: Option<Value>) -> Value {
        let project = context! { name => self.project.name, root => self.project.root.as_str() };
        let params = seen_by(&task.params, self.params);
        match self.stack {
            Some(stack) => context! { project, params, stack => stack.facts(), env },
            None => context! { project, params },
        }
    }

    fn action(
        &self,
        run: &RunDef,
        task: &Sourced<TaskDef>,
        context: &Value,
    ) -> Result<Option<Arc<dyn Action>>, PlanError> {
        let Some(kind) = action::kind(run.grammar.key) else {
            return Ok(None);
        };
        let words = match &run.argument {
            ArgumentDef::Line(text) => {
                let place = task.place(text);
                let words = split(text.get_ref(), &place, &self.strings, context)?;
                if words.is_empty() {
                    return Err(PlanError::Empty { place: Box::new(place) });
                }
                self.without_secrets(&words, &place)?;
                words
            }
            ArgumentDef::Script(text) => {
                let place = task.place(text);
                let script = self.strings.render(text.get_ref(), &place, context)?;
                self.without_secrets(&[&script], &place)?;
                vec!["sh".into(), "-euc".into(), script]
            }
            ArgumentDef::Words(texts) => self.words(texts, task, context)?,
            ArgumentDef::Options(_) => Vec::new(),
        };
        let action = (kind.make)(Given {
            words,
            env: self.env(task)?,
            folder: self.project.root.clone(),
            options: self.options(run, task, context)?,
        });
        match self.stack {
            Some(stack) if !action.is_for_any_deployment() => stack.guard_deploy()?,
            _ => {}
        }
        Ok(Some(action))
    }

    /// The options of an action: those that are written, and those that have a default.
    fn options(
        &self,
        run: &RunDef,
        task: &Sourced<TaskDef>,
        context: &Value,
    ) -> Result<Vec<(&'static str, GivenOption)>, PlanError> {
        let mut options = Vec::new();
        if let ArgumentGrammar::Options(known) = run.grammar.argument {
            let defaults = known.iter().filter_map(|option| match option.kind {
                OptionKind::Seconds { default } => {
                    Some((option.key, GivenOption::Duration(Duration::from_secs(default))))
                }
                OptionKind::Text | OptionKind::Condition => None,
            });
            options.extend(defaults);
        }
        if let ArgumentDef::Options(written) = &run.argument {
            for (key, value) in written {
                let value = match value {
                    OptionDef::Text(text) => {
                        GivenOption::Text(self.strings.render(text.get_ref(), &task.place(text), context)?)
                    }
                    OptionDef::Condition(text) => {
                        GivenOption::Condition(self.strings.holds(text.get_ref(), &task.place(text), context)?)
                    }
                    OptionDef::Seconds(seconds) => GivenOption::Duration(Duration::from_secs(*seconds)),
                };
                options.retain(|(known, _)| known != key);
                options.push((*key, value));
            }
        }
        Ok(options)
    }

    /// Refuses a secret among the arguments of a command, however it came there: every user of a machine can read them.
    /// What a variable holds cannot come there ([`context_of_variables`]); a parameter or the manifest itself can.
    fn without_secrets<S: AsRef<str>>(&self, words: &[S], place: &Place) -> Result<(), PlanError> {
        let is_secret = |word: &str| self.secrets.knows_any_in(word) || self.variables.holds_credential(word);
        match words.iter().any(|word| is_secret(word.as_ref())) {
            true => Err(PlanError::SecretArgument {
                place: Box::new(place.clone()),
            }),
            false => Ok(()),
        }
    }

    /// The `env` of a task. A value that is a secret, by its variable's name, by what stands in it, or because it speaks of
    /// one, is passed on without being shown.
    fn env(&self, task: &Sourced<TaskDef>) -> Result<Vec<(String, Env)>, PlanError> {
        let mut env = Vec::new();
        for (name, text) in &task.def.env {
            let noted = self.stack.map(|stack| context_that_notes(&stack.variables));
            let (names, composed) = noted.unzip();
            let context = self.context_with(&task.def, names);
            let value = self.strings.render(text.get_ref(), &task.place(text), &context)?;
            let name = name.get_ref();
            let is_secret = composed.is_some_and(|composed| composed.is_of_secrets())
                || self.secrets.knows_any_in(&value)
                || self.variables.is_secret_value(name, &value);
            let value = match is_secret {
                true => Env::Secret(Secret::new(value)),
                false => Env::Plain(value),
            };
            env.push((name.clone(), value));
        }
        Ok(env)
    }

    fn words(&self, texts: &[Text], task: &Sourced<TaskDef>, context: &Value) -> Result<Vec<String>, PlanError> {
        let mut words = Vec::new();
        for text in texts {
            let place = task.place(text);
            let more = word_or_words(text.get_ref(), &place, &self.strings, context)?;
            self.without_secrets(&more, &place)?;
            words.extend(more);
        }
        Ok(words)
    }
}
