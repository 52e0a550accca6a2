//! What of a server's complaint may be shown. It lies beside production's rows, and likes to quote them.

use std::io;

use tokio_postgres::error::DbError;

use super::last_words;
use crate::server_messages::without_values;

/// Classes of SQLSTATE whose details speak of names, sessions and settings, and never of rows: connection, authorization,
/// dependent objects, no such database, no such table, resources, state of objects, operator, system.
const ABOUT_NAMES: [&str; 9] = ["08", "28", "2B", "3D", "42", "53", "55", "57", "58"];

/// Names that do not exist or cannot be read: a value that is cast to `regclass` or `regrole`, or that code of the database puts
/// into a statement, is quoted as one.
const NO_SUCH_NAME: [&str; 8] = ["42601", "42602", "42622", "42703", "42704", "42883", "42P01", "3F000"];

/// The server's own words, if there are any, else the driver's. Values of rows are left out: a detail such as
/// `Key (email)=(…)`, the context, which quotes the line of a COPY or a statement, and what the message itself quotes.
pub(super) fn evidence(error: &tokio_postgres::Error) -> Vec<String> {
    match error.as_db_error() {
        Some(db) => words(db),
        None => of_the_driver(error),
    }
}

/// The same for a statement that reads or changes rows: a name that the statement itself does not have may be a row's value.
pub(crate) fn evidence_beside_rows(error: &tokio_postgres::Error) -> Vec<String> {
    let Some(db) = error.as_db_error() else {
        return of_the_driver(error);
    };
    let from_a_row = db.position().is_none() && NO_SUCH_NAME.contains(&db.code().code());
    let mut lines = said(db, !from_a_row && is_harmless(db));
    lines.extend(db.constraint().map(|name| format!("constraint: {name}")));
    lines.extend(db.column().map(|name| format!("column: {name}")));
    lines
}

/// What the driver says of a connection that it cannot use, and what servers said as they closed connections.
fn of_the_driver(error: &tokio_postgres::Error) -> Vec<String> {
    let mut lines = vec![error.to_string()];
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        lines.push(error.to_string());
        cause = error.source();
    }
    let cause = std::error::Error::source(error);
    let is_lost = error.is_closed() || cause.is_some_and(|cause| cause.is::<io::Error>());
    if is_lost {
        lines.extend(last_words::of_late());
    }
    lines
}

pub(super) fn words(db: &DbError) -> Vec<String> {
    said(db, is_harmless(db))
}

fn is_harmless(db: &DbError) -> bool {
    ABOUT_NAMES.iter().any(|class| db.code().code().starts_with(class)) && !is_by_code_of_the_database(db)
}

/// Whether a function of the database wrote the message itself (`RAISE`, `plpy.error`), with whatever it holds and whatever
/// SQLSTATE it likes.
fn is_by_code_of_the_database(db: &DbError) -> bool {
    let file = db.file().unwrap_or_default();
    db.code().code().starts_with("P0")
        || ["pl_", "plpy", "plperl", "pltcl", "plv8"]
            .iter()
            .any(|language| file.starts_with(language))
}

fn said(db: &DbError, harmless: bool) -> Vec<String> {
    let code = db.code().code();
    let severity = db.severity();
    if is_by_code_of_the_database(db) {
        let mut lines = vec![format!("{severity}: code of the database raised an error ({code})")];
        // Which function it was; what follows quotes statements.
        let place = db.where_().and_then(|context| context.lines().next());
        let place = place.filter(|place| place.starts_with("PL/pgSQL function ") && !place.contains('"'));
        lines.extend(place.map(|place| format!("CONTEXT: {place}")));
        return lines;
    }
    let shown = |text: &str| match harmless {
        true => text.to_owned(),
        false => without_unknown_names(&without_values(text), &names(db)),
    };
    let mut lines = vec![format!("{severity}: {} ({code})", shown(db.message()))];
    lines.extend(db.detail().filter(|_| harmless).map(|text| format!("DETAIL: {text}")));
    lines.extend(db.hint().map(|text| format!("HINT: {}", shown(text))));
    lines
}

/// The names that the server tells apart from the message: no values.
fn names(db: &DbError) -> Vec<&str> {
    let names = [db.schema(), db.table(), db.column(), db.datatype(), db.constraint()];
    names.into_iter().flatten().collect()
}

/// A message up to the first thing in quotes that is none of the names: whatever else is quoted may be a row's value, and a value
/// may hold quotes itself.
fn without_unknown_names(message: &str, names: &[&str]) -> String {
    let mut from = 0;
    while let Some(begin) = message[from..].find('"').map(|at| from + at) {
        let rest = &message[begin + 1..];
        let name = names
            .iter()
            .find(|name| rest.strip_prefix(**name).is_some_and(|after| after.starts_with('"')));
        match name {
            Some(name) => from = begin + name.len() + 2,
            None => return format!("{}[…]", &message[..begin]),
        }
    }
    message.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_and_is_no_name_is_left_out_with_what_follows() {
        let names = ["dock_gate", "gate_key"];
        let known = "new row for relation \"dock_gate\" violates check constraint \"gate_key\"";
        assert_eq!(without_unknown_names(known, &names), known);
        for (message, shown) in [
            ("\"CANARY\" is no number", "[…]"),
            (
                "relation \"dock_gate\" has \"CAN\"ARY\" in it",
                "relation \"dock_gate\" has […]",
            ),
            ("relation \"gate_keyCANARY\" does not exist", "relation […]"),
        ] {
            assert_eq!(without_unknown_names(message, &names), shown);
        }
    }
}
