//! From a task's name to a plan: order, conditions, and every string rendered.

use std::collections::HashMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use indexmap::IndexMap;
use minijinja::{Value, context};

use super::graph::{closure, order, waits_for};
use super::params::seen_by;
use super::words::{split, word_or_words};
use super::{Node, ParamValue, Plan, PlanError};
use crate::action::{self, Action};
use crate::manifest::{Manifest, RunDef, Sourced, TaskDef, Text};
use crate::process::{Command, Env};
use crate::stack::{Project, Stack, context_of_variables};
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
    let names = order(manifest, goal);
    let builder = Builder {
        project: &project,
        stack: stack.as_deref(),
        strings: Strings::default(),
        params,
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
        node.shown = node
            .action
            .as_ref()
            .is_some_and(|action| action.answers() || *name == goal && action.speaks());
        nodes.push(node);
    }
    let title = match &stack {
        Some(stack) => format!("{goal} {}", stack.name),
        None => goal.clone(),
    };
    let plan = Plan {
        title,
        project,
        stack,
        nodes,
    };
    if let Some(stack) = &plan.stack {
        stack.guard(plan.change(), &plan.title)?;
    }
    Ok(plan)
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
}

impl Builder<'_> {
    fn node(&self, name: &str, task: &Sourced<TaskDef>) -> Result<Node, PlanError> {
        let context = self.context(&task.def);
        let skipped = match &task.def.when {
            Some(when) if !self.strings.holds(when.get_ref(), &task.place(when), &context)? => {
                Some(format!("not {}", when.get_ref()))
            }
            _ => None,
        };
        let action = match (&task.def.run, &skipped) {
            (Some(run), None) => Some(self.action(run, task, &context)?),
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
        let project = context! { name => self.project.name, root => self.project.root.as_str() };
        let params = seen_by(&task.params, self.params);
        match self.stack {
            Some(stack) => context! {
                project, params,
                stack => stack.facts(),
                env => context_of_variables(&stack.variables),
            },
            None => context! { project, params },
        }
    }

    fn action(&self, run: &RunDef, task: &Sourced<TaskDef>, context: &Value) -> Result<Action, PlanError> {
        if !matches!(run, RunDef::Command(_) | RunDef::Shell(_) | RunDef::Render(_))
            && let Some(stack) = self.stack
        {
            stack.guard_deploy()?;
        }
        Ok(match run {
            RunDef::Command(text) => Action::Command(self.command(text, task, context)?),
            RunDef::Shell(text) => Action::Command(self.shell(text, task, context)?),
            RunDef::Compose(texts) => Action::Compose(action::Compose {
                args: self.words(texts, task, context)?,
                env: self.env(task, context)?,
            }),
            RunDef::Render(_) => Action::Render(action::Render),
            RunDef::StateRoot(_) => Action::StateRoot(action::StateRoot),
            RunDef::Database(_) => Action::Database(action::Database),
            RunDef::CopyDatabase(_) => Action::CopyDatabase(action::CopyDatabase),
            RunDef::CopyFilestore(_) => Action::CopyFilestore(action::CopyFilestore),
            RunDef::Sanitise(_) => Action::Sanitise(action::Sanitise),
            RunDef::Modules(_) => Action::Modules(action::Modules),
            RunDef::Verify(def) => Action::Verify(action::Verify {
                report: self.path(def.report.as_ref(), task, context)?,
            }),
            RunDef::Activate(def) => Action::Activate(action::Activate {
                auto_rollback: match &def.auto_rollback {
                    Some(text) => self.strings.holds(text.get_ref(), &task.place(text), context)?,
                    None => false,
                },
            }),
            RunDef::Rollback(_) => Action::Rollback(action::Rollback),
            RunDef::Clear(def) => Action::Clear(action::Clear {
                previous: match &def.previous {
                    Some(text) => self.strings.holds(text.get_ref(), &task.place(text), context)?,
                    None => false,
                },
            }),
            RunDef::Audit(def) => Action::Audit(action::Audit {
                report: self.path(def.report.as_ref(), task, context)?,
            }),
            RunDef::Status(_) => Action::Status(action::Status),
            RunDef::Preview(_) => Action::Preview(action::Preview),
            RunDef::Health(health) => Action::Health(action::Health {
                timeout: std::time::Duration::from_secs(health.timeout),
            }),
        })
    }

    /// A file that a task may name.
    fn path(
        &self,
        text: Option<&Text>,
        task: &Sourced<TaskDef>,
        context: &Value,
    ) -> Result<Option<Utf8PathBuf>, PlanError> {
        let Some(text) = text else { return Ok(None) };
        let path = self.strings.render(text.get_ref(), &task.place(text), context)?;
        Ok((!path.is_empty()).then(|| path.into()))
    }

    fn command(&self, text: &Text, task: &Sourced<TaskDef>, context: &Value) -> Result<action::CommandLine, PlanError> {
        let place = task.place(text);
        let words = split(text.get_ref(), &place, &self.strings, context)?;
        let mut words = words.into_iter();
        let program = words
            .next()
            .ok_or_else(|| PlanError::Empty { place: Box::new(place) })?;
        self.in_project(Command::new(program).args(words), task, context)
    }

    fn shell(&self, text: &Text, task: &Sourced<TaskDef>, context: &Value) -> Result<action::CommandLine, PlanError> {
        let script = self.strings.render(text.get_ref(), &task.place(text), context)?;
        self.in_project(Command::new("sh").args(["-euc", &script]), task, context)
    }

    fn in_project(
        &self,
        command: Command,
        task: &Sourced<TaskDef>,
        context: &Value,
    ) -> Result<action::CommandLine, PlanError> {
        let mut command = command.folder(self.project.root.clone());
        for (name, value) in self.env(task, context)? {
            command = command.env(name, value);
        }
        Ok(action::CommandLine { command })
    }

    /// The `env` of a task. A value that is exactly one variable of the stack may be a secret: it is passed on without
    /// being shown.
    fn env(&self, task: &Sourced<TaskDef>, context: &Value) -> Result<Vec<(String, Env)>, PlanError> {
        let mut env = Vec::new();
        for (name, text) in &task.def.env {
            let value = match self.secret(text.get_ref()) {
                Some(secret) => Env::Secret(secret),
                None => Env::Plain(self.strings.render(text.get_ref(), &task.place(text), context)?),
            };
            env.push((name.get_ref().clone(), value));
        }
        Ok(env)
    }

    fn secret(&self, text: &str) -> Option<crate::secret::Secret> {
        let name = text
            .trim()
            .strip_prefix("{{")?
            .strip_suffix("}}")?
            .trim()
            .strip_prefix("env.")?;
        match self.stack?.variables.value(name)? {
            crate::stack::Value::Secret(secret) => Some(secret.clone()),
            crate::stack::Value::Plain(_) => None,
        }
    }

    fn words(&self, texts: &[Text], task: &Sourced<TaskDef>, context: &Value) -> Result<Vec<String>, PlanError> {
        let mut words = Vec::new();
        for text in texts {
            words.extend(word_or_words(
                text.get_ref(),
                &task.place(text),
                &self.strings,
                context,
            )?);
        }
        Ok(words)
    }
}
