//! Runs `docker compose` on the stack, with the stack's rendered files and variables.
//!
//! Killed half-way it leaves containers as compose left them; the same command again finishes the work.

use super::database::finish_swap;
use super::{ActionError, Outline, Scene};
use crate::plan::Step;
use crate::process::{Command, Env};
use crate::stack::{Change, Stack};

/// Subcommands that only look.
const LOOKING: [&str; 10] = [
    "config", "events", "images", "logs", "ls", "port", "ps", "stats", "top", "version",
];

/// Subcommands that know a project by its containers' labels. They are asked without the stack's files, and so work
/// before those are rendered.
const BY_LABEL: [&str; 6] = ["events", "images", "logs", "ps", "stats", "top"];

/// Subcommands that start services.
const STARTING: [&str; 3] = ["up", "start", "restart"];

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
        let starts = self.args.iter().any(|arg| STARTING.contains(&arg.as_str()));
        // In a restore the swap is the run's own, and it holds the lock.
        if starts && !scene.handover.lock.is_there().await {
            finish_swap(scene).await?;
        }
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

    /// Whether compose reads the stack's files for it, and so all variables that they name.
    pub(super) fn needs_files(&self) -> bool {
        !self
            .args
            .first()
            .is_some_and(|first| BY_LABEL.contains(&first.as_str()))
    }

    fn command(&self, stack: &Stack) -> Command {
        let command = if self.needs_files() {
            compose(stack)
        } else {
            of_project(stack)
        };
        let command = command.args(&self.args);
        self.env
            .iter()
            .fold(command, |command, (name, value)| command.env(name, value.clone()))
    }
}

/// `docker compose` with all that tells it which stack is meant.
pub(super) fn compose(stack: &Stack) -> Command {
    let command = of_project(stack)
        .args(["--project-directory", stack.checkout.as_str()])
        .args(["--env-file", stack.paths.env_file().as_str()]);
    let files = stack.compose_files();
    files
        .iter()
        .fold(command, |command, file| command.args(["--file", file.as_str()]))
}

/// `docker compose` on whatever containers carry the project's name.
///
/// What this process's own environment says of the stack's variables is taken away: compose would let it win over the
/// env file, and a forgotten `export` would bend a stack.
pub(super) fn of_project(stack: &Stack) -> Command {
    let command = Command::new("docker").args(["compose", "--project-name", &stack.project]);
    let own = [
        "COMPOSE_FILE",
        "COMPOSE_PROJECT_NAME",
        "COMPOSE_PROFILES",
        "COMPOSE_ENV_FILES",
    ];
    let names = own.into_iter().chain(stack.variables.iter().map(|(name, _)| name));
    names.fold(command, |command, name| command.env(name, Env::Unset))
}
