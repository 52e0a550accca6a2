//! The moment in which a verified database becomes the live one, and the way back.

use std::time::Duration;

use super::error::PostgresError;
use super::exchange::{Cost, exchange};
use super::identifier::Identifier;
use super::incoming::Incoming;
use super::inheritance;
use super::lock::RestoreLock;
use super::marker::{Marker, State};
use super::names::Names;
use super::recover::drop_database;
use super::seal;
use super::server::{COME_BACK, Server};
use super::session::Session;
use super::status::{Status, status};
use super::swap_script;

pub(crate) mod sealed {
    /// Only this crate can say that a database is verified.
    pub trait Sealed {}
}

/// Proof that an incoming database is sanitised and verified. Nothing else can be activated.
///
/// The trait is sealed: outside of this crate nobody can implement it, and inside it is implemented by the one type
/// whose only constructor is the verification of `sanitise`.
pub trait Verified: sealed::Sealed {
    /// Gives the database away for the swap.
    fn into_incoming(self) -> Incoming;
}

/// What an activation did.
#[derive(Debug)]
pub struct Activated {
    /// The live name, which now is the verified database.
    pub live: Identifier,
    /// Where the database that served before is kept; none if there was none.
    pub previous: Option<Identifier>,
    /// What the swap cost those who were connected.
    pub cost: Cost,
    /// What went with the former previous database: slots and subscriptions.
    pub dropped_too: Vec<String>,
    /// The former previous database where it could not be dropped after the swap; the next run cleans it up.
    pub not_dropped: Option<PostgresError>,
}

/// Makes a verified database the live one, in one transaction: whoever is killed when, either all of this happened or
/// none of it.
///
/// - the live database becomes the previous one: no connections, a template (so that no cron worker finds it and no
///   `DROP` hits it), marked `previous`; an older previous one makes room and is dropped after the commit;
/// - the verified one gets the live name, Odoo's role as owner, grants, settings, connection limit and people's comment
///   of its predecessor, and is opened: no template, connections allowed, seal off.
///
/// Sessions in the live database are ended. It works the same where there is no live database yet.
///
/// # Errors
/// [`PostgresError::NotOurs`] when something unmarked stands under the previous name; [`PostgresError::SwapTimedOut`],
/// [`PostgresError::LockLost`], [`PostgresError::SwapUnknown`], [`PostgresError::Statement`]. After each of them but
/// `SwapUnknown` the old names stand.
pub async fn activate<V: Verified>(
    server: &Server,
    lock: &RestoreLock,
    verified: V,
    limit: Duration,
) -> Result<Activated, PostgresError> {
    let incoming = verified.into_incoming();
    incoming.park().await?;
    let names = lock.names();
    let (live, previous) = (names.live(), names.previous());
    let retired = names.retired(lock.run())?;

    let session = server.wait_until_ready(COME_BACK).await?;
    let served = status(&session, live).await?;
    let older = status(&session, previous).await?;
    if let Some(older) = &older {
        must_be_previous(previous, older)?;
    }
    let live_mark = match status(&session, incoming.name()).await? {
        Some(verified) => verified.marker_now(State::Live),
        None => Marker::now(State::Live, incoming.run(), incoming.source()),
    };

    let cost = exchange(server, lock, incoming.name(), limit, async |session| {
        let renaming = || PostgresError::doing(format!("swapping `{}`", live.as_str()));
        if let Some(older) = &older {
            let comment = older.comment.marked(older.marker_now(State::Retired));
            let sql = swap_script::retire(previous, &retired, &comment);
            session.batch_execute(&sql).await.map_err(renaming())?;
        }
        if served.is_some() {
            let sql = swap_script::step_down(live, previous);
            session.batch_execute(&sql).await.map_err(renaming())?;
        }
        let sql = swap_script::take_name(incoming.name(), live);
        session.batch_execute(&sql).await.map_err(renaming())?;

        let unseal = seal::unseal(session, live).await.map_err(renaming())?;
        let inherit = match &served {
            Some(_) => inheritance::inherit(session, previous, live).await?,
            None => inheritance::defaults(live),
        };
        let people = served.as_ref().map(|status| status.comment.clone()).unwrap_or_default();
        let comment = people.marked(live_mark.clone());
        let mut sql = swap_script::succeed(live, incoming.odoo_role(), &unseal, &inherit, &comment);
        if let Some(served) = &served {
            let comment = served.comment.marked(served.marker_now(State::Previous));
            sql += &swap_script::close(previous, &comment);
        }
        session.batch_execute(&sql).await.map_err(renaming())
    })
    .await?;

    let (dropped_too, not_dropped) = match older {
        Some(_) => match drop_database(server, &session, &retired).await {
            Ok(told) => (told, None),
            Err(error) => (Vec::new(), Some(error)),
        },
        None => (Vec::new(), None),
    };
    Ok(Activated {
        live: live.clone(),
        previous: served.map(|_| previous.clone()),
        cost,
        dropped_too,
        not_dropped,
    })
}

/// Swaps the live and the previous database back, in one transaction. What was live is kept as the previous one, so a
/// second rollback undoes the first.
///
/// # Errors
/// [`PostgresError::NoPrevious`] when there is none, [`PostgresError::NotOurs`] when it is not marked as such; else as
/// [`activate`].
pub async fn rollback(server: &Server, lock: &RestoreLock, limit: Duration) -> Result<Cost, PostgresError> {
    let names = lock.names();
    let (live, previous) = (names.live(), names.previous());
    let aside = names.retired(lock.run())?;
    let session = server.wait_until_ready(COME_BACK).await?;
    let served = status(&session, live).await?;
    let kept = kept(&session, names).await?;

    exchange(server, lock, previous, limit, async |session| {
        let kept = kept.comment.marked(kept.marker_now(State::Live));
        let served = served.map(|served| served.comment.marked(served.marker_now(State::Previous)));
        let sql = swap_script::go_back(names, &aside, served.as_ref(), &kept);
        session
            .batch_execute(&sql)
            .await
            .map_err(PostgresError::doing(format!("rolling `{}` back", live.as_str())))
    })
    .await
}

/// Undoes an activation whose files could not follow: what served before serves again, and the copy is dropped. There is
/// nothing to roll back to after it, for the older previous database went with the activation. Returns why the copy could
/// not be dropped, where it could not: then it stands as the previous database.
///
/// # Errors
/// As [`rollback`].
pub async fn undo(
    server: &Server,
    lock: &RestoreLock,
    limit: Duration,
) -> Result<Option<PostgresError>, PostgresError> {
    rollback(server, lock, limit).await?;
    let dropped = match server.wait_until_ready(COME_BACK).await {
        Ok(session) => drop_database(server, &session, lock.names().previous()).await,
        Err(error) => Err(error),
    };
    Ok(dropped.err())
}

/// Drops what is kept for a rollback, if there is any, and tells what else went with it.
///
/// # Errors
/// [`PostgresError::NotOurs`] where it is not marked as such, [`PostgresError::LockLost`], and what dropping can raise.
pub async fn drop_previous(server: &Server, lock: &RestoreLock) -> Result<Vec<String>, PostgresError> {
    let previous = lock.names().previous();
    let session = server.connect_maintenance().await?;
    let Some(kept) = status(&session, previous).await? else {
        return Ok(Vec::new());
    };
    // The rest of a drop that was cut off keeps its mark.
    must_be_previous(previous, &kept)?;
    lock.still_held().await?;
    drop_database(server, &session, previous).await
}

/// Refuses where there is nothing to roll back to, for those who would stop what serves before they ask.
///
/// # Errors
/// [`PostgresError::NoPrevious`], [`PostgresError::NotOurs`], [`PostgresError::Connect`].
pub async fn can_roll_back(server: &Server, lock: &RestoreLock) -> Result<(), PostgresError> {
    let session = server.wait_until_ready(COME_BACK).await?;
    kept(&session, lock.names()).await.map(drop)
}

/// What is kept for a rollback.
async fn kept(session: &Session, names: &Names) -> Result<Status, PostgresError> {
    let kept = status(session, names.previous()).await?;
    let kept = kept.ok_or_else(|| PostgresError::NoPrevious {
        live: names.live().clone(),
        previous: names.previous().clone(),
    })?;
    must_be_previous(names.previous(), &kept)?;
    Ok(kept)
}

fn must_be_previous(name: &Identifier, found: &Status) -> Result<(), PostgresError> {
    if found.comment.state() == Some(State::Previous) {
        return Ok(());
    }
    Err(PostgresError::NotOurs {
        database: name.clone(),
        why: "it stands where the previous database is kept, and is not marked as such".to_owned(),
        comment: Some(found.comment.to_string()).filter(|text| !text.is_empty()),
    })
}
