//! Runs a program of the project's own, in the project's root.
//!
//! Killed half-way it leaves whatever that program leaves.

use std::sync::Arc;

use async_trait::async_trait;

use super::kind::Given;
use super::{Action, ActionError, Kind, Outline, Scene, Step, Voice};
use crate::manifest::{ActionGrammar, ArgumentGrammar};
use crate::process::{Command, Env};

/// A program with its arguments.
#[derive(Debug, Clone)]
pub(super) struct CommandLine {
    /// The program.
    pub command: Command,
}

impl CommandLine {
    /// The first word is the program.
    fn of(given: Given) -> Self {
        let mut words = given.words.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default())
            .args(words)
            .folder(given.folder);
        for (name, value) in given.env {
            command = command.env(name, value);
        }
        Self { command }
    }
}

/// `run = { command = … }`
pub(super) static COMMAND: Kind = Kind {
    grammar: ActionGrammar {
        key: "command",
        about: "Runs a program with its arguments; no shell.",
        argument: ArgumentGrammar::Line,
        on_stack: false,
    },
    make: |given| Arc::new(CommandLine::of(given)),
};

/// `run = { shell = … }`
pub(super) static SHELL: Kind = Kind {
    grammar: ActionGrammar {
        key: "shell",
        about: "Runs a script by `sh -eu`.",
        argument: ArgumentGrammar::Script,
        on_stack: false,
    },
    make: |given| Arc::new(CommandLine::of(given)),
};

#[async_trait]
impl Action for CommandLine {
    fn steps(&self, _: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        Ok(vec![Step::Command(self.command.to_string())])
    }

    async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        scene.run(&self.command).await
    }

    fn environment(&self) -> &[(String, Env)] {
        self.command.environment()
    }

    fn voice(&self) -> Voice {
        Voice::Speaks
    }

    fn uses_docker(&self) -> bool {
        false
    }

    fn is_for_any_deployment(&self) -> bool {
        true
    }
}
