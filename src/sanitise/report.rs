//! What was done to a copy, in plain words.

use std::fmt::Write as _;

use serde::Serialize;

use super::finding::Finding;
use super::verdict::Verdict;
use crate::secret::Secret;

/// What one rule did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleReport {
    /// The rule.
    pub rule: String,
    /// Its table.
    pub table: String,
    /// Rows changed, deleted or made.
    pub rows: u64,
    /// Why.
    pub why: String,
}

/// What was done to the data of one module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModuleReport {
    /// The module; several are joined by commas where one rule serves them.
    pub module: String,
    /// Its rules that applied to this database.
    pub rules: Vec<RuleReport>,
}

impl ModuleReport {
    /// Rows changed, deleted or made.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rules.iter().map(|rule| rule.rows).sum()
    }
}

/// An installed module that looks like an integration and has no rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotCovered {
    /// The module.
    pub module: String,
    /// What in it looks like an integration: fields with a credential's name.
    pub fields: Vec<String>,
}

/// A surface that is not as its rule wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remainder {
    /// The rule.
    pub rule: String,
    /// Its table.
    pub table: String,
    /// Rows that still differ.
    pub rows: i64,
}

/// What was done to a copy.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What verification said, once it was asked.
    pub verdict: Option<Verdict>,
    /// Odoo's major version.
    pub odoo: u16,
    /// When, UTC.
    pub at: String,
    /// A digest of the rules and the policy; equal digests mean equal treatment.
    pub policy: String,
    /// What was done, by module.
    pub modules: Vec<ModuleReport>,
    /// What was found that no rule names.
    pub findings: Vec<Finding>,
    /// Modules whose data nobody looked after by name.
    pub not_covered: Vec<NotCovered>,
    /// Surfaces that are not as they should be.
    pub remainders: Vec<Remainder>,
    /// What makes the database no working Odoo.
    pub faults: Vec<String>,
    /// Production's names, gathered before they were overwritten. Hand them to the verification of the same copy.
    pub production_names: Vec<String>,
    /// How long it took.
    pub milliseconds: u64,
    /// The password made for the copy's users, in the run that made it. Show it once; it is written nowhere.
    #[serde(skip)]
    pub generated_password: Option<Secret>,
}

impl Report {
    /// Rows changed, deleted or made by rules.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.modules.iter().map(ModuleReport::rows).sum()
    }

    /// Rows for a table on the screen: module, rules, rows changed.
    #[must_use]
    pub fn to_rows(&self) -> Vec<[String; 3]> {
        self.modules
            .iter()
            .map(|module| {
                [
                    module.module.clone(),
                    module.rules.len().to_string(),
                    module.rows().to_string(),
                ]
            })
            .collect()
    }

    /// The report as Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = String::from("# What was done to this copy\n\n");
        let verdict = self
            .verdict
            .map_or_else(|| "not verified yet".to_owned(), |verdict| verdict.to_string());
        let _ = writeln!(
            text,
            "Verdict: **{verdict}** · Odoo {} · {} UTC · {} rows changed · {} ms · policy `{}`\n",
            self.odoo,
            self.at,
            self.rows(),
            self.milliseconds,
            self.policy
        );
        list(&mut text, "This is no working Odoo", self.faults.iter());
        list(
            &mut text,
            "Not as it should be",
            self.remainders
                .iter()
                .map(|left| format!("`{}`: {} rows of `{}`", left.rule, left.rows, left.table)),
        );
        list(&mut text, "Found, though no rule names it", self.findings.iter());
        list(
            &mut text,
            "Not covered by a rule of their own",
            self.not_covered
                .iter()
                .map(|module| format!("`{}`: {}", module.module, module.fields.join(", "))),
        );
        text.push_str("## Changed\n\n| module | rule | table | rows | why |\n|---|---|---|---:|---|\n");
        for module in &self.modules {
            for rule in module.rules.iter().filter(|rule| rule.rows > 0) {
                let _ = writeln!(
                    text,
                    "| {} | {} | `{}` | {} | {} |",
                    module.module, rule.rule, rule.table, rule.rows, rule.why
                );
            }
        }
        text
    }
}

fn list<T: ToString>(text: &mut String, title: &str, items: impl Iterator<Item = T>) {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return;
    }
    let _ = writeln!(text, "## {title}\n");
    for item in items {
        let _ = writeln!(text, "- {}", item.to_string());
    }
    text.push('\n');
}
