//! Rules as columns of a SELECT.
//!
//! Where a rule sets a column to a constant, a copier need not ask the upstream for it: it can copy the constant. This
//! gives, for one table, the expression that stands in place of each such column. What it leaves out (bound values,
//! random values, raw SQL) is done afterwards by the statements, which then find the rest as they want it.

use std::collections::BTreeMap;

use super::bindings::Bindings;
use super::catalogue::Catalogue;
use super::error::SanitiseError;
use super::facts::Facts;
use super::hashes::Hashes;
use super::plan;
use super::policy::Policy;
use super::rule::{Change, Rule};
use super::rule_set::RuleSet;
use super::stamp::Stamp;
use super::statement::Sql;
use super::value::Value;

/// What a copier selects instead of a table's columns, and which rows it need not copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Projection {
    /// Expressions by column.
    pub columns: BTreeMap<String, String>,
    /// Conditions of rows that a rule deletes; any of them is enough.
    pub skip: Vec<String>,
}

/// The projection of one table. The expressions are complete SQL over the table's own columns, without parameters, so
/// that they can stand in a `COPY (SELECT …) TO STDOUT`.
///
/// # Errors
/// When a rule cannot be applied to the columns that are there.
pub fn projection(
    catalogue: &Catalogue,
    rules: &RuleSet,
    policy: &Policy,
    table: &str,
) -> Result<Projection, SanitiseError> {
    let rules = rules.under(policy)?;
    let (facts, stamp, hashes) = (
        Facts::default(),
        Stamp::for_place(String::new()),
        Hashes::masked(policy),
    );
    let bindings = Bindings {
        policy,
        facts: &facts,
        stamp: &stamp,
        hashes: &hashes,
        lived: false,
    };
    let mut projection = Projection::default();
    // Columns that a rule which cannot be projected reads or writes stay as they are from there on: order matters.
    for rule in rules.iter().filter(|rule| rule.table == table) {
        if !plan::applies(rule, catalogue) || !rule.when.holds(policy) || rule.condition.sql.is_some() {
            continue;
        }
        if !reads_untouched(rule, &projection) {
            continue;
        }
        let condition = plan::condition(rule, &mut Sql::default(), catalogue, &bindings)?.join(" AND ");
        match &rule.change {
            Change::Delete if condition.is_empty() => projection.skip.push("true".to_owned()),
            Change::Delete => projection.skip.push(condition),
            Change::Set(assignments) => {
                for (target, value) in plan::targets(rule, assignments, catalogue) {
                    let constant = matches!(value, Value::Nothing | Value::Constant(_));
                    let needs_seed = *value == Value::Nothing && target.is_never_empty();
                    if !constant || needs_seed {
                        continue;
                    }
                    let wanted = target.value(&mut Sql::default(), value, &bindings)?;
                    let quoted = target.quoted();
                    let before = projection.columns.get(target.name).cloned().unwrap_or(quoted);
                    let after = if condition.is_empty() {
                        format!("{wanted}::{}", target.column.sql_type)
                    } else {
                        format!("CASE WHEN {condition} THEN {wanted} ELSE {before} END")
                    };
                    projection.columns.insert(target.name.to_owned(), after);
                }
            }
            Change::Json(_) | Change::Create(_) | Change::Parameters { .. } => {}
        }
    }
    Ok(projection)
}

/// Whether the columns that a rule's condition reads still have the upstream's values. An UPDATE that runs later would
/// see what an earlier one wrote; an expression sees what the upstream has.
fn reads_untouched(rule: &Rule, projection: &Projection) -> bool {
    let own: Vec<_> = rule.assignments().iter().map(|(name, _)| name).collect();
    rule.condition
        .tests
        .keys()
        .all(|read| own.contains(&read) || !projection.columns.contains_key(read))
}
