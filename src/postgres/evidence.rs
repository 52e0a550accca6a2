//! What of a server's complaint may be shown. It lies beside production's rows, and likes to quote them.

use std::io;

use tokio_postgres::error::DbError;

use super::last_words;
use crate::process::without_values;

/// Classes of SQLSTATE whose details speak of names, sessions and settings, and never of rows: connection, authorization,
/// dependent objects, no such database, no such table, resources, state of objects, operator, system.
const ABOUT_NAMES: [&str; 9] = ["08", "28", "2B", "3D", "42", "53", "55", "57", "58"];

/// The server's own words, if there are any, else the driver's. Values of rows are left out: a detail such as
/// `Key (email)=(…)`, the context, which quotes the line of a COPY or a statement, and what the message itself quotes.
pub(super) fn evidence(error: &tokio_postgres::Error) -> Vec<String> {
    match error.as_db_error() {
        Some(db) => words(db),
        None => of_the_driver(error),
    }
}

/// What the driver says of a connection that it cannot use, and what servers said as they closed connections.
pub(crate) fn of_the_driver(error: &tokio_postgres::Error) -> Vec<String> {
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
    let code = db.code().code();
    let harmless = ABOUT_NAMES.iter().any(|class| code.starts_with(class));
    let message = if harmless {
        db.message().into()
    } else {
        without_values(db.message())
    };
    let mut lines = vec![format!("{}: {message} ({code})", db.severity())];
    lines.extend(db.detail().filter(|_| harmless).map(|text| format!("DETAIL: {text}")));
    lines.extend(db.hint().map(|text| format!("HINT: {text}")));
    lines
}
