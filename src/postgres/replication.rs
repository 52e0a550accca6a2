//! Logical replication from a database (slots and the clients that read them) and into it (subscriptions).
//!
//! A slot and a subscription belong to a database by its number, so in a swap both stay with what becomes the previous
//! database and work again after a rollback. A client that reads the slot is ended with the other sessions; it finds the
//! new database without its slot. A closed database runs no subscription. Both hold write-ahead log meanwhile, the slot
//! here, the subscription on its publisher, so a person is told.
//!
//! `DROP DATABASE` takes slots along that nobody reads, and refuses a database with a subscription. The publisher may be
//! production: it is never spoken to, and a person is told what is left there.

use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::Client;

use super::error::PostgresError;
use super::identifier::{Identifier, Literal};
use super::lock::RestoreLock;
use super::server::{COME_BACK, Server};

/// How long a client that is ended may take to let go of its slot.
const LET_GO: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(50);

/// A server that does not exist: `DROP SUBSCRIPTION` may try to reach the publisher, and must not.
const NO_PUBLISHER: &str = "host=/nonexistent dbname=none";

#[derive(Debug)]
struct Slot {
    name: String,
    plugin: String,
    /// Bytes of write-ahead log that the server keeps for it.
    keeps: u64,
}

#[derive(Debug)]
struct Subscription {
    name: Identifier,
    slot: Option<String>,
}

/// Tells which slots and subscriptions of the live database a swap takes away from it, each with what it leads to.
///
/// # Errors
/// [`PostgresError::Connect`], [`PostgresError::NotReady`], [`PostgresError::Statement`].
pub async fn staying_behind(server: &Server, lock: &RestoreLock) -> Result<Vec<String>, PostgresError> {
    let session = server.wait_until_ready(COME_BACK).await?;
    let (live, previous) = (lock.names().live(), lock.names().previous().as_str());
    let mut told = Vec::new();
    for Slot { name, plugin, keeps } in slots(&session, live).await? {
        told.push(format!(
            "replication slot `{name}` ({plugin}) stays with `{previous}`: its client gets nothing until there is a slot in \
             the new database or a rollback, and the server keeps write-ahead log for it ({} now); if nobody needs it: \
             SELECT pg_drop_replication_slot({})",
            crate::measure::bytes(keeps),
            Literal(&name)
        ));
    }
    for subscription in subscriptions(&session, live).await? {
        told.push(format!(
            "subscription {} stays with `{previous}` and rests there: its publisher keeps write-ahead log for it until a \
             rollback, or until its slot is dropped there",
            subscription.name
        ));
    }
    Ok(told)
}

/// Takes away from a database what keeps it from being dropped, and tells what that was.
pub(super) async fn let_go(
    server: &Server,
    client: &Client,
    database: &Identifier,
) -> Result<Vec<String>, PostgresError> {
    let mut told = Vec::new();
    let subscriptions = subscriptions(client, database).await?;
    if !subscriptions.is_empty() {
        let dropped = drop_subscriptions(server, client, database, &subscriptions).await;
        let closing = format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false");
        let closed = client.batch_execute(&closing).await;
        dropped?;
        closed.map_err(PostgresError::doing(format!("closing `{}`", database.as_str())))?;
        told.extend(subscriptions.iter().map(|Subscription { name, slot }| match slot {
            Some(slot) => format!(
                "subscription {name} went with `{}`; its slot is still on the publisher, which keeps write-ahead log for it \
                 until somebody there runs: SELECT pg_drop_replication_slot({})",
                database.as_str(),
                Literal(slot)
            ),
            None => format!("subscription {name} went with `{}`", database.as_str()),
        }));
    }
    let slots = slots(client, database).await?;
    if !slots.is_empty() {
        end_clients(client, database).await?;
        let gone = |slot: &Slot| format!("replication slot `{}` went with `{}`", slot.name, database.as_str());
        told.extend(slots.iter().map(gone));
    }
    Ok(told)
}

async fn drop_subscriptions(
    server: &Server,
    client: &Client,
    database: &Identifier,
    subscriptions: &[Subscription],
) -> Result<(), PostgresError> {
    let dropping = || PostgresError::doing(format!("dropping the subscriptions in `{}`", database.as_str()));
    client
        .batch_execute(&format!("ALTER DATABASE {database} ALLOW_CONNECTIONS true"))
        .await
        .map_err(dropping())?;
    let session = server.connect_bare(database.as_str()).await?;
    for Subscription { name, .. } in subscriptions {
        session
            .batch_execute(&format!(
                "ALTER SUBSCRIPTION {name} DISABLE; ALTER SUBSCRIPTION {name} SET (slot_name = NONE);
                 ALTER SUBSCRIPTION {name} CONNECTION {}; DROP SUBSCRIPTION {name}",
                Literal(NO_PUBLISHER)
            ))
            .await
            .map_err(dropping())?;
    }
    Ok(())
}

/// Ends whoever reads a slot of the database, and waits until they have let go: `DROP DATABASE` looks at slots before it
/// ends sessions.
async fn end_clients(client: &Client, database: &Identifier) -> Result<(), PostgresError> {
    let ending = || PostgresError::doing(format!("ending the replication from `{}`", database.as_str()));
    let deadline = Instant::now() + LET_GO;
    let mut look = tokio::time::interval(LOOK);
    loop {
        look.tick().await;
        let active = client
            .query(
                "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
                  WHERE database = $1 AND active_pid IS NOT NULL",
                &[&database.as_str()],
            )
            .await
            .map_err(ending())?;
        // After the deadline DROP DATABASE says itself that the slot is in use.
        if active.is_empty() || Instant::now() >= deadline {
            return Ok(());
        }
    }
}

async fn slots(client: &Client, database: &Identifier) -> Result<Vec<Slot>, PostgresError> {
    let rows = client
        .query(
            "SELECT slot_name::text, coalesce(plugin::text, ''),
                    coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint
               FROM pg_replication_slots WHERE database = $1 ORDER BY slot_name",
            &[&database.as_str()],
        )
        .await
        .map_err(PostgresError::doing("looking for replication slots"))?;
    let slot = |row: &tokio_postgres::Row| Slot {
        name: row.get(0),
        plugin: row.get(1),
        keeps: u64::try_from(row.get::<_, i64>(2)).unwrap_or(0),
    };
    Ok(rows.iter().map(slot).collect())
}

async fn subscriptions(client: &Client, database: &Identifier) -> Result<Vec<Subscription>, PostgresError> {
    let rows = client
        .query(
            "SELECT subname::text, subslotname::text FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
              WHERE d.datname = $1 ORDER BY subname",
            &[&database.as_str()],
        )
        .await
        .map_err(PostgresError::doing("looking for subscriptions"))?;
    let subscription = |row: &tokio_postgres::Row| {
        Ok(Subscription {
            name: Identifier::new(row.get::<_, String>(0))?,
            slot: row.get(1),
        })
    };
    rows.iter().map(subscription).collect()
}
