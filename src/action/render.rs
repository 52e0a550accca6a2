//! Renders the stack's files: compose overlays, merged variables, `odoo.conf`, and the files that go into the checkout.
//!
//! Everything is rendered before anything is written, and each file replaces its old self in one step: killed half-way
//! it leaves some files new and some old, each of them whole.

use camino::Utf8Path;

use super::{ActionError, Outline, Scene, Step};
use crate::host::{Host, Mode};
use crate::render::{File, render};
use crate::stack::Paths;

/// Renders the stack's files.
#[derive(Debug, Clone)]
pub struct Render;

impl Render {
    pub(super) fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let files = render(outline.stack()?, outline.project)?;
        Ok(files
            .into_iter()
            .map(|file| Step::File {
                path: file.path,
                mode: file.mode,
            })
            .collect())
    }

    pub(super) async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        let stack = scene.stack()?;
        let files = files(scene).await?;
        if !stack.overlays.is_empty() {
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
        for file in files {
            // Files of the checkout belong to whoever works on it here; the rest to the stack's host.
            let in_checkout = stack
                .files
                .iter()
                .any(|(path, _)| scene.project.root.join(path) == file.path);
            let host = if in_checkout { &Host::Local } else { &stack.host };
            if let Some(folder) = file.path.parent()
                && !host.exists(&scene.processes, folder).await?
            {
                host.create_dir(&scene.processes, folder, Mode(0o755), &scene.report.sink())
                    .await?;
            }
            host.write_file(
                &scene.processes,
                &file.path,
                file.contents.as_bytes(),
                Mode(file.mode),
                &scene.report.sink(),
            )
            .await?;
            if in_checkout {
                scene
                    .report
                    .note(format!("wrote {}", relative(&file.path, &scene.project.root)));
            }
        }
        Ok(())
    }
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
