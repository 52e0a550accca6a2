//! Removes what runs that ended left behind, and says how large each thing was; with `previous`, also the pair that is kept
//! for a rollback. What serves is never touched, nor anything while another run has the stack.
//!
//! It writes no file, so that it works where the disk is full, and begins with what needs no server: PostgreSQL may not
//! start before there is room again. Killed half-way it leaves the rest, for the next one.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};

use super::compose::of_project;
use super::database::{mend_filestore, running_server, start};
use super::incoming_filestore::FilestorePair;
use super::{Action, ActionError, Kind, Outline, Scene, Step, reserve};
use crate::host::Host;
use crate::manifest::{ActionGrammar, ArgumentGrammar, OptionGrammar, OptionKind};
use crate::measure::bytes;
use crate::postgres::server::COME_BACK;
use crate::postgres::{Names, RestoreLock, Server, clean, drop_previous, scan, sizes};
use crate::stack::Change;
use crate::stack::Stack;

/// Removes what ended runs left behind.
#[derive(Debug, Clone)]
pub(super) struct Clear {
    /// Also the pair that is kept for a rollback.
    pub previous: bool,
}

/// `run = { clear = … }`
pub(super) static KIND: Kind = Kind {
    grammar: ActionGrammar {
        key: "clear",
        about: "Removes what ended runs left behind.",
        argument: ArgumentGrammar::Options(&[OptionGrammar {
            key: "previous",
            about: "Whether also what is kept for a rollback goes.",
            kind: OptionKind::Condition,
        }]),
        on_stack: true,
    },
    make: |given| {
        Arc::new(Clear {
            previous: given.holds("previous"),
        })
    },
};

#[async_trait]
impl Action for Clear {
    fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let names = Names::new(stack.database()?)?;
        let pair = FilestorePair::of(stack, &names);
        let any = "<run>";
        let mut steps = vec![
            Step::Note(format!(
                "remove {} and its like, of runs that ended",
                pair.incoming(any)
            )),
            Step::Sql(format!(
                "DROP DATABASE \"{}\" WITH (FORCE); -- and its like, of runs that ended",
                names.incoming(any)?.as_str()
            )),
        ];
        if self.previous {
            steps.push(Step::Sql(format!("DROP DATABASE {} WITH (FORCE);", names.previous())));
            steps.push(Step::Note("remove the previous filestore".into()));
        }
        Ok(steps)
    }

    async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        scene.require_local()?;
        let stack = scene.stack()?;
        let pair = FilestorePair::of(stack, &Names::new(stack.database()?)?);
        let mut freed = clear_files(scene, &pair).await?;
        let server = server(scene).await?;
        drop(server.wait_until_ready(super::database::PATIENCE).await?);
        let lock = RestoreLock::take(&server, stack.database()?, &scene.run).await?;
        freed += clear_databases(scene, &server, &lock).await?;
        mend_filestore(scene, &server, lock.names()).await?;
        super::modules::clear_up(scene).await?;
        if self.previous {
            freed += clear_previous(scene, &server, &lock, &pair).await?;
        }
        scene.report.note(match freed {
            0 => "nothing was left to remove".to_owned(),
            freed => format!("removed {}", bytes(freed)),
        });
        Ok(())
    }

    fn change(&self) -> Change {
        Change::Data
    }
}

/// Makes room before anything is written to a disk that is as good as full: removes what ended runs left, as far as that is
/// possible now. The caller's run has the stack's lock.
pub(super) async fn make_room(scene: &Scene) {
    let Ok(stack) = scene.stack() else { return };
    let Some(names) = stack.database().ok().and_then(|name| Names::new(name).ok()) else {
        return;
    };
    if stack.host != Host::Local {
        return;
    }
    let pair = FilestorePair::of(stack, &names);
    let cleared = async {
        clear_files(scene, &pair).await?;
        // Where the server does not run, whatever starts it looks for databases that were left.
        let Ok(server) = running_server(scene).await else {
            return Ok(());
        };
        drop(server.wait_until_ready(COME_BACK).await?);
        let lock = RestoreLock::take(&server, stack.database()?, &scene.run).await?;
        clear_databases(scene, &server, &lock).await.map(drop)
    };
    if let Err(error) = cleared.await {
        let error: ActionError = error;
        scene.report.warn(format!(
            "the disk is nearly full, and what ended runs left could not be removed: {error}"
        ));
    }
}

/// Removes folders and files that nothing will use. Nothing while a swap is open: then the database says which folder is
/// which, and it is asked later.
async fn clear_files(scene: &Scene, pair: &FilestorePair) -> Result<u64, ActionError> {
    let stack = scene.stack()?;
    reserve::give_back(stack)?;
    let mut freed = 0;
    for path in unfinished_files(stack) {
        freed += size_of(&path);
        scene.report.note(format!("removing {path}, which was never finished"));
        std::fs::remove_file(&path).map_err(|source| ActionError::path("remove", &path, source))?;
    }
    if pair.swap_was_cut_off()? {
        return Ok(freed);
    }
    for left in pair.left_behind()? {
        let path = left.path();
        let size = size_of(&path);
        freed += size;
        scene.report.note(format!(
            "removing {path} ({}), left by a run that was ended",
            bytes(size)
        ));
        pair.remove_left(left).await?;
    }
    Ok(freed)
}

async fn clear_databases(scene: &Scene, server: &Server, lock: &RestoreLock) -> Result<u64, ActionError> {
    let leftovers = scan(server, lock).await?;
    let names: Vec<_> = leftovers.iter().filter_map(|leftover| leftover.database()).collect();
    let sizes = sizes(&*server.connect_maintenance().await?, &names).await?;
    let mut freed = 0;
    for leftover in leftovers {
        let size = leftover
            .database()
            .and_then(|name| sizes.iter().find(|(of, _)| of == name.as_str()))
            .map(|(_, size)| *size);
        let told = size.map_or_else(String::new, |size| format!(", {}", bytes(size)));
        scene
            .report
            .note(format!("removing {leftover}{told}, left by a run that was ended"));
        for told in clean(server, lock, leftover).await? {
            scene.report.warn(told);
        }
        freed += size.unwrap_or(0);
    }
    Ok(freed)
}

/// The database first: without it a rollback refuses, without its files it would pair it with others.
async fn clear_previous(
    scene: &Scene,
    server: &Server,
    lock: &RestoreLock,
    pair: &FilestorePair,
) -> Result<u64, ActionError> {
    let previous = lock.names().previous();
    let mut freed = 0;
    for (name, size) in sizes(&*server.connect_maintenance().await?, &[previous]).await? {
        scene.report.note(format!(
            "removing database {name} ({}), kept for a rollback",
            bytes(size)
        ));
        freed += size;
    }
    for told in drop_previous(server, lock).await? {
        scene.report.warn(told);
    }
    if let Some(path) = pair.previous() {
        let size = size_of(&path);
        scene
            .report
            .note(format!("removing {path} ({}), kept for a rollback", bytes(size)));
        freed += size;
        pair.remove_previous().await?;
    }
    Ok(freed)
}

/// The stack's server; it is started where it does not run, from its container or from what was rendered before.
async fn server(scene: &Scene) -> Result<Server, ActionError> {
    let stack = scene.stack()?;
    if let Ok(server) = running_server(scene).await {
        return Ok(server);
    }
    if scene
        .run_there(of_project(stack).args(["start", "database"]))
        .await
        .is_err()
    {
        scene.run_there(start(stack)).await?;
    }
    running_server(scene).await
}

/// Files under the name that a file has until it is whole. The caller has the stack's lock, so nobody is writing one.
fn unfinished_files(stack: &Stack) -> Vec<Utf8PathBuf> {
    let compose = stack.paths.compose();
    let config = stack.paths.odoo_conf();
    [
        Some(stack.paths.root.as_path()),
        Some(compose.as_path()),
        config.parent(),
    ]
    .into_iter()
    .flatten()
    .flat_map(crate::host::unfinished_files)
    .collect()
}

/// What a file or folder takes of the disk that nothing else has: files with a second name stay.
pub(super) fn size_of(path: &Utf8Path) -> u64 {
    let mut size = 0;
    let mut open = vec![path.to_owned()];
    while let Some(path) = open.pop() {
        let Ok(facts) = path.symlink_metadata() else { continue };
        if facts.is_dir() {
            let entries = path.read_dir_utf8().into_iter().flatten().flatten();
            open.extend(entries.map(camino::Utf8DirEntry::into_path));
        }
        if facts.is_dir() || facts.nlink() == 1 {
            size += facts.blocks() * 512;
        }
    }
    size
}
