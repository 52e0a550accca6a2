//! What was done to a copy, in plain words.

use std::fmt::Write as _;

use serde::Serialize;

use super::finding::{Finding, Outcome};
use super::policy::PolicyPart;
use super::rule_change::RuleException;
use super::verdict::Verdict;
use crate::plain_text;
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
    /// When this report was made, UTC.
    pub at: String,
    /// When the database was first sanitised here, UTC; none if it never was.
    pub treated: Option<String>,
    /// The upstream that the database is a copy of; empty where that is unknown.
    pub source: String,
    /// A digest of the rules and the policy; equal digests mean equal treatment.
    pub policy: String,
    /// Where each part of the policy stands; what is not there is as it is built in.
    pub policy_parts: Vec<PolicyPart>,
    /// Rules that are not applied as they are written, because the policy says so.
    pub rule_exceptions: Vec<RuleException>,
    /// What was done, by module.
    pub modules: Vec<ModuleReport>,
    /// What was found that no rule names.
    pub findings: Vec<Finding>,
    /// Modules whose data nobody looked after by name.
    pub not_covered: Vec<NotCovered>,
    /// Installed modules that the copy's image lacks, because somebody chose to go on without them.
    pub not_in_image: Vec<String>,
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
    /// The hash of the administrator's password. Hand it to the verification of the same copy, which then need not make
    /// it again.
    #[serde(skip)]
    pub admin_hash: Option<Secret>,
}

impl Report {
    /// Rows changed, deleted or made by rules.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.modules.iter().map(ModuleReport::rows).sum()
    }

    /// The verdict, with how many rules the policy keeps from being applied as they are written.
    #[must_use]
    pub fn verdict_text(&self) -> Option<String> {
        let verdict = self.verdict?.to_string();
        Some(match self.rule_exceptions.len() {
            0 => verdict,
            1 => format!("{verdict}, but for 1 rule"),
            several => format!("{verdict}, but for {several} rules"),
        })
    }

    /// The report of a whole run: what an earlier pass over the same copy changed and found beside what this one did.
    /// Verdict and remainders are this one's.
    #[must_use]
    pub fn following(mut self, earlier: Self) -> Self {
        let mut modules = earlier.modules;
        for module in self.modules {
            let Some(known) = modules.iter_mut().find(|known| known.module == module.module) else {
                modules.push(module);
                continue;
            };
            for rule in module.rules {
                match known.rules.iter_mut().find(|one| one.rule == rule.rule) {
                    Some(one) => one.rows += rule.rows,
                    None => known.rules.push(rule),
                }
            }
        }
        modules.sort_by(|one, other| one.module.cmp(&other.module));
        self.modules = modules;
        // What was found twice, such as names of production, is told as it is now.
        let is_new = |finding: &Finding| {
            let same = |known: &Finding| {
                (&known.table, &known.column, &known.clue) == (&finding.table, &finding.column, &finding.clue)
            };
            finding.outcome == Outcome::Cleared && !self.findings.iter().any(same)
        };
        let mut findings: Vec<_> = earlier.findings.into_iter().filter(is_new).collect();
        findings.append(&mut self.findings);
        self.findings = findings;
        self.milliseconds += earlier.milliseconds;
        self
    }

    /// The report as Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let verdict = self.verdict_text().unwrap_or_else(|| "not verified yet".to_owned());
        let mut text = format!("# Sanitising: {verdict}\n\n| | |\n|---|---|\n");
        let treated = match &self.treated {
            Some(at) => format!("{at} UTC"),
            None => "never, here".to_owned(),
        };
        for (name, value) in [
            ("verdict", format!("**{verdict}**")),
            ("source", self.source.clone()),
            ("Odoo", self.odoo.to_string()),
            ("sanitised", treated),
            ("asked", format!("{} UTC", self.at)),
            ("policy", format!("`{}`", self.policy)),
            ("rows changed", self.rows().to_string()),
            ("time", format!("{} ms", self.milliseconds)),
        ] {
            if !value.is_empty() {
                let _ = writeln!(text, "| {name} | {} |", cell(&value));
            }
        }
        text.push('\n');
        list(&mut text, "Faults", self.faults.iter());
        list(
            &mut text,
            "Not as it should be",
            self.remainders
                .iter()
                .map(|left| format!("`{}`: {} rows of `{}`", left.rule, left.rows, left.table)),
        );
        list(
            &mut text,
            "Rules that the policy skips or changes",
            self.rule_exceptions.iter(),
        );
        self.changed(&mut text);
        let (own, found): (Vec<_>, Vec<_>) = self.findings.iter().partition(|finding| finding.is_own());
        list(&mut text, "Found, though no rule names it", found.into_iter());
        list(&mut text, "The copy's own, made since it was verified", own.into_iter());
        list(
            &mut text,
            "Not covered by a rule of their own",
            self.not_covered
                .iter()
                .map(|module| format!("`{}`: {}", module.module, module.fields.join(", "))),
        );
        list(
            &mut text,
            "Installed, but not in the copy's image",
            self.not_in_image.iter().map(|module| format!("`{module}`")),
        );
        list(
            &mut text,
            "Where the policy stands",
            self.policy_parts
                .iter()
                .map(|part| format!("`{}`: {}", part.name, part.from())),
        );
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }

    fn changed(&self, text: &mut String) {
        let changed: Vec<_> = self.modules.iter().filter(|module| module.rows() > 0).collect();
        if changed.is_empty() {
            return;
        }
        text.push_str("## Changed\n\n");
        for module in changed {
            let _ = writeln!(text, "### {}: {} rows\n", shown(&module.module), module.rows());
            text.push_str("| rule | table | rows | why |\n|---|---|---:|---|\n");
            for rule in module.rules.iter().filter(|rule| rule.rows > 0) {
                let (name, why) = (cell(&rule.rule), cell(&rule.why));
                let _ = writeln!(text, "| {name} | `{}` | {} | {why} |", cell(&rule.table), rule.rows);
            }
            text.push('\n');
        }
    }
}

/// Returns a text that stays in its cell.
fn cell(text: &str) -> String {
    shown(text).replace('|', "\\|")
}

/// Returns a text of one line that acts on no terminal. Names of tables and parameters are whatever somebody made them.
fn shown(text: &str) -> String {
    plain_text::line(&text.replace(['\n', '\r'], " "))
}

fn list<T: ToString>(text: &mut String, title: &str, items: impl Iterator<Item = T>) {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return;
    }
    let _ = writeln!(text, "## {title}\n");
    for item in items {
        let _ = writeln!(text, "- {}", shown(&item.to_string()));
    }
    text.push('\n');
}
