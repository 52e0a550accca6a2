//! Runs `docker compose` on the stack, with the stack's rendered files and variables.
//!
//! Killed half-way it leaves containers as compose left them; the same command again finishes the work.

use std::sync::Arc;

use async_trait::async_trait;
use camino::Utf8PathBuf;

use super::anonymous_volumes;
use super::database::finish_swap;
use super::first_start::{self, first_start};
use super::same_project::require_same_project;
use super::there::Interrupted;
use super::{Action, ActionError, Kind, Outline, Scene, Step, Voice, logs};
use crate::manifest::{ActionGrammar, ArgumentGrammar};
use crate::process::{Command, Env};
use crate::secret::Secret;
use crate::stack::{Change, Stack, Value};

/// Subcommands that only look.
const LOOKING: [&str; 10] = [
    "config", "events", "images", "logs", "ls", "port", "ps", "stats", "top", "version",
];

/// Subcommands that change containers and images, and nothing else, whatever their flags; `down` is one of them but for
/// volumes. All others that do not only look may run any program, or remove volumes.
const OF_CONTAINERS: [&str; 11] = [
    "build", "create", "down", "kill", "pause", "pull", "restart", "start", "stop", "unpause", "up",
];

/// Flags before the subcommand that do not tell which stack is meant; the first take a value.
const WITH_VALUE: [&str; 4] = ["--ansi", "--parallel", "--profile", "--progress"];
const ALONE: [&str; 4] = ["--all-resources", "--compatibility", "--dry-run", "--verbose"];

/// The overlay that mounts production's keys.
const KEYS: &str = "restore-ssh";

/// Subcommands that know a project by its containers' labels. They are asked without the stack's files, and so work
/// before those are rendered.
const BY_LABEL: [&str; 6] = ["events", "images", "logs", "ps", "stats", "top"];

/// Subcommands that work on images. Half of such work does no harm: on another machine it ends with the connection.
const OF_IMAGES: [&str; 3] = ["build", "pull", "push"];

/// Subcommands that change containers and start no service.
const STARTING_NOTHING: [&str; 8] = ["cp", "create", "down", "exec", "kill", "pause", "rm", "stop"];

/// Subcommands that remove containers or make them anew, and leave anonymous volumes.
const REMAKING: [&str; 5] = ["up", "create", "run", "down", "rm"];

/// `docker compose` with arguments.
#[derive(Debug, Clone)]
pub(super) struct Compose {
    /// The subcommand and what follows it.
    pub args: Vec<String>,
    /// Variables for compose itself, beyond the stack's.
    pub env: Vec<(String, Env)>,
}

/// `run = { compose = … }`
pub(super) static KIND: Kind = Kind {
    grammar: ActionGrammar {
        key: "compose",
        about: "Runs `docker compose` on the stack, with these arguments.",
        argument: ArgumentGrammar::Words,
        on_stack: true,
    },
    make: |given| {
        Arc::new(Compose {
            args: given.words,
            env: given.env,
        })
    },
};

#[async_trait]
impl Action for Compose {
    fn environment(&self) -> &[(String, Env)] {
        &self.env
    }

    fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let command = stack.host.command(self.command(stack))?;
        let beside = match self.subcommand() {
            Some(("logs", flags)) => logs::beside(stack, flags)?,
            _ => None,
        };
        let commands = [command].into_iter().chain(beside);
        let commands = commands.map(|command| Step::Command(command.to_string()));
        let first = self.may_start_web().then(|| first_start::note(stack)).flatten();
        Ok(first.map(Step::Note).into_iter().chain(commands).collect())
    }

    async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        let command = self.command(scene.stack()?);
        if let Some(("logs", flags)) = self.subcommand() {
            return logs::show(scene, command, flags).await;
        }
        if self.leaves_containers() {
            return scene.run_there(command).await;
        }
        require_same_project(scene).await?;
        // In a restore the swap is the run's own, and it holds the lock.
        if self.may_start_services() && !scene.handover.lock.is_there().await {
            finish_swap(scene).await?;
        }
        let interrupted = match self.change() {
            Change::Containers => Interrupted::Waits,
            Change::Nothing | Change::Data => Interrupted::Asks,
        };
        let remakes = matches!(self.subcommand(), Some((subcommand, _)) if REMAKING.contains(&subcommand));
        if remakes {
            anonymous_volumes::note(scene).await?;
        }
        if self.may_start_web() && !scene.handover.lock.is_there().await {
            first_start(scene).await?;
        }
        if !remakes {
            return scene.change_there(command, interrupted).await;
        }
        // What fails or is interrupted half-way may have made containers anew all the same; the next change sweeps.
        scene.change_there(command, interrupted).await?;
        anonymous_volumes::sweep(scene).await?;
        if matches!(self.subcommand(), Some(("down", _))) {
            anonymous_volumes::tell_leftovers(scene).await?;
        }
        Ok(())
    }

    fn voice(&self) -> Voice {
        Voice::Speaks
    }

    fn starts(&self) -> bool {
        let makes = self.subcommand().is_some_and(|(subcommand, _)| subcommand == "create");
        !self.leaves_containers() && (makes || self.may_start_services())
    }

    fn change(&self) -> Change {
        match self.subcommand() {
            Some((subcommand, _)) if LOOKING.contains(&subcommand) => Change::Nothing,
            Some(("down", flags)) if flags.iter().any(|flag| takes_volumes(flag)) => Change::Data,
            Some((subcommand, _)) if OF_CONTAINERS.contains(&subcommand) => Change::Containers,
            _ => Change::Data,
        }
    }

    fn requires_variables(&self) -> bool {
        self.needs_files()
    }
}

impl Compose {
    /// Whether it leaves containers as they are.
    fn leaves_containers(&self) -> bool {
        let images = |(subcommand, _): (&str, &[String])| OF_IMAGES.contains(&subcommand);
        self.change() == Change::Nothing || self.subcommand().is_some_and(images)
    }

    /// Whether services may run that did not run before.
    fn may_start_services(&self) -> bool {
        self.subcommand()
            .is_none_or(|(subcommand, _)| !STARTING_NOTHING.contains(&subcommand))
    }

    /// Whether the web may run that did not run before. One-off containers are whatever they are told to be.
    fn may_start_web(&self) -> bool {
        let one_off = matches!(self.subcommand(), Some(("run", _)));
        self.may_start_services() && !self.leaves_containers() && !one_off
    }

    /// Whether compose reads the stack's files for it, and so all variables that they name.
    pub(super) fn needs_files(&self) -> bool {
        !self
            .subcommand()
            .is_some_and(|(subcommand, _)| BY_LABEL.contains(&subcommand))
    }

    /// The subcommand and what follows it. None where a flag before it is not known, or names another stack's project or
    /// files.
    fn subcommand(&self) -> Option<(&str, &[String])> {
        let mut rest = self.args.as_slice();
        loop {
            let (first, after) = rest.split_first()?;
            let flag = first.split_once('=').map_or(first.as_str(), |(flag, _)| flag);
            rest = match flag.starts_with('-') {
                false => return Some((first, after)),
                true if WITH_VALUE.contains(&flag) && flag == first => after.get(1..)?,
                true if WITH_VALUE.contains(&flag) || ALONE.contains(&flag) => after,
                true => return None,
            };
        }
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

/// Whether a flag of `down` makes it remove volumes. Short flags may stand together.
fn takes_volumes(flag: &str) -> bool {
    flag.starts_with("--volumes") || (flag.starts_with('-') && !flag.starts_with("--") && flag.contains('v'))
}

/// `docker compose` with all that tells it which stack is meant.
pub(super) fn compose(stack: &Stack) -> Command {
    with_files(stack, stack.compose_files())
}

/// The same without the overlay that mounts production's keys: for containers in which code of the copy runs.
pub(super) fn compose_without_keys(stack: &Stack) -> Command {
    let keys = stack.overlay_path(KEYS);
    let mut files = stack.compose_files();
    files.retain(|file| *file != keys);
    with_files(stack, files)
}

fn with_files(stack: &Stack, files: Vec<Utf8PathBuf>) -> Command {
    let command = of_project(stack)
        .args(["--project-directory", stack.checkout.as_str()])
        .args(["--env-file", stack.paths.env_file().as_str()])
        .secrets(secrets(stack));
    files
        .iter()
        .fold(command, |command, file| command.args(["--file", file.as_str()]))
}

/// The stack's secrets, which a build or a file of the project's own may read. Those that no container reads are in no file.
fn secrets(stack: &Stack) -> impl Iterator<Item = (String, Secret)> {
    stack
        .variables
        .iter()
        .filter_map(|(name, variable)| match &variable.value {
            Value::Secret(secret) => Some((name.to_owned(), secret.clone())),
            Value::Plain(_) => None,
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn change(line: &str) -> Change {
        let args = line.split(' ').map(str::to_owned).collect();
        Compose { args, env: Vec::new() }.change()
    }

    #[test]
    fn only_the_subcommand_tells_whether_services_start() {
        let compose = |line: &str| Compose {
            args: line.split(' ').map(str::to_owned).collect(),
            env: Vec::new(),
        };
        for line in [
            "up --detach web",
            "--profile x start",
            "restart web",
            "run --rm web sh",
            "scale web=2",
            "-f x.yaml up",
        ] {
            assert!(compose(line).may_start_services(), "{line}");
        }
        for line in ["exec web up", "stop start", "--ansi never down", "rm restart"] {
            assert!(!compose(line).may_start_services(), "{line}");
        }
        for line in ["logs start", "ps up", "build up", "--progress plain pull"] {
            assert!(compose(line).leaves_containers(), "{line}");
        }
        assert!(!compose("up build").leaves_containers());
    }

    #[test]
    fn only_known_subcommands_leave_the_data_alone() {
        for line in ["ps --all", "--profile x logs", "--ansi=never config"] {
            assert_eq!(change(line), Change::Nothing, "{line}");
        }
        for line in [
            "down --remove-orphans",
            "up --detach --renew-anon-volumes",
            "--profile x --compatibility up",
            "build --no-cache web",
            "kill",
        ] {
            assert_eq!(change(line), Change::Containers, "{line}");
        }
        for line in [
            "down -v",
            "down --volumes=true",
            "down -vt 5",
            "--profile x down -v",
            "--profile=x down --volumes",
            "exec web sh",
            "run --rm web sh",
            "cp a web:/b",
            "rm -v",
            "volumes",
            "--project-name other ps",
            "-pother down",
            "-f x.yaml up",
            "--profile",
            "--dry-run exec web sh",
        ] {
            assert_eq!(change(line), Change::Data, "{line}");
        }
    }
}
