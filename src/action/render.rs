//! Renders the stack's files: compose overlays, merged variables, `odoo.conf`, and the files that go into the checkout.
//!
//! Everything is rendered before anything is written, and each file replaces its old self in one step: killed half-way
//! it leaves some files new and some old, each of them whole. What opw-task did not write is not replaced.
//! Where the disk is nearly full, what ended runs left behind is removed first.

mod check;

pub use check::Differs;

use std::sync::Arc;

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};

use super::clear::make_room;
use super::in_the_way::{Belongs, Way, WouldOverwrite, way};
use super::room::is_short;
use super::{Action, ActionError, Kind, Outline, Scene, Step, Voice};
use crate::host::{Found, Host, Mode, here};
use crate::manifest::{ActionGrammar, ArgumentGrammar, OptionGrammar, OptionKind};
use crate::render::{Author, File, render};
use crate::stack::Change;
use crate::stack::{Paths, Project, Stack};

/// Renders the stack's files.
#[derive(Debug, Clone)]
pub(super) struct Render {
    /// Whether it writes nothing and fails where a file is not what is rendered.
    check: bool,
    /// Whether it writes nothing and prints what is rendered.
    stdout: bool,
}

/// `run = { render = … }`
pub(super) static KIND: Kind = Kind {
    grammar: ActionGrammar {
        key: "render",
        about: "Renders the stack's files.",
        argument: ArgumentGrammar::Options(&[
            OptionGrammar {
                key: "check",
                about: "Whether nothing is written, and a file that is not what is rendered is a failure.",
                kind: OptionKind::Condition,
            },
            OptionGrammar {
                key: "stdout",
                about: "Whether nothing is written, and what is rendered is printed.",
                kind: OptionKind::Condition,
            },
        ]),
        on_stack: true,
    },
    make: |given| {
        Arc::new(Render {
            check: given.holds("check"),
            stdout: given.holds("stdout"),
        })
    },
};

impl Render {
    /// Whether it writes nothing.
    fn looks(&self) -> bool {
        self.check || self.stdout
    }
}

#[async_trait]
impl Action for Render {
    fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let (stack, project) = (outline.stack()?, outline.project);
        let mut steps = Vec::new();
        for file in render(stack, project)? {
            if self.looks() {
                steps.push(Step::Note(format!(
                    "{} {}",
                    if self.stdout { "prints" } else { "compares" },
                    file.path
                )));
                continue;
            }
            // No host is asked, so only files of the checkout are known.
            if in_checkout(stack, project, &file) {
                let found = here(&file.path).map_err(crate::host::HostError::from)?;
                let is_told = stack.may_take_over(&file.path);
                match way(&file, found.as_ref(), Belongs::Checkout, is_told) {
                    Way::Stop(stop) => steps.push(Step::Note(format!("stops before anything is written: {stop}"))),
                    Way::Keep => steps.push(Step::Note(format!("keeps {} as {0}.kept-RUN", file.path))),
                    Way::Same | Way::Write => {}
                }
            }
            steps.push(Step::File {
                path: file.path,
                mode: file.mode,
            });
        }
        Ok(steps)
    }

    async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        let stack = scene.stack()?;
        let files = files(scene).await?;
        if self.stdout {
            check::print(scene, &files);
        }
        if self.check {
            let found = found(scene, &files).await?;
            return check::compare(scene, &files, found);
        }
        if self.looks() {
            return Ok(());
        }
        let ways = ways(scene, &files).await?;
        if stack.host == Host::Local && is_short(stack) {
            make_room(scene).await;
        }
        if !stack.overlays.is_empty() && !stack.host.exists(&scene.processes, &stack.paths.root).await? {
            stack
                .host
                .create_dir(
                    &scene.processes,
                    &stack.paths.root,
                    Mode(Paths::ROOT_MODE),
                    &scene.report.sink(),
                )
                .await?;
        }
        for (file, way) in files.iter().zip(ways) {
            let in_checkout = in_checkout(stack, &scene.project, file);
            let host = if in_checkout { &Host::Local } else { &stack.host };
            match way {
                Way::Same | Way::Stop(_) => {}
                Way::Write => write(scene, host, file).await?,
                Way::Keep => {
                    let kept = Utf8PathBuf::from(format!("{}.kept-{}", file.path, scene.run));
                    host.keep(&scene.processes, &file.path, &kept, &scene.report.sink())
                        .await?;
                    scene.report.note(format!("kept {} as {kept}", file.path));
                    write(scene, host, file).await?;
                }
            }
            if in_checkout {
                scene
                    .report
                    .note(format!("wrote {}", relative(&file.path, &scene.project.root)));
            }
        }
        Ok(())
    }

    fn change(&self) -> Change {
        match self.looks() {
            true => Change::Nothing,
            false => Change::Containers,
        }
    }

    fn voice(&self) -> Voice {
        match self.looks() {
            true => Voice::Answers,
            false => Voice::Silent,
        }
    }

    fn uses_docker(&self) -> bool {
        false
    }

    fn is_for_any_deployment(&self) -> bool {
        true
    }
}

/// What lies where each of them belongs.
async fn found(scene: &Scene, files: &[File]) -> Result<Vec<Option<Found>>, ActionError> {
    let stack = scene.stack()?;
    let is_checkouts = |file: &&File| in_checkout(stack, &scene.project, file);
    let (ours, theirs): (Vec<&File>, Vec<&File>) = files.iter().partition(is_checkouts);
    let mut here = look(scene, &Host::Local, &ours).await?.into_iter();
    let mut there = look(scene, &stack.host, &theirs).await?.into_iter();
    let one = |file: &File| match in_checkout(stack, &scene.project, file) {
        true => here.next().flatten(),
        false => there.next().flatten(),
    };
    Ok(files.iter().map(one).collect())
}

/// What is done with each file. Nothing is written where one of them may not be.
async fn ways(scene: &Scene, files: &[File]) -> Result<Vec<Way>, ActionError> {
    let stack = scene.stack()?;
    let found = found(scene, files).await?;
    let is_marked = |found: &Option<Found>| {
        found
            .as_ref()
            .is_some_and(|found| matches!(Author::of(&found.text), Author::Ours | Author::Edited))
    };
    let of_checkout = |file: &File| in_checkout(stack, &scene.project, file);
    let marked = files
        .iter()
        .zip(&found)
        .any(|(file, found)| !of_checkout(file) && is_marked(found));
    let mut ways = Vec::with_capacity(files.len());
    for (file, found) in files.iter().zip(found) {
        let is_told = stack.may_take_over(&file.path);
        let belongs = match of_checkout(file) {
            true => Belongs::Checkout,
            false => Belongs::StateRoot { marked },
        };
        ways.push(way(file, found.as_ref(), belongs, is_told));
    }
    let stops = ways.iter().filter_map(|way| match way {
        Way::Stop(file) => Some(file.clone()),
        _ => None,
    });
    let stops: Vec<_> = stops.collect();
    match stops.is_empty() {
        true => Ok(ways),
        false => Err(ActionError::WouldOverwrite(Box::new(WouldOverwrite {
            files: stops,
            command: scene.command.to_string(),
        }))),
    }
}

async fn look(scene: &Scene, host: &Host, files: &[&File]) -> Result<Vec<Option<Found>>, ActionError> {
    let paths: Vec<&Utf8Path> = files.iter().map(|file| file.path.as_path()).collect();
    Ok(host.look(&scene.processes, &paths).await?)
}

async fn write(scene: &Scene, host: &Host, file: &File) -> Result<(), ActionError> {
    if let Some(folder) = file.path.parent()
        && !host.exists(&scene.processes, folder).await?
    {
        host.create_dir(&scene.processes, folder, Mode(0o755), &scene.report.sink())
            .await?;
    }
    let (contents, mode) = (file.contents.as_bytes(), Mode(file.mode));
    host.write_file(&scene.processes, &file.path, contents, mode, &scene.report.sink())
        .await?;
    Ok(())
}

/// Whether a file belongs to the checkout, to whoever works on it here; the rest belongs to the stack's host.
fn in_checkout(stack: &Stack, project: &Project, file: &File) -> bool {
    let mut paths = stack.files.iter().map(|(path, _)| project.root.join(path));
    paths.any(|path| path == file.path)
}

/// Renders on a thread of its own, so that signals are heard meanwhile.
async fn files(scene: &Scene) -> Result<Vec<File>, ActionError> {
    let (done, result) = tokio::sync::oneshot::channel();
    let (stack, project) = (scene.stack()?.clone(), scene.project.clone());
    let thread = std::thread::Builder::new().name("render".into());
    // Nobody listens any more when the run was cancelled; the program does not wait for the thread.
    let started = thread.spawn(move || drop(done.send(render(&stack, &project))));
    started.map_err(|source| ActionError::path("render files for", &scene.project.root, source))?;
    tokio::select! {
        files = result => Ok(files.map_err(|_| ActionError::Broken)??),
        () = scene.processes.cancellation().cancelled() => Err(ActionError::Interrupted),
    }
}

fn relative<'a>(path: &'a Utf8Path, root: &Utf8Path) -> &'a Utf8Path {
    path.strip_prefix(root).unwrap_or(path)
}
