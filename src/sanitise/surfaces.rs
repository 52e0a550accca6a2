//! The questions that a database is asked, and its answers.

use tokio_postgres::{Client, GenericClient, Transaction};

use super::anonymise;
use super::bindings::Bindings;
use super::catalogue::Catalogue;
use super::error::SanitiseError;
use super::facts::Facts;
use super::finding::{Clue, Finding, Outcome};
use super::hunt::Hunt;
use super::objects;
use super::pass;
use super::pipeline::in_order;
use super::policy::Policy;
use super::production;
use super::report::Remainder;
use super::rule_set::RuleSet;
use super::statement::Statement;
use super::storages;
use super::treatment;
use super::verdict::Verdict;

/// A transaction that can only read, with the functions that rules about people call: they are gone with it.
pub(super) async fn reading_people<'a>(
    client: &'a mut Client,
    policy: &Policy,
) -> Result<Transaction<'a>, SanitiseError> {
    if !policy.anonymise.is_on() {
        return reading(client).await;
    }
    let read = client
        .transaction()
        .await
        .map_err(SanitiseError::server("begin to read"))?;
    // Names in the functions' bodies are looked up when they are made: PostgreSQL's first, also where the database or the
    // role were set to look elsewhere.
    pass::prepare(&read).await?;
    pass::make_stand_ins(&read).await?;
    read.batch_execute("SET TRANSACTION READ ONLY")
        .await
        .map_err(SanitiseError::server("begin to read"))?;
    Ok(read)
}

/// A transaction that can only read.
pub(super) async fn reading(client: &mut Client) -> Result<Transaction<'_>, SanitiseError> {
    let read = client
        .build_transaction()
        .read_only(true)
        .start()
        .await
        .map_err(SanitiseError::server("begin to read"))?;
    pass::prepare(&read).await?;
    Ok(read)
}

/// What the database answered.
pub(super) struct Asked {
    pub remainders: Vec<Remainder>,
    pub findings: Vec<Finding>,
    pub faults: Vec<String>,
}

impl Asked {
    pub(super) fn verdict(&self) -> Verdict {
        if !self.remainders.is_empty() || !self.faults.is_empty() {
            Verdict::NotSanitised
        } else if self.findings.iter().any(Finding::is_left) {
            Verdict::Partial
        } else {
            Verdict::Sanitised
        }
    }
}

/// Asks every surface, hunts, and looks at the database as a whole.
pub(super) async fn ask(
    client: &impl GenericClient,
    catalogue: &Catalogue,
    statements: &[Statement],
    rules: &RuleSet,
    bindings: &Bindings<'_>,
) -> Result<Asked, SanitiseError> {
    let asked = statements.iter().map(async |statement| {
        let answer = statement.remaining(client).await;
        answer.map_err(|source| SanitiseError::Rule {
            rule: statement.rule.clone(),
            table: statement.table.clone(),
            sql: statement.surface.shown(),
            source,
        })
    });
    let mut remainders: Vec<Remainder> = Vec::new();
    let mut findings: Vec<Finding> = Vec::new();
    for (statement, (rows, own)) in statements.iter().zip(in_order(asked).await?) {
        let finding = Finding {
            table: statement.table.clone(),
            column: String::new(),
            count: own,
            clue: Clue::Rule(statement.rule.clone()),
            outcome: Outcome::Own,
        };
        if own > 0 && !findings.contains(&finding) {
            findings.push(finding);
        }
        if rows > 0 && !remainders.iter().any(|known| known.rule == statement.rule) {
            remainders.push(Remainder {
                rule: statement.rule.clone(),
                table: statement.table.clone(),
                rows,
            });
        }
    }
    let hunt = Hunt {
        catalogue,
        rules,
        bindings,
    };
    let mut traces = hunt.run(client).await?;
    traces.extend(hunt.views(client).await?);
    findings.extend(traces.into_iter().map(|trace| {
        let outcome = match treatment::allowed(bindings.policy, &trace.table, &trace.column) {
            Some(reason) => Outcome::Allowed(reason),
            None if trace.own => Outcome::Own,
            None => Outcome::Left("it still stands".to_owned()),
        };
        Finding {
            table: trace.table,
            column: trace.column,
            count: trace.count,
            clue: trace.clue,
            outcome,
        }
    }));
    findings.extend(storages::findings(client, catalogue, bindings).await?);
    Ok(Asked {
        remainders,
        findings,
        faults: faults(client, catalogue).await?,
    })
}

/// What makes a database no working Odoo: a copy that is empty is easily sanitised.
async fn faults(client: &impl GenericClient, catalogue: &Catalogue) -> Result<Vec<String>, SanitiseError> {
    let questions = [
        (
            "ir_module_module",
            "SELECT EXISTS (SELECT FROM ir_module_module WHERE state = 'installed')",
            "no module is installed",
        ),
        (
            "res_lang",
            "SELECT EXISTS (SELECT FROM res_lang)",
            "there is no language",
        ),
        (
            "ir_model_data",
            "SELECT EXISTS (SELECT FROM ir_model_data WHERE module = 'base' AND name = 'public_user' AND model = 'res.users')",
            "there is no public user (base.public_user)",
        ),
    ];
    let mut faults = Vec::new();
    for (table, question, fault) in questions {
        if catalogue.table(table).is_none() {
            faults.push(format!("there is no table `{table}`"));
            continue;
        }
        let row = client
            .query_one(question, &[])
            .await
            .map_err(SanitiseError::server("look at the database as a whole"))?;
        if !row.get::<_, bool>(0) {
            faults.push(fault.to_owned());
        }
    }
    Ok(faults)
}

/// What is told beside the verdict: names of production and ways out of the database, and people that no rule knows where
/// all that are known were replaced.
pub(super) async fn told(
    client: &impl GenericClient,
    catalogue: &Catalogue,
    production_names: &[String],
    policy: &Policy,
    facts: &Facts,
) -> Result<Vec<Finding>, SanitiseError> {
    let mut findings = production::findings(client, catalogue, production_names, facts).await?;
    findings.extend(objects::findings(client).await?);
    if policy.anonymise.is_everything() {
        findings.extend(anonymise::findings(client, catalogue).await?);
    }
    Ok(findings)
}
