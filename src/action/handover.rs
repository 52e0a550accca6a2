//! What actions of one run give each other. The types say in what state things are: what is not verified cannot be
//! activated.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Mutex, OnceCell};

use super::incoming_filestore::FilestorePair;
use super::role_note::RoleNote;
use super::{ActionError, Handed, Report, is_short, reserve};
use crate::event::NewPassword;
use crate::postgres::{DatabaseFacts, Incoming, PostgresError, RestoreLock, RestoreRole, Server};
use crate::sanitise::{self, Sanitised};
use crate::stack::Stack;

/// A place for one thing.
#[derive(Debug)]
pub struct Slot<T>(Mutex<Option<T>>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Slot<T> {
    /// Puts a thing in the place of what was there.
    pub async fn put(&self, thing: T) {
        *self.0.lock().await = Some(thing);
    }

    /// Takes the thing.
    ///
    /// # Errors
    /// [`ActionError::NotHandedOver`] if it is not there: the plan lacks the task that makes it.
    pub async fn take(&self, what: Handed) -> Result<T, ActionError> {
        self.0.lock().await.take().ok_or(ActionError::NotHandedOver(what))
    }

    /// A copy of the thing.
    ///
    /// # Errors
    /// As [`Slot::take`].
    pub async fn get(&self, what: Handed) -> Result<T, ActionError>
    where
        T: Clone,
    {
        self.0.lock().await.clone().ok_or(ActionError::NotHandedOver(what))
    }

    /// Whether the thing is there.
    pub async fn is_there(&self) -> bool {
        self.0.lock().await.is_some()
    }

    /// Takes the thing if it is there.
    pub async fn take_if_there(&self) -> Option<T> {
        self.0.lock().await.take()
    }
}

/// What actions of one run give each other.
#[derive(Debug, Default)]
pub struct Handover {
    /// The stack's database server.
    pub server: Slot<Server>,
    /// The right to restore this stack's database.
    pub lock: Slot<RestoreLock>,
    /// The role that may enter the incoming database.
    pub role: Slot<RestoreRole>,
    /// The note that it may.
    pub(super) role_note: Slot<RoleNote>,
    /// The incoming database, not proven.
    pub incoming: Slot<Incoming>,
    /// The incoming database, proven.
    pub sanitised: Slot<Sanitised<Incoming>>,
    /// What sanitising did, production's names among it, gathered before they were overwritten.
    pub treated: Slot<sanitise::Report>,
    /// The password that sanitising gave the copy's users, or the first start the administrator.
    pub password: Slot<NewPassword>,
    /// What the upstream's database is.
    pub facts: OnceCell<DatabaseFacts>,
    /// The upstream's modules that the image lacks, in a run that goes on without them: compared once, before anything is copied.
    pub(super) not_in_image: OnceCell<Vec<String>>,
    /// Whether there is room for the copy: looked at once, before anything is copied.
    pub(super) room: OnceCell<()>,
    /// The filestores of the stack and this run, from the first file that is brought until the swap begins.
    pub(super) files: Slot<(FilestorePair, Arc<str>)>,
    /// Whether the copy is what serves now.
    live: AtomicBool,
    /// Whether the pair that served before is kept.
    previous: AtomicBool,
    /// Whether that pair is to serve again if what comes after the swap fails.
    auto_rollback: AtomicBool,
}

impl Handover {
    /// The copy serves from here on: its users need their password whatever comes next, and nobody needs the restore role
    /// any more.
    pub async fn went_live(&self, report: &Report) {
        self.live.store(true, Ordering::Relaxed);
        if let Err(error) = self.end_role().await {
            report.warn(format!(
                "the restore role can log in for some minutes, or until the next command ends it: {error}"
            ));
        }
    }

    /// The copy does not serve after all: what served before does.
    pub fn went_back(&self) {
        self.live.store(false, Ordering::Relaxed);
    }

    /// The pair that served before is kept; it is to serve again if what follows fails, or it is not.
    pub fn keep_previous(&self, auto_rollback: bool) {
        self.previous.store(true, Ordering::Relaxed);
        self.auto_rollback.store(auto_rollback, Ordering::Relaxed);
    }

    /// Whether the pair that served before is kept.
    #[must_use]
    pub fn has_previous(&self) -> bool {
        self.previous.load(Ordering::Relaxed)
    }

    /// Whether that pair is to serve again; to the first that asks.
    #[must_use]
    pub fn take_auto_rollback(&self) -> bool {
        self.auto_rollback.swap(false, Ordering::Relaxed)
    }

    /// Whether the copy serves.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live.load(Ordering::Relaxed)
    }

    /// Takes the right to log in from the restore role, if this run gave it.
    ///
    /// # Errors
    /// The server's, and the file system's.
    pub async fn end_role(&self) -> Result<(), ActionError> {
        if let Some(role) = self.role.take_if_there().await {
            role.end().await?;
            if let Some(note) = self.role_note.take_if_there().await {
                note.remove()?;
            }
        }
        Ok(())
    }

    /// Takes the password to be shown once: if the run made one, and it counts already, or the copy that it is for serves or
    /// may serve, whatever failed afterwards.
    pub async fn password_to_tell(&self, is_done: bool, failure: Option<&ActionError>) -> Option<NewPassword> {
        let may_serve = matches!(failure, Some(ActionError::Postgres(PostgresError::SwapUnknown { .. })));
        let tells = is_done || may_serve || self.is_live();
        self.password.take_if_there().await.filter(|new| tells || new.holds)
    }

    /// Leaves things as a run must leave them: the incoming database parked, the restore role without login, the lock
    /// free.
    ///
    /// A copy of a run that failed is of no use to any later run and is removed. After an interruption whoever waits for
    /// the prompt goes first, unless what serves may be short of room.
    ///
    /// # Errors
    /// The server's, and the file system's; the next restore does then what was not done here.
    pub async fn settle(&self, stack: Option<&Stack>, has_failed: bool) -> Result<(), ActionError> {
        let discard = has_failed || stack.is_some_and(is_short);
        let room = match stack {
            Some(stack) if self.room.initialized() => reserve::give_back(stack),
            _ => Ok(()),
        };
        // Files first: where the disk is full, the server may need their room.
        let removed = match self.files.take_if_there().await {
            Some((pair, run)) if discard => pair.discard(&run).await,
            _ => Ok(()),
        };
        let unproven = self.incoming.take_if_there().await;
        let proven = self.sanitised.take_if_there().await.map(Sanitised::into_database);
        let mut result = Ok(());
        if let Some(incoming) = unproven.or(proven) {
            result = incoming.park().await.map_err(ActionError::from);
            if discard && result.is_ok() {
                result = incoming.drop().await.map_err(ActionError::from);
            }
        }
        let ended = self.end_role().await;
        self.lock.take_if_there().await;
        result.and(ended)?;
        room.and(removed)
    }
}
