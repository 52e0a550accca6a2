//! What actions of one run give each other. The types say in what state things are: what is not verified cannot be
//! activated.

use tokio::sync::Mutex;

use super::ActionError;
use crate::postgres::{Incoming, PostgresError, RestoreLock, RestoreRole, Server};
use crate::sanitise::{Report, Sanitised};
use crate::secret::Secret;

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
    pub async fn take(&self, what: &'static str, task: &'static str) -> Result<T, ActionError> {
        self.0
            .lock()
            .await
            .take()
            .ok_or(ActionError::NotHandedOver { what, task })
    }

    /// A copy of the thing.
    ///
    /// # Errors
    /// As [`Slot::take`].
    pub async fn get(&self, what: &'static str, task: &'static str) -> Result<T, ActionError>
    where
        T: Clone,
    {
        self.0
            .lock()
            .await
            .clone()
            .ok_or(ActionError::NotHandedOver { what, task })
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
    /// The incoming database, not proven.
    pub incoming: Slot<Incoming>,
    /// The incoming database, proven.
    pub sanitised: Slot<Sanitised<Incoming>>,
    /// What sanitising did, production's names among it, gathered before they were overwritten.
    pub treated: Slot<Report>,
    /// The password that sanitising gave the copy's users.
    pub password: Slot<Secret>,
    /// The same, once the copy is live. It is shown once, on the screen, and kept nowhere.
    pub live_password: Slot<Secret>,
}

impl Handover {
    /// Leaves things as a run must leave them that did not come to its end: the incoming database parked, the restore
    /// role without login, the lock free.
    ///
    /// # Errors
    /// The server's; the next restore's recovery does then what was not done here.
    pub async fn settle(&self) -> Result<(), PostgresError> {
        let unproven = self.incoming.take_if_there().await;
        let proven = self.sanitised.take_if_there().await.map(Sanitised::into_database);
        let mut result = Ok(());
        if let Some(incoming) = unproven.or(proven) {
            result = incoming.park().await;
        }
        if let Some(role) = self.role.take_if_there().await {
            result = result.and(role.end().await);
        }
        self.lock.take_if_there().await;
        result
    }
}
