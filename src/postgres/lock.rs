//! One restore of a database at a time.

use std::fmt;

use jiff::Timestamp;
use tokio_postgres::Client;

use super::error::PostgresError;
use super::names::{Names, stable_hash};
use super::server::{APPLICATION, Server};
use super::session::Session;

/// A session-level advisory lock. Advisory locks are kept per database (measured), so ours are always taken in the
/// maintenance database, where every run looks for them.
#[derive(Debug)]
pub(crate) struct AdvisoryLock {
    session: Session,
    key: i64,
    pid: i32,
    what: String,
}

impl AdvisoryLock {
    /// Takes the lock on `what` or says who has it.
    ///
    /// # Errors
    /// [`PostgresError::Locked`], and what a login or a statement can raise.
    pub(crate) async fn take(server: &Server, what: String, run: &str) -> Result<Self, PostgresError> {
        let application = format!("{APPLICATION} run {run}");
        let session = server.connect_named(&server.maintenance, &application).await?;
        let key = key(&what);
        let asking = || PostgresError::doing(format!("taking the lock on {what}"));
        let row = session
            .query_one("SELECT pg_try_advisory_lock($1), pg_backend_pid()", &[&key])
            .await
            .map_err(asking())?;
        if !row.get::<_, bool>(0) {
            let holder = holder(&session, key).await.map_err(asking())?;
            return Err(PostgresError::Locked { what, holder });
        }
        Ok(Self {
            session,
            key,
            pid: row.get(1),
            what,
        })
    }

    /// Whether anyone has the lock on `what`.
    ///
    /// # Errors
    /// [`PostgresError::Statement`].
    pub(crate) async fn is_taken(asking: &Client, what: &str) -> Result<bool, PostgresError> {
        let holder = holder(asking, key(what)).await;
        Ok(holder
            .map_err(PostgresError::doing(format!("looking for {what}")))?
            .is_some())
    }

    /// The session that holds the lock.
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// Asks in `asking`'s transaction whether the lock is still held.
    ///
    /// # Errors
    /// [`PostgresError::LockLost`] when it is not.
    pub(crate) async fn still_held(&self, asking: &Client) -> Result<(), PostgresError> {
        match holder(asking, self.key)
            .await
            .map_err(PostgresError::doing("looking at the run's lock"))?
        {
            Some(holder) if holder.pid == self.pid => Ok(()),
            _ => Err(PostgresError::LockLost {
                what: self.what.clone(),
            }),
        }
    }
}

/// Proof that this run, and no other, restores a database. It is held as long as the value lives and the server keeps
/// its session; [`activate`](super::swap::activate) looks again before it commits.
#[derive(Debug)]
pub struct RestoreLock {
    lock: AdvisoryLock,
    names: Names,
    run: String,
}

impl RestoreLock {
    /// Takes the lock on the restore of `live` for `run`.
    ///
    /// # Errors
    /// [`PostgresError::Locked`] when another run has it, and what a login or a statement can raise.
    pub async fn take(server: &Server, live: &str, run: &str) -> Result<Self, PostgresError> {
        let names = Names::new(live)?;
        names.incoming(run)?;
        let lock = AdvisoryLock::take(server, format!("a restore of database `{live}`"), run).await?;
        Ok(Self {
            lock,
            names,
            run: run.to_owned(),
        })
    }

    /// Asks the server whether the lock is still held.
    ///
    /// # Errors
    /// [`PostgresError::LockLost`] when it is not.
    pub async fn still_held(&self) -> Result<(), PostgresError> {
        if self.lock.session().is_closed() {
            return Err(PostgresError::LockLost {
                what: self.lock.what.clone(),
            });
        }
        self.lock.still_held(self.lock.session()).await
    }

    /// The same, asked through another session, in its transaction.
    pub(crate) async fn still_held_by(&self, asking: &Client) -> Result<(), PostgresError> {
        self.lock.still_held(asking).await
    }

    /// The names of the databases that this lock protects.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The run that holds it.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }
}

/// Who holds a lock, from `pg_stat_activity`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The server process.
    pub pid: i32,
    /// Its `application_name`, which names the run.
    pub application: String,
    /// Where it comes from; `local` for a Unix socket. Behind a container's published port this is the bridge.
    pub client: String,
    /// Since when.
    pub since: Timestamp,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pid,
            application,
            client,
            since,
        } = self;
        write!(
            f,
            "held by {application} (server process {pid}) from {client}, logged in since {since:.0}"
        )
    }
}

/// The lock's number: advisory locks have no names.
fn key(what: &str) -> i64 {
    i64::from_ne_bytes(stable_hash(format!("{APPLICATION} {what}").as_bytes()).to_ne_bytes())
}

async fn holder(client: &Client, key: i64) -> Result<Option<Holder>, tokio_postgres::Error> {
    // A 64-bit key stands in two halves, marked by objsubid 1.
    let row = client
        .query_opt(
            "SELECT a.pid, coalesce(a.application_name, ''), coalesce(host(a.client_addr), 'local'),
                    extract(epoch FROM a.backend_start)::bigint
               FROM pg_locks l JOIN pg_stat_activity a USING (pid)
              WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND (l.classid::bigint << 32) | l.objid::bigint = $1",
            &[&key],
        )
        .await?;
    Ok(row.map(|row| Holder {
        pid: row.get(0),
        application: row.get(1),
        client: row.get(2),
        since: Timestamp::from_second(row.get(3)).unwrap_or_default(),
    }))
}
