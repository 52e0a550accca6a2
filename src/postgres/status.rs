//! A database as the server's catalogue has it, seen without logging in to it.

use jiff::Timestamp;
use tokio_postgres::Client;

use super::error::PostgresError;
use super::identifier::Identifier;
use super::marker::{Comment, Marker, State};

/// What the catalogue says of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The role that owns it.
    pub owner: String,
    /// Whether it is a template: hidden from Odoo, safe from `DROP`.
    pub template: bool,
    /// Whether anyone can log in to it.
    pub allows_connections: bool,
    /// Whether it is the rest of an interrupted `DROP DATABASE` (`datconnlimit = -2`): it can only be dropped again.
    pub half_dropped: bool,
    /// Its comment: people's text and our mark.
    pub comment: Comment,
}

impl Status {
    /// The mark with another state as of now; its run, its source and how it was sanitised stay.
    pub(crate) fn marker_now(&self, state: State) -> Marker {
        match &self.comment.marker {
            Some(marker) => Marker {
                state,
                since: Timestamp::now(),
                ..marker.clone()
            },
            None => Marker::now(state, "", ""),
        }
    }
}

/// What the server says of the database of that name; none where there is no such database.
///
/// # Errors
/// [`PostgresError::Statement`].
pub async fn status(client: &Client, name: &Identifier) -> Result<Option<Status>, PostgresError> {
    let row = client
        .query_opt(
            "SELECT pg_get_userbyid(datdba)::text, datistemplate, datallowconn, datconnlimit = -2,
                    shobj_description(oid, 'pg_database')
               FROM pg_database WHERE datname = $1",
            &[&name.as_str()],
        )
        .await
        .map_err(PostgresError::doing(format!("looking at database `{}`", name.as_str())))?;
    Ok(row.map(|row| Status {
        owner: row.get(0),
        template: row.get(1),
        allows_connections: row.get(2),
        half_dropped: row.get(3),
        comment: Comment::parse(row.get(4)),
    }))
}
