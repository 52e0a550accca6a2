//! The text of a rule file, and what is wrong with it.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::Deserialize;
use toml::Spanned;

use super::condition::{Condition, Test};
use super::error::RuleError;
use super::own::Own;
use super::rule::{Change, JsonColumns, Rule, When};
use super::token::Renewals;
use super::value::{Binding, Value};
use crate::error::{Place, Source};

/// The table of system parameters.
pub(super) const PARAMETERS: &str = "ir_config_parameter";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Spanned<Entry>>,
}

/// `[[rule]]` as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    name: String,
    why: String,
    module: Option<String>,
    #[serde(default)]
    modules: Vec<String>,
    #[serde(default)]
    odoo: Vec<u16>,
    table: Option<String>,
    #[serde(default, rename = "where")]
    tests: BTreeMap<String, Test>,
    where_sql: Option<String>,
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default)]
    when: When,
    #[serde(default)]
    set: BTreeMap<String, Value>,
    #[serde(default)]
    clear: Vec<String>,
    #[serde(default)]
    renew: Renewals,
    #[serde(default)]
    json: JsonColumns,
    #[serde(default)]
    person: Vec<String>,
    person_email: Option<String>,
    #[serde(default)]
    person_once: bool,
    #[serde(default)]
    queue: bool,
    own: Option<Own>,
    #[serde(default)]
    delete: bool,
    create: Option<BTreeMap<String, Value>>,
    parameter: Option<String>,
    #[serde(default)]
    parameters: Vec<String>,
    value: Option<Value>,
    #[serde(default)]
    only_if_present: bool,
}

/// Reads the rules of one file.
pub(super) fn parse(path: &Utf8Path, text: &str) -> Result<Vec<(Rule, Place)>, RuleError> {
    let source = Source {
        path: path.to_owned(),
        text: text.into(),
    };
    let file: File = toml::from_str(text).map_err(|error| RuleError::Syntax {
        message: error.message().to_owned(),
        place: Place {
            source: source.clone(),
            span: error.span().unwrap_or(0..0),
            label: String::new(),
        },
    })?;
    file.rule
        .into_iter()
        .map(|entry| {
            let span = entry.span();
            let place = Place {
                source: source.clone(),
                span,
                label: String::new(),
            };
            let entry = entry.into_inner();
            let name = entry.name.clone();
            match entry.rule() {
                Ok(rule) => Ok((rule, place)),
                Err(reason) => Err(RuleError::Meaningless {
                    rule: name,
                    reason,
                    place,
                }),
            }
        })
        .collect()
}

impl Entry {
    fn rule(self) -> Result<Rule, &'static str> {
        if self.name.trim().is_empty() {
            return Err("it has no name");
        }
        if self.why.trim().is_empty() {
            return Err("it does not say why");
        }
        if self.where_sql.as_deref().is_some_and(has_unknown_placeholder) {
            return Err("`where-sql` names a {value} that the policy does not have");
        }
        let mut keys = self.parameters;
        keys.extend(self.parameter);
        let mut assignments: Vec<_> = self.set.into_iter().collect();
        assignments.extend(self.clear.into_iter().map(|column| (column, Value::Nothing)));
        let renewals = self.renew.0.into_iter();
        assignments.extend(renewals.map(|(column, shape)| (column, Value::Renewed(shape))));

        let (table, change) = match (self.table, keys.is_empty()) {
            (Some(_), false) => {
                return Err("it names a table and a parameter; one rule is about one of them");
            }
            (None, true) => return Err("it names neither a table nor a parameter"),
            (Some(table), true) => {
                if self.value.is_some() || self.only_if_present {
                    return Err("`value` and `only-if-present` belong to `parameter`; a table's columns are `set`");
                }
                let json = self.json.0;
                let change = match (self.create, self.delete, assignments.is_empty(), json.is_empty()) {
                    (Some(columns), false, true, true) => Change::Create(columns.into_iter().collect()),
                    (None, true, true, true) => Change::Delete,
                    (None, false, false, true) => Change::Set(assignments),
                    (None, false, true, false) => Change::Json(json),
                    (None, false, true, true) => {
                        return Err("it changes nothing: add `set`, `clear`, `renew`, `json`, `delete` or `create`");
                    }
                    _ => {
                        return Err("it does several things: one of `delete`, `create`, `json` or columns to change");
                    }
                };
                (table, change)
            }
            (None, false) => {
                if !assignments.is_empty()
                    || !self.json.0.is_empty()
                    || self.create.is_some()
                    || !self.tests.is_empty()
                    || self.where_sql.is_some()
                {
                    return Err("a parameter has a `value` or is deleted; columns and conditions belong to tables");
                }
                if self.delete == self.value.is_some() {
                    return Err("a parameter gets a `value` or `delete = true`, one of them");
                }
                let change = Change::Parameters {
                    keys,
                    value: self.value,
                    only_if_present: self.only_if_present,
                };
                (PARAMETERS.to_owned(), change)
            }
        };
        let own = own(self.own, self.queue, &change, &self.when);
        let mut modules = self.modules;
        modules.extend(self.module);
        if modules.is_empty() {
            return Err("it names no `module`, so the report could not say what it covers");
        }
        Ok(Rule {
            name: self.name,
            modules,
            odoo: self.odoo,
            table,
            condition: Condition {
                tests: self.tests,
                sql: self.where_sql,
            },
            change,
            own,
            person: self.person,
            person_email: self.person_email,
            person_once: self.person_once,
            when: self.when,
            requires: self.requires,
            why: self.why,
        })
    }
}

/// Which rows are the copy's own where the file does not say. Links are made anew and people are written to; what waits to be
/// done was put there by whoever made it, however often it was looked at since.
fn own(said: Option<Own>, queue: bool, change: &Change, when: &When) -> Own {
    let renews = match change {
        Change::Set(assignments) => assignments
            .iter()
            .all(|(_, value)| matches!(value, Value::Renewed(_) | Value::Fake(_))),
        Change::Delete | Change::Json(_) | Change::Create(_) | Change::Parameters { .. } => false,
    };
    match said {
        Some(own) => own,
        None if queue || *change == Change::Delete => Own::Made,
        None if when.anonymise.is_some() => Own::Touched,
        None if renews => Own::Written,
        None => Own::Made,
    }
}

/// Whether an SQL text holds a `{name}` that is no value of the policy. Braces around anything else are SQL's.
pub(super) fn has_unknown_placeholder(sql: &str) -> bool {
    sql.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .any(|(name, _)| {
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            is_name && Binding::named(name).is_none()
        })
}
