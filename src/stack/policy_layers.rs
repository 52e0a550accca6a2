//! The tables that say how copies are sanitised, merged into one, with the place of each part.
//!
//! Tables of one level are those of a manifest and of all that it includes: lists are appended, and of two values for one key
//! the including file's wins. Of two levels (`[sanitise]`, `[stacks.defaults]`, `[stacks.NAME]`) the nearer one wins key by
//! key, lists whole.

use std::ops::Range;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use crate::error::{Place, Source};
use crate::sanitise::PolicyPart;

/// What becomes of a list that stands under another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lists {
    /// Its entries come first.
    Append,
    /// It goes.
    Replace,
}

/// A part of a table, by its top key.
#[derive(Debug, Clone)]
struct Part {
    key: String,
    /// Whether it is a list whose entries have no names: several files may have written it.
    list: bool,
    said: PolicyPart,
}

/// Tables laid over each other.
#[derive(Debug, Clone, Default)]
pub(super) struct Layers {
    pub table: Table,
    parts: Vec<Part>,
    tables: Vec<(Place, Vec<String>)>,
}

impl Layers {
    /// One table, whose strings are rendered, and where it stands: under `path` of its source.
    pub(super) fn one(table: Table, heading: Place, path: &[&str]) -> Self {
        let parts = match DeTable::parse(&heading.source.text) {
            Ok(root) => descend(root.get_ref(), path).map(|table| parts(&heading.source, table)),
            Err(_) => None,
        };
        Self {
            parts: parts.unwrap_or_default(),
            tables: vec![(heading, table.keys().cloned().collect())],
            table,
        }
    }

    /// Lays another over it.
    pub(super) fn lay(&mut self, over: Self, lists: Lists) {
        self.tables.extend(over.tables);
        for (key, value) in over.table {
            let (value, stays) = match self.table.remove(&key) {
                Some(under) => join(&key, under, value, lists),
                None => (value, true),
            };
            self.table.insert(key.clone(), value);
            if !stays {
                self.parts.retain(|part| part.key != key);
            }
        }
        for part in over.parts {
            match self.parts.iter_mut().find(|known| known.said.name == part.said.name) {
                Some(known) if part.list && lists == Lists::Append => known.said.places.extend(part.said.places),
                Some(known) => *known = part,
                None => self.parts.push(part),
            }
        }
    }

    /// The parts with their places, in the order of their names.
    pub(super) fn parts(&self) -> Vec<PolicyPart> {
        let mut parts: Vec<_> = self.parts.iter().map(|part| part.said.clone()).collect();
        parts.sort_by(|one, other| one.name.cmp(&other.name));
        parts
    }

    /// The table that has the last word on a key; without a key, the last table.
    pub(super) fn place(&self, key: Option<&str>) -> Option<Place> {
        let mut tables = self.tables.iter().rev();
        let saying = key.and_then(|key| tables.clone().find(|(_, keys)| keys.iter().any(|known| known == key)));
        saying.or_else(|| tables.next()).map(|(place, _)| place.clone())
    }
}

/// Two values of one key, and whether something of the first one stays.
fn join(key: &str, under: Value, over: Value, lists: Lists) -> (Value, bool) {
    match (under, over) {
        (Value::Array(mut under), Value::Array(over)) if lists == Lists::Append => {
            for item in over {
                let name = name_of(|key| item.get(key).and_then(Value::as_str));
                under.retain(|known| match &name {
                    Some(name) => name_of(|key| known.get(key).and_then(Value::as_str)).as_ref() != Some(name),
                    None => *known != item,
                });
                under.push(item);
            }
            (Value::Array(under), true)
        }
        (Value::Table(mut under), Value::Table(over)) => {
            for (key, value) in over {
                let value = match under.remove(&key) {
                    Some(below) => join(&key, below, value, lists).0,
                    None => value,
                };
                under.insert(key, value);
            }
            (Value::Table(under), true)
        }
        // A list of models is short for a table that holds it.
        (Value::Table(under), Value::Array(models)) if key == "anonymise" => {
            let over = Table::from_iter([("models".to_owned(), Value::Array(models))]);
            join(key, Value::Table(under), Value::Table(over), lists)
        }
        (Value::Array(models), Value::Table(over)) if key == "anonymise" => {
            let under = Table::from_iter([("models".to_owned(), Value::Array(models))]);
            join(key, Value::Table(under), Value::Table(over), lists)
        }
        (_, over) => (over, false),
    }
}

/// The name of an entry of a list: a service user's login, or the place that an allowance is about.
fn name_of<'a>(text: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    match (text("login"), text("table"), text("column")) {
        (Some(login), ..) => Some(login.to_owned()),
        (None, Some(table), Some(column)) => Some(format!("{table}.{column}")),
        _ => None,
    }
}

fn descend<'a, 'i>(table: &'a DeTable<'i>, path: &[&str]) -> Option<&'a DeTable<'i>> {
    path.iter().try_fold(table, |table, step| {
        let (_, value) = table.iter().find(|(key, _)| key.get_ref() == step)?;
        value.get_ref().as_table()
    })
}

fn parts(source: &Source, table: &DeTable<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    for (key, value) in table.iter() {
        collect(&mut parts, source, key.get_ref(), key.get_ref(), key.span(), value);
    }
    parts
}

fn collect(
    parts: &mut Vec<Part>,
    source: &Source,
    top: &str,
    name: &str,
    span: Range<usize>,
    value: &Spanned<DeValue<'_>>,
) {
    let mut add = |name: String, span: Range<usize>, list: bool| {
        let place = Place {
            source: source.clone(),
            span,
            label: String::new(),
        };
        parts.push(Part {
            key: top.to_owned(),
            list,
            said: PolicyPart {
                name,
                places: vec![place],
            },
        });
    };
    match value.get_ref() {
        DeValue::Table(table) if table.iter().next().is_some() => {
            for (key, value) in table.iter() {
                let name = format!("{name}.{}", key.get_ref());
                collect(parts, source, top, &name, key.span(), value);
            }
        }
        DeValue::Array(items) => {
            let names: Vec<_> = items
                .iter()
                .map(|item| name_of(|key| item.get_ref().get(key).and_then(|text| text.get_ref().as_str())))
                .collect();
            match names.into_iter().collect::<Option<Vec<_>>>() {
                Some(names) if !names.is_empty() => {
                    for (entry, item) in names.into_iter().zip(items.iter()) {
                        add(format!("{name}.{entry}"), item.span(), false);
                    }
                }
                _ => add(name.to_owned(), span, true),
            }
        }
        _ => add(name.to_owned(), span, false),
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;

    fn one(path: &str, text: &str) -> Layers {
        let source = Source {
            path: Utf8PathBuf::from(path),
            text: text.into(),
        };
        let whole: Table = text.parse().unwrap();
        let heading = Place {
            source,
            span: 0..0,
            label: String::new(),
        };
        Layers::one(whole["sanitise"].as_table().unwrap().clone(), heading, &["sanitise"])
    }

    fn shown(layers: &Layers) -> Vec<String> {
        layers.parts().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_includes_adds_to_lists_and_wins_elsewhere() {
        let mut layers = one(
            "base.toml",
            "[sanitise]\nrules = [\"a\"]\nmail = \"off\"\nparameters.\"x.y\" = \"1\"\nparameters.z = \"2\"\n\
             service-users = [{ login = \"bot\", name = \"Old\" }]\nanonymise = [\"res.partner\"]\n",
        );
        let over = one(
            "top.toml",
            "[sanitise]\nrules = [\"a\", \"b\"]\nmail = { catcher = { host = \"h\", port = 1 } }\n\
             [sanitise.parameters]\nz = \"3\"\n[[sanitise.service-users]]\nlogin = \"bot\"\nname = \"New\"\n\
             [[sanitise.allow]]\ntable = \"t\"\ncolumn = \"c\"\nreason = \"r\"\n\
             [sanitise.anonymise]\nfree-text = \"drop\"\n",
        );
        layers.lay(over, Lists::Append);
        let expected: Table = "rules = [\"a\", \"b\"]\nmail = { catcher = { host = \"h\", port = 1 } }\n\
             parameters = { \"x.y\" = \"1\", z = \"3\" }\nservice-users = [{ login = \"bot\", name = \"New\" }]\n\
             allow = [{ table = \"t\", column = \"c\", reason = \"r\" }]\n\
             anonymise = { models = [\"res.partner\"], free-text = \"drop\" }\n"
            .parse()
            .unwrap();
        assert_eq!(layers.table, expected);
        assert_eq!(
            shown(&layers),
            [
                "allow.t.c  top.toml:9",
                "anonymise  base.toml:7",
                "anonymise.free-text  top.toml:14",
                "mail.catcher.host  top.toml:3",
                "mail.catcher.port  top.toml:3",
                "parameters.x.y  base.toml:4",
                "parameters.z  top.toml:5",
                "rules  base.toml:2, top.toml:2",
                "service-users.bot  top.toml:6",
            ]
        );
        assert_eq!(layers.place(Some("rules")).unwrap().source.path, "top.toml");
    }

    #[test]
    fn a_nearer_level_wins_key_by_key_and_lists_whole() {
        let mut layers = one(
            "a.toml",
            "[sanitise]\nrules = [\"a\"]\nparameters = { x = \"1\", y = \"1\" }\n",
        );
        layers.lay(
            one("b.toml", "[sanitise]\nrules = [\"b\"]\nparameters = { y = \"2\" }\n"),
            Lists::Replace,
        );
        let expected: Table = "rules = [\"b\"]\nparameters = { x = \"1\", y = \"2\" }\n"
            .parse()
            .unwrap();
        assert_eq!(layers.table, expected);
        assert_eq!(
            shown(&layers),
            ["parameters.x  a.toml:3", "parameters.y  b.toml:3", "rules  b.toml:2"]
        );
    }
}
