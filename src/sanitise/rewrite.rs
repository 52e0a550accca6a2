//! Columns whose text is rewritten here and not by the server: what stands under keys that name a credential is taken out of JSON.

use futures_util::{StreamExt, pin_mut};
use postgres_protocol::escape::escape_identifier;
use tokio_postgres::{Error, GenericClient};

use super::catalogue::{Column, Kind};
use super::error::SanitiseError;
use super::json::{self, Finder, Scope};
use super::statement::{Parameter, Sql};

/// Rows that are written with one statement.
const AT_ONCE: usize = 500;

/// A column to be rewritten.
#[derive(Debug, Clone)]
pub(super) struct Rewritten {
    /// Its name, quoted.
    quoted: String,
    sql_type: String,
    /// Keys whose values go beside those that name a credential.
    keys: Vec<String>,
    scope: Scope,
}

impl Rewritten {
    /// A column that can hold JSON; none where it is of a type that cannot.
    pub(super) fn column(name: &str, column: &Column, keys: &[String]) -> Option<Self> {
        let holds_text = matches!(column.kind, Kind::Text | Kind::Json) || is_hstore(&column.sql_type);
        (holds_text && !column.generated).then(|| Self {
            quoted: escape_identifier(name),
            sql_type: column.sql_type.clone(),
            keys: keys.to_vec(),
            scope: Scope::All,
        })
    }
}

impl Rewritten {
    /// The same, but for texts in its JSON.
    pub(super) fn with_scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    fn cleaned(&self, finder: &Finder, text: &str) -> Option<String> {
        finder.cleaned(text, &self.keys, self.scope)
    }
}

/// A type of an extension, in whatever schema it was installed.
pub(super) fn is_hstore(sql_type: &str) -> bool {
    sql_type == "hstore" || sql_type.ends_with(".hstore")
}

/// Columns of a table to be rewritten, and in which rows.
#[derive(Debug, Clone)]
pub(super) struct Rewrite {
    relation: String,
    columns: Vec<Rewritten>,
    finder: Finder,
    /// What is read: where a row is, whether it is the copy's own, and its texts.
    read: Sql,
}

/// A row to be rewritten: the table or partition that holds it, and its place there.
struct Place {
    table: String,
    row: String,
}

impl Rewrite {
    /// `condition` says which rows, `own` which of them are the copy's own; their values are those of `sql`.
    pub(super) fn new(
        relation: &str,
        columns: Vec<Rewritten>,
        condition: &str,
        own: Option<&str>,
        mut sql: Sql,
    ) -> Result<Self, SanitiseError> {
        let texts: Vec<_> = columns
            .iter()
            .map(|column| format!("{}::text", column.quoted))
            .collect();
        let may_hold: Vec<_> = columns
            .iter()
            .zip(&texts)
            .map(|(column, text)| json::may_hold(text, &column.keys))
            .collect();
        let own = own.unwrap_or("false");
        sql.text = format!(
            "SELECT tableoid::text, ctid::text, {own} IS TRUE, {}\nFROM {relation}\nWHERE ({condition})\n  AND ({})",
            texts.join(", "),
            may_hold.join("\n    OR ")
        );
        Ok(Self {
            relation: relation.to_owned(),
            columns,
            finder: Finder::new()?,
            read: sql,
        })
    }

    /// What is read to begin with, for people.
    pub(super) fn shown(&self) -> Sql {
        self.read.clone()
    }

    /// How many rows hold a credential: those of production, and those of the copy's own.
    pub(super) async fn count(&self, client: &impl GenericClient) -> Result<(i64, i64), Error> {
        let (mut others, mut own) = (0, 0);
        self.each(client, |_, is_own| if is_own { own += 1 } else { others += 1 })
            .await?;
        Ok((others, own))
    }

    /// Rewrites the rows that hold a credential; tells how many there were.
    pub(super) async fn run(&self, client: &impl GenericClient) -> Result<u64, Error> {
        let mut places = Vec::new();
        self.each(client, |place, _| places.push(place)).await?;
        let mut changed = 0;
        for places in places.chunks(AT_ONCE) {
            changed += self.write(client, places).await?;
        }
        Ok(changed)
    }

    /// Reads row by row: of a large table only places are kept.
    async fn each(&self, client: &impl GenericClient, mut see: impl FnMut(Place, bool)) -> Result<(), Error> {
        let rows = self.read.stream(client).await?;
        pin_mut!(rows);
        while let Some(row) = rows.next().await {
            let row = row?;
            let holds = self.columns.iter().enumerate().any(|(at, column)| {
                let text: Option<&str> = row.get(at + 3);
                text.is_some_and(|text| column.cleaned(&self.finder, text).is_some())
            });
            if holds {
                let place = Place {
                    table: row.get(0),
                    row: row.get(1),
                };
                see(place, row.get(2));
            }
        }
        Ok(())
    }

    /// Reads these rows again and writes them.
    async fn write(&self, client: &impl GenericClient, places: &[Place]) -> Result<u64, Error> {
        let relation = &self.relation;
        let mut sql = Sql::default();
        let tables = sql.bind(Parameter::List(
            places.iter().map(|place| place.table.clone()).collect(),
        ));
        let rows = sql.bind(Parameter::List(places.iter().map(|place| place.row.clone()).collect()));
        let texts: Vec<_> = self
            .columns
            .iter()
            .map(|column| format!("t.{}::text", column.quoted))
            .collect();
        // A place says nothing without the partition that it is in; the condition on it alone is what finds the row quickly.
        let here = format!(
            "t.ctid = ANY ({rows}::tid[]) AND (t.tableoid, t.ctid) IN (SELECT p.o::oid, p.r::tid FROM unnest({tables}, {rows}) AS p (o, r))"
        );
        sql.text = format!(
            "SELECT t.tableoid::text, t.ctid::text, {} FROM {relation} AS t WHERE {here}",
            texts.join(", ")
        );
        let read = sql.query(client).await?;

        let mut sql = Sql::default();
        let mut lists = vec![Vec::new(); 2 + self.columns.len()];
        for row in &read {
            lists[0].push(row.get::<_, String>(0));
            lists[1].push(row.get::<_, String>(1));
            for (at, column) in self.columns.iter().enumerate() {
                let text: Option<String> = row.get(at + 2);
                let text = text.unwrap_or_default();
                lists[at + 2].push(column.cleaned(&self.finder, &text).unwrap_or(text));
            }
        }
        let lists: Vec<_> = lists.into_iter().map(|list| sql.bind(Parameter::Rows(list))).collect();
        let names: Vec<_> = (0..self.columns.len()).map(|at| format!("c{at}")).collect();
        let sets = self.columns.iter().zip(&names).map(|(column, name)| {
            let Rewritten { quoted, sql_type, .. } = column;
            format!("{quoted} = CASE WHEN t.{quoted} IS NULL THEN NULL ELSE n.{name}::{sql_type} END")
        });
        sql.text = format!(
            "UPDATE {relation} AS t SET {} FROM unnest({}) AS n (o, r, {}) \
             WHERE t.ctid = ANY ({}::tid[]) AND t.tableoid = n.o::oid AND t.ctid = n.r::tid",
            sets.collect::<Vec<_>>().join(", "),
            lists.join(", "),
            names.join(", "),
            lists.get(1).map_or("NULL", String::as_str)
        );
        sql.execute(client).await
    }
}
