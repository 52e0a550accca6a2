//! The hunt for values that look like a credential, in whatever column they stand.

use postgres_protocol::escape::{escape_identifier, escape_literal};
use tokio_postgres::GenericClient;

use super::catalogue::{Catalogue, Column, Kind, Table};
use super::error::SanitiseError;
use super::finding::Clue;
use super::format::{self, Format};
use super::hunt::{self, Trace};
use super::statement::Sql;

/// Tables asked in one statement: few enough to plan quickly, many enough that a distant server does not matter.
const TABLES_AT_ONCE: usize = 50;

/// A function takes 100 arguments.
const ARGUMENTS: usize = 90;

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
pub(super) async fn run(
    client: &impl GenericClient,
    catalogue: &Catalogue,
) -> Result<Vec<Trace>, SanitiseError> {
    let formats = format::formats()?;
    let tables: Vec<_> = catalogue
        .tables()
        .filter(|(name, table)| !METADATA.contains(name) && readable(table).next().is_some())
        .collect();
    let mut traces = Vec::new();
    for batch in tables.chunks(TABLES_AT_ONCE) {
        let select = marked(batch, &format::any_mark(&formats));
        let doing = SanitiseError::server("look for credentials");
        let rows = client.query(&select, &[]).await.map_err(doing)?;
        for row in rows.iter().filter(|row| row.get::<_, i64>(1) > 0) {
            let at = usize::try_from(row.get::<_, i32>(0)).unwrap_or_default();
            if let Some((name, table)) = batch.get(at) {
                traces.extend(look_closely(client, name, table, &formats).await?);
            }
        }
    }
    Ok(traces)
}

/// How many rows of each table bear a mark.
fn marked(tables: &[(&str, &Table)], mark: &str) -> String {
    let selects = tables.iter().enumerate().map(|(at, (name, table))| {
        format!(
            "SELECT {at}::int, count(*) FROM {} WHERE {}",
            escape_identifier(name),
            bears(table, mark)
        )
    });
    selects.collect::<Vec<_>>().join("\nUNION ALL ")
}

/// The texts of a row are read as one, in the C collation: one pass, byte by byte.
fn bears(table: &Table, mark: &str) -> String {
    let texts: Vec<_> = readable(table).map(|(_, _, text)| text).collect();
    let row: Vec<_> = texts
        .chunks(ARGUMENTS)
        .map(|some| format!("concat_ws(E'\\n', {})", some.join(", ")))
        .collect();
    format!(
        "({}) COLLATE \"C\" ~ {}",
        row.join(" || "),
        escape_literal(mark)
    )
}

/// Which columns of a table hold which formats.
async fn look_closely(
    client: &impl GenericClient,
    name: &str,
    table: &Table,
    formats: &[Format],
) -> Result<Vec<Trace>, SanitiseError> {
    let quoted = escape_identifier(name);
    let bears = bears(table, &format::any_mark(formats));
    let (mut counts, mut traces) = (Vec::new(), Vec::new());
    for (column_name, column, text) in readable(table) {
        for format in formats {
            let pattern = escape_literal(&format.pattern);
            let here = format!("{text} ~ {pattern}");
            let removed = escape_literal(&format!("[removed: {}]", format.name));
            let replaced = format!("regexp_replace({text}, {pattern}, {removed}, 'g')");
            let cleaned = match column.kind {
                Kind::Json => format!("{replaced}::jsonb"),
                Kind::Bytes => "''::bytea".to_owned(),
                Kind::Text | Kind::Other => replaced,
            };
            let update = format!(
                "UPDATE {quoted} SET {} = {cleaned} WHERE {here}",
                escape_identifier(column_name)
            );
            counts.push(format!("count(*) FILTER (WHERE {here})"));
            traces.push(Trace {
                table: name.to_owned(),
                column: column_name.to_owned(),
                clue: Clue::Value(format.name.to_string()),
                count: 0,
                removal: Sql {
                    text: update,
                    parameters: Vec::new(),
                },
            });
        }
    }
    // A row has room for some 1,600 counts.
    let mut found = Vec::new();
    while !counts.is_empty() {
        let rest = counts.split_off(counts.len().min(1_000));
        let rest_traces = traces.split_off(counts.len());
        let select = Sql {
            text: format!("SELECT {} FROM {quoted} WHERE {bears}", counts.join(", ")),
            parameters: Vec::new(),
        };
        found.extend(hunt::fill(client, &select, traces).await?);
        (counts, traces) = (rest, rest_traces);
    }
    Ok(found)
}
