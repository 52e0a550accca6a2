//! Statements for system parameters, typed (Odoo 19.1 and later) and untyped.

use super::bindings::Bindings;
use super::catalogue::Catalogue;
use super::condition::Condition;
use super::error::SanitiseError;
use super::fragment::Target;
use super::own::{self, Own};
use super::plan;
use super::rule::{Change, Rule, When};
use super::rule_file::PARAMETERS;
use super::statement::{Parameter, Sql, Statement};
use super::value::Value;

/// Whether parameters of this database have types.
pub(super) fn typed(catalogue: &Catalogue) -> bool {
    catalogue.column(PARAMETERS, "type").is_some()
}

/// The statements of a rule about parameters.
pub(super) fn rule(
    rule: &Rule,
    keys: &[&str],
    value: Option<&Value>,
    only_if_present: bool,
    catalogue: &Catalogue,
    bindings: &Bindings<'_>,
) -> Result<Vec<Statement>, SanitiseError> {
    let Some(column) = catalogue.column(PARAMETERS, "value").filter(|_| !keys.is_empty()) else {
        return Ok(Vec::new());
    };
    let target = Target {
        rule: &rule.name,
        table: PARAMETERS,
        name: "value",
        column,
    };
    let expression = |sql: &mut Sql| match value {
        Some(value) => target.value(sql, value, bindings).map(Some),
        None => Ok(None),
    };
    let own = |sql: &mut Sql| own::condition(rule.own, PARAMETERS, catalogue, sql, bindings);
    write(rule, keys, &expression, &own, only_if_present, typed(catalogue))
}

/// The statements of `[sanitise] parameters` and `delete-parameters`.
pub(super) fn policy(catalogue: &Catalogue, bindings: &Bindings<'_>) -> Result<Vec<Statement>, SanitiseError> {
    let policy = bindings.policy;
    let mut statements = Vec::new();
    let mut unwanted: Vec<&str> = policy.delete_parameters.iter().map(String::as_str).collect();
    for (key, text) in &policy.parameters {
        if text.is_empty() {
            unwanted.push(key);
            continue;
        }
        let shouted = text.expose().to_lowercase();
        if let Some(indicator) = policy
            .production_indicators
            .iter()
            .find(|indicator| !indicator.is_empty() && shouted.contains(&indicator.to_lowercase()))
        {
            return Err(SanitiseError::Production {
                key: key.clone(),
                indicator: indicator.clone(),
            });
        }
        let rule = own_rule(format!("parameter {key}"), "The project's own value for this stack");
        let expression = |sql: &mut Sql| Ok(Some(sql.bind(Parameter::Secret(text.clone()))));
        statements.extend(write(&rule, &[key], &expression, &|_| None, false, typed(catalogue))?);
    }
    if !unwanted.is_empty() {
        let rule = own_rule(
            "parameters deleted".to_owned(),
            "The project wants them gone, or has no value for this stack",
        );
        statements.extend(write(
            &rule,
            &unwanted,
            &|_| Ok(None),
            &|_| None,
            false,
            typed(catalogue),
        )?);
    }
    Ok(statements)
}

/// The `[sanitise]` table of the manifest as a rule of the name that reports and errors show.
fn own_rule(name: String, why: &str) -> Rule {
    Rule {
        name,
        modules: vec!["[sanitise]".to_owned()],
        odoo: Vec::new(),
        table: PARAMETERS.to_owned(),
        condition: Condition::default(),
        change: Change::Delete,
        own: Own::Made,
        person: Vec::new(),
        person_email: None,
        person_once: false,
        when: When::default(),
        requires: Vec::new(),
        why: why.to_owned(),
    }
}

type Expression<'a> = dyn Fn(&mut Sql) -> Result<Option<String>, SanitiseError> + 'a;

/// The condition that a parameter is the copy's own, which nothing is that the policy itself speaks of.
type OwnRows<'a> = dyn Fn(&mut Sql) -> Option<String> + 'a;

/// UPDATE and INSERT rather than ON CONFLICT, so that it works as well before the unique index on the key is built.
fn write(
    rule: &Rule,
    keys: &[&str],
    expression: &Expression<'_>,
    own: &OwnRows<'_>,
    only_if_present: bool,
    typed: bool,
) -> Result<Vec<Statement>, SanitiseError> {
    let list = plan::literals(keys.iter().copied());
    let (mut sql, mut surface) = (Sql::default(), Sql::default());
    let Some(wanted) = expression(&mut sql)? else {
        sql.text = format!("DELETE FROM {PARAMETERS}\nWHERE key IN ({list})");
        let own = own(&mut surface);
        let counted = own::counted(own.as_ref());
        surface.text = format!("SELECT {counted} FROM {PARAMETERS} WHERE key IN ({list})");
        return Ok(vec![plan::statement(rule, sql, surface)]);
    };
    // A value that the parameter's type cannot hold makes it a text.
    let retype = if typed {
        format!(
            ",\n    type = CASE WHEN type IN ('int', 'float') AND {wanted} !~ '^-?[0-9.]+$' \
             OR type = 'bool' AND lower({wanted}) NOT IN ('true', 'false') THEN 'str' ELSE type END"
        )
    } else {
        String::new()
    };
    sql.text = format!(
        "UPDATE {PARAMETERS}\nSET value = {wanted}{retype}\nWHERE key IN ({list})\n  AND value IS DISTINCT FROM {wanted}"
    );
    let wanted_still = expression(&mut surface)?.unwrap_or_default();
    let values = keys
        .iter()
        .map(|key| format!("({})", plan::literals([*key])))
        .collect::<Vec<_>>()
        .join(", ");
    if only_if_present {
        let own = own(&mut surface);
        let counted = own::counted(own.as_ref());
        surface.text = format!(
            "SELECT {counted} FROM {PARAMETERS} WHERE key IN ({list}) AND value IS DISTINCT FROM {wanted_still}"
        );
        return Ok(vec![plan::statement(rule, sql, surface)]);
    }
    surface.text = format!(
        "SELECT count(*) FROM (VALUES {values}) AS wanted (key) WHERE NOT EXISTS (\
         SELECT FROM {PARAMETERS} p WHERE p.key = wanted.key AND p.value IS NOT DISTINCT FROM {wanted_still})"
    );
    let mut insert = Sql::default();
    let fresh = expression(&mut insert)?.unwrap_or_default();
    let (column, kind) = if typed { (", type", ", 'str'") } else { ("", "") };
    insert.text = format!(
        "INSERT INTO {PARAMETERS} (key, value{column})\nSELECT wanted.key, {fresh}{kind}\nFROM (VALUES {values}) AS wanted (key)\n\
         WHERE NOT EXISTS (SELECT FROM {PARAMETERS} p WHERE p.key = wanted.key)"
    );
    Ok(vec![
        plan::statement(rule, sql, surface.clone()),
        plan::statement(rule, insert, surface),
    ])
}
