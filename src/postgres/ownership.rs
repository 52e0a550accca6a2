//! Handing everything in a restored database over to the role that Odoo logs in as.

use super::error::PostgresError;
use super::identifier::Identifier;
use super::role::RESTORE;
use super::session::Session;

/// How many relations change hands in one transaction. Each takes a lock on itself, its indexes and its sequences, and
/// a server with stock settings has room for about 6,400 locks (`max_locks_per_transaction` times connections).
const BATCH: usize = 200;

/// Gives what the restore role owns in the session's database to `heir`.
///
/// Relations go first and in batches: `REASSIGN OWNED` alone would lock a whole database at once, which a big Odoo with
/// its thousands of indexes may not fit into. It takes the rest: schemas, types, functions, extensions.
///
/// # Errors
/// [`PostgresError::StillOwned`] when something is left; [`PostgresError::Statement`].
pub(super) async fn hand_over(
    session: &Session,
    database: &Identifier,
    heir: &Identifier,
) -> Result<(), PostgresError> {
    let doing = || PostgresError::doing(format!("handing the objects over to `{}`", heir.as_str()));
    // A sequence that belongs to a column follows its table, and cannot go alone.
    let rows = session
        .query(
            "SELECT format('ALTER TABLE %I.%I OWNER TO ', n.nspname, c.relname)
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relowner = (SELECT oid FROM pg_roles WHERE rolname = $1)
                AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
                AND NOT EXISTS (
                    SELECT FROM pg_depend d
                     WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid
                       AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))",
            &[&RESTORE],
        )
        .await
        .map_err(doing())?;
    for batch in rows.chunks(BATCH) {
        let sql: String = batch
            .iter()
            .map(|row| format!("{}{heir};", row.get::<_, &str>(0)))
            .collect();
        session.batch_execute(&sql).await.map_err(doing())?;
    }
    session
        .batch_execute(&format!(
            "REASSIGN OWNED BY {RESTORE} TO {heir}; REVOKE ALL ON SCHEMA public FROM {RESTORE}"
        ))
        .await
        .map_err(doing())?;
    let row = session
        .query_one(
            "SELECT count(*) FROM pg_shdepend
              WHERE deptype = 'o' AND refclassid = 'pg_authid'::regclass
                AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = $1)
                AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
            &[&RESTORE],
        )
        .await
        .map_err(doing())?;
    match row.get(0) {
        0 => Ok(()),
        count => Err(PostgresError::StillOwned {
            database: database.clone(),
            role: Identifier::ours(RESTORE),
            count,
        }),
    }
}
