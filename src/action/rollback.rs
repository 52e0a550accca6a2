//! Puts the previous database and filestore back in the live ones' place. A second rollback undoes the first.
//!
//! Killed half-way it leaves what `activate` leaves, and the next command finishes it in the same way.

use super::activate::{SWAP, in_step, while_web_is_down};
use super::compose::compose;
use super::incoming_filestore::FilestorePair;
use super::{ActionError, Outline, Scene, Step};
use crate::postgres::{Names, RestoreLock, Server, can_roll_back, rollback, staying_behind};

/// Rolls back the last restore.
#[derive(Debug, Clone)]
pub struct Rollback;

impl Rollback {
    pub(super) fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let names = Names::new(stack.database()?)?;
        let (live, previous) = (names.live(), names.previous());
        Ok(vec![
            Step::Note("stop web".into()),
            Step::Sql(format!(
                "BEGIN; ALTER DATABASE {live} RENAME TO …; ALTER DATABASE {previous} RENAME TO {live}; \
                 ALTER DATABASE … RENAME TO {previous}; COMMIT;"
            )),
            Step::Note(format!(
                "exchange {} and the previous filestore",
                FilestorePair::of(stack, &names).live()
            )),
            Step::Note("start web".into()),
        ])
    }

    pub(super) async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        scene.require_local()?;
        switch_back(scene).await
    }
}

/// Exchanges the pairs. The web runs afterwards if it ran before.
pub(super) async fn switch_back(scene: &Scene) -> Result<(), ActionError> {
    let server = scene.handover.server.get("the database server", "database").await?;
    let lock = scene.handover.lock.take("the right to restore", "database").await?;
    let pair = FilestorePair::of(scene.stack()?, lock.names());
    let outcome = roll_back(scene, &server, &lock, &pair).await;
    scene.handover.lock.put(lock).await;
    outcome
}

/// Starts the web whatever it did before: it may have ended on the copy.
pub(super) async fn start_web(scene: &Scene) -> Result<(), ActionError> {
    let start = compose(scene.stack()?).args(["up", "--detach", "--no-deps", "web"]);
    scene.run_there(start).await
}

async fn roll_back(
    scene: &Scene,
    server: &Server,
    lock: &RestoreLock,
    pair: &FilestorePair,
) -> Result<(), ActionError> {
    can_roll_back(server, lock).await?;
    pair.can_roll_back().await?;
    for told in staying_behind(server, lock).await? {
        scene.report.warn(told);
    }
    while_web_is_down(scene, async || {
        pair.note_swap().await?;
        if let Err(error) = rollback(server, lock, SWAP).await {
            return Err(in_step(scene, server, lock, error.into()).await);
        }
        if let Err(error) = pair.rollback().await {
            return Err(in_step(scene, server, lock, error).await);
        }
        scene.report.note(format!(
            "{} is what it was before the last restore",
            lock.names().live()
        ));
        Ok(())
    })
    .await?;
    pair.tidy().await
}
