//! Reads the `data/neutralize.sql` of the project's modules from the stack's image and addon folders.
//!
//! Nothing is changed: a one-off container lists and reads. Its image is the copy's, so production's keys stay out of it.

use super::compose::compose_without_keys;
use super::modules::{ADDON_FOLDERS, ODOO_FOLDERS};
use super::{ActionError, Scene};
use crate::postgres::{Incoming, installed_modules};
use crate::process::Command;
use crate::sanitise::ModuleFile;
use crate::stack::Stack;

/// Prints the files.
const SCRIPT: &str = include_str!("neutralize_files.py");

/// Where an image may hold Odoo's enterprise modules.
const ENTERPRISE: &str = "/volumes/enterprise";

/// The files of the modules that are installed in the incoming database, in the modules' order. Odoo's own modules are
/// left out: the built-in rules are for them.
pub(super) async fn module_files(scene: &Scene, incoming: &Incoming) -> Result<Vec<ModuleFile>, ActionError> {
    let stack = scene.stack()?;
    let session = incoming.connect().await?;
    let installed = installed_modules(&session).await?;
    drop(session);
    let answer = scene.ask_there(ask(stack, &installed.join(","))).await?;
    serde_json::from_str(answer.trim()).map_err(ActionError::Answer)
}

/// The command; `installed` is a list with commas, or what stands for it in a dry run.
pub(super) fn ask(stack: &Stack, installed: &str) -> Command {
    let path = stack.variables.text("ODOO_ADDONS_PATH").unwrap_or(ADDON_FOLDERS);
    let mut folders: Vec<&str> = path.split(',').map(str::trim).collect();
    for more in [ENTERPRISE].into_iter().chain(ODOO_FOLDERS) {
        if !folders.contains(&more) {
            folders.push(more);
        }
    }
    compose_without_keys(stack)
        .args(["run", "--rm", "--no-deps", "-T"])
        .args(["--entrypoint", "python3", "script-runner", "-c", SCRIPT])
        .args([folders.join(","), installed.to_owned(), ODOO_FOLDERS.join(",")])
}
