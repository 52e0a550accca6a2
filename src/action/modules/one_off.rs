//! The container in which Odoo updates modules, and what stands beside it while it does.

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::Utf8PathBuf;
use tokio_util::sync::CancellationToken;

use super::super::compose::compose_without_keys;
use super::super::{ActionError, Scene};
use crate::event::{Progress, Unit};
use crate::host::Mode;
use crate::postgres::{Incoming, RESTORE};
use crate::process::{Command, Sink};
use crate::secret::Secret;
use crate::stack::Stack;

/// Updates and installs modules. Whatever comes of it, nothing of it is left but what Odoo did in the database.
pub(super) async fn run(
    scene: &Scene,
    incoming: &Incoming,
    password: &Secret,
    update: &BTreeSet<String>,
    install: &BTreeSet<String>,
) -> Result<(), ActionError> {
    let door = incoming.open().await?;
    let outcome = incoming.keep_role_valid(update_them(scene, incoming, password, update, install));
    let outcome = outcome.await;
    let shut = door.close().await;
    let cleared = clear_up(scene).await;
    outcome?;
    shut?;
    cleared
}

async fn update_them(
    scene: &Scene,
    incoming: &Incoming,
    password: &Secret,
    update: &BTreeSet<String>,
    install: &BTreeSet<String>,
) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    let database = incoming.name().as_str();
    let text = environment(database, password);
    stack
        .host
        .write_file(
            &scene.processes,
            &overlay(stack),
            text.as_bytes(),
            Mode(0o600),
            &scene.report.sink(),
        )
        .await?;
    let command = odoo(stack, &container(stack, &scene.run), database, update, install);
    let command = stack.host.command(command)?;
    scene.report.command(&command);
    Ok(scene.processes.run(&command, &watched(scene)).await?)
}

/// What receives Odoo's lines, and tells which module it loads. Only the screen believes them; success is the exit status.
fn watched(scene: &Scene) -> Sink {
    let (report, log) = (scene.report.clone(), scene.report.sink());
    Arc::new(move |stream, line| {
        if let Some(progress) = loading(line) {
            report.progress(progress);
        }
        log(stream, line);
    })
}

/// Reads `… odoo.modules.loading: Loading module sale (12/130)`.
fn loading(line: &str) -> Option<Progress> {
    let (_, rest) = line.split_once("Loading module ")?;
    let (module, counts) = rest.split_once(" (")?;
    let (at, of) = counts.split_once(')')?.0.split_once('/')?;
    let (at, of): (u64, u64) = (at.parse().ok()?, of.parse().ok()?);
    Some(Progress {
        done: at.saturating_sub(1),
        total: Some(of),
        unit: Unit::Items,
        current: module.to_owned(),
    })
}

/// Removes the overlay with the restore role's password, and containers, which outlive their clients: those of this run,
/// and of runs that were killed. The caller has the stack's lock, so no other run is at work. An interruption does not
/// keep it from this.
pub(in super::super) async fn clear_up(scene: &Scene) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    let processes = scene.processes.with_cancellation(CancellationToken::new());
    let remove = stack
        .host
        .command(Command::new("rm").args(["-f", overlay(stack).as_str()]))?;
    processes.capture(&remove).await?;
    let name = format!("name=^/?{}-modules-", stack.project);
    let left = Command::new("docker").args(["ps", "--all", "--quiet", "--filter", &name]);
    let left = processes.capture(&stack.host.command(left)?).await?;
    if !left.trim().is_empty() {
        let remove = Command::new("docker")
            .args(["rm", "--force", "--volumes"])
            .args(left.split_whitespace());
        processes.capture(&stack.host.command(remove)?).await?;
    }
    Ok(())
}

/// The command as a plan shows it.
pub(super) fn line(stack: &Stack, run: &str, database: &str, update: &BTreeSet<String>) -> Result<String, ActionError> {
    let command = odoo(stack, &container(stack, run), database, update, &BTreeSet::new());
    Ok(stack.host.command(command)?.to_string())
}

fn container(stack: &Stack, run: &str) -> String {
    format!("{}-modules-{run}", stack.project)
}

/// Where the one-off container's variables stand.
fn overlay(stack: &Stack) -> Utf8PathBuf {
    stack.paths.compose().join(".modules.yaml")
}

/// An overlay with the variables. JSON is YAML; a `$` is doubled because compose interpolates.
fn environment(database: &str, password: &Secret) -> String {
    let environment = serde_json::json!({
        "ODOO_DB_NAME": database,
        "ODOO_DB_USER": RESTORE,
        "ODOO_DB_PASSWORD": password.expose(),
        "ODOO_LOGFILE": "",
    });
    let overlay = serde_json::json!({ "services": { "script-runner": { "environment": environment } } });
    overlay.to_string().replace('$', "$$")
}

fn odoo(
    stack: &Stack,
    container: &str,
    database: &str,
    update: &BTreeSet<String>,
    install: &BTreeSet<String>,
) -> Command {
    let mut command = compose_without_keys(stack)
        .args(["--file", overlay(stack).as_str()])
        .args(["run", "--rm", "--no-deps", "-T", "--name", container])
        .args([
            "script-runner",
            "/odoo/odoo-bin",
            "--database",
            database,
            "--stop-after-init",
            "--no-http",
        ])
        .args(["--max-cron-threads=0", "--workers=0"]);
    for (flag, modules) in [("--update", update), ("--init", install)] {
        if !modules.is_empty() {
            command = command.args([flag.to_owned(), modules.iter().cloned().collect::<Vec<_>>().join(",")]);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odoos_lines_tell_which_module_it_loads() {
        let line = "2026-11-25 10:00:00,123 1 INFO shop odoo.modules.loading: Loading module sale (12/130) ";
        let progress = loading(line).unwrap();
        assert_eq!(
            (progress.done, progress.total, progress.current.as_str()),
            (11, Some(130), "sale")
        );
        for line in [
            "Loading module sale",
            "Loading module sale (12)",
            "Module sale loaded in 0.1s, 12 queries (12/130)",
        ] {
            assert_eq!(loading(line), None, "{line}");
        }
    }
}
