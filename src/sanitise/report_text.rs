//! A report as lines for a terminal.

use super::finding::Finding;
use super::report::Report;
use super::verdict::Verdict;

impl Report {
    /// What was changed, as aligned columns: module, rules, rows. Modules in which nothing had to change are left out.
    #[must_use]
    pub fn changed_lines(&self) -> Vec<String> {
        let changed = self.modules.iter().filter(|module| module.rows() > 0).map(|module| {
            vec![
                module.module.clone(),
                module.rules.len().to_string(),
                module.rows().to_string(),
            ]
        });
        columns(["module", "rules", "rows"], changed.collect())
    }

    /// The whole report but what was changed: the verdict with its reasons. Values are never part of it.
    #[must_use]
    pub fn verdict_lines(&self) -> Vec<String> {
        let verdict = self.verdict_text().unwrap_or_else(|| Verdict::NotSanitised.to_string());
        let mut lines = vec![format!("verdict    {verdict}"), format!("odoo       {}", self.odoo)];
        match &self.treated {
            Some(at) => lines.push(format!("sanitised  {at} UTC")),
            None => lines.push("sanitised  never, here".to_owned()),
        }
        if !self.source.is_empty() {
            lines.push(format!("source     {}", self.source));
        }
        lines.push(format!("policy     {}", self.policy));
        section(
            &mut lines,
            ["fault", "", ""],
            self.faults.iter().map(|fault| vec![fault.clone()]).collect(),
        );
        let exceptions = self.rule_exceptions.iter().map(|one| {
            let what = if one.skipped { "not applied" } else { "changed" };
            vec![one.rule.clone(), what.to_owned(), one.reason.clone()]
        });
        section(
            &mut lines,
            ["rule that the policy skips or changes", "", "reason"],
            exceptions.collect(),
        );
        let remainders = self
            .remainders
            .iter()
            .map(|left| vec![left.rule.clone(), left.table.clone(), left.rows.to_string()]);
        section(
            &mut lines,
            ["rule that does not hold", "table", "rows"],
            remainders.collect(),
        );
        section(
            &mut lines,
            ["found, though no rule names it", "rows", "why"],
            self.findings.iter().filter(|one| !one.is_own()).map(finding).collect(),
        );
        let own = self.findings.iter().filter(|one| one.is_own());
        section(
            &mut lines,
            ["the copy's own, made since it was verified", "rows", "what"],
            own.map(|one| vec![one.place(), one.count.to_string(), one.clue.to_string()])
                .collect(),
        );
        let not_covered = self
            .not_covered
            .iter()
            .map(|module| vec![module.module.clone(), module.fields.join(", ")]);
        section(
            &mut lines,
            ["module without a rule", "what looks like a credential", ""],
            not_covered.collect(),
        );
        let parts = self.policy_parts.iter();
        section(
            &mut lines,
            ["part of the policy", "from", ""],
            parts.map(|part| vec![part.name.clone(), part.from()]).collect(),
        );
        lines
    }
}

fn finding(finding: &Finding) -> Vec<String> {
    vec![
        finding.place(),
        finding.count.to_string(),
        format!("{}: {}", finding.clue, finding.outcome),
    ]
}

fn section(lines: &mut Vec<String>, headings: [&str; 3], rows: Vec<Vec<String>>) {
    if !rows.is_empty() {
        lines.push(String::new());
        lines.extend(columns(headings, rows));
    }
}

/// Aligned columns, two spaces between; nothing trails.
fn columns(headings: [&str; 3], rows: Vec<Vec<String>>) -> Vec<String> {
    let mut all = vec![headings.map(str::to_owned).to_vec()];
    all.extend(rows);
    let width = |at: usize| {
        let cells = all.iter().filter_map(|row| row.get(at));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let line: String = cells.map(|(cell, width)| format!("{cell:width$}  ")).collect();
        line.trim_end().to_owned()
    };
    all.iter().map(line).collect()
}
