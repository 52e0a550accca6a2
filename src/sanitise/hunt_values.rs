//! The hunt for values that look like a credential, in whatever column they stand.

use postgres_protocol::escape::{escape_identifier, escape_literal};
use tokio_postgres::GenericClient;

use super::catalogue::{Catalogue, Column, Kind, Table};
use super::error::SanitiseError;
use super::finding::Clue;
use super::format::{self, Format};
use super::hunt::{self, Trace};
use super::hunt_stream;
use super::statement::Sql;

/// Tables read in one statement: few enough to plan quickly, many enough that a distant server does not matter.
const TABLES_AT_ONCE: usize = 50;

/// A function takes 100 arguments.
const ARGUMENTS: usize = 90;

/// A row of an answer has room for some 1,600 columns.
const COUNTS: usize = 1_000;

/// What modules install and nobody types into: names, labels, versions.
const METADATA: [&str; 4] = [
    "ir_model_data",
    "ir_model_constraint",
    "ir_model_fields_selection",
    "ir_module_module",
];

/// Columns that hold text of some kind, and how it is read.
fn readable(table: &Table) -> impl Iterator<Item = (&str, &Column, String)> {
    table
        .columns
        .iter()
        .filter(|(_, column)| column.kind != Kind::Other && !column.selection && !column.generated)
        .map(|(name, column)| {
            let quoted = escape_identifier(name);
            let text = match column.kind {
                Kind::Bytes => format!("encode({quoted}, 'escape')"),
                Kind::Json => format!("{quoted}::text"),
                Kind::Text | Kind::Other => quoted,
            };
            (name.as_str(), column, text)
        })
}

/// Looks through every text, jsonb and bytea column.
pub(super) async fn run(client: &impl GenericClient, catalogue: &Catalogue) -> Result<Vec<Trace>, SanitiseError> {
    let formats = format::formats()?;
    let mark = format::any_mark_here(&formats)?;
    let partitioned = hunt_stream::partitioned_tables(client).await?;
    let (partitioned, plain): (Vec<_>, Vec<_>) = catalogue
        .tables()
        .filter(|(name, table)| !METADATA.contains(name) && readable(table).next().is_some())
        .partition(|(name, _)| partitioned.contains(*name));
    let mut traces = Vec::new();
    let asked = |table: &Table| bears(table, &format::any_mark(&formats));
    for (name, table) in partitioned {
        traces.extend(look_closely(client, name, table, &formats, &asked(table)).await?);
    }
    for batch in plain.chunks(TABLES_AT_ONCE) {
        let read: Vec<_> = batch
            .iter()
            .map(|(name, table)| (escape_identifier(name), row_text(table)))
            .collect();
        for (at, marked) in hunt_stream::marked_rows(client, &read, &mark).await? {
            if let Some((name, table)) = batch.get(at) {
                let only = marked.condition().unwrap_or_else(|| asked(table));
                traces.extend(look_closely(client, name, table, &formats, &only).await?);
            }
        }
    }
    Ok(traces)
}

/// The texts of a row are read as one, in the C collation: one pass, byte by byte.
fn bears(table: &Table, mark: &str) -> String {
    format!("({}) COLLATE \"C\" ~ {}", row_text(table), escape_literal(mark))
}

/// All texts of a row as one.
fn row_text(table: &Table) -> String {
    let texts: Vec<_> = readable(table).map(|(_, _, text)| text).collect();
    let row: Vec<_> = texts
        .chunks(ARGUMENTS)
        .map(|some| format!("concat_ws(E'\\n', {})", some.join(", ")))
        .collect();
    row.join(" || ")
}

/// Which columns of a table hold which formats. Marks are asked for first, column by column: compiling the patterns costs
/// the server more than a table of ordinary size. `only` is a condition that every row with a mark meets.
async fn look_closely(
    client: &impl GenericClient,
    name: &str,
    table: &Table,
    formats: &[Format],
    only: &str,
) -> Result<Vec<Trace>, SanitiseError> {
    let quoted = escape_identifier(name);
    let places: Vec<_> = readable(table)
        .flat_map(|(name, column, text)| formats.iter().map(move |format| (name, column, text.clone(), format)))
        .collect();
    let mut found = Vec::new();
    for places in places.chunks(COUNTS) {
        let marks: Vec<_> = places
            .iter()
            .map(|(_, _, text, format)| format!("coalesce(bool_or({text} ~ {}), false)", escape_literal(&format.mark)))
            .collect();
        let select = format!("SELECT {} FROM {quoted} WHERE {only}", marks.join(", "));
        let doing = SanitiseError::server("look for credentials");
        let row = client.query_one(&select, &[]).await.map_err(doing)?;
        for (at, (column_name, column, text, format)) in places.iter().enumerate() {
            if row.get::<_, bool>(at) {
                let (mark, pattern) = (escape_literal(&format.mark), escape_literal(&format.pattern));
                let select =
                    format!("SELECT count(*) FROM {quoted} WHERE {only} AND {text} ~ {mark} AND {text} ~ {pattern}");
                let count = Sql {
                    text: select,
                    parameters: Vec::new(),
                };
                found.extend(hunt::fill(client, &count, vec![trace(name, column_name, column, text, format)]).await?);
            }
        }
    }
    Ok(found)
}

/// A format in a column, and how it is taken out of the text around it.
fn trace(table: &str, name: &str, column: &Column, text: &str, format: &Format) -> Trace {
    let pattern = escape_literal(&format.pattern);
    let removed = escape_literal(&format!("[removed: {}]", format.name));
    let replaced = format!("regexp_replace({text}, {pattern}, {removed}, 'g')");
    let cleaned = match column.kind {
        Kind::Json => format!("{replaced}::jsonb"),
        Kind::Bytes => "''::bytea".to_owned(),
        Kind::Text | Kind::Other => replaced,
    };
    let (quoted, name_quoted) = (escape_identifier(table), escape_identifier(name));
    let update = format!("UPDATE {quoted} SET {name_quoted} = {cleaned} WHERE {text} ~ {pattern}");
    Trace {
        table: table.to_owned(),
        column: name.to_owned(),
        clue: Clue::Value(format.name.to_string()),
        count: 0,
        removal: Sql {
            text: update,
            parameters: Vec::new(),
        },
    }
}
