//! A statement with its bound values: what is sent, and what a dry run prints.

use postgres_protocol::escape::escape_literal;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, GenericClient, Row, RowStream};

use super::rewrite::Rewrite;
use crate::secret::{MASK, Secret};

/// A bound value. All travel as text and are cast by the statement, so that the same value fits whatever type a
/// column has in this version of Odoo.
#[derive(Debug, Clone)]
pub enum Parameter {
    /// A text that may be shown.
    Text(String),
    /// A text that may not.
    Secret(Secret),
    /// A list of texts.
    List(Vec<String>),
    /// A list of texts that may not be shown.
    Secrets(Vec<Secret>),
    /// A list of what rows hold: it is never shown.
    Rows(Vec<String>),
}

impl Parameter {
    /// The value as the driver takes it.
    fn bind(&self) -> Box<dyn ToSql + Sync + Send> {
        match self {
            Self::Text(text) => Box::new(text.clone()),
            Self::Secret(secret) => Box::new(secret.expose().to_owned()),
            Self::List(list) | Self::Rows(list) => Box::new(list.clone()),
            Self::Secrets(list) => Box::new(list.iter().map(|one| one.expose().to_owned()).collect::<Vec<_>>()),
        }
    }

    fn sql_type(&self) -> Type {
        match self {
            Self::Text(_) | Self::Secret(_) => Type::TEXT,
            Self::List(_) | Self::Secrets(_) | Self::Rows(_) => Type::TEXT_ARRAY,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Text(text) => escape_literal(text),
            Self::Secret(_) => escape_literal(MASK),
            Self::Secrets(list) => {
                let items = vec![escape_literal(MASK); list.len()];
                format!("ARRAY[{}]::text[]", items.join(", "))
            }
            Self::Rows(_) => escape_literal(MASK),
            Self::List(list) => {
                let items: Vec<_> = list.iter().map(|item| escape_literal(item)).collect();
                format!("ARRAY[{}]::text[]", items.join(", "))
            }
        }
    }

    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(two)) => one == two,
            (Self::Secret(one), Self::Secret(two)) => one.expose() == two.expose(),
            (Self::List(one), Self::List(two)) => one == two,
            _ => false,
        }
    }
}

/// SQL text and the values for its `$n`.
#[derive(Debug, Clone, Default)]
pub struct Sql {
    /// The text.
    pub text: String,
    /// The values.
    pub parameters: Vec<Parameter>,
}

impl Sql {
    /// Binds a value and gives its place in the text, cast to text or to a list of texts.
    pub(super) fn bind(&mut self, parameter: Parameter) -> String {
        let cast = if parameter.sql_type() == Type::TEXT_ARRAY {
            "text[]"
        } else {
            "text"
        };
        let at = self.parameters.iter().position(|known| known.same(&parameter));
        let at = at.unwrap_or_else(|| {
            self.parameters.push(parameter);
            self.parameters.len() - 1
        });
        format!("${}::{cast}", at + 1)
    }

    /// Whether the secret is one of its values.
    pub(super) fn binds(&self, secret: &Secret) -> bool {
        self.parameters.iter().any(|one| match one {
            Parameter::Secret(bound) => bound.expose() == secret.expose(),
            _ => false,
        })
    }

    /// Runs it; says how many rows it changed. Text and values go to the server together: their types are known, so
    /// nothing has to be asked first.
    pub(super) async fn execute(&self, client: &impl GenericClient) -> Result<u64, Error> {
        let bound = self.bound();
        client.execute_typed(&self.text, &typed(&bound)).await
    }

    /// Asks it; the answer is one row.
    pub(super) async fn query_one(&self, client: &impl GenericClient) -> Result<Row, Error> {
        let bound = self.bound();
        client.query_typed_one(&self.text, &typed(&bound)).await
    }

    /// Asks it.
    pub(super) async fn query(&self, client: &impl GenericClient) -> Result<Vec<Row>, Error> {
        let bound = self.bound();
        client.query_typed(&self.text, &typed(&bound)).await
    }

    /// Asks it; rows are taken as they come.
    pub(super) async fn stream(&self, client: &impl GenericClient) -> Result<RowStream, Error> {
        client.query_typed_raw(&self.text, self.bound()).await
    }

    fn bound(&self) -> Vec<Bound> {
        let parameters = self.parameters.iter();
        parameters.map(|one| (one.bind(), one.sql_type())).collect()
    }

    /// The text with its values put in, secrets masked: for people, never for the server.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut text = self.text.clone();
        // From the last, so that `$1` does not match the beginning of `$12`.
        for (at, parameter) in self.parameters.iter().enumerate().rev() {
            text = text.replace(&format!("${}::text[]", at + 1), &parameter.shown());
            text = text.replace(&format!("${}::text", at + 1), &parameter.shown());
        }
        text
    }
}

/// A value as the driver takes it, with its type.
type Bound = (Box<dyn ToSql + Sync + Send>, Type);

fn typed(bound: &[Bound]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    bound
        .iter()
        .map(|(value, sql_type)| (value.as_ref() as &(dyn ToSql + Sync), sql_type.clone()))
        .collect()
}

/// One step of sanitising: a set-based statement and the question that verification asks afterwards.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The rule it comes from.
    pub rule: String,
    /// The modules the rule belongs to.
    pub modules: Vec<String>,
    /// The table it changes.
    pub table: String,
    /// Why.
    pub why: String,
    /// The statement.
    pub sql: Sql,
    /// For a statement that may change most of a large table: the same question of a hundredth of it.
    pub sample: Option<Sql>,
    /// A SELECT of what is not yet as the rule wants it: verified means 0. A second number, where there is one, counts rows
    /// that are not so and are the copy's own.
    pub surface: Sql,
    /// What is done instead of both where texts are rewritten here: `sql` is then what is read.
    pub(super) rewrite: Option<Rewrite>,
}

impl Statement {
    /// Runs it; tells how many rows it changed.
    pub(super) async fn run(&self, client: &impl GenericClient) -> Result<u64, Error> {
        match &self.rewrite {
            Some(rewrite) => rewrite.run(client).await,
            None => self.sql.execute(client).await,
        }
    }

    /// How many rows are not as the rule wants them: those of production, and those of the copy's own.
    pub(super) async fn remaining(&self, client: &impl GenericClient) -> Result<(i64, i64), Error> {
        if let Some(rewrite) = &self.rewrite {
            return rewrite.count(client).await;
        }
        let row = self.surface.query_one(client).await?;
        Ok((row.get(0), if row.len() > 1 { row.get(1) } else { 0 }))
    }

    /// The statement for a dry run: a comment that says why, and SQL in which secrets are masked.
    #[must_use]
    pub fn to_script(&self) -> String {
        // A reason may be written over several lines; a comment ends with its line.
        let comment = format!("-- {} ({}): {}", self.rule, self.modules.join(", "), self.why);
        let comment = comment.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{comment}\n{};\n", self.sql.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_of_several_lines_stays_a_comment() {
        let statement = Statement {
            rule: "rule".to_owned(),
            modules: vec!["base".to_owned()],
            table: "t".to_owned(),
            why: "One line\nDROP TABLE t;".to_owned(),
            sql: Sql {
                text: "SELECT 1".to_owned(),
                parameters: Vec::new(),
            },
            sample: None,
            surface: Sql::default(),
            rewrite: None,
        };
        assert_eq!(
            statement.to_script(),
            "-- rule (base): One line DROP TABLE t;\nSELECT 1;\n"
        );
    }
}
