//! The hunt for values that look like a credential, in whatever column they stand.

use postgres_protocol::escape::{escape_identifier, escape_literal};
use tokio_postgres::GenericClient;

use super::catalogue::{Column, Kind, Table};
use super::error::SanitiseError;
use super::finding::Clue;
use super::format::{self, Format};
use super::fragment;
use super::hunt::{self, Hunt, Removal, Trace};
use super::hunt_stream;
use super::own::{self, Own};
use super::rule_file::PARAMETERS;
use super::stamp;
use super::statement::Sql;

/// Tables read in one statement: few enough to plan quickly, many enough that a distant server does not matter.
pub(super) const TABLES_AT_ONCE: usize = 50;

/// The one row that is ours: what was done, and the hash of the password that was made for it.
fn others(table: &str) -> String {
    if table == PARAMETERS {
        format!("key <> {}", escape_literal(stamp::PARAMETER))
    } else {
        "true".to_owned()
    }
}

/// A function takes 100 arguments.
const ARGUMENTS: usize = 90;

/// A row of an answer has room for some 1,600 columns.
const COUNTS: usize = 1_000;

/// Odoo writes the words of a text file here, to search in them. What stands in them stands in the file, which cannot be
/// mended, so the attachment goes.
const INDEX_OF_A_FILE: (&str, &str) = ("ir_attachment", "index_content");

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
    hunt: &Hunt<'_>,
    tables: &[(&str, &Table)],
) -> Result<Vec<Trace>, SanitiseError> {
    let formats = format::formats()?;
    let mark = format::any_mark_here(&formats)?;
    // A row's place says nothing in a table that has partitions: each partition has its own.
    let (partitioned, plain): (Vec<_>, Vec<_>) = tables
        .iter()
        .filter(|(_, table)| readable(table).next().is_some())
        .partition(|(_, table)| table.partitioned);
    let mut traces = Vec::new();
    let asked = |table: &Table| bears(table, &format::any_mark(&formats));
    for (name, table) in partitioned {
        traces.extend(look_closely(client, hunt, (name, table), &formats, &asked(table)).await?);
    }
    for batch in plain.chunks(TABLES_AT_ONCE) {
        let read: Vec<_> = batch
            .iter()
            .map(|(_, table)| (table.relation.clone(), row_text(table)))
            .collect();
        for (at, marked) in hunt_stream::marked_rows(client, &read, &mark).await? {
            if let Some((name, table)) = batch.get(at) {
                let only = marked.condition().unwrap_or_else(|| asked(table));
                traces.extend(look_closely(client, hunt, (name, table), &formats, &only).await?);
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
pub(super) fn row_text(table: &Table) -> String {
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
    hunt: &Hunt<'_>,
    (name, table): (&str, &Table),
    formats: &[Format],
    only: &str,
) -> Result<Vec<Trace>, SanitiseError> {
    let relation = &table.relation;
    let only = format!("{} AND {only}", others(name));
    let places: Vec<_> = readable(table)
        .flat_map(|(column_name, column, text)| {
            let strange = formats
                .iter()
                .filter(move |format| !format.is_at_home(name, column_name));
            strange.map(move |format| (column_name, column, text.clone(), format))
        })
        .collect();
    let mut found = Vec::new();
    for places in places.chunks(COUNTS) {
        let marks: Vec<_> = places
            .iter()
            .map(|(_, _, text, format)| format!("coalesce(bool_or({text} ~ {}), false)", escape_literal(&format.mark)))
            .collect();
        let select = format!("SELECT {} FROM {relation} WHERE {only}", marks.join(", "));
        let doing = SanitiseError::server("look for credentials");
        let row = client.query_one(&select, &[]).await.map_err(doing)?;
        for (at, (column_name, column, text, format)) in places.iter().enumerate() {
            if row.get::<_, bool>(at) {
                let (mark, matches) = (escape_literal(&format.mark), matches(text, column, format));
                let mut count = Sql::default();
                let own = own::condition(Own::Made, name, hunt.catalogue, &mut count, hunt.bindings);
                let counted = own::counted(own.as_ref());
                count.text = format!("SELECT {counted} FROM {relation} WHERE {only} AND {text} ~ {mark} AND {matches}");
                let trace = trace((name, table), column_name, column, text, format);
                let own = own.map(|_| trace.of_its_own());
                let both = std::iter::once(trace).chain(own).collect();
                found.extend(hunt::fill(client, &count, both).await?);
            }
        }
    }
    Ok(found)
}

/// A format in a column, and how it is taken out of the text around it.
fn trace((table_name, table): (&str, &Table), name: &str, column: &Column, text: &str, format: &Format) -> Trace {
    let matches = matches(text, column, format);
    let cleaned = match column.kind {
        Kind::Json => format!("{}::{}", without(text, format, true, false), column.sql_type),
        Kind::Bytes => "''::bytea".to_owned(),
        Kind::Text | Kind::Other => {
            let plain = without(text, format, false, column.unique);
            let cleaned = match &format.json {
                Some(_) => format!(
                    "CASE WHEN {text} ~ '{IS_JSON}' THEN {} ELSE {plain} END",
                    without(text, format, true, column.unique)
                ),
                None => plain,
            };
            // What stands in place of a value may be longer than it was.
            match fragment::length(&column.sql_type) {
                Some(room) => format!("left({cleaned}, {room})"),
                None => cleaned,
            }
        }
    };
    let (relation, quoted) = (&table.relation, escape_identifier(name));
    let update = if (table_name, name) == INDEX_OF_A_FILE {
        format!("DELETE FROM {relation} WHERE {matches}")
    } else {
        let others = others(table_name);
        format!("UPDATE {relation} SET {quoted} = {cleaned} WHERE {others} AND {matches}")
    };
    Trace {
        table: table_name.to_owned(),
        column: name.to_owned(),
        clue: Clue::Value(format.name.to_string()),
        count: 0,
        removal: Some(Removal::Sql(Sql {
            text: update,
            parameters: Vec::new(),
        })),
        own: false,
    }
}

/// A text with JSON and nothing else: what is in its strings is escaped.
const IS_JSON: &str = r"^\s*[[{].*[]}]\s*$";

/// The condition that a format matches in a text.
fn matches(text: &str, column: &Column, format: &Format) -> String {
    let plain = escape_literal(&format.pattern);
    match (&format.json, column.kind) {
        (Some(json), Kind::Json) => format!("{text} ~ {}", escape_literal(json)),
        (Some(json), Kind::Text) => {
            let json = escape_literal(json);
            format!("CASE WHEN {text} ~ '{IS_JSON}' THEN {text} ~ {json} ELSE {text} ~ {plain} END")
        }
        _ => format!("{text} ~ {plain}"),
    }
}

/// The text without what a format matches in it. Where each value may stand once, what stands instead differs.
fn without(text: &str, format: &Format, json: bool, unique: bool) -> String {
    let pattern = format.json.as_ref().filter(|_| json).unwrap_or(&format.pattern);
    let stays = if format.keeps { "\\1" } else { "" };
    let instead = if unique {
        format!("{} || left(gen_random_uuid()::text, 13)", escape_literal(stays))
    } else {
        escape_literal(&format!("{stays}[removed: {}]", format.name))
    };
    format!("regexp_replace({text}, {}, {instead}, 'g')", escape_literal(pattern))
}
