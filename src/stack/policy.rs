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
    Policy::deserialize(merged).map_err(|error| StackError::Policy {
        message: error.message().to_owned(),
        place: last.map(Box::new),
    })
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
