//! Letting the programs of a restore into its database, and nobody after them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::error::PostgresError;
use super::identifier::Identifier;
use super::incoming::Incoming;
use super::role::{self, RESTORE};

/// How often we look whether a program that was let in has logged in.
const LOOK: Duration = Duration::from_millis(50);

/// What the doors of one database hang on: it is open as long as one of them is.
#[derive(Debug, Default)]
pub(super) struct Hinge {
    doors: AtomicU32,
    // Two changes at once to whether logins are allowed would fail with "tuple concurrently updated".
    turn: Mutex<()>,
}

impl Hinge {
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    fn none_open(&self) -> bool {
        self.doors.load(Ordering::Relaxed) == 0
    }
}

/// An open door into an incoming database, for programs that log in as the restore role.
///
/// Close it when they are in: sessions that are in stay in. A door that is dropped without closing leaves logins
/// allowed until the next one closes or the database is parked; the seal stands either way.
#[derive(Debug)]
pub struct Door<'a> {
    incoming: &'a Incoming,
}

impl<'a> Door<'a> {
    pub(super) async fn open(incoming: &'a Incoming) -> Result<Self, PostgresError> {
        let _turn = incoming.hinge.turn().await;
        role::renew(&incoming.admin).await?;
        if incoming.hinge.none_open() {
            incoming.allow_connections(true).await?;
        }
        incoming.hinge.doors.fetch_add(1, Ordering::Relaxed);
        Ok(Self { incoming })
    }

    /// Waits until at least `count` sessions whose `application_name` begins with `application` are in (`pg_restore`
    /// calls itself so; an empty text counts all of the restore role).
    ///
    /// We look 20 times a second: a program that is done sooner may never be seen, so wait for its end beside this, and
    /// take whichever comes first.
    ///
    /// # Errors
    /// [`PostgresError::NobodyCame`] after `limit`.
    pub async fn wait_for(&self, application: &str, count: u32, limit: Duration) -> Result<(), PostgresError> {
        let (admin, name) = (&self.incoming.admin, self.incoming.name());
        let begun = Instant::now();
        let mut look = tokio::time::interval(LOOK);
        loop {
            look.tick().await;
            let row = admin
                .query_one(
                    "SELECT count(*) FROM pg_stat_activity
                      WHERE datname = $1 AND usename = $2 AND starts_with(application_name, $3)",
                    &[&name.as_str(), &RESTORE, &application],
                )
                .await
                .map_err(PostgresError::doing(format!("looking who is in `{}`", name.as_str())))?;
            if row.get::<_, i64>(0) >= i64::from(count) {
                return Ok(());
            }
            if begun.elapsed() >= limit {
                return Err(PostgresError::NobodyCame {
                    database: name.clone(),
                    role: Identifier::ours(RESTORE),
                    waited: limit,
                });
            }
        }
    }

    /// Lets nobody else in, unless another door is open.
    ///
    /// # Errors
    /// [`PostgresError::Statement`].
    pub async fn close(self) -> Result<(), PostgresError> {
        let incoming = self.incoming;
        let _turn = incoming.hinge.turn().await;
        drop(self);
        if incoming.hinge.none_open() {
            incoming.allow_connections(false).await
        } else {
            Ok(())
        }
    }
}

impl Drop for Door<'_> {
    fn drop(&mut self) {
        self.incoming.hinge.doors.fetch_sub(1, Ordering::Relaxed);
    }
}
