//! The hunt for credentials that no rule names: by the names of columns and parameters, and by the looks of values.

use tokio_postgres::{Error, GenericClient};

use super::bindings::Bindings;
use super::catalogue::{self, Catalogue, Kind, Table};
use super::error::SanitiseError;
use super::finding::Clue;
use super::format;
use super::fragment::Target;
use super::hunt_files;
use super::hunt_json;
use super::hunt_pairs;
use super::hunt_tokens::{is_renewable, made_alike};
use super::hunt_values;
use super::materialised;
use super::objects;
use super::own::{self, Own};
use super::pipeline::in_order;
use super::plan;
use super::rewrite::Rewrite;
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
    pub removal: Option<Removal>,
    /// Whether its rows are the copy's own.
    pub own: bool,
}

/// How something is removed.
#[derive(Debug, Clone)]
pub(super) enum Removal {
    /// By a statement.
    Sql(Sql),
    /// By rewriting texts.
    Rewrite(Rewrite),
}

impl Removal {
    pub(super) async fn run(&self, client: &impl GenericClient) -> Result<u64, Error> {
        match self {
            Self::Sql(sql) => sql.execute(client).await,
            Self::Rewrite(rewrite) => rewrite.run(client).await,
        }
    }
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
            trace.removal = views.get(&trace.table).map(materialised::emptying).map(Removal::Sql);
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
        traces.extend(hunt_json::run(client, self, tables).await?);
        Ok(traces)
    }

    /// Columns of a credential's name that hold something which no rule put there.
    async fn names(&self, client: &impl GenericClient, name: &str, table: &Table) -> Result<Vec<Trace>, SanitiseError> {
        let relation = &table.relation;
        let mut select = Sql::default();
        let (mut counts, mut traces) = (Vec::new(), Vec::new());
        let (mut looks, mut renewals) = (Vec::new(), Vec::new());
        for (column_name, column) in &table.columns {
            let candidate = column.kind != Kind::Other && !column.selection && !column.generated;
            if !candidate || !format::names_a_lock(column_name) || self.kept(name, column_name) {
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
            let renewal = is_renewable(&target);
            looks.push(if renewal {
                made_alike(&target)
            } else {
                "false".to_owned()
            });
            renewals.push(if renewal {
                Some(self.removal(&target, relation, &Value::Renewed(None))?)
            } else {
                None
            });
            let trace = Trace {
                table: name.to_owned(),
                column: column_name.clone(),
                clue: Clue::Name,
                count: 0,
                removal: Some(self.removal(&target, relation, &Value::Nothing)?),
                own: false,
            };
            let own = own.map(|_| trace.of_its_own());
            traces.push(std::iter::once(trace).chain(own).collect::<Vec<_>>());
        }
        if counts.is_empty() {
            return Ok(Vec::new());
        }
        select.text = format!("SELECT {}, {} FROM {relation}", counts.join(", "), looks.join(", "));
        let row = select
            .query_one(client)
            .await
            .map_err(SanitiseError::server("look for credentials"))?;
        // Counts stand before looks.
        let counted: usize = traces.iter().map(Vec::len).sum();
        let mut at = 0;
        for (look, (traces, renewal)) in (counted..).zip(traces.iter_mut().zip(renewals)) {
            // What a default makes anew in each row is renewed: a kiosk whose key is empty has no address.
            if let (Some(first), Some(renewal), true) = (traces.first_mut(), renewal, row.get(look)) {
                first.removal = Some(renewal);
            }
            for trace in traces {
                trace.count = row.get(at);
                at += 1;
            }
        }
        let found = traces.into_iter().flatten().filter(|trace| trace.count > 0);
        Ok(found
            .filter(|trace| trace.count <= FEW || format::names_a_credential(&trace.column))
            .collect())
    }

    /// What puts a value in place of what no rule put there.
    fn removal(&self, target: &Target<'_>, relation: &str, value: &Value) -> Result<Removal, SanitiseError> {
        let mut removal = Sql::default();
        let value = target.value(&mut removal, value, self.bindings)?;
        let here = self.unexplained(target, &mut removal)?;
        removal.text = format!("UPDATE {relation} SET {} = {value} WHERE {here}", target.quoted());
        Ok(Removal::Sql(removal))
    }

    /// The condition under which a row holds something in the column that no rule put there.
    fn unexplained(&self, target: &Target<'_>, sql: &mut Sql) -> Result<String, SanitiseError> {
        let mut parts = vec![target.holds()];
        if target.column.kind == Kind::Text {
            parts.push(format!("lower({}) NOT IN ('true', 'false')", target.quoted()));
        }
        if target.is_never_empty() || is_renewable(target) {
            let renewed = target.value(sql, &Value::Renewed(None), self.bindings)?;
            parts.push(format!("{} IS DISTINCT FROM {renewed}", target.quoted()));
        }
        for rule in self.active().filter(|rule| rule.table == target.table) {
            for (name, value) in rule.assignments() {
                if name == target.name && *value != Value::Nothing {
                    let wanted = target.value(sql, value, self.bindings)?;
                    let mut differs = format!("{} IS DISTINCT FROM {wanted}", target.quoted());
                    // A rule that tells tokens from other values of their column is believed: the others are none.
                    if matches!(value, Value::Renewed(_)) && rule.condition.tests.contains_key(name) {
                        let among = plan::condition(rule, sql, self.catalogue, self.bindings)?;
                        differs = format!("({} AND {differs})", among.join(" AND "));
                    }
                    if !parts.contains(&differs) {
                        parts.push(differs);
                    }
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
        let is_link = target.name == LINK
            || assignments.any(|(name, value)| name == target.name && matches!(value, Value::Renewed(_)));
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
                Change::Json(columns) => columns.iter().any(|one| one.name == column),
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
