//! Makes the stack's folders on its host.
//!
//! Odoo's folders must be writable by the image's user. Where this runs as root they are given to the owner that
//! `ODOO_FILESTORE_OWNER` names (`UID:GID`; the base image's user is 1000:1000); elsewhere they belong to whoever runs
//! it, which on a laptop is the same number. PostgreSQL's image gives its folder to itself.
//!
//! Killed half-way it leaves folders, empty.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Action, ActionError, Kind, Outline, Scene, Step};
use crate::manifest::{ActionGrammar, ArgumentGrammar};
use crate::process::Command;
use crate::stack::Change;
use crate::stack::{Paths, Stack};

/// Makes the stack's folders.
#[derive(Debug, Clone)]
pub(super) struct StateRoot;

/// `run = { state-root = … }`
pub(super) static KIND: Kind = Kind {
    grammar: ActionGrammar {
        key: "state-root",
        about: "Makes the stack's folders.",
        argument: ArgumentGrammar::Options(&[]),
        on_stack: true,
    },
    make: |_| Arc::new(StateRoot),
};

#[async_trait]
impl Action for StateRoot {
    fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let commands = commands(stack).into_iter().map(|command| stack.host.command(command));
        let mut steps = commands
            .map(|command| Ok(Step::Command(command?.to_string())))
            .collect::<Result<Vec<_>, ActionError>>()?;
        steps.push(Step::Note(format!(
            "notes in {}/.opw-task where these folders are",
            stack.paths.root
        )));
        Ok(steps)
    }

    async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        let stack = scene.stack()?;
        for command in commands(stack).into_iter().chain([note(stack)]) {
            scene.run_there(command).await?;
        }
        Ok(())
    }

    fn change(&self) -> Change {
        Change::Containers
    }

    fn starts(&self) -> bool {
        true
    }

    fn uses_docker(&self) -> bool {
        false
    }
}

/// Gives the folders `$2` and `$3` to the user `$1`, where that is ours to do, and makes `filestore` in the first of them.
///
/// Code in the stack's containers can write into that folder, so a link may stand where `filestore` is to be. `chown` and
/// `mkdir` work on the folder that the shell stands in, and it is looked at which one that is once it stands there: a link
/// that is exchanged in between changes nothing.
const GIVE: &str = r#"give() { [ "$(id -u)" != 0 ] || chown -- "$1" .; }
cd -P -- "$3" && give "$1" && cd -P -- "$2" && give "$1" && data=$(pwd -P) || exit
mkdir -- filestore 2> /dev/null
cd -P -- filestore && [ "$(pwd -P)" = "${data%/}/filestore" ] ||
  { echo "$2/filestore is a link or no folder, and below a state root no link is followed" >&2; exit 1; }
give "$1""#;

/// Notes in the state root where the stack's folders are: a later run that would look for them elsewhere stops.
const NOTE: &str = r#"umask 077
mkdir -p -- "$1/.opw-task" && cd -P -- "$1/.opw-task" &&
printf 'data\t%s\ndatabase\t%s\nlogs\t%s\n' "$2" "$3" "$4" > .folders.new && mv -- .folders.new folders"#;

fn note(stack: &Stack) -> Command {
    let paths = &stack.paths;
    Command::new("sh").args([
        "-c",
        NOTE,
        "sh",
        paths.root.as_str(),
        paths.data.as_str(),
        paths.database.as_str(),
        paths.logs.as_str(),
    ])
}

/// Returns the commands that make the folders.
///
/// Only its owner can list the state root. Others may pass through it, as the containers' users do to their own folders.
fn commands(stack: &Stack) -> Vec<Command> {
    let paths = &stack.paths;
    let (uid, gid) = owner(stack);
    vec![
        Command::new("mkdir").args(["-p", "-m", &format!("{:04o}", Paths::ROOT_MODE), paths.root.as_str()]),
        Command::new("mkdir").args(["-p", paths.data.as_str(), paths.database.as_str(), paths.logs.as_str()]),
        Command::new("sh").args([
            "-c",
            GIVE,
            "sh",
            &format!("{uid}:{gid}"),
            paths.data.as_str(),
            paths.logs.as_str(),
        ]),
    ]
}

/// Who owns Odoo's files: `ODOO_FILESTORE_OWNER` where it is in numbers, else the base image's user.
pub(super) fn owner(stack: &Stack) -> (u32, u32) {
    let numbers = stack.variables.text("ODOO_FILESTORE_OWNER").and_then(|owner| {
        let (uid, gid) = owner.split_once(':').unwrap_or((owner, owner));
        Some((uid.parse().ok()?, gid.parse().ok()?))
    });
    numbers.unwrap_or((1000, 1000))
}
