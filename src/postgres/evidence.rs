//! What of a server's complaint may be shown. It lies beside production's rows, and likes to quote them.

use tokio_postgres::error::DbError;

use crate::process::without_values;

/// Classes of SQLSTATE whose details speak of names, sessions and settings, and never of rows: connection, authorization,
/// dependent objects, no such database, no such table, resources, state of objects, operator, system.
const ABOUT_NAMES: [&str; 9] = ["08", "28", "2B", "3D", "42", "53", "55", "57", "58"];

/// The server's own words, if there are any, else the driver's. Values of rows are left out: a detail such as
/// `Key (email)=(…)`, the context, which quotes the line of a COPY or a statement, and what the message itself quotes.
pub(super) fn evidence(error: &tokio_postgres::Error) -> Vec<String> {
    if let Some(db) = error.as_db_error() {
        return words(db);
    }
    let mut lines = vec![error.to_string()];
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        lines.push(error.to_string());
        cause = error.source();
    }
    lines
}

fn words(db: &DbError) -> Vec<String> {
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
