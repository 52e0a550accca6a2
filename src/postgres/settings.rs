//! The settings that a restore's sessions need, whatever the server, its databases and its roles say.
//!
//! Servers carry limits that were made for web requests, a default of read-only transactions, or a way of writing dates
//! that suits the people who log in. What the server has stays as it is: our own sessions say otherwise for themselves,
//! and the restore role carries the same settings for the programs that log in as it, `pg_restore` and Odoo's update of
//! modules. That they are told once, here, keeps the two alike.

use std::fmt::Write as _;

use tokio_postgres::Client;

use super::identifier::Literal;

/// When a setting can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    /// With the login: every version from PostgreSQL 13 on has it, and every role may set it.
    AtLogin,
    /// After the login, where the server has it: an unknown name in the login's options refuses the login.
    WhereKnown,
    /// After the login, by a superuser.
    BySuperuser,
}
use Given::{AtLogin, BySuperuser, WhereKnown};

/// Name, value, and when it can be given.
const SETTINGS: &[(&str, &str, Given)] = &[
    // A restore takes as long as it takes: a copy of hours, a lock held while files travel.
    ("statement_timeout", "0", AtLogin),
    ("lock_timeout", "0", AtLogin),
    ("idle_in_transaction_session_timeout", "0", AtLogin),
    ("idle_session_timeout", "0", WhereKnown), // PostgreSQL 14
    ("transaction_timeout", "0", WhereKnown),  // PostgreSQL 17
    // It writes, and it sees what others have committed meanwhile.
    ("default_transaction_read_only", "off", AtLogin),
    ("default_transaction_isolation", "read committed", AtLogin),
    ("default_transaction_deferrable", "off", AtLogin),
    // An error of one statement is not the end of the session.
    ("exit_on_error", "off", AtLogin),
    // Texts are written and read as PostgreSQL itself has them by default.
    ("DateStyle", "ISO,MDY", AtLogin),
    ("IntervalStyle", "postgres", AtLogin),
    ("TimeZone", "UTC", AtLogin),
    ("bytea_output", "hex", AtLogin),
    ("xmlbinary", "base64", AtLogin),
    ("xmloption", "content", AtLogin),
    ("standard_conforming_strings", "on", AtLogin),
    ("transform_null_equals", "off", AtLogin),
    ("quote_all_identifiers", "off", AtLogin),
    ("search_path", "\"$user\",public", AtLogin),
    // A row that a policy hides would be neither cleaned nor found: better an error.
    ("row_security", "off", AtLogin),
    // Messages in the one language in which their parts can be told apart.
    ("lc_messages", "C", BySuperuser),
    // A server that logs statements, all or slow or failed ones, does not log these: their values are the secrets of the
    // policy, and what pg_restore fails with are rows of production's.
    ("log_statement", "none", BySuperuser),
    ("log_duration", "off", BySuperuser),
    ("log_min_duration_statement", "-1", BySuperuser),
    ("log_min_duration_sample", "-1", BySuperuser),
    ("log_transaction_sample_rate", "0", BySuperuser),
    ("log_min_messages", "fatal", BySuperuser),
    ("log_min_error_statement", "panic", BySuperuser),
    ("log_parameter_max_length", "0", BySuperuser),
    ("log_parameter_max_length_on_error", "0", WhereKnown),
    ("debug_print_parse", "off", WhereKnown),
    ("debug_print_rewritten", "off", WhereKnown),
    ("debug_print_plan", "off", WhereKnown),
    ("auto_explain.log_min_duration", "-1", BySuperuser),
    ("pgaudit.log", "none", BySuperuser),
    // Foreign keys cascade when rows go.
    ("session_replication_role", "origin", BySuperuser),
];

/// Returns what the login says of them, as its `options`.
///
/// Libraries that the server loads into each session may change what statements do (`safeupdate` refuses a DELETE without
/// WHERE). A superuser may leave them out, with `without_libraries`; for others that refuses the login.
pub(super) fn login_options(without_libraries: bool) -> String {
    let mut options = String::new();
    for (name, value, given) in SETTINGS {
        if *given == AtLogin {
            // Words are parted by blanks. Writing to a String cannot fail.
            let _ = write!(options, "-c {name}={} ", value.replace(' ', "\\ "));
        }
    }
    if without_libraries {
        options.push_str("-c session_preload_libraries=");
    }
    options
}

/// Returns the statement that gives the rest of them to a session which has just logged in.
pub(super) fn after_login() -> String {
    let rows: Vec<String> = SETTINGS
        .iter()
        .filter(|(.., given)| *given != AtLogin)
        .map(|(name, value, given)| format!("({}, {}, {})", Literal(name), Literal(value), *given == BySuperuser))
        .collect();
    format!(
        "SELECT set_config(name, value, false) FROM (VALUES {}) AS needed (name, value, by_superuser)
          WHERE current_setting(name, true) IS NOT NULL
            AND (NOT by_superuser OR current_setting('is_superuser') = 'on')",
        rows.join(", ")
    )
}

/// Returns the statements that give all of them to a role, for programs that log in as it. The session is one of ours, a
/// superuser's, and so has the values that the role is to have.
pub(super) async fn of_role(client: &Client, role: &str) -> Result<String, tokio_postgres::Error> {
    let names: Vec<&str> = SETTINGS.iter().map(|(name, ..)| *name).collect();
    let known = client
        .query(
            "SELECT name FROM unnest($1::text[]) AS name WHERE current_setting(name, true) IS NOT NULL",
            &[&names],
        )
        .await?;
    let mut sql = String::new();
    for row in known {
        // From the session, because a list such as `search_path` cannot be given as one text.
        let _ = write!(sql, "ALTER ROLE {role} SET {} FROM CURRENT;", row.get::<_, &str>(0));
    }
    Ok(sql)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_names_nothing_that_old_servers_do_not_know() {
        let options = login_options(false);
        assert!(options.contains("-c statement_timeout=0 "), "{options}");
        assert!(
            options.contains(r"-c default_transaction_isolation=read\ committed "),
            "{options}"
        );
        for later in ["transaction_timeout", "idle_session_timeout", "lc_messages"] {
            assert!(!options.contains(&format!("-c {later}=")), "{options}");
            assert!(after_login().contains(&format!("'{later}'")), "{later}");
        }
        assert!(login_options(true).ends_with("-c session_preload_libraries="));
    }
}
