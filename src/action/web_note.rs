//! A note that the web is down for a swap: whoever comes after a run that was killed starts it again.
//!
//! It lies in the state root, where code in the web's containers cannot write, from before the web is stopped until it was
//! started again.

use std::io::ErrorKind;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::database::{finish_swap, lock_running_server};
use super::web::Web;
use super::{ActionError, Scene};
use crate::host::Host;
use crate::postgres::status;
use crate::stack::Stack;

/// What a run says of the web before it stops it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WebNote {
    /// The run whose copy the swap puts in place; that of a rollback brings no copy.
    run: String,
    web: Web,
}

impl WebNote {
    /// Writes the note.
    pub(super) fn write(scene: &Scene, web: &Web) -> Result<(), ActionError> {
        let path = path(scene.stack()?);
        let note = Self {
            run: scene.run.to_string(),
            web: web.clone(),
        };
        let text = serde_json::to_vec(&note).map_err(ActionError::Answer)?;
        let new = path.with_extension("new");
        std::fs::write(&new, text)
            .and_then(|()| std::fs::rename(&new, &path))
            .map_err(|source| ActionError::path("write", &path, source))
    }

    /// Removes the note: the web serves, or whoever wanted it down has what it needs.
    pub(super) fn remove(scene: &Scene) -> Result<(), ActionError> {
        let path = path(scene.stack()?);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(ActionError::path("remove", &path, error)),
            _ => Ok(()),
        }
    }

    /// The note that a run left behind. One that cannot be read says nothing of containers.
    fn left(stack: &Stack) -> Result<Option<Self>, ActionError> {
        let path = path(stack);
        match std::fs::read(&path) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text).unwrap_or_else(|_| Self {
                run: String::new(),
                web: Web::default(),
            }))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ActionError::path("read", &path, source)),
        }
    }
}

/// Whether a run stopped this stack's web for a swap and did not start it again, as far as the note tells; that run may
/// still be at work.
#[must_use]
pub(super) fn web_was_left_down(stack: &Stack) -> bool {
    stack.host == Host::Local && path(stack).exists()
}

/// Starts the web that a run stopped for a swap and was killed before it started it again: the containers that belong to
/// the database that is live now, once the files belong to it too. The caller knows that no run is at work.
///
/// # Errors
/// Those of the database's server and of Docker; the note then stays for the next run.
pub(super) async fn bring_web_back(scene: &Scene) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    let Some(note) = WebNote::left(stack)? else {
        return Ok(());
    };
    finish_swap(scene).await?;
    let web = note.web.that_are_there(scene).await?;
    if web.is_any() {
        // Docker may still be at what the run had told it to do, and would end what is started now.
        web.stop(scene).await?;
        let (server, lock) = lock_running_server(scene).await?;
        let session = server.connect_maintenance().await?;
        let live = status(&session, lock.names().live()).await?;
        let run = live.and_then(|status| status.comment.marker).map(|marker| marker.run);
        if run.as_deref() == Some(note.run.as_str()) {
            web.start_next(scene).await?;
            web.retire(scene).await?;
        } else {
            web.start_again(scene).await?;
        }
        scene
            .report
            .warn("web was down: a run was ended between stopping and starting it; it is started again");
    }
    WebNote::remove(scene)
}

fn path(stack: &Stack) -> Utf8PathBuf {
    stack.paths.root.join(".opw-task.web")
}
