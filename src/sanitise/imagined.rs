//! What sanitising would run where nobody can be asked what there is: on a database that has all that the rules name.

use std::collections::{BTreeMap, BTreeSet};

use super::anonymise::Fake;
use super::catalogue::{Catalogue, Column, Kind, Table, major};
use super::condition::Test;
use super::error::SanitiseError;
use super::facts::Facts;
use super::policy::Policy;
use super::rule::{Change, Rule};
use super::rule_set::RuleSet;
use super::statement::Statement;
use super::value::{Constant, Value};

/// Rules for the version that is meant where the stack does not say.
const NEWEST: u16 = 19;

/// The statements that sanitising would run on an Odoo of this version (`18.0`; the newest known where it is empty) in which
/// all modules are installed that rules know. Nobody is asked; secrets are masked.
///
/// # Errors
/// When a rule cannot be applied, or the policy is refused.
pub fn imagine(
    rules: &RuleSet,
    policy: &Policy,
    facts: &Facts,
    version: &str,
) -> Result<Vec<Statement>, SanitiseError> {
    let catalogue = catalogue(&rules.under(policy)?, major(version).unwrap_or(NEWEST));
    super::shown(&catalogue, rules, policy, facts)
}

fn catalogue(rules: &RuleSet, odoo: u16) -> Catalogue {
    let mut tables = BTreeMap::<String, Table>::new();
    let mut modules = BTreeSet::new();
    for rule in rules
        .iter()
        .filter(|rule| rule.odoo.is_empty() || rule.odoo.contains(&odoo))
    {
        modules.extend(rule.modules.iter().cloned());
        tables.entry(rule.table.clone()).or_insert_with(|| table(&rule.table));
        for (name, sql_type) in columns(rule) {
            add(&mut tables, &rule.table, name, sql_type);
        }
        for required in &rule.requires {
            match required.rsplit_once('.') {
                Some((table, name)) => add(&mut tables, table, name, "text"),
                None => add(&mut tables, required, "id", "integer"),
            }
        }
    }
    Catalogue::imagined(tables, odoo, modules)
}

fn table(name: &str) -> Table {
    let relation = name.split('.').map(postgres_protocol::escape::escape_identifier);
    Table {
        relation: relation.collect::<Vec<_>>().join("."),
        columns: [("id".to_owned(), column("integer"))].into(),
        ..Table::default()
    }
}

/// The first rule that says more of a column than that it is text decides.
fn add(tables: &mut BTreeMap<String, Table>, of: &str, name: &str, sql_type: &str) {
    let columns = &mut tables.entry(of.to_owned()).or_insert_with(|| table(of)).columns;
    let column = columns.entry(name.to_owned()).or_insert_with(|| column(sql_type));
    if column.kind == Kind::Text && sql_type != "text" {
        *column = self::column(sql_type);
    }
}

fn column(sql_type: &str) -> Column {
    Column {
        sql_type: sql_type.to_owned(),
        kind: if sql_type == "text" { Kind::Text } else { Kind::Other },
        not_null: false,
        generated: false,
        unique: false,
        numbered: true,
        selection: false,
    }
}

/// The columns that a rule reads and writes, with the types that its values have.
fn columns(rule: &Rule) -> Vec<(&str, &'static str)> {
    let mut columns: Vec<_> = rule
        .condition
        .tests
        .iter()
        .map(|(name, test)| (name.as_str(), test_type(test)))
        .collect();
    if let Change::Set(assignments) | Change::Create(assignments) = &rule.change {
        columns.extend(
            assignments
                .iter()
                .map(|(name, value)| (name.as_str(), value_type(value))),
        );
    }
    if let Change::Json(json) = &rule.change {
        columns.extend(json.iter().map(|column| (column.name.as_str(), "text")));
    }
    columns.extend(rule.person.iter().map(|link| match link.split_once("->") {
        Some((column, _)) => (column.trim(), "integer"),
        None => (link.as_str(), "integer"),
    }));
    columns.extend(rule.person_email.iter().map(|name| (name.as_str(), "text")));
    columns
}

fn test_type(test: &Test) -> &'static str {
    match test {
        Test::Is(constant) | Test::Not(constant) => constant_type(constant),
        Test::In(list) | Test::NotIn(list) => list.first().map_or("text", constant_type),
        Test::Like(_) | Test::Set(_) => "text",
    }
}

fn value_type(value: &Value) -> &'static str {
    match value {
        Value::Constant(constant) => constant_type(constant),
        Value::Fake(whose) if whose.fake == Fake::Birthday => "date",
        _ => "text",
    }
}

fn constant_type(constant: &Constant) -> &'static str {
    match constant {
        Constant::Bool(_) => "boolean",
        Constant::Integer(_) => "integer",
        Constant::Text(_) => "text",
    }
}
