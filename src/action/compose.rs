//! Runs `docker compose` on the stack, with the stack's rendered files and variables.
//!
//! Killed half-way it leaves containers as compose left them; the same command again finishes the work.

use super::{ActionError, Outline, Scene};
use crate::plan::Step;
use crate::process::{Command, Env};
use crate::stack::{Change, Stack};

/// Subcommands of compose that only look.
const LOOKING: [&str; 10] = [
    "config", "events", "images", "logs", "ls", "port", "ps", "stats", "top", "version",
];

/// `docker compose` with arguments.
#[derive(Debug, Clone)]
pub struct Compose {
    /// The subcommand and what follows it.
    pub args: Vec<String>,
    /// Variables for compose itself, beyond the stack's.
    pub env: Vec<(String, Env)>,
}

impl Compose {
    pub(super) fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let command = stack.host.command(self.command(stack))?;
        Ok(vec![Step::Command(command.to_string())])
    }

    pub(super) async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        scene.run_there(self.command(scene.stack()?)).await
    }

    pub(super) fn change(&self) -> Change {
        match self.args.first() {
            Some(first) if LOOKING.contains(&first.as_str()) => Change::Nothing,
            Some(first) if first == "down" && self.args.iter().any(|arg| arg == "-v" || arg == "--volumes") => {
                Change::Data
            }
            _ => Change::Containers,
        }
    }

    fn command(&self, stack: &Stack) -> Command {
        let command = compose(stack).args(&self.args);
        self.env
            .iter()
            .fold(command, |command, (name, value)| command.env(name, value.clone()))
    }
}

/// `docker compose` with all that tells it which stack is meant.
///
/// What this process's own environment says of the stack's variables is taken away: compose would let it win over the
/// env file, and a forgotten `export` would bend a stack.
pub(super) fn compose(stack: &Stack) -> Command {
    let mut command = Command::new("docker").args([
        "compose",
        "--project-name",
        &stack.project,
        "--project-directory",
        stack.checkout.as_str(),
        "--env-file",
        stack.paths.env_file().as_str(),
    ]);
    for file in stack.compose_files() {
        command = command.args(["--file", file.as_str()]);
    }
    for name in [
        "COMPOSE_FILE",
        "COMPOSE_PROJECT_NAME",
        "COMPOSE_PROFILES",
        "COMPOSE_ENV_FILES",
    ] {
        command = command.env(name, Env::Unset);
    }
    for (name, _) in stack.variables.iter() {
        command = command.env(name, Env::Unset);
    }
    command
}
