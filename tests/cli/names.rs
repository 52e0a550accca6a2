//! Tables and columns that the built-in rules name exist somewhere: a rule for a name that nothing bears protects nothing, and
//! nobody would notice.

use std::collections::BTreeSet;

use opw_task::sanitise::{Change, RuleSet};

const SCHEMAS: [&str; 2] = [
    include_str!("../data/odoo-18.schema"),
    include_str!("../data/odoo-19.schema"),
];

/// Every table, and every column as `table.column`, that is known from somewhere.
fn known() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    let lines = SCHEMAS.iter().flat_map(|schema| schema.lines());
    for line in lines.filter(|line| !line.starts_with(['#', '\t'])) {
        let (table, columns) = line.split_once('\t').unwrap();
        known.insert(table.to_owned());
        let names = columns.split(' ').map(|column| column.split(':').next().unwrap());
        known.extend(names.map(|column| format!("{table}.{column}")));
    }
    let lines = include_str!("../data/odoo-names.tsv").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let [table, column, _] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        known.insert(match column {
            "" => table.to_owned(),
            column => format!("{table}.{column}"),
        });
    }
    known
}

#[test]
fn every_name_in_a_built_in_rule_exists_somewhere() {
    let known = known();
    let mut unknown = BTreeSet::new();
    for rule in RuleSet::builtin().unwrap().iter() {
        let changed = match &rule.change {
            Change::Set(columns) | Change::Create(columns) => columns.iter().map(|(column, _)| column).collect(),
            Change::Json(columns) => columns.iter().map(|column| &column.name).collect(),
            Change::Delete | Change::Parameters { .. } => Vec::new(),
        };
        let columns = changed.into_iter().chain(rule.condition.tests.keys());
        let columns = columns.map(|column| format!("{}.{column}", rule.table));
        let names = columns.chain([rule.table.clone()]).chain(rule.requires.iter().cloned());
        unknown.extend(
            names
                .filter(|name| !known.contains(name))
                .map(|name| format!("{}: {name}", rule.name)),
        );
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}
