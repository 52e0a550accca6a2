//! Large tables are read, not asked: their text comes here as one stream and is looked through by a fast matcher.
//!
//! PostgreSQL's regular expressions take some 40 seconds for the texts of a million messages, COPY and a matcher made for
//! this take five. What comes is looked at and dropped row by row; only the places of rows that bear a mark are kept.

use std::collections::HashSet;

use futures_util::{StreamExt, pin_mut};
use regex::bytes::Regex;
use tokio_postgres::GenericClient;
use tokio_postgres::binary_copy::BinaryCopyOutStream;
use tokio_postgres::types::Type;

use super::error::SanitiseError;

/// From this size on, in bytes, a table is read. Smaller ones are cheaper to ask, fifty in one statement.
const LARGE: i64 = 4 * 1024 * 1024;

/// More rows than this are not told apart any more: the whole table is then asked.
const ROWS: usize = 5_000;

/// The tables of the schema `public` that are large, by what they store without indexes.
pub(super) async fn large_tables(client: &impl GenericClient) -> Result<HashSet<String>, SanitiseError> {
    let rows = client
        .query(
            "SELECT relname::text FROM pg_class
              WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_table_size(oid) > $1",
            &[&LARGE],
        )
        .await
        .map_err(SanitiseError::server("measure the tables"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Which rows of a table bear a mark.
pub(super) enum Marked {
    /// None does.
    None,
    /// These do, as a condition on the table; true for as long as no row is changed.
    Rows(String),
    /// Too many to name.
    Many,
}

/// Reads a table's texts and tells which rows bear a mark. `text` is what is read of a row, as SQL.
pub(super) async fn marked_rows(
    client: &impl GenericClient,
    quoted_table: &str,
    text: &str,
    mark: &Regex,
) -> Result<Marked, SanitiseError> {
    let doing = || SanitiseError::server("look for credentials");
    let copy = format!("COPY (SELECT ctid::text, {text} FROM {quoted_table}) TO STDOUT (FORMAT binary)");
    let stream = client.client().copy_out(&copy).await.map_err(doing())?;
    let rows = BinaryCopyOutStream::new(stream, &[Type::TEXT, Type::TEXT]);
    pin_mut!(rows);
    let mut places = Vec::new();
    while let Some(row) = rows.next().await {
        let row = row.map_err(doing())?;
        if places.len() <= ROWS && mark.is_match(row.try_get::<&str>(1).map_err(doing())?.as_bytes()) {
            places.push(row.try_get::<String>(0).map_err(doing())?);
        }
    }
    Ok(match places.len() {
        0 => Marked::None,
        1..=ROWS => Marked::Rows(format!("ctid = ANY ('{{\"{}\"}}'::tid[])", places.join("\",\""))),
        _ => Marked::Many,
    })
}
