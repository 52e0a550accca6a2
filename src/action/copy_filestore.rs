//! Copies the upstream's filestore beside the live one, hard-linking what the live one already has.
//!
//! Killed half-way it leaves a folder `incoming_<run>` in opw-task's own folder of the state root that nothing uses; the
//! next restore removes it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use camino::Utf8Path;

use super::filestore_copy::Workplace;
use super::filestore_proof::Shape;
use super::image::{MISSING_MODULES, look_at_image, missing_modules};
use super::incoming_filestore::FilestorePair;
use super::room::{look_at_room, while_there_is_room};
use super::{Action, ActionError, Handed, Kind, Outline, Scene, Step};
use crate::event::{Progress, Unit};
use crate::manifest::{ActionGrammar, ArgumentGrammar};
use crate::postgres::Names;
use crate::process::{Ending, Sink};
use crate::stack::Change;
use crate::stack::{MissingModules, Stack};
use crate::upstream::{FilestoreSize, PullProgress, ReadOnly, VANISHED};

/// Copies the filestore.
#[derive(Debug, Clone)]
pub(super) struct CopyFilestore {
    /// Which of the upstream's modules the image may lack, where the command line says so.
    pub(super) missing_modules: Option<MissingModules>,
}

/// `run = { copy-filestore = … }`
pub(super) static KIND: Kind = Kind {
    grammar: ActionGrammar {
        key: "copy-filestore",
        about: "Copies the upstream's filestore beside the live one.",
        argument: ArgumentGrammar::Options(&[MISSING_MODULES]),
        on_stack: true,
    },
    make: |given| {
        Arc::new(CopyFilestore {
            missing_modules: missing_modules(&given),
        })
    },
};

#[async_trait]
impl Action for CopyFilestore {
    fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let pair = pair(stack)?;
        let into = pair.incoming(outline.run);
        let have = into.with_file_name("have");
        let look = stack.upstream()?.measure_filestore(&into, Some(&pair.live()))?;
        Ok(vec![
            Step::Command(look.command().to_string()),
            Step::Note("refuses where a volume has no room for database and files".into()),
            Step::Note(format!("hard links in {have} to what {} has", pair.live())),
            Step::Command(pull(stack, &pair, &into, &have)?.command().to_string()),
        ])
    }

    async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        scene.require_local()?;
        match look_at_image(scene, self.missing_modules.as_ref()).await {
            // An upstream that cannot be asked is asked again by `copy-database`, and fails there, under its name.
            Err(ActionError::Upstream(_)) if !scene.processes.cancellation().is_cancelled() => {}
            looked => looked?,
        }
        look_at_room(scene).await?;
        let pair = pair(scene.stack()?)?;
        scene.handover.files.put((pair.clone(), scene.run.clone())).await;
        let place = pair.begin_copy(&scene.run).await?;
        let skipped = pull_into(scene, &place, place.name()).await?;
        pair.end_copy(place, &scene.run).await?;
        // Whether it matters is known when the database is there; who sees it now need not wait for that.
        for reason in suspect(scene, skipped.as_ref()).await? {
            scene.report.warn(reason);
        }
        Ok(())
    }

    fn change(&self) -> Change {
        Change::Data
    }

    fn gives(&self) -> &'static [Handed] {
        &[Handed::Files]
    }
}

/// How rsync's line begins that tells of one.
const LEFT_OUT: &str = "skipping non-regular file ";

/// Where a second pull lies until its files are added to the copy.
const SECOND: &str = "second";

/// Pulls once more, for these files that the copy lacks. It is short: it brings what came to be upstream after the first
/// pull had made its list, and before the dump of the database began.
///
/// Tells what may be the reason that files are missing.
pub(super) async fn pull_again(scene: &Scene, missing: Vec<String>) -> Result<Vec<String>, ActionError> {
    let pair = pair(scene.stack()?)?;
    let Some(place) = pair.begin_second(&scene.run).await? else {
        return Ok(Vec::new());
    };
    let skipped = pull_into(scene, &place, SECOND).await?;
    pair.end_second(place, SECOND, missing).await?;
    suspect(scene, skipped.as_ref()).await
}

/// What is wrong with the upstream's folder, as far as it shows in what came and in what rsync left out.
async fn suspect(scene: &Scene, skipped: Option<&Skipped>) -> Result<Vec<String>, ActionError> {
    let stack = scene.stack()?;
    let upstream = stack.upstream()?;
    let mut reasons = Vec::new();
    if let Some(Skipped { count, first }) = skipped {
        reasons.push(format!(
            "rsync left {count} links or other special files of {} out, such as {first}: the copy holds plain files only; have \
             the files lie there themselves, or mount their folder there (`mount --bind`)",
            upstream.filestore()
        ));
    }
    if let Some(copy) = pair(stack)?.copy(&scene.run).await?
        && let Some(advice) = Shape::of(&copy)?.advice(upstream.name(), upstream.database(), upstream.filestore())
    {
        reasons.push(advice);
    }
    Ok(reasons)
}

/// What rsync left out because it is neither a folder nor a plain file.
#[derive(Debug, Clone)]
struct Skipped {
    count: usize,
    first: String,
}

async fn pull_into(scene: &Scene, place: &Workplace, name: &str) -> Result<Option<Skipped>, ActionError> {
    let stack = scene.stack()?;
    let (into, have) = place.paths(name);
    let command = pull(stack, &pair(stack)?, &into, &have)?;
    scene.report.command(command.command());
    let report = scene.report.clone();
    let log = scene.report.sink();
    let skipped: Arc<Mutex<Option<Skipped>>> = Arc::default();
    let seen = skipped.clone();
    let sink: Sink = Arc::new(move |stream, line| match PullProgress::parse(line) {
        Some(progress) => report.progress(Progress {
            done: progress.bytes,
            total: (progress.percent > 0).then(|| progress.bytes.saturating_mul(100) / u64::from(progress.percent)),
            unit: Unit::Bytes,
            current: String::new(),
        }),
        None => {
            if let Some(first) = line.strip_prefix(LEFT_OUT) {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                let first = first.trim_matches('"').to_owned();
                seen.get_or_insert(Skipped { count: 0, first }).count += 1;
            }
            log(stream, line);
        }
    });
    while_there_is_room(scene, async |processes| {
        match processes.run(command.command(), &sink).await {
            // Production collected garbage meanwhile. What the database names is looked for by name, later.
            Err(error) if error.ending() == Some(Ending::Exited(VANISHED)) => Ok(()),
            done => Ok(done?),
        }
    })
    .await?;
    Ok(skipped.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

fn pair(stack: &Stack) -> Result<FilestorePair, ActionError> {
    Ok(FilestorePair::of(stack, &Names::new(stack.database()?)?))
}

/// Asks how much a pull would bring.
pub(super) async fn would_bring(scene: &Scene) -> Result<FilestoreSize, ActionError> {
    let stack = scene.stack()?;
    let pair = pair(stack)?;
    let live = Some(pair.live()).filter(|live| live.is_dir());
    let look = stack
        .upstream()?
        .measure_filestore(&pair.incoming(&scene.run), live.as_deref())?;
    scene.report.command(look.command());
    let stats = scene.processes.capture(look.command()).await?;
    // A version of rsync that says it otherwise is no reason to fail.
    Ok(FilestoreSize::parse(&stats).unwrap_or_default())
}

fn pull(stack: &Stack, pair: &FilestorePair, into: &Utf8Path, have: &Utf8Path) -> Result<ReadOnly, ActionError> {
    Ok(stack.upstream()?.pull_filestore(into, Some(have), pair.owner())?)
}
