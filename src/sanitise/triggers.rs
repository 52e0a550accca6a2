//! Triggers and rules of the copy, disabled while our statements change its rows.
//!
//! They are production's own code, made for production's own writes: an audit trigger would copy a secret into its log in the
//! moment in which it is removed, a rule would turn a statement into another one, and all of it would run with our rights.
//! Foreign keys and deferrable constraints are triggers too, the server's own: they stay, so that every constraint is checked.

use tokio_postgres::{GenericClient, Transaction};

use super::error::SanitiseError;

/// What disables each that is enabled, and what puts it back into the state in which it was (`O`, `R` or `A`).
///
/// Event triggers come first, because the others are disabled by DDL; then parents before partitions, because older servers
/// hand the state of a trigger on to partitions. `ONLY` keeps the newer ones from it. A clone of a trigger on a partition counts
/// as internal before PostgreSQL 15, hence the look at the constraint that a trigger implements.
const ENABLED: &str = "
WITH RECURSIVE depth (relation, level) AS (
  SELECT oid, 0 FROM pg_class WHERE relkind IN ('r', 'p', 'f')
  UNION ALL
  SELECT i.inhrelid, depth.level + 1 FROM depth JOIN pg_inherits i ON i.inhparent = depth.relation),
tables (relation, level, name) AS (
  SELECT c.oid, max(depth.level), format('ALTER TABLE ONLY %I.%I ', n.nspname, c.relname)
  FROM depth JOIN pg_class c ON c.oid = depth.relation JOIN pg_namespace n ON n.oid = c.relnamespace
  GROUP BY c.oid, c.relname, n.nspname),
enabled (level, name, object, was) AS (
  SELECT -1, 'ALTER EVENT TRIGGER ', quote_ident(evtname), evtenabled FROM pg_event_trigger
  UNION ALL
  SELECT tables.level, tables.name, 'TRIGGER ' || quote_ident(t.tgname), t.tgenabled
  FROM pg_trigger t JOIN tables ON tables.relation = t.tgrelid
  WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.oid = t.tgconstraint AND k.contype <> 't')
  UNION ALL
  SELECT tables.level, tables.name, 'RULE ' || quote_ident(r.rulename), r.ev_enabled
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class AND c.relkind IN ('r', 'p') JOIN tables ON tables.relation = c.oid)
SELECT level < 0,
       CASE WHEN level < 0 THEN name || object || ' DISABLE' ELSE name || 'DISABLE ' || object END,
       CASE WHEN level < 0 THEN name || object || ' ENABLE' || verb ELSE name || 'ENABLE' || verb || ' ' || object END
FROM enabled, LATERAL (SELECT CASE was WHEN 'R' THEN ' REPLICA' WHEN 'A' THEN ' ALWAYS' ELSE '' END) v (verb)
WHERE was <> 'D'
ORDER BY level, name, object";

/// What was disabled in a transaction, to be enabled in the same one. If the transaction ends otherwise, nothing was disabled.
#[derive(Debug)]
#[must_use = "what was disabled has to be enabled before the transaction is committed"]
pub(super) struct Disabled {
    tables: Vec<String>,
    events: Vec<String>,
}

/// Disables every trigger, rule and event trigger of the database that is not the server's own.
///
/// # Errors
/// The server's; a table that somebody else has locked is waited for as long as the session's `lock_timeout` says.
pub(super) async fn disable(transaction: &Transaction<'_>) -> Result<Disabled, SanitiseError> {
    let doing = || SanitiseError::server("disable the triggers and rules of the copy");
    // A role may carry `replica`, with which no foreign key is checked. The restore role carries this one.
    let origin =
        "SELECT set_config('session_replication_role', 'origin', true) WHERE current_setting('is_superuser') = 'on'";
    transaction.batch_execute(origin).await.map_err(doing())?;
    let mut disabled = Disabled {
        tables: Vec::new(),
        events: Vec::new(),
    };
    let mut script = Vec::new();
    for row in transaction.query(ENABLED, &[]).await.map_err(doing())? {
        script.push(row.get::<_, String>(1));
        match row.get(0) {
            true => disabled.events.push(row.get(2)),
            false => disabled.tables.push(row.get(2)),
        }
    }
    run(transaction, &script).await.map_err(doing())?;
    Ok(disabled)
}

impl Disabled {
    /// Checks the constraints that were to be checked at the end, and enables what was disabled, each as it was.
    ///
    /// # Errors
    /// A constraint that our statements have violated; the server's.
    pub(super) async fn enable(&self, transaction: &Transaction<'_>) -> Result<(), SanitiseError> {
        transaction
            .batch_execute("SET CONSTRAINTS ALL IMMEDIATE")
            .await
            .map_err(SanitiseError::server("check the deferred constraints"))?;
        let enabling = SanitiseError::server("enable the triggers and rules of the copy again");
        let script = [&self.tables[..], &self.events].concat();
        run(transaction, &script).await.map_err(enabling)
    }
}

async fn run(client: &impl GenericClient, script: &[String]) -> Result<(), tokio_postgres::Error> {
    match script {
        [] => Ok(()),
        _ => client.batch_execute(&script.join(";\n")).await,
    }
}
