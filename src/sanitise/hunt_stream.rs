//! Tables are read, not asked: their text comes here as a stream and is looked through by a fast matcher.
//!
//! PostgreSQL's regular expressions take some 40 seconds for the texts of a million messages, COPY and a matcher made for
//! this take five. What comes is looked at and dropped row by row; only the places of rows that bear a mark are kept.

use std::collections::BTreeMap;

use futures_util::{StreamExt, pin_mut};
use regex::bytes::Regex;
use tokio_postgres::GenericClient;
use tokio_postgres::binary_copy::BinaryCopyOutStream;
use tokio_postgres::types::Type;

use super::error::SanitiseError;

/// More rows of one table than this are not told apart any more: the whole table is then asked.
const ROWS: usize = 5_000;

/// The rows of a table that bear a mark.
#[derive(Debug, Default)]
pub(super) struct Marked {
    places: Vec<String>,
}

impl Marked {
    fn add(&mut self, place: String) {
        if self.places.len() <= ROWS {
            self.places.push(place);
        }
    }

    /// A condition on the table that they meet, true for as long as no row is changed; none where they are too many to
    /// name.
    pub(super) fn condition(&self) -> Option<String> {
        (self.places.len() <= ROWS).then(|| format!("ctid = ANY ('{{\"{}\"}}'::tid[])", self.places.join("\",\"")))
    }
}

/// Reads the texts of tables and tells which rows bear a mark. `tables` is what is read of each, in order: its name, quoted,
/// and the text of a row as SQL. The answer is by place in that order; tables without a mark are not in it.
pub(super) async fn marked_rows(
    client: &impl GenericClient,
    tables: &[(String, String)],
    mark: &Regex,
) -> Result<BTreeMap<usize, Marked>, SanitiseError> {
    let doing = || SanitiseError::server("look for credentials");
    let selects = tables.iter().enumerate();
    let selects = selects.map(|(at, (table, text))| format!("SELECT {at}::int, ctid::text, {text} FROM {table}"));
    let selects = selects.collect::<Vec<_>>().join("\nUNION ALL ");
    let copy = format!("COPY ({selects}) TO STDOUT (FORMAT binary)");
    let stream = client.client().copy_out(&copy).await.map_err(doing())?;
    let rows = BinaryCopyOutStream::new(stream, &[Type::INT4, Type::TEXT, Type::TEXT]);
    pin_mut!(rows);
    let mut marked = BTreeMap::<usize, Marked>::new();
    while let Some(row) = rows.next().await {
        let row = row.map_err(doing())?;
        if mark.is_match(row.try_get::<&str>(2).map_err(doing())?.as_bytes()) {
            let at = usize::try_from(row.try_get::<i32>(0).map_err(doing())?).unwrap_or_default();
            marked
                .entry(at)
                .or_default()
                .add(row.try_get::<String>(1).map_err(doing())?);
        }
    }
    Ok(marked)
}
