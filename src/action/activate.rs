//! Puts the incoming database and filestore in the live ones' place and keeps those for a rollback.
//!
//! The web is down only from its stop to its start here, and what serves afterwards is made before. Killed half-way: before
//! the swap's commit nothing has changed; after it the database is the new one, and a note in the filestore's folder says
//! so: whatever starts the web next, `up` or a restore, first makes the filestores follow the database. Another note says
//! that the web is down: the next command of any kind starts it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::database::mend_filestore;
use super::downtime::Downtime;
use super::incoming_filestore::FilestorePair;
use super::rollback::exchange_pairs;
use super::web::{self, Web};
use super::web_note::WebNote;
use super::{Action, ActionError, Handed, Kind, Outline, Scene, Step};
use crate::manifest::{ActionGrammar, ArgumentGrammar, OptionGrammar, OptionKind};
use crate::postgres::{Names, PostgresError, RestoreLock, Server, activate, activation_script, staying_behind, undo};
use crate::stack::Change;
use crate::upstream::Upstream;

/// How long sessions may keep the swap from its lock; measured: under a second with clients that reconnect at once.
pub(super) const SWAP: Duration = Duration::from_secs(60);

/// Activates what `verify` proved.
#[derive(Debug, Clone)]
pub(super) struct Activate {
    /// Whether the old pair is put back if what comes after the swap fails.
    pub auto_rollback: bool,
}

/// `run = { activate = … }`
pub(super) static KIND: Kind = Kind {
    grammar: ActionGrammar {
        key: "activate",
        about: "Puts the incoming pair in the live one's place.",
        argument: ArgumentGrammar::Options(&[OptionGrammar {
            key: "auto-rollback",
            about: "Whether the pair that served before is put back if what comes after the swap fails.",
            kind: OptionKind::Condition,
        }]),
        on_stack: true,
    },
    make: |given| {
        Arc::new(Activate {
            auto_rollback: given.holds("auto-rollback"),
        })
    },
};

#[async_trait]
impl Action for Activate {
    fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let names = Names::new(stack.database()?)?;
        let pair = FilestorePair::of(stack, &names);
        let source = stack.upstream.as_ref().map_or("", Upstream::name);
        let script = activation_script(&names, outline.run, stack.database_role()?, source)?;
        let mut steps = web::steps_before(stack, true)?;
        steps.push(Step::Sql(script));
        steps.push(Step::Note(format!(
            "exchange {} and {}; what served before becomes the previous filestore",
            pair.incoming(outline.run),
            pair.live()
        )));
        steps.extend(web::steps_after(stack, true)?);
        steps.extend(self.auto_rollback.then(|| {
            Step::Note(format!(
                "if what follows fails: put {} and its files back, as `rollback` does",
                names.previous()
            ))
        }));
        Ok(steps)
    }

    async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        scene.require_local()?;
        let stack = scene.stack()?;
        let server = scene.handover.server.get(Handed::Server).await?;
        let lock = scene.handover.lock.take(Handed::Lock).await?;
        let sanitised = scene.handover.sanitised.take(Handed::Verified).await?;
        let pair = FilestorePair::of(stack, lock.names());
        // From here on it is the database that says whose files these are.
        drop(scene.handover.files.take_if_there().await);
        pair.prepare(&scene.run).await?;
        for told in staying_behind(&server, &lock).await? {
            scene.report.warn(told);
        }
        let mut web = Web::look(scene).await?;
        web.make_next(scene).await?;
        let outcome = while_web_is_down(scene, &web, &server, &lock, async || {
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

    fn change(&self) -> Change {
        Change::Data
    }

    fn takes(&self) -> &'static [Handed] {
        &[Handed::Server, Handed::Lock, Handed::Verified, Handed::Files]
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

/// Stops the web, works, and starts what is to serve then; if the work failed, the old pair serves on, in the old
/// containers. If what is to serve cannot be started, the swap is taken back, and the old ones serve.
///
/// An interruption is heeded before the web is stopped and before the work begins, and never leaves the web down: a
/// stop that was ended half-way would stop the web all the same, some time after it had been started again.
pub(super) async fn while_web_is_down(
    scene: &Scene,
    web: &Web,
    server: &Server,
    lock: &RestoreLock,
    work: impl AsyncFnOnce() -> Result<(), ActionError>,
) -> Result<(), ActionError> {
    if !web.is_any() {
        return match scene.processes.cancellation().is_cancelled() {
            true => Err(ActionError::Interrupted),
            false => work().await,
        };
    }
    WebNote::write(scene, web)?;
    let downtime = Downtime::begin();
    let outcome = match web.stop(scene).await {
        Ok(()) if scene.processes.cancellation().is_cancelled() => Err(ActionError::Interrupted),
        Ok(()) => work().await,
        Err(error) => Err(error),
    };
    let outcome = match outcome {
        // The note stays: the web is started by the command that makes the pair whole.
        Err(error @ ActionError::Torn { .. }) => return Err(error),
        Err(error) => Err(error),
        Ok(()) => match web.start_next(scene).await {
            Ok(()) => Ok(()),
            Err(error) => {
                scene
                    .report
                    .warn("the web cannot be started on the new database: what served before comes back");
                match exchange_pairs(scene, server, lock).await {
                    Err(torn @ ActionError::Torn { .. }) => return Err(torn),
                    Err(back) => scene.report.warn(format!("the swap cannot be taken back: {back}")),
                    Ok(()) => scene.handover.went_back(),
                }
                Err(error)
            }
        },
    };
    if outcome.is_err() {
        web.start_again(scene).await?;
    }
    WebNote::remove(scene)?;
    downtime.end(scene).await;
    if outcome.is_ok() {
        web.retire(scene).await?;
    }
    outcome
}
