//! How copies are sanitised for a stack: `[sanitise]`, with what `[stacks.defaults]` and the stack itself say over it.

use minijinja::{Value, context};
use serde::Deserialize;
use toml::{Spanned, Table};

use super::context_in_clear;
use super::policy_layers::{Layers, Lists};
use super::{StackError, Variables};
use crate::error::Place;
use crate::manifest::{Manifest, Sourced, StackDef};
use crate::sanitise::{Policy, PolicyPart};
use crate::template::{RenderError, Strings, only_expression};

/// Renders and reads the policy of a stack, and tells where each part of it stands. Its strings may speak of secrets: they
/// become values that are bound in SQL and shown nowhere.
pub(super) fn policy(
    manifest: &Manifest,
    own: &Sourced<StackDef>,
    name: &str,
    variables: &Variables,
) -> Result<(Policy, Vec<PolicyPart>), StackError> {
    let strings = Strings::default();
    let context = context! { env => context_in_clear(variables) };
    // What rules do is written as in a rule file, where `{ env = "NAME" }` binds a variable and no string is a template.
    let plain = "change-rules";
    let layer = |file: &Sourced<Spanned<Table>>, path: &[&str]| {
        let table = &file.def;
        let heading = file.place(table);
        let entries = table.get_ref().iter();
        let entries = entries.map(|(key, value)| match key.as_str() {
            key if key == plain => Ok((key.to_owned(), value.clone())),
            key => Ok((key.to_owned(), rendered(value, &strings, &heading, &context)?)),
        });
        Ok::<_, RenderError>(Layers::one(
            entries.collect::<Result<Table, RenderError>>()?,
            heading,
            path,
        ))
    };
    let mut layers = Layers::default();
    for file in &manifest.sanitise {
        layers.lay(layer(file, &["sanitise"])?, Lists::Append);
    }
    let mut defaults = Layers::default();
    for file in manifest.stack_defaults.iter().rev().flat_map(|file| &file.def.sanitise) {
        defaults.lay(layer(file, &["stacks", "defaults", "sanitise"])?, Lists::Append);
    }
    layers.lay(defaults, Lists::Replace);
    let mut of_stack = Layers::default();
    for file in &own.def.sanitise {
        of_stack.lay(layer(file, &["stacks", name, "sanitise"])?, Lists::Append);
    }
    layers.lay(of_stack, Lists::Replace);
    let policy = match Policy::deserialize(layers.table.clone()) {
        Ok(policy) => policy,
        Err(error) => {
            let bad = bad_key(&layers.table);
            return Err(StackError::Policy {
                message: without_value(bad, error.message()),
                place: layers.place(bad).map(Box::new),
            });
        }
    };
    // Sanitising would refuse it too, after hours of copying.
    if let Some(logins) = policy.users_of_one_key() {
        return Err(StackError::SharedKey {
            logins: logins.map(str::to_owned),
            place: layers.place(Some("service-users")).map(Box::new),
        });
    }
    Ok((policy, layers.parts()))
}

/// The key whose value cannot be read, if one alone cannot.
fn bad_key(table: &Table) -> Option<&str> {
    let is_bad = |key: &str, value: &toml::Value| {
        let alone = Table::from_iter([(key.to_owned(), value.clone())]);
        Policy::deserialize(alone).is_err()
    };
    let (key, _) = table.iter().find(|(key, value)| is_bad(key, value))?;
    Some(key)
}

/// What is wrong with a table, by key and expected type: its values are rendered, and may be secrets.
fn without_value(bad: Option<&str>, message: &str) -> String {
    // These name keys of the manifest alone; all others begin with the value that was found.
    let of_keys = ["unknown field", "missing field", "duplicate field"];
    if of_keys.iter().any(|begin| message.starts_with(begin)) {
        return message.to_owned();
    }
    let expected = message.rfind(", expected ").map(|at| &message[at + ", ".len()..]);
    let told = expected.unwrap_or("the value is not understood");
    match bad {
        Some(key) => format!("{key}: {told}"),
        None => told.to_owned(),
    }
}

fn rendered(
    value: &toml::Value,
    strings: &Strings,
    table: &Place,
    context: &Value,
) -> Result<toml::Value, RenderError> {
    Ok(match value {
        toml::Value::String(text) => toml::Value::String(strings.render(text, &within(table, text), context)?),
        toml::Value::Array(items) => {
            let mut all = Vec::with_capacity(items.len());
            for item in items {
                // A template alone in a list may be a list itself.
                let list = match item.as_str().and_then(only_expression) {
                    Some(expression) => strings.list(expression, &within(table, expression), context)?,
                    None => None,
                };
                match list {
                    Some(words) => {
                        all.extend(
                            words
                                .into_iter()
                                .filter(|word| !word.is_empty())
                                .map(toml::Value::String),
                        );
                    }
                    None => all.push(rendered(item, strings, table, context)?),
                }
            }
            toml::Value::Array(all)
        }
        toml::Value::Table(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| Ok((key.clone(), rendered(value, strings, table, context)?)));
            toml::Value::Table(entries.collect::<Result<_, RenderError>>()?)
        }
        other => other.clone(),
    })
}

/// The place of a string in the table's text, if it stands there as it is; else the table's.
fn within(table: &Place, text: &str) -> Place {
    let begin = table.span.start;
    let found = table.source.text.get(begin..).and_then(|rest| rest.find(text));
    match found {
        Some(offset) => Place {
            span: begin + offset..begin + offset + text.len(),
            ..table.clone()
        },
        None => table.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_without_the_value() {
        for (text, said) in [
            ("keep-crons = 'CANARY'", "keep-crons: expected a sequence"),
            ("mail = 'CANARY, expected CANARY2'", "mail: expected `off` or `catcher`"),
            (
                "mail = { catcher = { host = 'h', port = 'CANARY' } }",
                "mail: expected u16",
            ),
            ("parameters = ['CANARY']", "parameters: expected a map"),
            ("allow = ['CANARY']", "allow: expected struct Allowance"),
            ("mail = { catcher = { host = 'h' } }", "missing field `port`"),
        ] {
            let table: Table = text.parse().unwrap();
            let error = Policy::deserialize(table.clone()).unwrap_err();
            assert_eq!(
                without_value(bad_key(&table), error.message()),
                said,
                "{}",
                error.message()
            );
        }
    }
}
