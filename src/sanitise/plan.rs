//! Rules, a database's catalogue and a policy become statements.

use postgres_protocol::escape::escape_literal;

use super::anonymise;
use super::bindings::Bindings;
use super::catalogue::Catalogue;
use super::error::SanitiseError;
use super::fragment::{self, Target};
use super::own;
use super::parameter_plan;
use super::people_plan;
use super::rewrite::{Rewrite, Rewritten};
use super::rule::{Change, JsonColumn, Rule};
use super::rule_file::PARAMETERS;
use super::rule_set::RuleSet;
use super::service_users;
use super::statement::{Sql, Statement};
use super::value::Value;

/// The statements for one database, in the order in which they run: the policy's service users, the rules that apply to
/// it, then the parameters of the policy and the service users' keys.
///
/// # Errors
/// When a rule cannot be applied to the columns that are there, when the policy lacks a value that a rule asks for, or
/// when a parameter would be set to a value of production.
pub fn plan(catalogue: &Catalogue, rules: &RuleSet, bindings: &Bindings<'_>) -> Result<Vec<Statement>, SanitiseError> {
    let mut statements = parameter_plan::policy(catalogue, bindings)?;
    let policy = bindings.policy;
    let chosen = policy.chosen_parameters();
    people_plan::known_models(rules, policy)?;
    let mut planned = service_users::users(catalogue, bindings)?;
    let chosen_rules = rules
        .iter()
        .filter(|rule| applies(rule, catalogue) && rule.when.holds(policy));
    let mut chosen_rules: Vec<_> = chosen_rules.collect();
    chosen_rules.sort_by_key(|rule| people_plan::turn(rule));
    for rule in chosen_rules {
        match &rule.change {
            Change::Parameters {
                keys,
                value,
                only_if_present,
            } => {
                // What the policy says of a parameter comes before what a rule says of it.
                let keys: Vec<_> = keys
                    .iter()
                    .map(String::as_str)
                    .filter(|key| !chosen.contains(key))
                    .collect();
                let installed = rule
                    .modules
                    .iter()
                    .any(|module| catalogue.modules().any(|known| known == module));
                let only_if_present = *only_if_present || !installed;
                planned.extend(parameter_plan::rule(
                    rule,
                    &keys,
                    value.as_ref(),
                    only_if_present,
                    catalogue,
                    bindings,
                )?);
            }
            Change::Set(assignments) => planned.extend(update(rule, assignments, catalogue, bindings)?),
            Change::Json(columns) => planned.extend(rewrite(rule, columns, catalogue, bindings)?),
            Change::Delete => planned.push(delete(rule, catalogue, bindings)?),
            Change::Create(columns) => planned.push(create(rule, columns, catalogue, bindings)?),
        }
    }
    planned.append(&mut statements);
    planned.extend(service_users::keys(catalogue, bindings));
    Ok(planned)
}

/// Whether the version, the table and all columns of the condition are there. Which of the assigned columns are is
/// looked at later, one by one.
pub(super) fn applies(rule: &Rule, catalogue: &Catalogue) -> bool {
    (rule.odoo.is_empty() || rule.odoo.contains(&catalogue.odoo()))
        && catalogue.table(&rule.table).is_some()
        && rule
            .condition
            .tests
            .keys()
            .all(|column| catalogue.column(&rule.table, column).is_some())
        && rule.requires.iter().all(|required| catalogue.has(required))
}

/// The assignments whose columns are there.
pub(super) fn targets<'a>(
    rule: &'a Rule,
    assignments: &'a [(String, Value)],
    catalogue: &'a Catalogue,
) -> impl Iterator<Item = (Target<'a>, &'a Value)> {
    assignments.iter().filter_map(move |(name, value)| {
        let column = catalogue.column(&rule.table, name)?;
        let target = Target {
            rule: &rule.name,
            table: &rule.table,
            name,
            column,
        };
        (!column.generated).then_some((target, value))
    })
}

/// The rule's condition as SQL, without `WHERE`; empty when it is about every row.
pub(super) fn condition(
    rule: &Rule,
    sql: &mut Sql,
    catalogue: &Catalogue,
    bindings: &Bindings<'_>,
) -> Result<Vec<String>, SanitiseError> {
    let mut parts = Vec::new();
    for (name, test) in &rule.condition.tests {
        if let Some(column) = catalogue.column(&rule.table, name) {
            parts.push(
                Target {
                    rule: &rule.name,
                    table: &rule.table,
                    name,
                    column,
                }
                .test(test),
            );
        }
    }
    parts.extend(fragment::raw(sql, &rule.condition, bindings)?);
    let chosen = bindings.policy.chosen_parameters();
    // What the policy says of a parameter comes before what a rule says of the table.
    if rule.table == PARAMETERS && !chosen.is_empty() {
        parts.push(format!("key NOT IN ({})", literals(chosen)));
    }
    Ok(parts)
}

fn update(
    rule: &Rule,
    assignments: &[(String, Value)],
    catalogue: &Catalogue,
    bindings: &Bindings<'_>,
) -> Result<Option<Statement>, SanitiseError> {
    let table = catalogue.relation(&rule.table);
    let known = anonymise::known(rule, catalogue, bindings.policy);
    let (mut sql, mut surface) = (Sql::default(), Sql::default());
    let (mut sets, mut differs, mut differs_still) = (Vec::new(), Vec::new(), Vec::new());
    for (target, value) in targets(rule, assignments, catalogue) {
        let Some(new) = people_plan::wanted(&target, value, &known, &mut sql, catalogue, bindings)? else {
            continue;
        };
        sets.push(format!("{} = {}", target.quoted(), target.assigned(value, &new)));
        differs.push(target.differs(value, &new));
        let new = people_plan::wanted(&target, value, &known, &mut surface, catalogue, bindings)?.unwrap_or_default();
        differs_still.push(target.differs(value, &new));
    }
    if sets.is_empty() {
        return Ok(None);
    }
    let (from, joined) = match &known.from {
        Some(from) => (format!("\nFROM {from}"), Some(format!("known.record = {table}.id"))),
        None => (String::new(), None),
    };
    let mut wheres: Vec<_> = joined.iter().cloned().collect();
    wheres.extend(condition(rule, &mut sql, catalogue, bindings)?);
    wheres.push(any(&differs));
    sql.text = format!(
        "UPDATE {table}\nSET {}{from}\nWHERE {}",
        sets.join(",\n    "),
        wheres.join("\n  AND ")
    );
    let mut wheres: Vec<_> = joined.into_iter().collect();
    wheres.extend(condition(rule, &mut surface, catalogue, bindings)?);
    wheres.push(any(&differs_still));
    let own = own::condition(rule.own, &rule.table, catalogue, &mut surface, bindings);
    let others = known.from.map(|from| format!(", {from}")).unwrap_or_default();
    let wheres = wheres.join(" AND ");
    let sample = rule.when.anonymise.is_some().then(|| Sql {
        text: format!("SELECT count(*) FROM {table} TABLESAMPLE SYSTEM (1){others} WHERE {wheres}"),
        parameters: surface.parameters.clone(),
    });
    let counted = own::counted(own.as_ref());
    surface.text = format!("SELECT {counted} FROM {table}{others} WHERE {wheres}");
    Ok(Some(Statement {
        sample,
        ..statement(rule, sql, surface)
    }))
}

/// JSON is read and written here: what is shown is how it is read.
fn rewrite(
    rule: &Rule,
    columns: &[JsonColumn],
    catalogue: &Catalogue,
    bindings: &Bindings<'_>,
) -> Result<Option<Statement>, SanitiseError> {
    let columns: Vec<_> = columns
        .iter()
        .filter_map(|json| {
            let column = catalogue.column(&rule.table, &json.name)?;
            Rewritten::column(&json.name, column, &json.keys)
        })
        .collect();
    if columns.is_empty() {
        return Ok(None);
    }
    let mut sql = Sql::default();
    let wheres = condition(rule, &mut sql, catalogue, bindings)?;
    let wheres = if wheres.is_empty() {
        "true".to_owned()
    } else {
        wheres.join(" AND ")
    };
    let own = own::condition(rule.own, &rule.table, catalogue, &mut sql, bindings);
    let relation = catalogue.relation(&rule.table);
    let rewrite = Rewrite::new(&relation, columns, &wheres, own.as_deref(), sql)?;
    Ok(Some(Statement {
        rewrite: Some(rewrite.clone()),
        ..statement(rule, rewrite.shown(), Sql::default())
    }))
}

fn delete(rule: &Rule, catalogue: &Catalogue, bindings: &Bindings<'_>) -> Result<Statement, SanitiseError> {
    let table = catalogue.relation(&rule.table);
    let (mut sql, mut surface) = (Sql::default(), Sql::default());
    sql.text = format!(
        "DELETE FROM {table}{}",
        clause(&condition(rule, &mut sql, catalogue, bindings)?)
    );
    let wheres = condition(rule, &mut surface, catalogue, bindings)?;
    let own = own::condition(rule.own, &rule.table, catalogue, &mut surface, bindings);
    let counted = own::counted(own.as_ref());
    surface.text = format!("SELECT {counted} FROM {table}{}", clause(&wheres));
    Ok(statement(rule, sql, surface))
}

fn create(
    rule: &Rule,
    columns: &[(String, Value)],
    catalogue: &Catalogue,
    bindings: &Bindings<'_>,
) -> Result<Statement, SanitiseError> {
    let table = catalogue.relation(&rule.table);
    let (mut sql, mut surface) = (Sql::default(), Sql::default());
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for (target, value) in targets(rule, columns, catalogue) {
        names.push(target.quoted());
        values.push(target.value(&mut sql, value, bindings)?);
    }
    let there = clause(&condition(rule, &mut sql, catalogue, bindings)?);
    sql.text = format!(
        "INSERT INTO {table} ({})\nSELECT {}\nWHERE NOT EXISTS (SELECT FROM {table}{there})",
        names.join(", "),
        values.join(", ")
    );
    let there = clause(&condition(rule, &mut surface, catalogue, bindings)?);
    surface.text = format!("SELECT (NOT EXISTS (SELECT FROM {table}{there}))::int::bigint");
    Ok(statement(rule, sql, surface))
}

pub(super) fn statement(rule: &Rule, sql: Sql, surface: Sql) -> Statement {
    Statement {
        rule: rule.name.clone(),
        modules: rule.modules.clone(),
        table: rule.table.clone(),
        why: rule.why.clone(),
        sql,
        surface,
        sample: None,
        rewrite: None,
    }
}

pub(super) fn literals<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(escape_literal).collect::<Vec<_>>().join(", ")
}

fn any(conditions: &[String]) -> String {
    match conditions {
        [one] => one.clone(),
        several => format!("(({}))", several.join(")\n    OR (")),
    }
}

fn clause(conditions: &[String]) -> String {
    if conditions.is_empty() {
        String::new()
    } else {
        format!("\nWHERE {}", conditions.join("\n  AND "))
    }
}
