//! Modules' own `data/neutralize.sql`, as Odoo runs them: what their authors know and no rule of ours does.
//!
//! They run after the rules and before the rules run again, so that a rule has the last word; as a role that can only
//! change data, statement by statement, each within its time.

use serde::Deserialize;
use tokio_postgres::Transaction;

use super::error::SanitiseError;
use super::report::{ModuleReport, RuleReport};
use super::sql_script::{ScriptStatement, split};
use crate::postgres::NEUTRALISE;

/// The name under which reports show such a file.
const NAME: &str = "data/neutralize.sql";

/// What a file may do.
const MAY: [&str; 5] = ["insert", "update", "delete", "truncate", "with"];

/// Words that begin no statement and are none of a file's business.
const MAY_NOT: [&str; 2] = ["set_config", "\\"];

/// How long one statement of a file may take.
const LIMIT: &str = "60s";

/// A module's `data/neutralize.sql`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ModuleFile {
    /// The module.
    pub module: String,
    /// Where the file stands, in the stack's image.
    pub path: String,
    /// Its text.
    pub sql: String,
}

/// Refuses files that do more than change data, before any of them runs.
pub(super) fn check(files: &[ModuleFile]) -> Result<(), SanitiseError> {
    files
        .iter()
        .flat_map(|file| split(&file.sql).into_iter().map(move |statement| (file, statement)))
        .try_for_each(|(file, statement)| match forbidden(&statement) {
            None => Ok(()),
            Some(word) => Err(SanitiseError::FileRefused {
                module: file.module.clone(),
                path: file.path.clone(),
                line: statement.line,
                word,
            }),
        })
}

/// The word for which a statement is refused.
fn forbidden(statement: &ScriptStatement) -> Option<String> {
    let words = &statement.words;
    let named = |word: &String| match word.as_str() {
        "\\" => "a command of psql".to_owned(),
        word => word.to_uppercase(),
    };
    if let Some(word) = words.iter().find(|word| MAY_NOT.contains(&word.as_str())) {
        return Some(named(word));
    }
    let first = words.first();
    let begins = first.filter(|first| MAY.contains(&first.as_str()));
    let changes = |word: &String| ["insert", "update", "delete"].contains(&word.as_str());
    match begins {
        Some(first) if first == "with" && !words.iter().any(changes) => Some("WITH … SELECT".to_owned()),
        Some(_) => None,
        None => Some(first.map_or_else(|| statement.text.chars().take(20).collect(), named)),
    }
}

/// Runs the files. The role's rights on the tables end with them.
pub(super) async fn run(
    transaction: &mut Transaction<'_>,
    files: &[ModuleFile],
) -> Result<Vec<ModuleReport>, SanitiseError> {
    let doing = || SanitiseError::server("let modules' own files change data, and nothing else");
    transaction
        .batch_execute(&format!(
            "GRANT USAGE ON SCHEMA public TO {NEUTRALISE};
             GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO {NEUTRALISE};
             GRANT SELECT, USAGE ON ALL SEQUENCES IN SCHEMA public TO {NEUTRALISE};
             SET LOCAL statement_timeout = '{LIMIT}'"
        ))
        .await
        .map_err(doing())?;
    let mut reports = Vec::new();
    for file in files {
        let mut rows = 0;
        for statement in split(&file.sql) {
            // Each statement anew: whatever one did to the role ends with it. Sent as a prepared one, of which the server
            // takes one at a time.
            transaction
                .batch_execute(&format!("SET LOCAL ROLE {NEUTRALISE}"))
                .await
                .map_err(doing())?;
            let done = transaction.execute(&statement.text, &[]).await;
            rows += done.map_err(|source| SanitiseError::File {
                module: file.module.clone(),
                path: file.path.clone(),
                line: statement.line,
                source,
            })?;
        }
        reports.push(ModuleReport {
            module: file.module.clone(),
            rules: vec![RuleReport {
                rule: NAME.to_owned(),
                table: file.path.clone(),
                rows,
                why: "The module's own author wants it so".to_owned(),
            }],
        });
    }
    transaction
        .batch_execute(&format!(
            "RESET ROLE;
             SET LOCAL statement_timeout = 0;
             REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {NEUTRALISE};
             REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {NEUTRALISE};
             REVOKE ALL ON SCHEMA public FROM {NEUTRALISE}"
        ))
        .await
        .map_err(doing())?;
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(sql: &str) -> Option<(usize, String)> {
        let file = ModuleFile {
            module: "dock".into(),
            path: "/volumes/addons/dock/data/neutralize.sql".into(),
            sql: sql.into(),
        };
        match check(&[file]) {
            Ok(()) => None,
            Err(SanitiseError::FileRefused { line, word, .. }) => Some((line, word)),
            Err(other) => unreachable!("{other}"),
        }
    }

    #[test]
    fn files_may_change_data() {
        let sql = "-- drop the calls\nUPDATE a SET drop = 'DROP TABLE b;';\nTRUNCATE c CASCADE;\nWITH d AS (DELETE FROM e RETURNING id) SELECT 1";
        assert_eq!(refused(sql), None);
    }

    #[test]
    fn files_may_do_nothing_else() {
        for (sql, line, word) in [
            ("UPDATE a SET b = 1;\nDROP TABLE a;", 2, "DROP"),
            ("\n\n\\! rm -rf /", 3, "a command of psql"),
            ("COPY a TO PROGRAM 'sh'", 1, "COPY"),
            ("DO $$ BEGIN END $$", 1, "DO"),
            ("COMMIT", 1, "COMMIT"),
            ("UPDATE a SET b = Set_Config('role', 'x', true)", 1, "SET_CONFIG"),
            ("WITH a AS (SELECT 1) SELECT 1 INTO b", 1, "WITH … SELECT"),
            ("GRANT ALL ON a TO b", 1, "GRANT"),
        ] {
            assert_eq!(refused(sql), Some((line, word.to_owned())), "{sql}");
        }
    }
}
