//! Updates modules in the incoming database, by Odoo itself in a one-off container, with no jobs and no web.
//!
//! It comes after sanitising, so Odoo never sees production's credentials, and it logs in as the restore role, so the
//! live role stays shut out. Its password travels in an overlay of mode 0600. Killed half-way (`kill -9`) it leaves an
//! incoming database that the next restore drops, perhaps the container, and the overlay; the password in it ends ten minutes
//! after it was last renewed. The next command of any kind removes container and overlay and closes the database.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;

use super::compose::compose_without_keys;
use super::incoming_filestore::FilestorePair;
use super::{Action, ActionError, Handed, Kind, Outline, Scene, Step};
use crate::manifest::{ActionGrammar, ArgumentGrammar};
use crate::postgres::{
    Incoming, Names, installed_modules, modules_not_installed, modules_that_are, put_back_to_installed,
};
use crate::process::Command;
use crate::stack::Change;
use crate::stack::Stack;

pub(super) use one_off::clear_up;

mod one_off;

/// Prints the project's modules and what they depend on.
const LOCAL_ADDONS: &str = include_str!("local_addons.py");

/// Where a project's modules lie in its image if `ODOO_ADDONS_PATH` says nothing.
pub(super) const ADDON_FOLDERS: &str = "/volumes/addons,/opt/extra_addons";

/// Odoo's own modules: never updated by `AUTO`.
pub(super) const ODOO_FOLDERS: [&str; 2] = ["/odoo/addons", "/odoo/odoo/addons"];

/// What Odoo takes for all modules that are installed. (To `--init` it would mean all that there are.)
const ALL: &str = "all";

/// Updates modules.
#[derive(Debug, Clone)]
pub(super) struct Modules;

/// What `ODOO_UPDATE_MODULES` asks for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Nothing,
    Auto,
    These(BTreeSet<String>),
}

/// `run = { modules = … }`
pub(super) static KIND: Kind = Kind {
    grammar: ActionGrammar {
        key: "modules",
        about: "Updates modules in the incoming database.",
        argument: ArgumentGrammar::Options(&[]),
        on_stack: true,
    },
    make: |_| Arc::new(Modules),
};

#[async_trait]
impl Action for Modules {
    fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let incoming = Names::new(stack.database()?)?.incoming(outline.run)?;
        let update = match wanted(stack) {
            Wanted::Nothing => return Ok(vec![Step::Note("ODOO_UPDATE_MODULES names no modules".into())]),
            Wanted::Auto => {
                let ask = Step::Command(stack.host.command(ask_local_addons(stack))?.to_string());
                let names = BTreeSet::from(["MODULES".to_owned()]);
                return Ok(vec![
                    ask,
                    Step::Command(one_off::line(stack, outline.run, incoming.as_str(), &names)?),
                ]);
            }
            Wanted::These(names) => names,
        };
        Ok(vec![Step::Command(one_off::line(
            stack,
            outline.run,
            incoming.as_str(),
            &update,
        )?)])
    }

    async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        let stack = scene.stack()?;
        let wanted = wanted(stack);
        let lacking = scene.handover.not_in_image.get().map_or(&[][..], Vec::as_slice);
        if wanted == Wanted::Nothing && lacking.is_empty() {
            return Ok(());
        }
        let incoming = scene.handover.incoming.take(Handed::Incoming).await?;
        let outcome = update_and_put_back(scene, &incoming, wanted, lacking).await;
        scene.handover.incoming.put(incoming).await;
        outcome
    }

    fn change(&self) -> Change {
        Change::Data
    }

    fn takes(&self) -> &'static [Handed] {
        &[Handed::Incoming, Handed::Role]
    }
}

/// Updates, and takes the mark `to upgrade` from the modules that the update could not reach: Odoo would complain of them at
/// each start.
async fn update_and_put_back(
    scene: &Scene,
    incoming: &Incoming,
    wanted: Wanted,
    lacking: &[String],
) -> Result<(), ActionError> {
    let session = incoming.connect().await?;
    let mut were_installed = modules_that_are(&session, "installed").await?;
    drop(session);
    update(scene, incoming, wanted).await?;
    were_installed.extend(lacking.iter().cloned());
    let session = incoming.connect().await?;
    let left = put_back_to_installed(&session, &were_installed).await?;
    if !left.is_empty() {
        scene.report.warn(format!(
            "not updated, for the image lacks them or what they need; they are marked as installed again: {}",
            left.join(", ")
        ));
    }
    Ok(())
}

async fn update(scene: &Scene, incoming: &Incoming, wanted: Wanted) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    let session = incoming.connect().await?;
    let installed: BTreeSet<String> = installed_modules(&session).await?.into_iter().collect();
    drop(session);
    let (update, install) = match wanted {
        Wanted::Nothing => return Ok(()),
        Wanted::These(names) => names
            .into_iter()
            .partition(|name| name == ALL || installed.contains(name)),
        Wanted::Auto => {
            let local: BTreeMap<String, Vec<String>> =
                serde_json::from_str(scene.ask_there(ask_local_addons(stack)).await?.trim())
                    .map_err(ActionError::Answer)?;
            auto(&local, &installed)
        }
    };
    if update.is_empty() && install.is_empty() {
        scene.report.note("no module to update");
        return Ok(());
    }
    let role = scene.handover.role.take(Handed::Role).await?;
    let password = role.password().clone();
    scene.handover.role.put(role).await;
    let pair = FilestorePair::of(stack, &Names::new(stack.database()?)?);
    pair.lend(&scene.run).await?;
    let outcome = one_off::run(scene, incoming, &password, &update, &install).await;
    let taken_back = pair.take_back(&scene.run).await;
    outcome?;
    taken_back?;
    let session = incoming.connect().await?;
    let wanted: Vec<&str> = update
        .iter()
        .chain(&install)
        .map(String::as_str)
        .filter(|name| *name != ALL)
        .collect();
    let missing = modules_not_installed(&session, &wanted).await?;
    drop(session);
    if !missing.is_empty() {
        return Err(ActionError::NotInstalled { modules: missing });
    }
    scene
        .report
        .note(format!("updated {} modules, installed {}", update.len(), install.len()));
    Ok(())
}

/// The project's modules that are installed, and what they need of the project's own that is not.
fn auto(local: &BTreeMap<String, Vec<String>>, installed: &BTreeSet<String>) -> (BTreeSet<String>, BTreeSet<String>) {
    let update: BTreeSet<String> = local.keys().filter(|name| installed.contains(*name)).cloned().collect();
    let mut install = BTreeSet::new();
    let mut open: Vec<&String> = update.iter().collect();
    while let Some(name) = open.pop() {
        for dependency in local.get(name).into_iter().flatten() {
            if local.contains_key(dependency) && !installed.contains(dependency) && install.insert(dependency.clone()) {
                open.push(dependency);
            }
        }
    }
    (update, install)
}

/// `ODOO_UPDATE_MODULES`, else the older `ODOO_UPDATE`: `AUTO`, or a list with commas.
fn wanted(stack: &Stack) -> Wanted {
    let text = ["ODOO_UPDATE_MODULES", "ODOO_UPDATE"]
        .into_iter()
        .find_map(|name| stack.variables.text(name));
    let names: BTreeSet<String> = text
        .unwrap_or_default()
        .split([',', ' '])
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    match names.iter().next() {
        None => Wanted::Nothing,
        Some(first) if names.len() == 1 && first.eq_ignore_ascii_case("auto") => Wanted::Auto,
        Some(_) => Wanted::These(names),
    }
}

fn ask_local_addons(stack: &Stack) -> Command {
    let folders: Vec<&str> = stack
        .variables
        .text("ODOO_ADDONS_PATH")
        .unwrap_or(ADDON_FOLDERS)
        .split(',')
        .map(str::trim)
        .filter(|folder| !ODOO_FOLDERS.contains(folder))
        .collect();
    compose_without_keys(stack)
        .args([
            "run",
            "--rm",
            "--no-deps",
            "-T",
            "--entrypoint",
            "python3",
            "script-runner",
            "-c",
            LOCAL_ADDONS,
        ])
        .arg(folders.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_takes_what_is_installed_and_what_that_lacks() {
        let local = BTreeMap::from([
            ("shop".to_owned(), vec!["base".to_owned(), "shop_core".to_owned()]),
            ("shop_core".to_owned(), vec!["shop_types".to_owned()]),
            ("shop_types".to_owned(), vec![]),
            ("unused".to_owned(), vec![]),
        ]);
        let installed = BTreeSet::from(["base".to_owned(), "shop".to_owned()]);
        let (update, install) = auto(&local, &installed);
        assert_eq!(update, BTreeSet::from(["shop".to_owned()]));
        assert_eq!(
            install,
            BTreeSet::from(["shop_core".to_owned(), "shop_types".to_owned()])
        );
    }
}
