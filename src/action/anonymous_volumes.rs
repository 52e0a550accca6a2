//! Anonymous volumes of the stack's containers: Docker makes one for each folder that an image declares and nothing is
//! mounted on, and removes none when compose makes a container anew.
//!
//! Which ones are ours is known from the containers of the project that have them, never guessed: they are noted in the
//! state root before containers are changed, and removed when no container has them any more. Only those of Odoo's image
//! are, but for the folder of data and logs: another image may keep what is worth keeping in such a volume.
//!
//! Killed half-way it leaves volumes that are noted, which the next change of the stack's containers removes.

use super::{ActionError, Scene};
use crate::event::Stream;
use crate::process::Command;
use crate::stack::Stack;

/// Notes the volumes, and with `$4` = `remove` also removes those noted before that no container has.
///
/// `$1` the compose project, `$2` the image, `$3` the folder of notes. Names of anonymous volumes are 64 hexadecimal digits.
/// Docker itself refuses to remove a volume that a container has.
const KEEP_ACCOUNT: &str = include_str!("anonymous_volumes.sh");

/// Looks into the volumes that nobody uses, and prints `NAME what`. It runs in a container of the database's image that sees
/// all volumes, read only.
const LOOK: &str = include_str!("leftover_volumes.sh");

/// How many are looked at by one container: their names are its arguments.
const AT_ONCE: usize = 400;

/// Notes which anonymous volumes the stack's containers have, before they are changed.
pub(super) async fn note(scene: &Scene) -> Result<(), ActionError> {
    account(scene, "note").await
}

/// Removes those that were noted and that no container has any more.
pub(super) async fn sweep(scene: &Scene) -> Result<(), ActionError> {
    account(scene, "remove").await
}

async fn account(scene: &Scene, what: &str) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    let Some(image) = stack.variables.text("DOCKER_IMAGE") else {
        return Ok(());
    };
    let notes = stack.paths.root.join(".opw-task");
    let command = Command::new("sh").args(["-c", KEEP_ACCOUNT, "sh", &stack.project, image, notes.as_str(), what]);
    let removed = scene.ask_there(command).await?;
    let count = removed.lines().count();
    if count > 0 {
        scene
            .report
            .note(format!("removed {count} anonymous volumes of containers that are gone"));
    }
    Ok(())
}

/// Tells of anonymous volumes that hold Odoo's addons or a configuration, that nobody uses and nobody noted: earlier
/// versions left them. They are not removed, for whose they are cannot be known. A Docker that does not answer is no
/// failure.
pub(super) async fn tell_leftovers(scene: &Scene) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    let list = Command::new("docker").args(["volume", "ls", "--quiet", "--filter", "dangling=true"]);
    let Some(listed) = answer(scene, list).await? else {
        return Ok(());
    };
    let names: Vec<&str> = listed.lines().filter(|name| is_anonymous(name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let Some(folder) = answer(
        scene,
        Command::new("docker").args(["info", "--format", "{{.DockerRootDir}}"]),
    )
    .await?
    else {
        return Ok(());
    };
    let mut found = String::new();
    for names in names.chunks(AT_ONCE) {
        let Some(told) = answer(scene, look(stack, folder.trim(), names)).await? else {
            return Ok(());
        };
        found += &told;
        found += "\n";
    }
    let found: Vec<(&str, &str)> = found.lines().filter_map(|line| line.split_once(' ')).collect();
    if found.is_empty() {
        return Ok(());
    }
    let secret = found.iter().filter(|(_, what)| *what == "password").count();
    let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
    scene.report.warn(format!(
        "{} anonymous volumes that no container has hold Odoo's addons or configuration, {secret} of them a database's \
         password; earlier versions left such. If they are none of yours any more: docker volume rm {}",
        names.len(),
        names.join(" ")
    ));
    Ok(())
}

/// What a command answers; none if it fails.
async fn answer(scene: &Scene, command: Command) -> Result<Option<String>, ActionError> {
    match scene.ask_there(command).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_cancelled() => Err(error),
        Err(error) => {
            scene
                .report
                .line(Stream::Err, &format!("no volumes are looked at: {error}"));
            Ok(None)
        }
    }
}

/// A bind mount of the folder of all volumes: mounting each by its name would make those anew that are gone meanwhile.
fn look(stack: &Stack, folder: &str, names: &[&str]) -> Command {
    let image = stack.variables.text("POSTGRES_IMAGE").unwrap_or("postgres:17");
    Command::new("docker")
        .args([
            "run",
            "--rm",
            "--pull",
            "never",
            "--network",
            "none",
            "--user",
            "0",
            "--entrypoint",
            "sh",
        ])
        .args([
            "--mount",
            &format!("type=bind,source={folder}/volumes,target=/v,readonly"),
        ])
        .args(["--mount", "type=tmpfs,target=/var/lib/postgresql/data"])
        .args([image, "-c", LOOK, "sh"])
        .args(names.iter().copied())
}

/// Whether Docker made the name.
fn is_anonymous(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
