//! The encoding and the collation of a database: they are fixed when it is made.

use serde::{Deserialize, Serialize};
use tokio_postgres::error::SqlState;

use super::error::PostgresError;
use super::identifier::{Identifier, Literal};
use super::role::KEEPER;
use super::session::Session;

/// What `CREATE DATABASE` must be told so that a copy sorts and compares as its upstream does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locale {
    /// As `pg_encoding_to_char` names it: `UTF8`.
    pub encoding: String,
    /// `pg_database.datcollate`.
    pub collate: String,
    /// `pg_database.datctype`.
    pub ctype: String,
    /// The ICU locale, where the database's provider is ICU.
    #[serde(default)]
    pub icu: Option<String>,
}

impl Locale {
    /// What Odoo itself makes (`odoo/service/db.py`: encoding unicode, `LC_COLLATE 'C'`), with a ctype that every
    /// PostgreSQL image has.
    #[must_use]
    pub fn odoo() -> Self {
        Self {
            encoding: "UTF8".into(),
            collate: "C".into(),
            ctype: "C.UTF-8".into(),
            icu: None,
        }
    }

    /// This locale and those to try when the server does not have it: locales are named by each operating system as it
    /// likes, and a slim image has three.
    pub(crate) fn attempts(&self) -> Vec<Self> {
        let with = |collate: &str, ctype: &str| Self {
            encoding: self.encoding.clone(),
            collate: collate.to_owned(),
            ctype: ctype.to_owned(),
            icu: None,
        };
        let mut attempts = vec![
            self.clone(),
            with(&self.collate, &self.ctype),
            with("C", &self.ctype),
            with("C", "C.UTF-8"),
            with("C", "C"),
        ];
        attempts.dedup();
        attempts
    }

    /// The options of `CREATE DATABASE`.
    pub(crate) fn options(&self) -> String {
        let Self {
            encoding,
            collate,
            ctype,
            icu,
        } = self;
        let [encoding, collate, ctype] = [encoding, collate, ctype].map(|text| Literal(text).to_string());
        let provider = match icu {
            Some(locale) => format!(" LOCALE_PROVIDER icu ICU_LOCALE {}", Literal(locale)),
            None => String::new(),
        };
        format!("ENCODING {encoding} LC_COLLATE {collate} LC_CTYPE {ctype}{provider}")
    }

    /// Whether the server said that it does not have the locale, or cannot pair it with the encoding (measured:
    /// `42809` for an unknown one, `22023` for a pair that does not match).
    pub(crate) fn refused(error: &tokio_postgres::Error) -> bool {
        matches!(
            error.code(),
            Some(&SqlState::WRONG_OBJECT_TYPE | &SqlState::INVALID_PARAMETER_VALUE | &SqlState::FEATURE_NOT_SUPPORTED)
        )
    }
}

/// `CREATE DATABASE` for an incoming database: nobody can log in to it from its first moment on, and it is a template,
/// which hides it from Odoo's list and from `DROP DATABASE`.
pub(crate) fn create_statement(name: &Identifier, owner: &Identifier, locale: &Locale) -> String {
    format!(
        "CREATE DATABASE {name} OWNER {owner} TEMPLATE template0 {} IS_TEMPLATE true ALLOW_CONNECTIONS false",
        locale.options()
    )
}

/// Makes the database with the first locale that the server takes.
pub(super) async fn create(admin: &Session, name: &Identifier, wanted: &Locale) -> Result<Locale, PostgresError> {
    let keeper = Identifier::ours(KEEPER);
    let mut refusal = None;
    for locale in wanted.attempts() {
        match admin.batch_execute(&create_statement(name, &keeper, &locale)).await {
            Ok(()) => return Ok(locale),
            Err(error) if Locale::refused(&error) => refusal = refusal.or(Some(error)),
            Err(error) => {
                return Err(PostgresError::doing(format!("making database `{}`", name.as_str()))(
                    error,
                ));
            }
        }
    }
    // The first refusal names the locale that was asked for.
    match refusal {
        Some(error) => Err(PostgresError::doing(format!("making database `{}`", name.as_str()))(
            error,
        )),
        None => Ok(wanted.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upstreams_locale_comes_first_and_odoos_last() {
        let upstream = Locale {
            encoding: "UTF8".into(),
            collate: "de_DE.utf8".into(),
            ctype: "de_DE.utf8".into(),
            icu: None,
        };
        let pairs: Vec<_> = upstream.attempts().into_iter().map(|a| (a.collate, a.ctype)).collect();
        let expected = [
            ("de_DE.utf8", "de_DE.utf8"),
            ("C", "de_DE.utf8"),
            ("C", "C.UTF-8"),
            ("C", "C"),
        ];
        assert_eq!(
            pairs,
            expected.map(|(collate, ctype)| (collate.to_owned(), ctype.to_owned()))
        );
    }

    #[test]
    fn an_icu_locale_is_said() {
        let locale = Locale {
            icu: Some("en-US".into()),
            ..Locale::odoo()
        };
        assert!(locale.options().ends_with("LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"));
    }
}
