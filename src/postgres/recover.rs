//! What earlier runs left behind when they were killed, and how it is cleaned up.
//!
//! A run can die at any instant; the server goes on with what it was doing (a `CREATE DATABASE` is finished after its
//! client is dead, measured). So nothing is assumed: each run looks anew, under the restore's lock.

use std::fmt;

use jiff::Timestamp;
use tokio_postgres::Client;

use super::error::PostgresError;
use super::identifier::Identifier;
use super::incoming;
use super::lock::RestoreLock;
use super::marker::{Comment, State};
use super::replication;
use super::role::{self, KEEPER, RESTORE};
use super::server::Server;

/// Something an earlier run left behind. Only [`scan`] makes these: what it does not recognise as ours, it does not
/// return, and nobody can have it dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Database {
        name: Identifier,
        state: Option<State>,
        since: Option<Timestamp>,
        half_dropped: bool,
    },
    Role,
}

impl Leftover {
    /// The database, unless it is the restore role.
    #[must_use]
    pub fn database(&self) -> Option<&Identifier> {
        match &self.0 {
            Kind::Database { name, .. } => Some(name),
            Kind::Role => None,
        }
    }
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Role => write!(f, "role {RESTORE} that can still log in"),
            Kind::Database {
                name,
                half_dropped: true,
                ..
            } => write!(f, "half dropped database {}", name.as_str()),
            Kind::Database { name, state, since, .. } => {
                write!(f, "database {}", name.as_str())?;
                match (state, since) {
                    (Some(state), Some(since)) => write!(f, " ({state} since {since:.0})"),
                    _ => f.write_str(" (just made)"),
                }
            }
        }
    }
}

/// Looks for what other runs left of restores of this database: incoming and retired databases, also half dropped ones,
/// and a restore role that can log in although no run holds it.
///
/// # Errors
/// [`PostgresError::Connect`], [`PostgresError::Statement`].
pub async fn scan(server: &Server, lock: &RestoreLock) -> Result<Vec<Leftover>, PostgresError> {
    let session = server.connect_maintenance().await?;
    let scanning = || PostgresError::doing("looking for what earlier runs left behind");
    let own = lock.names().incoming(lock.run())?;
    let rows = session
        .query(
            "SELECT datname::text, datconnlimit = -2, pg_get_userbyid(datdba) = $3,
                    shobj_description(oid, 'pg_database')
               FROM pg_database
              WHERE (starts_with(datname::text, $1) OR starts_with(datname::text, $2)) AND datname <> $4
              ORDER BY datname",
            &[
                &lock.names().incoming_prefix(),
                &lock.names().retired_prefix(),
                &KEEPER,
                &own.as_str(),
            ],
        )
        .await
        .map_err(scanning())?;
    let mut leftovers = Vec::new();
    for row in rows {
        let comment = Comment::parse(row.get(3));
        let keepers: bool = row.get(2);
        // A database that was killed before its mark was written is known by its owner.
        if keepers || comment.state().is_some_and(is_passing) {
            leftovers.push(Leftover(Kind::Database {
                name: Identifier::new(row.get::<_, String>(0))?,
                state: comment.state(),
                since: comment.marker.map(|marker| marker.since),
                half_dropped: row.get(1),
            }));
        }
    }
    let role = session
        .query_opt(
            "SELECT FROM pg_roles WHERE rolname = $1 AND (rolcanlogin OR rolsuper)",
            &[&RESTORE],
        )
        .await
        .map_err(scanning())?;
    if role.is_some() && !role::in_use(&session).await? {
        leftovers.push(Leftover(Kind::Role));
    }
    Ok(leftovers)
}

/// States that no database stays in when no run is at work.
fn is_passing(state: State) -> bool {
    !matches!(state, State::Live | State::Previous)
}

/// Closes what [`scan`] found and removes nothing: no program logs in any more, neither to the database nor as the role.
///
/// # Errors
/// As [`clean`].
pub async fn close(server: &Server, lock: &RestoreLock, leftover: &Leftover) -> Result<(), PostgresError> {
    lock.still_held().await?;
    match &leftover.0 {
        // Nobody can log in to it, and it cannot be altered.
        Kind::Database { half_dropped: true, .. } => Ok(()),
        Kind::Database { name, .. } => incoming::shut(&server.connect_maintenance().await?, name).await,
        Kind::Role => role::lock_out_unless_in_use(server, lock).await,
    }
}

/// Removes what [`scan`] found: drops a database with whatever is connected to it, locks the role out. The lock is
/// the proof that no other run is at work on it. Tells what else went with it.
///
/// # Errors
/// [`PostgresError::LockLost`], [`PostgresError::Connect`], [`PostgresError::Statement`].
pub async fn clean(server: &Server, lock: &RestoreLock, leftover: Leftover) -> Result<Vec<String>, PostgresError> {
    lock.still_held().await?;
    match leftover.0 {
        Kind::Database { name, .. } => drop_database(server, &*server.connect_maintenance().await?, &name).await,
        Kind::Role => role::lock_out_unless_in_use(server, lock).await.map(|()| Vec::new()),
    }
}

/// Drops a database with its template flag, its sessions, and its slots and subscriptions, which are told. The caller knows
/// that it is ours.
pub(crate) async fn drop_database(
    server: &Server,
    client: &Client,
    name: &Identifier,
) -> Result<Vec<String>, PostgresError> {
    let dropping = || PostgresError::doing(format!("dropping database `{}`", name.as_str()));
    // One that is half dropped cannot be altered any more, and is no template: DROP refuses those first.
    let template = client
        .query_opt(
            "SELECT FROM pg_database WHERE datname = $1 AND datistemplate",
            &[&name.as_str()],
        )
        .await
        .map_err(dropping())?;
    if template.is_some() {
        client
            .batch_execute(&format!("ALTER DATABASE {name} IS_TEMPLATE false"))
            .await
            .map_err(dropping())?;
    }
    let told = replication::let_go(server, client, name).await?;
    client
        .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        .await
        .map_err(dropping())?;
    Ok(told)
}
