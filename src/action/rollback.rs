//! Puts the previous database and filestore back in the live ones' place. A second rollback undoes the first.
//!
//! Killed half-way it leaves what `activate` leaves, and the next command finishes it in the same way.

use std::sync::Arc;

use async_trait::async_trait;

use super::activate::{SWAP, in_step, while_web_is_down};
use super::compose::compose;
use super::incoming_filestore::FilestorePair;
use super::web::{self, Web};
use super::{Action, ActionError, Handed, Kind, Outline, Scene, Step};
use crate::manifest::{ActionGrammar, ArgumentGrammar};
use crate::postgres::{Names, RestoreLock, Server, can_roll_back, rollback, rollback_script, staying_behind};
use crate::stack::Change;

/// Rolls back the last restore.
#[derive(Debug, Clone)]
pub(super) struct Rollback;

/// `run = { rollback = … }`
pub(super) static KIND: Kind = Kind {
    grammar: ActionGrammar {
        key: "rollback",
        about: "Puts the previous pair back.",
        argument: ArgumentGrammar::Options(&[]),
        on_stack: true,
    },
    make: |_| Arc::new(Rollback),
};

#[async_trait]
impl Action for Rollback {
    fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let names = Names::new(stack.database()?)?;
        let mut steps = web::steps_before(stack, false)?;
        steps.push(Step::Sql(rollback_script(&names, outline.run)?));
        steps.push(Step::Note(format!(
            "exchange {} and the previous filestore",
            FilestorePair::of(stack, &names).live()
        )));
        steps.extend(web::steps_after(stack, false)?);
        Ok(steps)
    }

    async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        scene.require_local()?;
        switch_back(scene).await
    }

    fn change(&self) -> Change {
        Change::Data
    }

    fn takes(&self) -> &'static [Handed] {
        &[Handed::Server, Handed::Lock]
    }
}

/// Exchanges the pairs. The web runs afterwards if it ran before.
pub(super) async fn switch_back(scene: &Scene) -> Result<(), ActionError> {
    let server = scene.handover.server.get(Handed::Server).await?;
    let lock = scene.handover.lock.take(Handed::Lock).await?;
    let outcome = roll_back(scene, &server, &lock).await;
    scene.handover.lock.put(lock).await;
    outcome
}

/// Starts the web whatever it did before: it may have ended on the copy.
pub(super) async fn start_web(scene: &Scene) -> Result<(), ActionError> {
    // Not with `--no-deps`: compose would make the container anew for what it leaves out of the service.
    let start = compose(scene.stack()?).args(["up", "--detach", "web"]);
    scene.run_there(start).await
}

async fn roll_back(scene: &Scene, server: &Server, lock: &RestoreLock) -> Result<(), ActionError> {
    can_roll_back(server, lock).await?;
    let pair = FilestorePair::of(scene.stack()?, lock.names());
    pair.can_roll_back().await?;
    for told in staying_behind(server, lock).await? {
        scene.report.warn(told);
    }
    let web = Web::look(scene).await?;
    while_web_is_down(scene, &web, server, lock, async || {
        exchange_pairs(scene, server, lock).await?;
        scene.report.note(format!(
            "{} is what it was before the last restore",
            lock.names().live()
        ));
        Ok(())
    })
    .await?;
    pair.tidy().await
}

/// Exchanges the live pair of database and filestore with the previous one.
pub(super) async fn exchange_pairs(scene: &Scene, server: &Server, lock: &RestoreLock) -> Result<(), ActionError> {
    let pair = FilestorePair::of(scene.stack()?, lock.names());
    pair.note_swap().await?;
    if let Err(error) = rollback(server, lock, SWAP).await {
        return Err(in_step(scene, server, lock, error.into()).await);
    }
    if let Err(error) = pair.rollback().await {
        return Err(in_step(scene, server, lock, error).await);
    }
    Ok(())
}
