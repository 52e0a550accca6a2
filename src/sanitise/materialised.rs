//! Materialised views: they keep what tables held when they were last computed, production's values too.

use tokio_postgres::Transaction;

use super::catalogue::{self, Kind, Table};
use super::error::SanitiseError;
use super::finding::{Clue, Finding, Outcome};
use super::statement::Sql;

/// Those that hold data, one that reads another after it. The depth is bounded because views can be made to read each
/// other in a circle, which only fails when they are read.
const IN_ORDER: &str = "
WITH RECURSIVE reads (view, source) AS (
  SELECT DISTINCT r.ev_class, d.refobjid
  FROM pg_rewrite r
  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
  WHERE d.refobjid <> r.ev_class),
depth (view, level) AS (
  SELECT oid, 0 FROM pg_class WHERE relkind = 'm'
  UNION
  SELECT reads.view, depth.level + 1 FROM depth JOIN reads ON reads.source = depth.view WHERE depth.level < 50),
elsewhere (view) AS (
  SELECT oid FROM pg_class WHERE relkind = 'f'
  UNION
  SELECT reads.view FROM elsewhere JOIN reads ON reads.source = elsewhere.view)
SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname,
       c.oid IN (SELECT view FROM elsewhere)
FROM depth JOIN pg_class c ON c.oid = depth.view JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND c.relispopulated
GROUP BY 1, 2 ORDER BY max(level), 1";

/// Computes those anew that hold data and could hold a text. One that cannot be computed is emptied, and reported: what
/// it holds is production's. One that reads a foreign table is emptied too: to compute it would be a call to production.
///
/// All of them, whatever changed: what a view reads through a function is written down nowhere.
pub(super) async fn refresh(transaction: &mut Transaction<'_>) -> Result<Vec<Finding>, SanitiseError> {
    let doing = || SanitiseError::server("compute materialised views anew");
    let mut stale = Vec::new();
    let views = catalogue::materialised_views(transaction).await?;
    if !views.values().any(holds_text) {
        return Ok(stale);
    }
    for row in transaction.query(IN_ORDER, &[]).await.map_err(doing())? {
        let name: String = row.get(0);
        let Some(view) = views.get(&name).filter(|view| holds_text(view)) else {
            continue;
        };
        let reads_elsewhere: bool = row.get(1);
        if !reads_elsewhere && is_computed(transaction, view).await? {
            continue;
        }
        transaction.batch_execute(&emptying(view).text).await.map_err(doing())?;
        stale.push(Finding {
            table: name,
            column: String::new(),
            count: 1,
            clue: Clue::Stale,
            outcome: Outcome::Cleared,
        });
    }
    Ok(stale)
}

async fn is_computed(transaction: &mut Transaction<'_>, view: &Table) -> Result<bool, SanitiseError> {
    let doing = || SanitiseError::server("compute a materialised view anew");
    let attempt = transaction.transaction().await.map_err(doing())?;
    let refresh = format!("REFRESH MATERIALIZED VIEW {}", view.relation);
    if attempt.batch_execute(&refresh).await.is_ok() {
        attempt.commit().await.map_err(doing())?;
        return Ok(true);
    }
    attempt.rollback().await.map_err(doing())?;
    Ok(false)
}

/// What takes everything out of one. Whoever reads it then is told that it has to be computed first.
pub(super) fn emptying(view: &Table) -> Sql {
    Sql {
        text: format!("REFRESH MATERIALIZED VIEW {} WITH NO DATA", view.relation),
        parameters: Vec::new(),
    }
}

fn holds_text(view: &Table) -> bool {
    view.columns.values().any(|column| column.kind != Kind::Other)
}
