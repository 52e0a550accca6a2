//! Copies the upstream's filestore beside the live one, hard-linking what the live one already has.
//!
//! Killed half-way it leaves a folder `<db>__incoming_<run>` that nothing uses; the next restore removes it.

use std::sync::Arc;

use super::incoming_filestore::FilestorePair;
use super::room::{look_at_room, while_there_is_room};
use super::state_root::owner;
use super::{ActionError, Outline, Scene, Step};
use crate::postgres::Names;
use crate::process::{Ending, Sink};
use crate::run::event::{Progress, Unit};
use crate::stack::Stack;
use crate::upstream::{FilestoreSize, PullProgress, ReadOnly, VANISHED};

/// Copies the filestore.
#[derive(Debug, Clone)]
pub struct CopyFilestore;

impl CopyFilestore {
    pub(super) fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let pair = pair(stack)?;
        let look = stack
            .upstream()?
            .measure_filestore(&pair.incoming(outline.run), Some(pair.live()))?;
        let command = pull(stack, outline.run, true)?;
        Ok(vec![
            Step::Command(look.command().to_string()),
            Step::Note("refuses where a volume has no room for database and files".into()),
            Step::Command(command.command().to_string()),
        ])
    }

    pub(super) async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        scene.require_local()?;
        let stack = scene.stack()?;
        look_at_room(scene).await?;
        scene.handover.files.put((pair(stack)?, scene.run.clone())).await;
        pull_now(scene).await?;
        pair(stack)?.mark(&scene.run).await
    }
}

/// Pulls what the incoming filestore lacks. A second pull is short: it brings what came to be upstream after the first
/// one had made its list, and before the dump of the database began.
pub(super) async fn pull_now(scene: &Scene) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    let linked = pair(stack)?.live().is_dir();
    let command = pull(stack, &scene.run, linked)?;
    scene.report.command(command.command());
    let report = scene.report.clone();
    let log = scene.report.sink();
    let sink: Sink = Arc::new(move |stream, line| match PullProgress::parse(line) {
        Some(progress) => report.progress(Progress {
            done: progress.bytes,
            total: (progress.percent > 0).then(|| progress.bytes.saturating_mul(100) / u64::from(progress.percent)),
            unit: Unit::Bytes,
            current: String::new(),
        }),
        None => log(stream, line),
    });
    while_there_is_room(scene, async |processes| {
        match processes.run(command.command(), &sink).await {
            // Production collected garbage meanwhile. What the database names is looked for by name, later.
            Err(error) if error.ending() == Some(Ending::Exited(VANISHED)) => Ok(()),
            done => Ok(done?),
        }
    })
    .await
}

fn pair(stack: &Stack) -> Result<FilestorePair, ActionError> {
    Ok(FilestorePair::of(stack, &Names::new(stack.database()?)?))
}

/// Asks how much a pull would bring.
pub(super) async fn would_bring(scene: &Scene) -> Result<FilestoreSize, ActionError> {
    let stack = scene.stack()?;
    let pair = pair(stack)?;
    let linked = pair.live().is_dir().then(|| pair.live());
    let look = stack
        .upstream()?
        .measure_filestore(&pair.incoming(&scene.run), linked)?;
    scene.report.command(look.command());
    let stats = scene.processes.capture(look.command()).await?;
    // A version of rsync that says it otherwise is no reason to fail.
    Ok(FilestoreSize::parse(&stats).unwrap_or_default())
}

/// Ownership can only be set by root; for others the files are their own, which Odoo's user on a laptop is.
fn pull(stack: &Stack, run: &str, linked: bool) -> Result<ReadOnly, ActionError> {
    let pair = pair(stack)?;
    let chown = rustix::process::geteuid().is_root().then(|| owner(stack));
    let link_dest = linked.then(|| pair.live());
    Ok(stack
        .upstream()?
        .pull_filestore(&pair.incoming(run), link_dest, chown)?)
}
