//! The hunt for credentials that no rule names: by the names of columns and parameters, and by the looks of values.

use tokio_postgres::GenericClient;

use super::bindings::Bindings;
use super::catalogue::{self, Catalogue, Kind, Table};
use super::error::SanitiseError;
use super::finding::Clue;
use super::format;
use super::fragment::Target;
use super::hunt_files;
use super::hunt_pairs;
use super::hunt_values;
use super::materialised;
use super::objects;
use super::own::{self, Own};
use super::pipeline::in_order;
use super::plan;
use super::rule::{Change, Rule};
use super::rule_set::RuleSet;
use super::stamp;
use super::statement::Sql;
use super::value::Value;

/// More rows than this are not set up by hand.
const FEW: i64 = 100;

/// What Odoo calls the column by which a link opens a document.
const LINK: &str = "access_token";

/// Something found, and how it would be removed, where that can be.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    pub table: String,
    pub column: String,
    pub clue: Clue,
    pub count: i64,
    pub removal: Option<Sql>,
    /// Whether its rows are the copy's own.
    pub own: bool,
}

impl Trace {
    /// The same of the rows that are the copy's own: nothing removes them.
    pub(super) fn of_its_own(&self) -> Self {
        Self {
            removal: None,
            own: true,
            ..self.clone()
        }
    }
}

/// Where to hunt and what to pass by.
pub(super) struct Hunt<'a> {
    pub catalogue: &'a Catalogue,
    pub rules: &'a RuleSet,
    pub bindings: &'a Bindings<'a>,
}

impl Hunt<'_> {
    /// Everything that is found in tables, and beside them.
    pub(super) async fn run(&self, client: &impl GenericClient) -> Result<Vec<Trace>, SanitiseError> {
        let tables: Vec<_> = self.catalogue.tables().collect();
        let mut traces = self.look(client, &tables).await?;
        traces.extend(hunt_files::run(client, self.catalogue, self.bindings).await?);
        traces.extend(objects::run(client).await?);
        Ok(traces)
    }

    /// What is found in materialised views: read when it is asked for, because tables are treated first and views
    /// computed anew. What still stands in one then can only be taken out with all that it holds.
    pub(super) async fn views(&self, client: &impl GenericClient) -> Result<Vec<Trace>, SanitiseError> {
        let views = catalogue::materialised_views(client).await?;
        let tables: Vec<_> = views.iter().map(|(name, table)| (name.as_str(), table)).collect();
        let mut traces = self.look(client, &tables).await?;
        for trace in &mut traces {
            trace.removal = views.get(&trace.table).map(materialised::emptying);
        }
        Ok(traces)
    }

    /// What is found in relations, by the names of their columns and by the looks of their values.
    async fn look(&self, client: &impl GenericClient, tables: &[(&str, &Table)]) -> Result<Vec<Trace>, SanitiseError> {
        let mut traces = Vec::new();
        let named = in_order(tables.iter().map(|(name, table)| self.names(client, name, table))).await?;
        traces.extend(named.into_iter().flatten());
        traces.extend(hunt_values::run(client, self, tables).await?);
        traces.extend(hunt_pairs::run(client, self, tables).await?);
        Ok(traces)
    }

    /// Columns of a credential's name that hold something which no rule put there.
    async fn names(&self, client: &impl GenericClient, name: &str, table: &Table) -> Result<Vec<Trace>, SanitiseError> {
        let relation = &table.relation;
        let mut select = Sql::default();
        let (mut counts, mut traces) = (Vec::new(), Vec::new());
        for (column_name, column) in &table.columns {
            let candidate = column.kind != Kind::Other && !column.selection && !column.generated;
            let named = format::names_a_credential(column_name) || format::names_some_key(column_name);
            if !candidate || !named || self.kept(name, column_name) {
                continue;
            }
            let target = Target {
                rule: "hunt",
                table: name,
                name: column_name,
                column,
            };
            let here = self.unexplained(&target, &mut select)?;
            let own = own::condition(self.own(&target), name, self.catalogue, &mut select, self.bindings);
            counts.push(match &own {
                Some(own) => format!(
                    "count(*) FILTER (WHERE {here} AND {own} IS NOT TRUE), count(*) FILTER (WHERE {here} AND {own})"
                ),
                None => format!("count(*) FILTER (WHERE {here})"),
            });

            let mut removal = Sql::default();
            let empty = target.value(&mut removal, &Value::Nothing, self.bindings)?;
            let here = self.unexplained(&target, &mut removal)?;
            removal.text = format!("UPDATE {relation} SET {} = {empty} WHERE {here}", target.quoted());
            traces.push(Trace {
                table: name.to_owned(),
                column: column_name.clone(),
                clue: Clue::Name,
                count: 0,
                removal: Some(removal),
                own: false,
            });
            if let Some(last) = traces.last().filter(|_| own.is_some()) {
                traces.push(last.of_its_own());
            }
        }
        if counts.is_empty() {
            return Ok(traces);
        }
        select.text = format!("SELECT {} FROM {relation}", counts.join(", "));
        let mut traces = fill(client, &select, traces).await?;
        traces.retain(|trace| trace.count <= FEW || format::names_a_credential(&trace.column));
        Ok(traces)
    }

    /// The condition under which a row holds something in the column that no rule put there.
    fn unexplained(&self, target: &Target<'_>, sql: &mut Sql) -> Result<String, SanitiseError> {
        let mut parts = vec![target.holds()];
        if target.column.kind == Kind::Text {
            parts.push(format!("lower({}) NOT IN ('true', 'false')", target.quoted()));
            if target.column.not_null && target.column.unique {
                let cleared = target.value(sql, &Value::Nothing, self.bindings)?;
                parts.push(format!("{} IS DISTINCT FROM {cleared}", target.quoted()));
            }
        }
        for rule in self.active().filter(|rule| rule.table == target.table) {
            for (name, value) in rule.assignments() {
                if name == target.name && *value != Value::Nothing {
                    let wanted = target.value(sql, value, self.bindings)?;
                    parts.push(format!("{} IS DISTINCT FROM {wanted}", target.quoted()));
                }
            }
        }
        Ok(parts.join(" AND "))
    }

    /// Which rows may be the copy's own. The token of a link is made when somebody first asks for the link, in a row that was
    /// there.
    fn own(&self, target: &Target<'_>) -> Own {
        let rules = self.active().filter(|rule| rule.table == target.table);
        let mut assignments = rules.flat_map(Rule::assignments);
        let is_link =
            target.name == LINK || assignments.any(|(name, value)| name == target.name && *value == Value::Renewed);
        if is_link { Own::Written } else { Own::Made }
    }

    fn active(&self) -> impl Iterator<Item = &Rule> {
        self.rules
            .iter()
            .filter(|rule| plan::applies(rule, self.catalogue) && rule.when.holds(self.bindings.policy))
    }

    /// Whether a rule would have treated the column, had the policy not chosen to keep what is there.
    pub(super) fn kept(&self, table: &str, column: &str) -> bool {
        self.rules
            .iter()
            .filter(|rule| {
                rule.table == table && rule.when.anonymise.is_none() && !rule.when.holds(self.bindings.policy)
            })
            .any(|rule| match &rule.change {
                Change::Delete => true,
                Change::Set(assignments) => assignments.iter().any(|(name, _)| name == column),
                Change::Create(_) | Change::Parameters { .. } => false,
            })
    }

    /// Whether a rule, the policy or sanitising itself gave the parameter its value.
    pub(super) fn explained(&self, key: &str) -> bool {
        let by_rule = self.active().any(|rule| match &rule.change {
            Change::Parameters {
                keys, value: Some(_), ..
            } => keys.iter().any(|known| known == key),
            _ => false,
        });
        by_rule || key == stamp::PARAMETER || self.bindings.policy.parameters.contains_key(key)
    }
}

/// Runs a SELECT of one count a trace, and keeps the traces that are there.
pub(super) async fn fill(
    client: &impl GenericClient,
    select: &Sql,
    mut traces: Vec<Trace>,
) -> Result<Vec<Trace>, SanitiseError> {
    let row = select
        .query_one(client)
        .await
        .map_err(SanitiseError::server("look for credentials"))?;
    for (at, trace) in traces.iter_mut().enumerate() {
        trace.count = row.get(at);
    }
    traces.retain(|trace| trace.count > 0);
    Ok(traces)
}
