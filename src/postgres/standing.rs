//! The databases of a stack with what we wrote on them: what stands there, for a person to see.

use serde::Deserialize;

use super::identifier::Literal;
use super::marker::Comment;
use super::names::Names;

/// A database of a stack: the live one, the previous one, or one that a restore fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its name.
    pub database: String,
    /// Its comment: people's text and our mark.
    pub comment: Comment,
}

impl Standing {
    /// The statement that asks for all of a stack's databases as one text; [`Standing::parse`] reads its answer. It can
    /// be asked from any database of the server.
    #[must_use]
    pub fn question(names: &Names) -> String {
        let live = Literal(names.live().as_str());
        let previous = Literal(names.previous().as_str());
        let incoming = names.incoming_prefix();
        let incoming = Literal(&incoming);
        format!(
            "SELECT coalesce(json_agg(json_build_object('database', datname, 'comment', shobj_description(oid, 'pg_database')) \
             ORDER BY datname <> {live}, datname), '[]') FROM pg_database \
             WHERE datname IN ({live}, {previous}) OR starts_with(datname, {incoming})"
        )
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// When it is no such answer.
    pub fn parse(answer: &str) -> Result<Vec<Self>, serde_json::Error> {
        #[derive(Deserialize)]
        struct Row {
            database: String,
            comment: Option<String>,
        }
        let rows: Vec<Row> = serde_json::from_str(answer.trim())?;
        let standing = rows.into_iter().map(|row| Self {
            database: row.database,
            comment: Comment::parse(row.comment.as_deref()),
        });
        Ok(standing.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::State;

    #[test]
    fn an_answer_is_read_with_its_marks() {
        let answer = r#"[{"database": "opw", "comment": "opw-task {\"state\":\"live\",\"run\":\"r\",\"since\":\"2026-11-22T13:45:09Z\"}"},
                         {"database": "opw__previous", "comment": null}]"#;
        let standing = Standing::parse(answer).unwrap();
        assert_eq!(standing[0].comment.state(), Some(State::Live));
        assert_eq!(standing[1].comment, Comment::default());
    }

    #[test]
    fn names_are_quoted() {
        let names = Names::new("o'pw").unwrap();
        assert!(Standing::question(&names).contains("IN ('o''pw', 'o''pw__previous')"));
    }
}
