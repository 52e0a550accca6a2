//! The hunt among pairs of key and value: Odoo's system parameters, copies of them that people keep, and tables that
//! modules make in their likeness. The key is then what a column's name is elsewhere.

use postgres_protocol::escape::{escape_identifier, escape_literal};
use tokio_postgres::GenericClient;

use super::catalogue::{Kind, Table};
use super::error::SanitiseError;
use super::finding::Clue;
use super::format;
use super::fragment::Target;
use super::hunt::{Hunt, Removal, Trace};
use super::json::{Finder, Scope};
use super::own::{self, Own};
use super::rewrite::{Rewrite, Rewritten};
use super::rule::Change;
use super::rule_file::PARAMETERS;
use super::statement::Sql;
use super::value::{Constant, Value};

/// What the column of keys is called; that of values is `value`.
const KEYS: [&str; 4] = ["key", "param", "parameter", "setting"];

/// A table of more pairs than this is no table of settings.
const MOST: usize = 10_000;

/// Pairs with a credential's key or a random-looking value that no rule and no policy put there.
pub(super) async fn run(
    client: &impl GenericClient,
    hunt: &Hunt<'_>,
    tables: &[(&str, &Table)],
) -> Result<Vec<Trace>, SanitiseError> {
    let mut traces = Vec::new();
    for (name, table) in tables {
        let text = |column: &str| {
            table
                .columns
                .get(column)
                .is_some_and(|column| column.kind == Kind::Text)
        };
        if let Some(key) = KEYS.into_iter().find(|key| text(key) && text("value")) {
            traces.extend(look(client, hunt, (name, table), key).await?);
        }
    }
    Ok(traces)
}

async fn look(
    client: &impl GenericClient,
    hunt: &Hunt<'_>,
    (name, table): (&str, &Table),
    key_column: &str,
) -> Result<Vec<Trace>, SanitiseError> {
    let is_odoos = name == PARAMETERS;
    // What a view shows of Odoo's parameters are the values that rules gave them.
    let is_followed = is_odoos || hunt.catalogue.table(name).is_none();
    let (relation, quoted) = (&table.relation, escape_identifier(key_column));
    let most = if is_odoos {
        String::new()
    } else {
        format!(" LIMIT {}", MOST + 1)
    };
    let mut select = Sql::default();
    let own = own::condition(Own::Made, name, hunt.catalogue, &mut select, hunt.bindings);
    let own = own.unwrap_or_else(|| "false".to_owned());
    select.text =
        format!("SELECT {quoted}::text, value::text, {own} IS TRUE FROM {relation} WHERE {quoted} <> ''{most}");
    let mut rows = select
        .query(client)
        .await
        .map_err(SanitiseError::server("read the system parameters"))?;
    if !is_odoos && rows.len() > MOST {
        return Ok(Vec::new());
    }
    rows.sort_by_key(|row| (row.get::<_, String>(0), row.get::<_, bool>(2)));
    let finder = Finder::new()?;
    let mut traces: Vec<Trace> = Vec::new();
    for row in rows {
        let (key, value, own): (String, Option<String>, bool) = (row.get(0), row.get(1), row.get(2));
        let value = value.unwrap_or_default();
        if is_plain(&value) || (is_followed && hunt.explained(&key)) {
            continue;
        }
        if let Some(last) = traces.last_mut().filter(|last| last.column == key && last.own == own) {
            last.count += 1;
            continue;
        }
        let named = format::names_a_credential(&key) || format::names_some_key(&key);
        let clue = if named || (!is_odoos && is_emptied(hunt, &key)) {
            Clue::Name
        } else if format::looks_random(&value) {
            Clue::Random
        } else if finder.cleaned(&value, &[], Scope::All).is_some() {
            Clue::Key
        } else {
            continue;
        };
        let mut removal = Sql::default();
        let these = format!("{quoted} = {}", escape_literal(&key));
        if let (Clue::Key, Some(column)) = (&clue, table.columns.get("value")) {
            let value = Rewritten::column("value", column, &[]).into_iter().collect();
            let rewrite = Rewrite::new(relation, value, &these, None, Sql::default())?;
            traces.push(Trace {
                table: name.to_owned(),
                column: key,
                clue,
                count: 1,
                removal: Some(Removal::Rewrite(rewrite)).filter(|_| !own),
                own,
            });
            continue;
        }
        removal.text = match table.columns.get("value") {
            Some(column) if !is_odoos => {
                let target = Target {
                    rule: "hunt",
                    table: name,
                    name: "value",
                    column,
                };
                let empty = target.value(&mut removal, &Value::Nothing, hunt.bindings)?;
                format!("UPDATE {relation} SET value = {empty} WHERE {these}")
            }
            _ => format!("DELETE FROM {relation} WHERE {these}"),
        };
        traces.push(Trace {
            table: name.to_owned(),
            column: key,
            clue,
            count: 1,
            removal: Some(removal).filter(|_| !own).map(Removal::Sql),
            own,
        });
    }
    Ok(traces)
}

/// Whether a rule deletes or empties the system parameter of this key: a copy of it is no better.
fn is_emptied(hunt: &Hunt<'_>, key: &str) -> bool {
    hunt.rules.iter().any(|rule| match &rule.change {
        Change::Parameters { keys, value, .. } => {
            let empties = match value {
                None => true,
                Some(Value::Constant(Constant::Text(text))) => text.is_empty(),
                Some(_) => false,
            };
            empties && keys.iter().any(|known| known == key)
        }
        _ => false,
    })
}

/// Values that cannot be a credential: nothing, yes, no, a number.
fn is_plain(value: &str) -> bool {
    let value = value.trim();
    value.is_empty()
        || matches!(value.to_lowercase().as_str(), "true" | "false" | "none")
        || value.parse::<f64>().is_ok()
}
