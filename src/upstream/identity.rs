//! Who an upstream's database is.

use serde::Deserialize;

/// The answer to [`Question::Identity`](super::Question::Identity).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Identity {
    /// The database's name there.
    pub database: String,
    /// Odoo's `database.uuid`; none if Odoo has not written one.
    pub uuid: Option<String>,
    /// Odoo's `web.base.url`.
    pub base_url: Option<String>,
    /// `server_version_num`: 170004 is 17.4.
    pub server_version: u32,
    /// The cluster's identity, given to it by `initdb`: the same in its physical copies and nowhere else.
    pub system_identifier: String,
    /// `pg_database_size`, in bytes, indexes included.
    pub bytes: u64,
    /// How many tables there are, PostgreSQL's own not counted.
    pub tables: u64,
    /// How many large objects there are. Odoo makes none; a dump holds them only if its role may read them.
    pub large_objects: u64,
    /// The encoding, such as `UTF8`.
    pub encoding: String,
    /// `LC_COLLATE`.
    pub collate: String,
    /// `LC_CTYPE`.
    pub ctype: String,
    /// The ICU locale, if the database sorts by one.
    pub icu_locale: Option<String>,
    /// What is installed there and must be had here.
    pub extensions: Vec<Extension>,
    /// Whether `unaccent(text)` was made immutable (Odoo does so for its indexes; `pg_dump` does not carry it along); none
    /// if there is no such function.
    pub unaccent_immutable: Option<bool>,
}

/// An installed extension.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// Its version there.
    pub version: String,
}

impl Identity {
    /// The server's major version, such as 17.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.server_version / 10_000
    }
}
