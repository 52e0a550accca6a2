//! The first start of an empty stack: Odoo's tables and an administrator with a password of the stack's own are made before the
//! web is started. By itself Odoo would do it as it begins to serve, with `admin` as the administrator's password.
//!
//! Killed half-way it leaves a database that nothing serves: the next command that starts services looks at what is there,
//! finishes it, and starts them then. A database that a restore made, or that somebody has logged in to, is left as it is.

use serde::Deserialize;

use super::compose::{compose, compose_without_keys, of_project};
use super::database::start;
use super::there::Interrupted;
use super::{ActionError, Scene};
use crate::event::NewPassword;
use crate::host::Host;
use crate::postgres::{BEGINNING, Beginning, Comment, Literal, administrators_password};
use crate::process::Command;
use crate::sanitise::{AdminPassword, matches_stored};
use crate::secret::Secret;
use crate::stack::Stack;

/// The password that Odoo gives the administrator of each new database.
const DEFAULT: &str = "admin";

/// The service that compose names so is the stack's own database.
const OWN: &str = "database";

/// What the server says of the live database.
#[derive(Deserialize)]
struct There {
    there: bool,
    comment: Option<String>,
}

/// Makes the database where there is none, and gives its administrator a password where he has Odoo's own.
pub(super) async fn first_start(scene: &Scene) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    if !applies(stack) {
        return Ok(());
    }
    let Some(mut beginning) = look(scene).await? else {
        return Ok(());
    };
    if beginning.as_ref().is_none_or(Beginning::is_empty) {
        initialise(scene).await?;
        beginning = look(scene).await?.flatten();
    }
    let Some(beginning) = beginning.filter(|beginning| !beginning.was_used()) else {
        return Ok(());
    };
    let chosen = stack.variables.secret("ODOO_ADMIN_PASSWORD");
    // Whoever asks for Odoo's own gets it.
    if chosen.as_ref().is_some_and(|chosen| chosen.expose() == DEFAULT) {
        return Ok(());
    }
    let stored = beginning.stored_password().map(Secret::new);
    match stored {
        Some(stored) if matches_stored(&Secret::new(DEFAULT), &stored).await => set_password(scene, chosen).await,
        _ => Ok(()),
    }
}

/// Whether the stack has an Odoo and a database that are opw-task's to begin.
fn applies(stack: &Stack) -> bool {
    let own = stack.variables.text("ODOO_DB_HOST").is_none_or(|host| host == OWN);
    own && stack.has_base() && stack.variables.text("ODOO_DB_NAME").is_some()
}

/// What it does, for a person to read.
pub(super) fn note(stack: &Stack) -> Option<String> {
    applies(stack).then(|| {
        "where there is no database yet: makes it, with an administrator's password of its own, before anything is served".to_owned()
    })
}

/// Looks at the live database: nothing where it is not to be touched, because a restore made it; an empty answer where it is
/// not there.
async fn look(scene: &Scene) -> Result<Option<Option<Beginning>>, ActionError> {
    let stack = scene.stack()?;
    let question = format!(
        "SELECT json_build_object('there', count(*) > 0, 'comment', max(shobj_description(oid, 'pg_database'))) \
         FROM pg_database WHERE datname = {}",
        Literal(stack.database()?)
    );
    let ask = psql(stack, "postgres")?.args(["--command", &question]);
    let answer = match scene.ask_there(ask.clone()).await {
        Err(ActionError::Process(error)) if !error.is_cancelled() => {
            // It does not run yet.
            scene.change_there(start(stack), Interrupted::Waits).await?;
            scene.ask_there(ask).await?
        }
        answer => answer?,
    };
    let There { there, comment } = serde_json::from_str(answer.trim()).map_err(ActionError::Answer)?;
    if Comment::parse(comment.as_deref()).marker.is_some() {
        return Ok(None);
    }
    if !there {
        return Ok(Some(None));
    }
    let ask = psql(stack, stack.database()?)?.args(["--command", BEGINNING]);
    let answer = scene.ask_there(ask.discreet()).await?;
    Ok(Some(Some(Beginning::parse(&answer).map_err(ActionError::Answer)?)))
}

/// Has Odoo make its tables in a one-off container that serves nothing. A web that may be there is stopped first: it would
/// make them too, and serve them.
async fn initialise(scene: &Scene) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    scene
        .change_there(compose(stack).args(["stop", "web"]), Interrupted::Waits)
        .await?;
    remove_left(scene).await?;
    let database = stack.database()?;
    scene
        .report
        .note(format!("making the database {database}: it is not there yet"));
    let container = format!("{}{}", containers(stack), scene.run);
    let odoo = compose_without_keys(stack)
        .args([
            "run",
            "--rm",
            "--no-deps",
            "-T",
            "--name",
            &container,
            "--env",
            "ODOO_LOGFILE=",
        ])
        .args([
            "script-runner",
            "/odoo/odoo-bin",
            "--database",
            database,
            "--init",
            "base",
        ])
        .args(["--stop-after-init", "--no-http", "--max-cron-threads=0", "--workers=0"]);
    scene.change_there(odoo, Interrupted::Asks).await
}

/// How the names of the one-off containers begin.
fn containers(stack: &Stack) -> String {
    format!("{}-first-start-", stack.project)
}

/// Removes the container of a run that was killed: it outlives its client.
async fn remove_left(scene: &Scene) -> Result<(), ActionError> {
    let name = format!("name=^/?{}", containers(scene.stack()?));
    let left = Command::new("docker").args(["ps", "--all", "--quiet", "--filter", &name]);
    let left = scene.ask_there(left).await?;
    match left.split_whitespace().next() {
        None => Ok(()),
        Some(_) => {
            let remove = Command::new("docker").args(["rm", "--force", "--volumes"]);
            scene.run_there(remove.args(left.split_whitespace())).await
        }
    }
}

/// Gives the administrator the chosen password, or one that is made and told once.
async fn set_password(scene: &Scene, chosen: Option<Secret>) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    let AdminPassword { hash, generated } = AdminPassword::make(chosen).await?;
    // Before it counts: one that is told and does not count yet is made anew by the next run.
    if let Some(password) = &generated {
        let told = NewPassword {
            of: format!("the administrator `{DEFAULT}` of the new database has a password"),
            password: password.clone(),
            holds: true,
        };
        scene.handover.password.put(told).await;
    }
    let command = psql(stack, stack.database()?)?.args(["--file", "-"]).discreet();
    // Not framed: its input is the script.
    let command = match &stack.host {
        Host::Local => command,
        Host::Ssh(target) => target.command(&command)?,
    };
    scene.report.command(&command);
    let script = administrators_password(hash.expose());
    let sink = scene.report.sink();
    scene
        .processes
        .run_with_input(&command, script.as_bytes(), &sink)
        .await?;
    scene.report.note(match generated {
        Some(_) => "the administrator has a password of the stack's own, told at the end",
        None => "the administrator has the password of ODOO_ADMIN_PASSWORD",
    });
    Ok(())
}

/// `psql` in the container: the image lets its own superuser in there, so no password has to travel.
fn psql(stack: &Stack, database: &str) -> Result<Command, ActionError> {
    Ok(of_project(stack)
        .args([
            "exec",
            "-T",
            "database",
            "psql",
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--quiet",
        ])
        .args(["--username", stack.database_role()?, "--dbname", database]))
}
