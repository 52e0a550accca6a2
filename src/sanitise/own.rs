//! What a copy made since it was verified is its own: sessions, links, users, mail servers and keys of its daily life.
//!
//! A row is the copy's own if three things agree. Odoo says so: `create_date` (or `write_date`) is later than the verification.
//! PostgreSQL says so: the transaction that wrote the row, its `xmin`, began after the verification, so nothing that stood there
//! then can be meant, whatever its dates say. And the row has a number that the copy's own sequence gave. Rows of production that
//! somebody carries over bear production's dates and numbers; a value that is put back into a row that was there keeps that row's
//! `create_date`. `xmin` counts for as long as the stamp does: neither outlives a dump or a copy by template, and a frozen row
//! keeps it.
//!
//! Rows that production made after the copy, carried over with their dates by somebody who moves the sequence too, cannot be
//! told from the copy's own. That is why an audit lists what it takes for that, by table and count.

use super::bindings::Bindings;
use super::catalogue::{Catalogue, Table};
use super::statement::{Parameter, Sql};

/// What makes a row the copy's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Own {
    /// It was made since.
    Made,
    /// It was made or written since, as Odoo writes rows: daily life changes such rows too.
    Written,
    /// The same, and in a table without dates the transaction alone counts.
    Touched,
}

/// When a copy was last verified, as its server tells it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Horizon {
    /// UTC, as PostgreSQL writes times without a zone.
    pub at: String,
    /// The first transaction that had not begun; none in a stamp of an earlier version.
    pub transaction: Option<String>,
}

impl Horizon {
    /// Now.
    pub(super) const QUESTION: &str = "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), \
         pg_snapshot_xmax(pg_current_snapshot())::xid::text";
}

/// The condition that a row is the copy's own; none where no row can be.
pub(super) fn condition(
    own: Own,
    name: &str,
    catalogue: &Catalogue,
    sql: &mut Sql,
    bindings: &Bindings<'_>,
) -> Option<String> {
    let horizon = bindings.own_since()?;
    let table = catalogue.table(name)?;
    let is_dated = is_time(table, "create_date") || is_time(table, "write_date");
    if !is_dated && own != Own::Touched {
        return None;
    }
    let relation = &table.relation;
    let later = horizon.transaction.map(|transaction| {
        let transaction = sql.bind(Parameter::Text(transaction));
        format!("age({relation}.xmin) <= age({transaction}::xid)")
    });
    let since = sql.bind(Parameter::Text(horizon.at));
    let dated = |column: &str| {
        let dated = is_time(table, column).then(|| format!("{relation}.{column} > {since}::timestamp"))?;
        Some(
            [Some(dated), later.clone()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" AND "),
        )
    };
    let made = dated("create_date")
        .zip(table.sequence.as_ref())
        .map(|(dated, sequence)| {
            format!("{dated} AND {relation}.id <= (SELECT last_value FROM {sequence} WHERE is_called)")
        });
    let written = match own {
        Own::Made => None,
        Own::Written => dated("write_date"),
        Own::Touched => dated("write_date").or_else(|| later.clone().filter(|_| !is_time(table, "create_date"))),
    };
    let either: Vec<_> = [made, written].into_iter().flatten().collect();
    (!either.is_empty()).then(|| format!("(({}))", either.join(") OR (")))
}

/// Counts the rows that meet a condition: those of production, and those of the copy's own where there may be any.
pub(super) fn counted(own: Option<&String>) -> String {
    match own {
        Some(own) => format!("count(*) FILTER (WHERE {own} IS NOT TRUE), count(*) FILTER (WHERE {own})"),
        None => "count(*)".to_owned(),
    }
}

fn is_time(table: &Table, column: &str) -> bool {
    let known = table.columns.get(column);
    known.is_some_and(|column| column.sql_type.starts_with("timestamp"))
}
