//! What a policy says of rules: that one is not applied, or that it does something else, each with a reason that every report
//! repeats.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::condition::{Condition, Test};
use super::error::RuleError;
use super::policy::Policy;
use super::rule::{Change, Rule};
use super::rule_set::RuleSet;
use super::token::Renewals;
use super::value::Value;

/// What a rule does instead of what its file says. What is not said here stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RuleChange {
    /// Why. It is printed in every report.
    pub reason: String,
    /// Columns, or system parameters, that the rule lets be.
    #[serde(default)]
    pub keep: Vec<String>,
    /// Columns that get these values.
    #[serde(default)]
    pub set: BTreeMap<String, Value>,
    /// Columns that are emptied.
    #[serde(default)]
    pub clear: Vec<String>,
    /// Columns that get new random values.
    #[serde(default)]
    pub renew: Renewals,
    /// The rows, or the system parameters, go.
    #[serde(default)]
    pub delete: bool,
    /// The value of system parameters.
    pub value: Option<Value>,
    /// Which rows; with `where-sql`, in place of all that the rule says of them.
    #[serde(rename = "where")]
    pub tests: Option<BTreeMap<String, Test>>,
    /// The same in SQL.
    pub where_sql: Option<String>,
    /// What that SQL reads: `table` or `table.column`.
    #[serde(default)]
    pub requires: Vec<String>,
}

/// A rule that is not applied as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleException {
    /// The rule.
    pub rule: String,
    /// Whether it is not applied at all.
    pub skipped: bool,
    /// Why.
    pub reason: String,
}

impl std::fmt::Display for RuleException {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = if self.skipped { "not applied" } else { "changed" };
        write!(f, "`{}` is {what}: {}", self.rule, self.reason)
    }
}

impl Policy {
    /// The rules that are not applied as they are written.
    #[must_use]
    pub fn rule_exceptions(&self) -> Vec<RuleException> {
        let exception = |(rule, reason): (&String, &String), skipped| RuleException {
            rule: rule.clone(),
            skipped,
            reason: reason.clone(),
        };
        let skipped = self.skip_rules.iter().map(|one| exception(one, true));
        let changed = self.change_rules.iter();
        let changed = changed.map(|(rule, change)| exception((rule, &change.reason), false));
        skipped.chain(changed).collect()
    }
}

impl RuleSet {
    /// The rules as a policy wants them applied: without those that it skips, with those that it changes.
    ///
    /// # Errors
    /// When the policy names a rule that is not here, gives no reason, says two things of one rule, or wants of a rule what it
    /// cannot do.
    pub fn under(&self, policy: &Policy) -> Result<Self, RuleError> {
        for (rule, reason) in &policy.skip_rules {
            self.named("skip-rules", rule)?;
            let fault = if reason.trim().is_empty() {
                "it has no reason"
            } else if policy.change_rules.contains_key(rule) {
                "the rule is changed by `change-rules` too"
            } else {
                continue;
            };
            return Err(meaningless("skip-rules", rule, fault));
        }
        let mut changed = BTreeMap::new();
        for (name, change) in &policy.change_rules {
            let rule = self.named("change-rules", name)?;
            let rule = change
                .applied(rule)
                .map_err(|fault| meaningless("change-rules", name, fault))?;
            changed.insert(name.as_str(), rule);
        }
        let rules = self.iter().filter(|rule| !policy.skip_rules.contains_key(&rule.name));
        Ok(rules
            .map(|rule| changed.remove(rule.name.as_str()).unwrap_or_else(|| rule.clone()))
            .collect())
    }

    fn nearest(&self, name: &str) -> Option<String> {
        let names = self
            .iter()
            .map(|rule| (strsim::jaro_winkler(name, &rule.name), &rule.name));
        let near = names.filter(|(likeness, _)| *likeness > 0.8);
        near.max_by(|one, other| one.0.total_cmp(&other.0))
            .map(|(_, name)| name.clone())
    }

    fn named(&self, key: &'static str, name: &str) -> Result<&Rule, RuleError> {
        self.iter()
            .find(|rule| rule.name == name)
            .ok_or_else(|| RuleError::Unknown {
                key,
                rule: name.to_owned(),
                meant: self.nearest(name),
                place: None,
            })
    }
}

fn meaningless(key: &'static str, rule: &str, reason: &'static str) -> RuleError {
    RuleError::Exception {
        key,
        rule: rule.to_owned(),
        reason,
        place: None,
    }
}

impl RuleChange {
    /// The rule with the change.
    fn applied(&self, rule: &Rule) -> Result<Rule, &'static str> {
        if self.reason.trim().is_empty() {
            return Err("it has no reason");
        }
        let mut rule = rule.clone();
        if self.tests.is_some() || self.where_sql.is_some() {
            if matches!(rule.change, Change::Parameters { .. }) {
                return Err("a rule about system parameters has no condition");
            }
            if self
                .where_sql
                .as_deref()
                .is_some_and(super::rule_file::has_unknown_placeholder)
            {
                return Err("`where-sql` names a {value} that the policy does not have");
            }
            rule.condition = Condition {
                tests: self.tests.clone().unwrap_or_default(),
                sql: self.where_sql.clone(),
            };
            rule.requires.clone_from(&self.requires);
        } else if !self.requires.is_empty() {
            return Err("`requires` belongs to `where-sql`");
        }
        let columns = self.columns();
        rule.change = match rule.change {
            Change::Parameters {
                mut keys,
                value,
                only_if_present,
            } => {
                if !columns.is_empty() {
                    return Err("a rule about system parameters has a `value` or `delete`, and no columns");
                }
                if self.delete && self.value.is_some() {
                    return Err("a system parameter has a `value` or is deleted, one of them");
                }
                if self.keep.iter().any(|kept| !keys.contains(kept)) {
                    return Err("`keep` names a system parameter that the rule is not about");
                }
                keys.retain(|key| !self.keep.contains(key));
                if keys.is_empty() {
                    return Err("nothing is left of it: name it in `skip-rules`");
                }
                Change::Parameters {
                    keys,
                    value: if self.delete {
                        None
                    } else {
                        self.value.clone().or(value)
                    },
                    only_if_present,
                }
            }
            _ if self.value.is_some() => {
                return Err("`value` belongs to rules about system parameters; columns are `set`");
            }
            Change::Json(_) if !columns.is_empty() => {
                return Err("a rule about JSON gives no columns a value: skip it, and write one of your own");
            }
            Change::Json(mut json) if !self.delete => {
                if self
                    .keep
                    .iter()
                    .any(|kept| !json.iter().any(|column| column.name == *kept))
                {
                    return Err("`keep` names a column that the rule does not change");
                }
                json.retain(|column| !self.keep.contains(&column.name));
                if json.is_empty() {
                    return Err("nothing is left of it: name it in `skip-rules`");
                }
                Change::Json(json)
            }
            Change::Create(_) if self.delete => return Err("a rule that makes a row deletes none"),
            _ if self.delete && (!columns.is_empty() || !self.keep.is_empty()) => {
                return Err("it does several things: `delete`, or columns to change");
            }
            _ if self.delete => Change::Delete,
            Change::Delete if !self.keep.is_empty() => return Err("a rule that deletes rows keeps no columns"),
            Change::Json(_) | Change::Delete if columns.is_empty() => Change::Delete,
            Change::Json(_) | Change::Delete => Change::Set(columns),
            Change::Set(old) => Change::Set(self.over(old, columns)?),
            Change::Create(old) => Change::Create(self.over(old, columns)?),
        };
        Ok(rule)
    }

    /// All columns that it gives values to.
    fn columns(&self) -> Vec<(String, Value)> {
        let set = self.set.iter().map(|(column, value)| (column.clone(), value.clone()));
        let clear = self.clear.iter().map(|column| (column.clone(), Value::Nothing));
        let renewals = self.renew.0.iter();
        let renew = renewals.map(|(column, shape)| (column.clone(), Value::Renewed(*shape)));
        set.chain(clear).chain(renew).collect()
    }

    /// Columns of the rule, without those that are kept, with those that get something else.
    fn over(&self, old: Vec<(String, Value)>, new: Vec<(String, Value)>) -> Result<Vec<(String, Value)>, &'static str> {
        let given = |column: &String| new.iter().any(|(name, _)| name == column);
        if self.keep.iter().any(|kept| !old.iter().any(|(name, _)| name == kept)) {
            return Err("`keep` names a column that the rule does not change");
        }
        let mut columns: Vec<_> = old
            .into_iter()
            .filter(|(column, _)| !given(column) && !self.keep.contains(column))
            .collect();
        columns.extend(new);
        if columns.is_empty() {
            return Err("nothing is left of it: name it in `skip-rules`");
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Policy {
        toml::from_str(text).unwrap()
    }

    fn rule(rules: &RuleSet, name: &str) -> Option<Rule> {
        rules.iter().find(|rule| rule.name == name).cloned()
    }

    #[test]
    fn every_built_in_rule_can_be_skipped() {
        let rules = RuleSet::builtin().unwrap();
        let mut policy = Policy::default();
        for rule in rules.iter() {
            policy.skip_rules.insert(rule.name.clone(), "a test".to_owned());
        }
        assert_eq!(rules.under(&policy).unwrap().iter().count(), 0);
        assert_eq!(policy.rule_exceptions().len(), rules.iter().count());
    }

    #[test]
    fn a_rule_is_changed_column_by_column() {
        let rules = RuleSet::builtin().unwrap();
        let policy = policy(
            "[change-rules.website-hidden]\nreason = 'robots are tested'\nkeep = ['robots_txt']\nset = { cdn_activated = true }\n\
             [change-rules.device-log]\nreason = 'who is needed'\nclear = ['ip_address']\nwhere = { revoked = true }\n\
             [change-rules.calendar-clients]\nreason = 'a test client'\nvalue = { env = 'CLIENT' }\n\
             keep = ['microsoft_calendar_client_id', 'microsoft_calendar_client_secret']\n",
        );
        let changed = rules.under(&policy).unwrap();
        assert_eq!(changed.iter().count(), rules.iter().count());
        let hidden = rule(&changed, "website-hidden").unwrap();
        assert_eq!(hidden.assignments(), policy.change_rules["website-hidden"].columns());
        let log = rule(&changed, "device-log").unwrap();
        assert_eq!(log.change, Change::Set(vec![("ip_address".to_owned(), Value::Nothing)]));
        assert!(log.condition.tests.contains_key("revoked"));
        let Change::Parameters { keys, value, .. } = rule(&changed, "calendar-clients").unwrap().change else {
            unreachable!("it is about parameters")
        };
        assert_eq!(keys, ["google_calendar_client_id", "google_calendar_client_secret"]);
        assert_eq!(value, Some(Value::Env("CLIENT".to_owned())));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        let rules = RuleSet::builtin().unwrap();
        for (text, said) in [
            ("skip-rules = { jobs-of = 'x' }", "jobs-of"),
            ("skip-rules = { jobs-off = ' ' }", "no reason"),
            (
                "change-rules.jobs-off = { reason = 'x', keep = ['active'] }",
                "nothing is left",
            ),
            (
                "change-rules.jobs-off = { reason = 'x', keep = ['activ'] }",
                "does not change",
            ),
            (
                "change-rules.jobs-off = { reason = 'x', value = 'y' }",
                "system parameters",
            ),
            (
                "change-rules.flag = { reason = 'x', where = { a = 1 } }",
                "no condition",
            ),
            (
                "change-rules.flag = { reason = 'x', delete = true, value = 'y' }",
                "one of them",
            ),
            (
                "change-rules.bus = { reason = 'x', where-sql = 'id = {base-ulr}' }",
                "{value}",
            ),
            (
                "skip-rules = { bus = 'x' }\nchange-rules.bus = { reason = 'x', where = { id = 1 } }",
                "changed by",
            ),
        ] {
            let error = rules.under(&policy(text)).unwrap_err().to_string();
            assert!(error.contains(said), "{said} in {error}");
        }
    }
}
