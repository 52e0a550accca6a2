//! How copies are sanitised for a stack: `[sanitise]`, with the stack's own word over it.

use minijinja::{Value, context};
use serde::Deserialize;
use toml::Table;

use super::{StackError, Variables};
use crate::error::Place;
use crate::manifest::{Manifest, Sourced, StackDef};
use crate::render::{RenderError, Strings, context_in_clear, only_expression};
use crate::sanitise::Policy;

/// Renders and reads the policy of a stack. Its strings may speak of secrets: they become values that are bound in SQL
/// and shown nowhere.
pub(super) fn policy(
    manifest: &Manifest,
    own: &Sourced<StackDef>,
    variables: &Variables,
) -> Result<Policy, StackError> {
    let layers = [
        manifest.sanitise.as_ref().map(|table| (&table.source, &table.def)),
        own.def.sanitise.as_ref().map(|table| (&own.source, table)),
    ];
    let mut merged = Table::new();
    let mut last = None;
    let strings = Strings::default();
    let context = context! { env => context_in_clear(variables) };
    for (source, table) in layers.into_iter().flatten() {
        let place = Place {
            source: source.clone(),
            span: table.span(),
            label: String::new(),
        };
        for (key, value) in table.get_ref() {
            merged.insert(key.clone(), rendered(value, &strings, &place, &context)?);
        }
        last = Some(place);
    }
    let place = last.map(Box::new);
    let policy = match Policy::deserialize(merged.clone()) {
        Ok(policy) => policy,
        Err(error) => {
            let message = without_value(&merged, error.message());
            return Err(StackError::Policy { message, place });
        }
    };
    // Sanitising would refuse it too, after hours of copying.
    if let Some(logins) = policy.users_of_one_key() {
        let logins = logins.map(str::to_owned);
        return Err(StackError::SharedKey { logins, place });
    }
    Ok(policy)
}

/// What is wrong with a table, by key and expected type: its values are rendered, and may be secrets.
fn without_value(table: &Table, message: &str) -> String {
    // These name keys of the manifest alone; all others begin with the value that was found.
    let of_keys = ["unknown field", "missing field", "duplicate field"];
    let told = if of_keys.iter().any(|begin| message.starts_with(begin)) {
        message
    } else {
        let expected = message.rfind(", expected ").map(|at| &message[at + ", ".len()..]);
        expected.unwrap_or("the value is not understood")
    };
    let is_bad = |key: &str, value: &toml::Value| {
        let alone = Table::from_iter([(key.to_owned(), value.clone())]);
        Policy::deserialize(alone).is_err()
    };
    match table.iter().find(|(key, value)| is_bad(key, value)) {
        Some((key, _)) if told != message => format!("{key}: {told}"),
        _ => told.to_owned(),
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
            assert_eq!(without_value(&table, error.message()), said, "{}", error.message());
        }
    }
}
