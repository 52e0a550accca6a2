//! Is the copy sanitised? Asked of the database, not of our own log.

use std::time::Instant;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, GenericClient, Transaction};

use super::bindings::{Bindings, Hashes};
use super::catalogue::Catalogue;
use super::coverage;
use super::error::SanitiseError;
use super::facts::Facts;
use super::finding::{Finding, Outcome};
use super::hunt::Hunt;
use super::parameter_plan;
use super::pass::{self, Pass};
use super::plan::plan;
use super::policy::{Passwords, Policy, UnknownSecrets};
use super::production;
use super::report::{Remainder, Report};
use super::rule_set::RuleSet;
use super::stamp::Stamp;
use super::statement::Statement;
use super::verdict::{Refusal, Refused, Sanitised, Verdict};

/// Sanitises again, because module updates bring jobs and parameters back; then, in a transaction of its own that can
/// only read, asks of every surface whether it is as its rule wants it, and hunts once more.
///
/// # Errors
/// The database comes back with the reason when it is not sanitised, or when it could not be asked.
pub async fn verify<D>(
    client: &mut Client,
    database: D,
    rules: &RuleSet,
    policy: &Policy,
    facts: &Facts,
) -> Result<Sanitised<D>, Refused<D>> {
    match verified(client, rules, policy, facts).await {
        Ok(report) if report.verdict == Some(Verdict::Sanitised) => Ok(Sanitised::new(database, report)),
        Ok(report) => Err(Refused {
            database,
            reason: Refusal::Verdict(Box::new(report)),
        }),
        Err(error) => Err(Refused {
            database,
            reason: Refusal::Failed(error),
        }),
    }
}

async fn verified(
    client: &mut Client,
    rules: &RuleSet,
    policy: &Policy,
    facts: &Facts,
) -> Result<Report, SanitiseError> {
    let begun = Instant::now();
    let mut transaction = begin(client).await?;
    let mut done = pass::apply(&mut transaction, rules, policy, facts).await?;
    transaction.commit().await.map_err(SanitiseError::server("commit"))?;

    let mut asked = read_all(client, &done, rules, policy, facts).await?;
    if asked.findings.iter().any(Finding::is_left) && policy.unknown_secrets == UnknownSecrets::Clear {
        // What came since the copy was sanitised, with a module's update, is treated as it would have been then.
        let mut transaction = begin(client).await?;
        pass::prepare(&transaction).await?;
        pass::hunt(&mut transaction, &mut done, rules, policy, facts).await?;
        transaction.commit().await.map_err(SanitiseError::server("commit"))?;
        asked = read_all(client, &done, rules, policy, facts).await?;
    }
    let verdict = asked.verdict();
    done.report.verdict = Some(verdict);
    done.report.remainders = asked.remainders;
    done.report.faults = asked.faults;
    done.report.findings.retain(|finding| !finding.is_left());
    done.report.findings.extend(asked.findings);
    let names = &done.report.production_names;
    done.report
        .findings
        .extend(production::findings(&*client, &done.catalogue, names).await?);
    done.report.not_covered = coverage::not_covered(&*client, &done.catalogue, rules).await?;

    done.stamp.verdict = Some(verdict.to_string());
    done.stamp
        .write(&*client, parameter_plan::typed(&done.catalogue))
        .await?;
    done.report.milliseconds = pass::milliseconds(begun);
    Ok(done.report)
}

async fn begin(client: &mut Client) -> Result<Transaction<'_>, SanitiseError> {
    client
        .transaction()
        .await
        .map_err(SanitiseError::server("begin a transaction"))
}

/// Asks of everything that a pass changed whether it is so, in a transaction that can only read.
async fn read_all(
    client: &mut Client,
    done: &Pass,
    rules: &RuleSet,
    policy: &Policy,
    facts: &Facts,
) -> Result<Asked, SanitiseError> {
    let bindings = Bindings {
        policy,
        facts,
        stamp: &done.stamp,
        hashes: &done.hashes,
    };
    let read = reading(client).await?;
    let asked = ask(&read, &done.catalogue, &done.statements, rules, &bindings).await?;
    read.commit().await.map_err(SanitiseError::server("end the reading"))?;
    Ok(asked)
}

/// The verdict on any database, without changing it. What only a stack knows (its base address, its passwords) must be
/// given as for sanitising.
///
/// # Errors
/// When the server refuses or the database holds no Odoo.
pub async fn audit(
    client: &mut Client,
    rules: &RuleSet,
    policy: &Policy,
    facts: &Facts,
) -> Result<Report, SanitiseError> {
    let begun = Instant::now();
    let read = reading(client).await?;
    let catalogue = Catalogue::read(&read).await?;
    let known = Stamp::read(&read).await?;
    let mut faults = Vec::new();
    if known.is_none() {
        faults.push("this database was never sanitised here".to_owned());
    }
    let stamp = match known {
        Some(stamp) => stamp,
        None => Stamp::fresh(&read).await?,
    };
    // People change their passwords in a copy that lives; that production's are gone was verified when it began to.
    let kept = Policy {
        passwords: Passwords::Keep,
        ..policy.clone()
    };
    let bindings = Bindings {
        policy: &kept,
        facts,
        stamp: &stamp,
        hashes: &Hashes::masked(),
    };
    let statements = plan(&catalogue, rules, &bindings)?;
    let mut asked = ask(&read, &catalogue, &statements, rules, &bindings).await?;
    asked.faults.append(&mut faults);
    let production_names = production::names(&read, &catalogue, policy, facts).await?;
    let verdict = asked.verdict();
    let mut findings = asked.findings;
    findings.extend(production::findings(&read, &catalogue, &production_names).await?);
    let report = Report {
        verdict: Some(verdict),
        odoo: catalogue.odoo(),
        at: stamp.at.clone(),
        policy: String::new(),
        modules: Vec::new(),
        findings,
        not_covered: coverage::not_covered(&read, &catalogue, rules).await?,
        remainders: asked.remainders,
        faults: asked.faults,
        production_names,
        milliseconds: pass::milliseconds(begun),
        generated_password: None,
    };
    read.rollback()
        .await
        .map_err(SanitiseError::server("end the reading"))?;
    Ok(report)
}

async fn reading(client: &mut Client) -> Result<Transaction<'_>, SanitiseError> {
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
struct Asked {
    remainders: Vec<Remainder>,
    findings: Vec<Finding>,
    faults: Vec<String>,
}

impl Asked {
    fn verdict(&self) -> Verdict {
        if !self.remainders.is_empty() || !self.faults.is_empty() {
            Verdict::NotSanitised
        } else if self.findings.iter().any(Finding::is_left) {
            Verdict::Partial
        } else {
            Verdict::Sanitised
        }
    }
}

async fn ask(
    client: &impl GenericClient,
    catalogue: &Catalogue,
    statements: &[Statement],
    rules: &RuleSet,
    bindings: &Bindings<'_>,
) -> Result<Asked, SanitiseError> {
    let mut remainders: Vec<Remainder> = Vec::new();
    for statement in statements {
        let surface = &statement.surface;
        let bound: Vec<_> = surface
            .parameters
            .iter()
            .map(super::statement::Parameter::bind)
            .collect();
        let parameters: Vec<&(dyn ToSql + Sync)> = bound
            .iter()
            .map(|value| value.as_ref() as &(dyn ToSql + Sync))
            .collect();
        let row = client
            .query_one(&surface.text, &parameters)
            .await
            .map_err(|source| SanitiseError::Rule {
                rule: statement.rule.clone(),
                table: statement.table.clone(),
                sql: surface.shown(),
                source,
            })?;
        let rows: i64 = row.get(0);
        if rows > 0 && !remainders.iter().any(|known| known.rule == statement.rule) {
            remainders.push(Remainder {
                rule: statement.rule.clone(),
                table: statement.table.clone(),
                rows,
            });
        }
    }
    let traces = Hunt {
        catalogue,
        rules,
        bindings,
    }
    .run(client)
    .await?;
    let findings = traces
        .into_iter()
        .map(|trace| {
            let outcome = match pass::allowed(bindings.policy, &trace) {
                Some(reason) => Outcome::Allowed(reason),
                None => Outcome::Left("it still stands".to_owned()),
            };
            Finding {
                table: trace.table,
                column: trace.column,
                count: trace.count,
                clue: trace.clue,
                outcome,
            }
        })
        .collect();
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
