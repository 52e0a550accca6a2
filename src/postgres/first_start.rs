//! What a database that no restore made says of its beginning: whether Odoo is in it, and whether its administrator still has
//! the password that every new database of Odoo begins with.

use serde::Deserialize;

/// One `SELECT` that answers with one JSON document, [`Beginning`]. Tables that may not be there are asked as in
/// [`FACTS`](super::facts::FACTS).
pub const BEGINNING: &str = r"
SELECT json_build_object(
    'tables', (SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace),
    'base', CASE WHEN to_regclass('public.ir_module_module') IS NOT NULL THEN
        (xpath('/table/row/v/text()', query_to_xml(
            'SELECT state AS v FROM public.ir_module_module WHERE name = ''base''', false, false, '')))[1]::text END,
    'password', CASE WHEN to_regclass('public.res_users') IS NOT NULL AND to_regclass('public.ir_model_data') IS NOT NULL THEN
        (xpath('/table/row/v/text()', query_to_xml(
            'SELECT u.password AS v FROM public.res_users u JOIN public.ir_model_data d ON d.res_id = u.id
              WHERE d.module = ''base'' AND d.name = ''user_admin'' AND d.model = ''res.users''',
            false, false, '')))[1]::text END,
    'logins', CASE WHEN to_regclass('public.res_users_log') IS NOT NULL THEN
        (xpath('/table/row/v/text()', query_to_xml(
            'SELECT count(*) AS v FROM (SELECT FROM public.res_users_log LIMIT 1) first', false, false, '')))[1]::text END
)::text";

/// What [`BEGINNING`] answers.
#[derive(Clone, Deserialize)]
pub struct Beginning {
    /// How many tables there are.
    tables: i64,
    /// The state of the module `base`; none where there is no table of modules.
    base: Option<String>,
    /// The administrator's password as Odoo stores it.
    password: Option<String>,
    /// Whether anybody has logged in: `0` or `1`; none where Odoo does not note it.
    logins: Option<String>,
}

impl Beginning {
    /// Reads the answer of [`BEGINNING`].
    ///
    /// # Errors
    /// When the text is no such answer.
    pub fn parse(answer: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(answer.trim())
    }

    /// Whether Odoo has to be put into it, from nothing or from where that was cut off. Other tables than Odoo's are
    /// somebody's.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self.base.as_deref() {
            None => self.tables == 0,
            Some(state) => matches!(state, "uninstalled" | "to install") && !self.was_used(),
        }
    }

    /// Whether somebody has logged in.
    #[must_use]
    pub fn was_used(&self) -> bool {
        self.logins.as_deref().is_some_and(|logins| logins != "0")
    }

    /// The administrator's password as Odoo stores it: a hash, or the text itself.
    #[must_use]
    pub fn stored_password(&self) -> Option<&str> {
        self.password.as_deref()
    }
}

/// The script for `psql` that gives the administrator a password, by its hash: whole, or not at all. The server's log gets
/// nothing of it.
#[must_use]
pub fn administrators_password(hash: &str) -> String {
    let hash = super::identifier::Literal(hash);
    format!(
        "\\set ON_ERROR_STOP on\n\
         SET log_statement = 'none';\nSET log_min_duration_statement = -1;\nSET log_min_error_statement = 'panic';\n\
         BEGIN;\n\
         DO $first_start$ BEGIN\n\
         UPDATE res_users SET password = {hash} WHERE id = (SELECT res_id FROM ir_model_data \
         WHERE module = 'base' AND name = 'user_admin' AND model = 'res.users');\n\
         IF NOT FOUND THEN RAISE EXCEPTION 'the database has no user base.user_admin'; END IF;\n\
         END $first_start$;\n\
         COMMIT;\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_without_odoo_is_told_from_one_with_other_tables() {
        for (answer, empty, used) in [
            (
                r#"{"tables": 0, "base": null, "password": null, "logins": null}"#,
                true,
                false,
            ),
            (
                r#"{"tables": 3, "base": null, "password": null, "logins": null}"#,
                false,
                false,
            ),
            (
                r#"{"tables": 90, "base": "to install", "password": null, "logins": "0"}"#,
                true,
                false,
            ),
            (
                r#"{"tables": 90, "base": "installed", "password": "admin", "logins": "0"}"#,
                false,
                false,
            ),
            (
                r#"{"tables": 90, "base": "to upgrade", "password": "x", "logins": "1"}"#,
                false,
                true,
            ),
            (
                r#"{"tables": 90, "base": "to install", "password": "x", "logins": "1"}"#,
                false,
                true,
            ),
        ] {
            let beginning = Beginning::parse(answer).unwrap();
            assert_eq!((beginning.is_empty(), beginning.was_used()), (empty, used), "{answer}");
        }
    }
}
