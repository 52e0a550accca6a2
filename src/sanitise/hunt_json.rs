//! The hunt in JSON, where a column or its table is known to hold credentials: fields of OCA's server_environment, settings and
//! options, and whatever holds JSON beside a column with a credential's name.

use tokio_postgres::GenericClient;

use super::catalogue::{Column, Kind, Table};
use super::error::SanitiseError;
use super::finding::Clue;
use super::format;
use super::hunt::{Hunt, Removal, Trace};
use super::json::Scope;
use super::own::{self, Own};
use super::rewrite::{Rewrite, Rewritten, is_hstore};
use super::statement::Sql;

/// Names of columns that hold settings, with what stands before a `_` or alone.
const SETTINGS: [&str; 17] = [
    "args",
    "config",
    "configuration",
    "connection",
    "credentials",
    "env",
    "env_defaults",
    "headers",
    "http_params",
    "kwargs",
    "options",
    "param",
    "parameters",
    "params",
    "properties",
    "server_env_defaults",
    "settings",
];

/// What is found under keys that name a credential.
pub(super) async fn run(
    client: &impl GenericClient,
    hunt: &Hunt<'_>,
    tables: &[(&str, &Table)],
) -> Result<Vec<Trace>, SanitiseError> {
    let mut traces = Vec::new();
    for (name, table) in tables {
        let beside = table
            .columns
            .iter()
            .any(|(name, column)| holds_a_credential(name, column));
        for (column_name, column) in &table.columns {
            let scope = if is_of_settings(column_name) {
                Scope::All
            } else if beside && holds_objects(column) {
                Scope::Keys
            } else {
                continue;
            };
            if column.selection || hunt.kept(name, column_name) {
                continue;
            }
            let Some(rewritten) = Rewritten::column(column_name, column, &[]) else {
                continue;
            };
            let rewritten = rewritten.with_scope(scope);
            traces.extend(look(client, hunt, (name, table), column_name, rewritten, "true").await?);
        }
    }
    Ok(traces)
}

/// What is found in one column, in the rows that meet a condition.
pub(super) async fn look(
    client: &impl GenericClient,
    hunt: &Hunt<'_>,
    (name, table): (&str, &Table),
    shown: &str,
    column: Rewritten,
    condition: &str,
) -> Result<Vec<Trace>, SanitiseError> {
    let mut sql = Sql::default();
    let own = own::condition(Own::Made, name, hunt.catalogue, &mut sql, hunt.bindings);
    let rewrite = Rewrite::new(&table.relation, vec![column], condition, own.as_deref(), sql)?;
    let counted = rewrite.count(client).await;
    let (others, own) = counted.map_err(SanitiseError::server("look for credentials in JSON"))?;
    let trace = Trace {
        table: name.to_owned(),
        column: shown.to_owned(),
        clue: Clue::Key,
        count: others,
        removal: Some(Removal::Rewrite(rewrite)),
        own: false,
    };
    let of_its_own = Trace {
        count: own,
        ..trace.of_its_own()
    };
    Ok([trace, of_its_own]
        .into_iter()
        .filter(|trace| trace.count > 0)
        .collect())
}

fn is_of_settings(name: &str) -> bool {
    let name = name.to_lowercase();
    SETTINGS.iter().any(|known| {
        name.strip_suffix(known)
            .is_some_and(|before| before.is_empty() || before.ends_with('_'))
    })
}

fn holds_a_credential(name: &str, column: &Column) -> bool {
    matches!(column.kind, Kind::Text | Kind::Bytes) && !column.selection && format::names_a_credential(name)
}

fn holds_objects(column: &Column) -> bool {
    column.kind == Kind::Json || is_hstore(&column.sql_type)
}
