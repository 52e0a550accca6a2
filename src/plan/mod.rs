//! The graph resolved for one command: which nodes, in what order, with which exact actions.

mod build;
mod error;
mod graph;
mod params;
mod words;

use std::sync::Arc;

pub use build::{build, no_such_task};
pub use error::PlanError;
pub use graph::tasks_on_a_stack;
pub use params::{ParamValue, params_of};

use crate::action::Action;
use crate::event::NodeName;
use crate::process::Env;
use crate::secret::Secret;
use crate::stack::{Change, Project, Stack, Variables};

/// A plan: nodes in an order in which each stands after all that it waits for.
#[derive(Debug)]
pub struct Plan {
    /// What was asked for, such as `restore opw-testing`.
    pub title: String,
    /// The project.
    pub project: Arc<Project>,
    /// The stack, if the tasks need one.
    pub stack: Option<Arc<Stack>>,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// Values of parameters whose names are those of secrets.
    pub said: Vec<Secret>,
    /// The stack's variables; without a stack, none, and what the manifest says of secrets.
    pub variables: Variables,
}

/// A task in a plan.
#[derive(Debug)]
pub struct Node {
    /// The task's name.
    pub name: NodeName,
    /// What it does, one line; may be empty.
    pub about: String,
    /// The nodes that it waits for, as indices into the plan's.
    pub waits_for: Vec<usize>,
    /// Why it will not run, if its `when` is false.
    pub skipped: Option<String>,
    /// What it does; `None` for a task that only gathers others.
    pub action: Option<Arc<dyn Action>>,
    /// Whether what its child prints is what the user asked for.
    pub shown: bool,
}

impl Plan {
    /// The strongest change that any of its nodes makes to the stack.
    #[must_use]
    pub fn change(&self) -> Change {
        self.actions()
            .map(|action| action.change())
            .max()
            .unwrap_or(Change::Nothing)
    }

    /// Whether any of its nodes runs `docker`.
    #[must_use]
    pub fn uses_docker(&self) -> bool {
        self.actions().any(|action| action.uses_docker())
    }

    /// Whether any of its nodes starts containers or makes the folders that they work in.
    #[must_use]
    pub fn starts(&self) -> bool {
        self.actions().any(|action| action.starts())
    }

    /// What must never be shown: the stack's secrets, and those that tasks give their commands or that parameters hold.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        let (stack, variables) = (self.stack.as_deref(), &self.variables);
        let given = self.actions().flat_map(|action| action.environment());
        let given = given.filter_map(|(_, value)| match value {
            Env::Secret(secret) => Some(variables.secrets_in(secret)),
            Env::Plain(_) | Env::Unset => None,
        });
        let given = given.chain(self.said.iter().map(|said| variables.secrets_in(said)));
        stack.map(Stack::secrets).into_iter().chain(given).flatten().collect()
    }

    /// What will be done.
    fn actions(&self) -> impl Iterator<Item = &Arc<dyn Action>> {
        let running = self.nodes.iter().filter(|node| node.skipped.is_none());
        running.filter_map(|node| node.action.as_ref())
    }
}
