//! Names change hands: one transaction that nobody can race.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use tokio_postgres::NoTls;

use super::error::PostgresError;
use super::identifier::Identifier;
use super::lock::RestoreLock;
use super::server::{COME_BACK, Server};
use super::session::Session;

/// How often sessions that stand in the way are ended.
const SHOO: Duration = Duration::from_millis(100);
/// How long a cancelled transaction may take to say how it ended.
const AFTERMATH: Duration = Duration::from_secs(10);

/// How the transaction begins. The commit must be on disk when we say that it is done, whatever the role's or the server's
/// setting.
pub(super) const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = on";
/// How it ends.
pub(super) const COMMIT: &str = "COMMIT";

/// What an exchange of names cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// From the first statement of the transaction to its commit: so long could nobody log in to the live name.
    pub took: Duration,
    /// How many sessions were ended.
    pub ended: u64,
}

/// Carries out `work`, which renames databases, in one transaction.
///
/// The first rename takes the lock on its database, after which new sessions queue up behind it; a second connection
/// ends the sessions that are still in until the transaction is through (measured: 0.2 s under four clients that
/// reconnect at once). Shutting the live database with `ALLOW_CONNECTIONS false` first would be simpler and is wrong: a
/// crash after that leaves production's stand-in shut.
///
/// `heir` is the database that gets the name `live`. The restore's lock is looked at before the commit. If the
/// connection breaks in the commit, the server is asked how it ended.
///
/// # Errors
/// Those of `work`; [`PostgresError::SwapTimedOut`] after `limit`; [`PostgresError::LockLost`];
/// [`PostgresError::SwapUnknown`].
pub(crate) async fn exchange<W>(
    server: &Server,
    lock: &RestoreLock,
    heir: &Identifier,
    limit: Duration,
    work: W,
) -> Result<Cost, PostgresError>
where
    W: AsyncFnOnce(&Session) -> Result<(), PostgresError>,
{
    let live = lock.names().live();
    let busy = [heir.as_str(), live.as_str()];
    let worker = server.wait_until_ready(COME_BACK).await?;
    let shooer = server.wait_until_ready(COME_BACK).await?;
    let pid = pid(&worker).await?;
    let oid = oid(&worker, heir)
        .await?
        .ok_or_else(|| PostgresError::Missing { database: heir.clone() })?;

    let committing = AtomicBool::new(false);
    let begun = Instant::now();
    let transaction = async {
        worker
            .batch_execute(BEGIN)
            .await
            .map_err(PostgresError::doing("beginning the swap"))?;
        work(&worker).await?;
        lock.still_held_by(&worker).await?;
        committing.store(true, Ordering::Relaxed);
        worker
            .batch_execute(COMMIT)
            .await
            .map_err(PostgresError::doing("committing the swap"))
    };
    tokio::pin!(transaction);
    let deadline = tokio::time::sleep(limit);
    tokio::pin!(deadline);
    let mut shoo = tokio::time::interval(SHOO);
    shoo.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ended = 0;
    let outcome = loop {
        tokio::select! {
            biased;
            outcome = &mut transaction => break outcome,
            () = &mut deadline => {
                let sessions = in_the_way(&shooer, &busy, pid).await.unwrap_or_default();
                // A commit that is under way is not undone by this; then the transaction's own word counts.
                let _too_late = worker.cancel_token().cancel_query(NoTls).await;
                break match tokio::time::timeout(AFTERMATH, &mut transaction).await {
                    Ok(Ok(())) => Ok(()),
                    _ => Err(PostgresError::SwapTimedOut { live: live.clone(), waited: limit, sessions }),
                };
            }
            // If this fails, the transaction cannot get through either, and it is the one to be believed.
            _ = shoo.tick() => ended += end_sessions(&shooer, &busy).await.unwrap_or(0),
        }
    };
    let cost = Cost {
        took: begun.elapsed(),
        ended,
    };
    match outcome {
        Ok(()) => Ok(cost),
        // Before the commit the server rolls back, whatever went wrong.
        Err(error) if !committing.load(Ordering::Relaxed) => Err(error),
        // In it, an error may be all that came back of a commit that was made.
        Err(error) => match is_named(server, oid, live).await {
            Ok(true) => Ok(cost),
            Ok(false) => Err(error),
            Err(source) => Err(PostgresError::SwapUnknown {
                live: live.clone(),
                source: Box::new(source),
            }),
        },
    }
}

async fn pid(session: &Session) -> Result<i32, PostgresError> {
    let row = session.query_one("SELECT pg_backend_pid()", &[]).await;
    Ok(row.map_err(PostgresError::doing("beginning the swap"))?.get(0))
}

/// The identity of a database that stays when its name changes.
async fn oid(session: &Session, name: &Identifier) -> Result<Option<u32>, PostgresError> {
    let row = session
        .query_opt("SELECT oid FROM pg_database WHERE datname = $1", &[&name.as_str()])
        .await
        .map_err(PostgresError::doing(format!("looking for `{}`", name.as_str())))?;
    Ok(row.map(|row| row.get(0)))
}

/// Whether the database has the name now, asked anew from a server that may be coming back.
async fn is_named(server: &Server, database: u32, name: &Identifier) -> Result<bool, PostgresError> {
    let session = server.wait_until_ready(COME_BACK).await?;
    Ok(oid(&session, name).await? == Some(database))
}

/// Ends whatever is in the databases: clients, those that replicate from them, and the server's own workers, such as one
/// that applies a subscription. Autovacuum gives way to a rename by itself.
async fn end_sessions(session: &Session, databases: &[&str]) -> Result<u64, tokio_postgres::Error> {
    session.execute(&end_sessions_of("$1"), &[&databases]).await
}

/// The statement for that; `databases` is an array, or stands for one.
pub(super) fn end_sessions_of(databases: &str) -> String {
    format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = ANY({databases}) AND pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker'"
    )
}

/// Who is in the databases, or holds a lock on one of them from elsewhere. Of a statement only the first word is told:
/// the rest may hold values of rows.
async fn in_the_way(session: &Session, databases: &[&str], worker: i32) -> Result<Vec<String>, tokio_postgres::Error> {
    let rows = session
        .query(
            "SELECT format('%s, server process %s, %s, %s: %s', usename, pid, nullif(application_name, ''),
                           state, upper(substring(query FROM '^[[:space:]]*([A-Za-z]+)')))
               FROM pg_stat_activity
              WHERE pid NOT IN (pg_backend_pid(), $2)
                AND (datname = ANY($1) OR pid IN (
                    SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.objid
                     WHERE l.classid = 'pg_database'::regclass AND l.granted AND d.datname = ANY($1)))",
            &[&databases, &worker],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
