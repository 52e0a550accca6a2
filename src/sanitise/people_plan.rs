//! What is particular to rules about people, when statements are planned.

use std::collections::BTreeSet;

use super::anonymise::{self, Cell, Fake, Known, Made};
use super::bindings::Bindings;
use super::catalogue::{Catalogue, Kind};
use super::error::SanitiseError;
use super::fragment::Target;
use super::policy::Policy;
use super::rule::Rule;
use super::rule_set::RuleSet;
use super::statement::Sql;
use super::value::Value;

/// Other tables find their partners by mail address, so partners keep theirs to the end; and what repeats a partner's name
/// reads it when it is there.
pub(super) fn turn(rule: &Rule) -> u8 {
    if rule.when.anonymise.is_none() {
        0
    } else if rule.table == "res_partner" {
        1
    } else {
        2 * u8::from(rule.requires.iter().any(|read| read.starts_with("res_partner.")))
    }
}

/// The models that were named one by one are known to some rule: a name that is mistyped would leave everything as it is.
pub(super) fn known_models(rules: &RuleSet, policy: &Policy) -> Result<(), SanitiseError> {
    let known: BTreeSet<_> = rules.iter().filter_map(|rule| rule.when.anonymise.as_deref()).collect();
    match policy.anonymise.named().find(|model| !known.contains(model)) {
        None => Ok(()),
        Some(model) => Err(SanitiseError::UnknownModel {
            model: model.to_owned(),
            known: known.into_iter().map(str::to_owned).collect(),
        }),
    }
}

/// What a row gets in a column, as SQL; none where the policy lets it be.
pub(super) fn wanted(
    target: &Target<'_>,
    value: &Value,
    known: &Known,
    sql: &mut Sql,
    catalogue: &Catalogue,
    bindings: &Bindings<'_>,
) -> Result<Option<String>, SanitiseError> {
    let Value::Fake(whose) = value else {
        return target.value(sql, value, bindings).map(Some);
    };
    let made = whose.fake != Fake::Text;
    if !anonymise::fits(whose.fake, target.column) || (made && !anonymise::is_counted(catalogue, target.table)) {
        // A module, or a version to come, may keep something else under that name: it goes.
        return target.value(sql, &Value::Nothing, bindings).map(Some);
    }
    let quoted = target.quoted();
    let Some(table) = catalogue.table(target.table) else {
        return Ok(None);
    };
    let cell = Cell {
        columns: &table.columns,
        table: target.table,
        column: &quoted,
        person: &known.person,
        is_partner: &known.is_partner,
        room: target.room(),
        policy: &bindings.policy.anonymise,
    };
    match whose.made(&cell) {
        Made::Kept => Ok(None),
        Made::Nothing => target.value(sql, &Value::Nothing, bindings).map(Some),
        Made::Sql(text) if target.column.kind == Kind::Json => Ok(Some(format!("jsonb_build_object('en_US', {text})"))),
        Made::Sql(text) => Ok(Some(text)),
    }
}
