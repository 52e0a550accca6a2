//! A note that the restore role may log in: whoever comes after a run that was killed takes that right away.
//!
//! It lies in the state root, where code in the web's containers cannot write, from before the role is let in until it was
//! locked out. Without it no command would have to ask the server whether there is anything to do.

use std::io::ErrorKind;

use camino::Utf8PathBuf;

use super::database::{PATIENCE, running_server};
use super::{ActionError, Scene, modules};
use crate::host::Host;
use crate::postgres::{PostgresError, RestoreLock, close, scan};
use crate::stack::Stack;

/// The note of a run that lives.
#[derive(Debug)]
pub(super) struct RoleNote(Utf8PathBuf);

impl RoleNote {
    /// Writes the note.
    pub(super) fn write(stack: &Stack) -> Result<Self, ActionError> {
        let path = path(stack);
        std::fs::write(&path, "").map_err(|source| ActionError::path("write", &path, source))?;
        Ok(Self(path))
    }

    /// Removes the note: the role is locked out.
    pub(super) fn remove(self) -> Result<(), ActionError> {
        match std::fs::remove_file(&self.0) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(ActionError::path("remove", &self.0, error)),
            _ => Ok(()),
        }
    }
}

/// Whether a run let the restore role in and did not lock it out again, as far as the note tells; that run may still be at
/// work.
#[must_use]
pub(super) fn role_was_left_in(stack: &Stack) -> bool {
    stack.host == Host::Local && path(stack).exists()
}

/// Locks the restore role out that a killed run left, closes its database to logins, and removes the container and the file
/// with the role's password. The copy itself stays, for the next restore or `clear`. The caller knows that no run of this
/// stack is at work.
///
/// Where the database's server does not run, nobody can log in: the note then stays for the next one.
///
/// # Errors
/// Those of the database's server and of Docker; the note then stays for the next one.
pub(super) async fn lock_role_out(scene: &Scene) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    if !role_was_left_in(stack) {
        return Ok(());
    }
    modules::clear_up(scene).await?;
    let Ok(server) = running_server(scene).await else {
        return Ok(());
    };
    drop(server.wait_until_ready(PATIENCE).await?);
    let lock = match RestoreLock::take(&server, stack.database()?, &scene.run).await {
        Ok(lock) => lock,
        // A restore from another machine or state root is at work, and has cleared up itself.
        Err(PostgresError::Locked { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for leftover in scan(&server, &lock).await? {
        close(&server, &lock, &leftover).await?;
        scene.report.warn(format!(
            "{leftover} was left by a run that was ended; nobody can log in any more"
        ));
    }
    RoleNote(path(stack)).remove()
}

fn path(stack: &Stack) -> Utf8PathBuf {
    stack.paths.root.join(".opw-task.role")
}
