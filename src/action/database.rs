//! Starts the stack's database, takes the right to restore it, and clears up after runs that were killed.
//!
//! Killed half-way it leaves a running database; the lock goes with the connection that holds it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::compose::{compose, of_project};
use super::incoming_filestore::FilestorePair;
use super::same_project::require_same_project;
use super::{Action, ActionError, Handed, Kind, Outline, Scene, Step};
use crate::host::Host;
use crate::manifest::{ActionGrammar, ArgumentGrammar};
use crate::postgres::server::COME_BACK;
use crate::postgres::{Names, PostgresError, RestoreLock, Server, clean, scan, status};
use crate::process::Command;
use crate::stack::Change;
use crate::stack::Stack;

/// How long a database may take until it accepts connections: a crash recovery of a large one included.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);

const PORT: [&str; 3] = ["port", "database", "5432"];

/// Starts the database and makes it ready for a restore.
#[derive(Debug, Clone)]
pub(super) struct Database;

/// `run = { database = … }`
pub(super) static KIND: Kind = Kind {
    grammar: ActionGrammar {
        key: "database",
        about: "Starts the database and makes it ready for a restore.",
        argument: ArgumentGrammar::Options(&[]),
        on_stack: true,
    },
    make: |_| Arc::new(Database),
};

#[async_trait]
impl Action for Database {
    fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        Ok(vec![
            Step::Command(stack.host.command(start(stack))?.to_string()),
            Step::Command(stack.host.command(port(stack))?.to_string()),
            Step::Sql("SELECT pg_try_advisory_lock(…); -- one restore of this database at a time".into()),
            Step::Note("clears up what killed restores left behind".into()),
        ])
    }

    async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        scene.require_local()?;
        let stack = scene.stack()?;
        require_same_project(scene).await?;
        scene.run_there(start(stack)).await?;
        let server = server(scene).await?;
        drop(server.wait_until_ready(PATIENCE).await?);
        let lock = RestoreLock::take(&server, stack.database()?, &scene.run).await?;
        for leftover in scan(&server, &lock).await? {
            scene
                .report
                .note(format!("removing {leftover}, left by a run that was ended"));
            let is_database = leftover.database().is_some();
            match clean(&server, &lock, leftover).await {
                Ok(told) => told.into_iter().for_each(|told| scene.report.warn(told)),
                // One that cannot be dropped is in nobody's way but for its room: this run's has another name.
                Err(error @ PostgresError::Statement { .. }) if is_database && !error.lost_the_session() => {
                    scene.report.warn(format!("it stays for now: {error}"));
                }
                Err(error) => return Err(error.into()),
            }
        }
        super::modules::clear_up(scene).await?;
        mend_filestore(scene, &server, lock.names()).await?;
        scene.handover.server.put(server).await;
        scene.handover.lock.put(lock).await;
        Ok(())
    }

    fn change(&self) -> Change {
        Change::Containers
    }

    fn starts(&self) -> bool {
        true
    }

    fn gives(&self) -> &'static [Handed] {
        &[Handed::Server, Handed::Lock]
    }
}

pub(super) fn start(stack: &Stack) -> Command {
    compose(stack).args(["up", "--detach", "--wait", "--wait-timeout", "300", "database"])
}

fn port(stack: &Stack) -> Command {
    compose(stack).args(PORT)
}

/// The stack's server, at the address that Docker says it is published on.
pub(super) async fn server(scene: &Scene) -> Result<Server, ActionError> {
    published(scene, port(scene.stack()?)).await
}

/// The same for a database that runs, found by its container's labels: no file of the stack need be rendered.
pub(super) async fn running_server(scene: &Scene) -> Result<Server, ActionError> {
    published(scene, of_project(scene.stack()?).args(PORT)).await
}

async fn published(scene: &Scene, port: Command) -> Result<Server, ActionError> {
    let stack = scene.stack()?;
    let published = scene.ask_there(port).await?;
    let address = published.trim();
    let (host, port) = address
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host, port.parse().ok()?)))
        .filter(|(_, port)| *port != 0)
        .ok_or_else(|| ActionError::NotPublished {
            stack: stack.name.clone(),
        })?;
    Ok(Server {
        host: if host == "0.0.0.0" {
            "127.0.0.1".into()
        } else {
            host.trim_matches(['[', ']']).to_owned()
        },
        port,
        admin: stack.database_role()?.to_owned(),
        password: stack.database_password()?,
        maintenance: "postgres".into(),
    })
}

/// Finishes a swap that a run was ended in, before anything starts the web on a database and files that do not belong
/// together. Nothing is done, and no server asked, where no swap is open. On another machine it is refused: a swap is finished
/// where its files lie.
pub(super) async fn finish_swap(scene: &Scene) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    if stack.variables.text("ODOO_DB_NAME").is_none() {
        return Ok(());
    }
    let names = Names::new(stack.database()?)?;
    let pair = FilestorePair::of(stack, &names);
    if let Host::Ssh(target) = &stack.host {
        for note in pair.notes() {
            if stack.host.exists(&scene.processes, &note).await? {
                // The two folders can be exchanged on their own machine only.
                return Err(ActionError::SwapOpen {
                    stack: stack.name.clone(),
                    host: target.to_string(),
                    line: target.line_by_hand(&format!("cd {} && opw-task up {} --here", stack.checkout, stack.name)),
                });
            }
        }
        return Ok(());
    }
    if !pair.swap_was_cut_off()? {
        return Ok(());
    }
    let (server, lock) = lock_running_server(scene).await?;
    mend_filestore(scene, &server, lock.names()).await
}

/// Sees to it that the server runs, and takes the right to restore: no other run is at work then.
pub(super) async fn lock_running_server(scene: &Scene) -> Result<(Server, RestoreLock), ActionError> {
    let stack = scene.stack()?;
    scene.run_there(start(stack)).await?;
    let server = server(scene).await?;
    drop(server.wait_until_ready(PATIENCE).await?);
    let lock = RestoreLock::take(&server, stack.database()?, &scene.run).await?;
    Ok((server, lock))
}

/// Ends a swap of filestores that a run was killed in, and removes filestores that no database will ever want.
pub(super) async fn mend_filestore(scene: &Scene, server: &Server, names: &Names) -> Result<(), ActionError> {
    // A server that was killed in the midst of a swap is coming back.
    let session = server.wait_until_ready(COME_BACK).await?;
    let live = status(&session, names.live()).await?;
    let run = live.and_then(|status| status.comment.marker).map(|marker| marker.run);
    let kept = status(&session, names.previous()).await?.is_some();
    let pair = FilestorePair::of(scene.stack()?, names);
    for done in pair.mend(run, kept).await? {
        scene.report.note(done);
    }
    Ok(())
}
