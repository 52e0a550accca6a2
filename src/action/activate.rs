//! Puts the incoming database and filestore in the live ones' place and keeps those for a rollback.
//!
//! The web is down only from its stop to its start here. Killed half-way: before the swap's commit nothing has changed;
//! after it the database is the new one, and a note in the filestore's folder says so: whatever starts the web next, `up`
//! or a restore, first makes the filestores follow the database.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::compose::compose;
use super::database::mend_filestore;
use super::incoming_filestore::FilestorePair;
use super::{ActionError, Outline, Scene, Step};
use crate::postgres::{Names, PostgresError, RestoreLock, Server, activate, staying_behind, undo};
use crate::process::Command;
use crate::stack::Stack;

/// How long sessions may keep the swap from its lock; measured: under a second with clients that reconnect at once.
pub(super) const SWAP: Duration = Duration::from_secs(60);

/// How long the web may take to end its requests before it is killed, in seconds.
const GRACE: &str = "10";

/// Activates what `verify` proved.
#[derive(Debug, Clone)]
pub struct Activate {
    /// Whether the old pair is put back if what comes after the swap fails.
    pub auto_rollback: bool,
}

impl Activate {
    pub(super) fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let names = Names::new(stack.database()?)?;
        let (live, previous, incoming) = (names.live(), names.previous(), names.incoming(outline.run)?);
        let pair = FilestorePair::of(stack, &names);
        Ok([
            Step::Command(stack.host.command(stop(stack))?.to_string()),
            Step::Sql(format!(
                "BEGIN; ALTER DATABASE {live} RENAME TO {previous}; ALTER DATABASE {incoming} RENAME TO {live}; \
                 ALTER DATABASE {live} OWNER TO {}; COMMIT;",
                stack.database_role()?
            )),
            Step::Note(format!("exchange {} and {}", pair.incoming(outline.run), pair.live())),
            Step::Command(stack.host.command(start(stack))?.to_string()),
        ]
        .into_iter()
        .chain(self.auto_rollback.then(|| {
            Step::Note(format!(
                "if what follows fails: put {previous} and its files back, as `rollback` does"
            ))
        }))
        .collect())
    }

    pub(super) async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        scene.require_local()?;
        let stack = scene.stack()?;
        let server = scene.handover.server.get("the database server", "database").await?;
        let lock = scene.handover.lock.take("the right to restore", "database").await?;
        let sanitised = scene.handover.sanitised.take("a verified database", "verify").await?;
        let pair = FilestorePair::of(stack, lock.names());
        // From here on it is the database that says whose files these are.
        drop(scene.handover.files.take_if_there().await);
        pair.prepare(&scene.run).await?;
        for told in staying_behind(&server, &lock).await? {
            scene.report.warn(told);
        }
        let outcome = while_web_is_down(scene, async || {
            pair.note_swap().await?;
            let activated = match activate(&server, &lock, sanitised, SWAP).await {
                Ok(activated) => activated,
                Err(error) => return Err(in_step(scene, &server, &lock, error.into()).await),
            };
            scene.handover.went_live(&scene.report).await;
            if activated.previous.is_some() {
                scene.handover.keep_previous(false);
            }
            if let Err(error) = pair.activate(&scene.run, activated.previous.is_some()).await {
                return Err(follow_or_undo(scene, &server, &lock, &pair, error).await);
            }
            for told in activated.dropped_too {
                scene.report.warn(told);
            }
            if let Some(error) = activated.not_dropped {
                scene
                    .report
                    .warn(format!("the older previous database stays for now: {error}"));
            }
            scene.report.note(match activated.previous {
                Some(previous) => format!("{} is live; the one before is kept as {previous}", activated.live),
                None => format!("{} is live", activated.live),
            });
            Ok(())
        })
        .await;
        scene.handover.lock.put(lock).await;
        outcome?;
        pair.tidy().await?;
        if scene.handover.has_previous() {
            scene.handover.keep_previous(self.auto_rollback);
        }
        Ok(())
    }
}

/// After a swap that failed somewhere: asks the database which run is live and makes the filestores follow. Where even
/// that fails, the web must stay down, for it would serve one run's database with another's files; unless it is known that
/// nothing was swapped.
pub(super) async fn in_step(scene: &Scene, server: &Server, lock: &RestoreLock, error: ActionError) -> ActionError {
    match mend_filestore(scene, server, lock.names()).await {
        Ok(()) => error,
        Err(_) if nothing_was_swapped(&error) => error,
        Err(second) => ActionError::Torn {
            stack: name_of(scene),
            error: Box::new(error),
            second: Box::new(second),
        },
    }
}

/// Whether the databases have the names that they had. The transaction that swaps them tells its own failure; only one that
/// broke in its commit, on a server that does not come back, may have done either.
fn nothing_was_swapped(error: &ActionError) -> bool {
    matches!(error, ActionError::Postgres(error) if !matches!(error, PostgresError::SwapUnknown { .. }))
}

/// After a swap of the databases that the filestores did not follow: has them follow, or puts the databases back, for a
/// file system that became read-only is no reason for the web to stay down.
async fn follow_or_undo(
    scene: &Scene,
    server: &Server,
    lock: &RestoreLock,
    pair: &FilestorePair,
    error: ActionError,
) -> ActionError {
    let second = match mend_filestore(scene, server, lock.names()).await {
        Ok(()) => return error,
        Err(second) => second,
    };
    if pair.serves(&scene.run) {
        scene
            .report
            .warn("the new pair is live; what served before could not be put in its place for a rollback");
        return error;
    }
    match undo(server, lock, SWAP).await {
        Ok(kept) => {
            scene.handover.went_back();
            if let Some(kept) = kept {
                scene
                    .report
                    .warn(format!("the copy stays as the previous database: {kept}"));
            }
            scene
                .report
                .warn("the files could not follow the database, which was swapped back: the old pair serves on");
            error
        }
        Err(third) => {
            scene
                .report
                .warn(format!("the database could not be swapped back: {third}"));
            ActionError::Torn {
                stack: name_of(scene),
                error: Box::new(error),
                second: Box::new(second),
            }
        }
    }
}

fn name_of(scene: &Scene) -> String {
    scene.stack.as_ref().map(|stack| stack.name.clone()).unwrap_or_default()
}

/// Stops the web, works, and starts it again whatever came of the work: if it failed, the old pair serves on.
///
/// An interruption is heeded before the web is stopped and before the work begins, and never leaves the web down: a
/// `compose stop` that was ended half-way would stop the web all the same, some time after it had been started again.
pub(super) async fn while_web_is_down(
    scene: &Scene,
    work: impl AsyncFnOnce() -> Result<(), ActionError>,
) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    let was_up = !scene.ask_there(running(stack)).await?.trim().is_empty();
    let begun = Instant::now();
    let stopped = if was_up {
        to_its_end(scene, stop(stack)).await
    } else {
        Ok(())
    };
    let outcome = match stopped {
        Ok(()) if scene.processes.cancellation().is_cancelled() => Err(ActionError::Interrupted),
        Ok(()) => work().await,
        Err(error) => Err(error),
    };
    if was_up && !matches!(outcome, Err(ActionError::Torn { .. })) {
        to_its_end(scene, start(stack)).await?;
        scene.report.note(format!(
            "web was down for {:.1} s, from stopped to started",
            begun.elapsed().as_secs_f64()
        ));
    }
    outcome
}

/// Runs a command that an interruption must not cut short.
async fn to_its_end(scene: &Scene, command: Command) -> Result<(), ActionError> {
    let command = scene.stack()?.host.command(command)?;
    scene.report.command(&command);
    let processes = scene.processes.with_cancellation(CancellationToken::new());
    Ok(processes.run(&command, &scene.report.sink()).await?)
}

fn running(stack: &Stack) -> Command {
    compose(stack).args([
        "ps",
        "--quiet",
        "--status",
        "running",
        "--status",
        "restarting",
        "--status",
        "paused",
        "web",
    ])
}

fn stop(stack: &Stack) -> Command {
    compose(stack).args(["stop", "--timeout", GRACE, "web"])
}

fn start(stack: &Stack) -> Command {
    compose(stack).args(["start", "web"])
}
