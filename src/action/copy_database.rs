//! Streams the upstream's database into the incoming database: `pg_dump` there, `pg_restore` in the stack's database
//! container, no file in between.
//!
//! Killed half-way it leaves a database `<db>__incoming_<run>` that nobody can log in to; the next restore drops it. A
//! later copier over parallel COPY streams takes this file's place: it needs the same [`Incoming`] and leaves the same.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::compose::compose;
use super::image::{self, MISSING_MODULES, look_at_image, missing_modules};
use super::pg_restore;
use super::role_note::RoleNote;
use super::room::{look_at_room, while_there_is_room};
use super::{Action, ActionError, Handed, Kind, Outline, Scene, Step};
use crate::event::{Progress, Unit};
use crate::manifest::{ActionGrammar, ArgumentGrammar};
use crate::postgres::{DatabaseFacts, Incoming, IncomingSpec, Names, RestoreLock, RestoreRole, Server, State};
use crate::process::Sink;
use crate::stack::Change;
use crate::stack::{MissingModules, Stack};
use crate::upstream::{Compression, Question, TableSize, Upstream};

/// How long the upstream's pg_dump may look at its catalogue before the first byte comes.
const FIRST_BYTE: Duration = Duration::from_secs(600);

/// Copies the database.
#[derive(Debug, Clone)]
pub(super) struct CopyDatabase {
    /// Which of the upstream's modules the image may lack, where the command line says so.
    pub(super) missing_modules: Option<MissingModules>,
}

/// `run = { copy-database = … }`
pub(super) static KIND: Kind = Kind {
    grammar: ActionGrammar {
        key: "copy-database",
        about: "Streams the upstream's database into the incoming database.",
        argument: ArgumentGrammar::Options(&[MISSING_MODULES]),
        on_stack: true,
    },
    make: |given| {
        Arc::new(CopyDatabase {
            missing_modules: missing_modules(&given),
        })
    },
};

#[async_trait]
impl Action for CopyDatabase {
    fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let upstream = stack.upstream()?;
        let incoming = Names::new(stack.database()?)?.incoming(outline.run)?;
        let dump = upstream.pg_dump(Compression::Lz4);
        let restore = stack.host.command(pg_restore::stream(stack, incoming.as_str()))?;
        let mut steps = vec![Step::Command(upstream.ask(Question::Facts).command().to_string())];
        steps.extend(image::steps(stack, self.missing_modules.as_ref())?);
        steps.extend([
            Step::Sql(format!(
                "CREATE DATABASE {incoming} OWNER opw_task_keeper TEMPLATE template0 ALLOW_CONNECTIONS false IS_TEMPLATE true;"
            )),
            Step::Command(format!("{} | {restore}", dump.command())),
        ]);
        Ok(steps)
    }

    async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        let stack = scene.stack()?;
        let upstream = stack.upstream()?;
        look_at_image(scene, self.missing_modules.as_ref()).await?;
        look_at_room(scene).await?;
        let server = scene.handover.server.get(Handed::Server).await?;
        let lock = scene.handover.lock.take(Handed::Lock).await?;
        let outcome = copy(scene, upstream, &server, &lock).await;
        scene.handover.lock.put(lock).await;
        outcome
    }

    fn change(&self) -> Change {
        Change::Data
    }

    fn takes(&self) -> &'static [Handed] {
        &[Handed::Server, Handed::Lock]
    }

    fn gives(&self) -> &'static [Handed] {
        &[Handed::Incoming, Handed::Role]
    }
}

async fn copy(scene: &Scene, upstream: &Upstream, server: &Server, lock: &RestoreLock) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    let facts = facts(scene).await?;
    refuse_production(stack, upstream, server, &facts).await?;
    let sizes = upstream.table_sizes(&scene.processes).await?;
    let compression = common_compression(scene, upstream).await?;

    scene.handover.role_note.put(RoleNote::write(stack)?).await;
    let role = RestoreRole::begin(server, lock).await?;
    let spec = IncomingSpec {
        odoo_role: stack.database_role()?.to_owned(),
        source: upstream.name().to_owned(),
        locale: facts.locale.clone(),
    };
    let incoming = Incoming::create(server, lock, &role, &spec).await;
    scene.handover.role.put(role).await;
    let incoming = incoming?;
    if *incoming.locale() != facts.locale {
        scene
            .report
            .warn("the server lacks the upstream's locale: texts will sort otherwise than there");
    }
    let outcome = fill(scene, upstream, &incoming, &facts, &sizes, compression).await;
    // Whatever became of it, the run's end must find it.
    scene.handover.incoming.put(incoming).await;
    outcome
}

/// The upstream's database, asked once a run.
pub(super) async fn facts(scene: &Scene) -> Result<DatabaseFacts, ActionError> {
    let ask = async || {
        let upstream = scene.stack()?.upstream()?;
        scene.report.command(upstream.ask(Question::Facts).command());
        Ok(upstream.facts(&scene.processes).await?)
    };
    scene.handover.facts.get_or_try_init(ask).await.cloned()
}

async fn fill(
    scene: &Scene,
    upstream: &Upstream,
    incoming: &Incoming,
    facts: &DatabaseFacts,
    sizes: &[TableSize],
    compression: Compression,
) -> Result<(), ActionError> {
    incoming
        .prepare_extensions(&facts.extensions, facts.unaccent_immutable)
        .await?;
    let stack = scene.stack()?;
    let dump = upstream.pg_dump(compression);
    let restore = stack
        .host
        .command(pg_restore::stream(stack, incoming.name().as_str()))?;
    scene.report.command(dump.command());
    scene.report.command(&restore);
    let progress = Arc::new(CopyProgress::new(scene, sizes));
    let sink = progress.clone().sink();
    let errors = scene.report.sink();
    // In a block of its own: a shutting of the door that is cut off must be gone before the database is parked, for it
    // may hold the hinge.
    let copied = incoming.keep_role_valid(async {
        let (opened, to_be_shut) = oneshot::channel();
        let copying = while_there_is_room(scene, async |processes| {
            let opening = async |beginning| {
                let (beginning, list, door) =
                    pg_restore::open_dump(scene, &processes, incoming, facts, beginning).await?;
                // Who is to shut it does so when it comes back to it, or nobody waits any more.
                drop(opened.send(door));
                Ok::<_, ActionError>((beginning, list))
            };
            processes
                .pipe_behind(dump.command(), &restore, &errors, &sink, opening, |_| {})
                .await
        });
        // The door is shut behind pg_restore: from then on not even a superuser gets in beside it.
        let shut = async {
            let Ok(door) = to_be_shut.await else { return Ok(()) };
            let came = door.wait_for("pg_restore", 1, FIRST_BYTE).await;
            door.close().await.and(came)
        };
        tokio::pin!(copying, shut);
        tokio::select! {
            biased;
            done = &mut copying => done,
            shut = &mut shut => match shut {
                Ok(()) => copying.await,
                Err(error) => Err(error.into()),
            }
        }
    });
    let copied = copied.await;
    let parked = incoming.park().await;
    // What ended the copy tells more than a server that did not survive it.
    let bytes = copied?;
    parked?;
    incoming.set_state(State::Restored).await?;
    scene.report.note(format!(
        "copied {} of database as {} of {compression} stream",
        crate::measure::bytes(facts.size),
        crate::measure::bytes(bytes)
    ));
    Ok(())
}

/// The upstream can never be a target: the live database must not be the one that we copy from.
async fn refuse_production(
    stack: &Stack,
    upstream: &Upstream,
    server: &Server,
    facts: &DatabaseFacts,
) -> Result<(), ActionError> {
    let live = Names::new(stack.database()?)?;
    let session = server.connect_maintenance().await?;
    if crate::postgres::status(&session, live.live()).await?.is_none() {
        return Ok(());
    }
    let session = server.connect(live.live().as_str()).await?;
    let own = DatabaseFacts::of(&session).await?;
    match (&own.uuid, &facts.uuid) {
        (Some(own), Some(theirs)) if own == theirs => Err(ActionError::IsProduction {
            stack: stack.name.clone(),
            upstream: upstream.name().to_owned(),
            database: live.live().as_str().to_owned(),
        }),
        _ => Ok(()),
    }
}

/// The best compression that both sides have, tried with one small table: versions do not tell, builds differ.
async fn common_compression(scene: &Scene, upstream: &Upstream) -> Result<Compression, ActionError> {
    let stack = scene.stack()?;
    let to_nowhere =
        stack
            .host
            .command(compose(stack).args(["exec", "-T", "database", "pg_restore", "--file", "/dev/null"]))?;
    let mut last = None;
    for compression in Compression::PREFERENCE {
        let probe = upstream.probe(compression);
        scene.report.command(probe.command());
        let sink = scene.report.sink();
        match scene
            .processes
            .pipe(probe.command(), &to_nowhere, &sink, &sink, |_| {})
            .await
        {
            Ok(_) => return Ok(compression),
            Err(error) if error.is_cancelled() => return Err(error.into()),
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or(ActionError::Interrupted, ActionError::from))
}

/// Turns what `pg_restore --verbose` says into progress: each table that it begins means that those before are done.
/// Only the screen believes these lines; success is the exit status.
#[derive(Debug)]
struct CopyProgress {
    scene: Scene,
    sizes: std::collections::HashMap<String, u64>,
    total: u64,
    state: std::sync::Mutex<(u64, u64)>,
}

impl CopyProgress {
    fn new(scene: &Scene, sizes: &[TableSize]) -> Self {
        Self {
            scene: scene.clone(),
            sizes: sizes
                .iter()
                .map(|table| (format!("{}.{}", table.schema, table.table), table.bytes))
                .collect(),
            total: sizes.iter().map(|table| table.bytes).sum(),
            state: std::sync::Mutex::new((0, 0)),
        }
    }

    fn sink(self: Arc<Self>) -> Sink {
        let log = self.scene.report.sink();
        Arc::new(move |stream, line| {
            self.hear(line);
            log(stream, line);
        })
    }

    fn hear(&self, line: &str) {
        let begins = |what: &str| line.split_once(what).map(|(_, name)| name.trim_matches('"').to_owned());
        let Ok(mut state) = self.state.lock() else { return };
        let current = if let Some(table) = begins("processing data for table ") {
            *state = (state.0 + state.1, self.sizes.get(&table).copied().unwrap_or(0));
            table
        } else if let Some(index) = begins("creating INDEX ").or_else(|| begins("creating CONSTRAINT ")) {
            *state = (self.total, 0);
            format!("index {index}")
        } else if let Some(key) = begins("creating FK CONSTRAINT ") {
            format!("foreign key {key}")
        } else {
            return;
        };
        let (done, total) = (state.0.min(self.total), Some(self.total).filter(|total| *total > 0));
        self.scene.report.progress(Progress {
            done,
            total,
            unit: Unit::Bytes,
            current,
        });
    }
}
