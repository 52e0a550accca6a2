//! Is the copy sanitised? Asked of the database, not of our own log.

use std::time::Instant;

use tokio_postgres::{Client, Transaction};

use super::coverage;
use super::error::SanitiseError;
use super::facts::Facts;
use super::finding::{Clue, Finding};
use super::materialised;
use super::own::Horizon;
use super::parameter_plan;
use super::pass::{self, Pass};
use super::policy::{Policy, UnknownSecrets};
use super::report::Report;
use super::rule_set::RuleSet;
use super::stamp::Stamp;
use super::surfaces::{Asked, ask, reading, told};
use super::triggers;
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
    let rules = &rules.under(policy)?;
    let mut transaction = begin(client).await?;
    let mut done = pass::apply(&mut transaction, rules, policy, facts).await?;
    if done.report.rows() > 0 {
        let stale = materialised::refresh(&mut transaction).await?;
        done.report.findings.extend(stale);
    }
    done.disabled.enable(&transaction).await?;
    transaction.commit().await.map_err(SanitiseError::server("commit"))?;

    let mut horizon = horizon(client).await?;
    let mut asked = read_all(client, &done, rules, policy, facts).await?;
    // What is not in the filestore cannot be hunted.
    let is_prey = |finding: &Finding| finding.is_left() && finding.clue != Clue::Elsewhere;
    if asked.findings.iter().any(is_prey) && policy.unknown_secrets == UnknownSecrets::Clear {
        // What came since the copy was sanitised, with a module's update, is treated as it would have been then.
        let mut transaction = begin(client).await?;
        pass::prepare(&transaction).await?;
        let disabled = triggers::disable(&transaction).await?;
        pass::hunt(&mut transaction, &mut done, rules, policy, facts).await?;
        disabled.enable(&transaction).await?;
        transaction.commit().await.map_err(SanitiseError::server("commit"))?;
        horizon = self::horizon(client).await?;
        asked = read_all(client, &done, rules, policy, facts).await?;
    }
    let verdict = asked.verdict();
    done.report.verdict = Some(verdict);
    done.report.remainders = asked.remainders;
    done.report.faults = asked.faults;
    done.report.findings.retain(|finding| !finding.is_left());
    done.report.findings.extend(asked.findings);
    let read = reading(client).await?;
    let names = &done.report.production_names;
    let beside = told(&read, &done.catalogue, names, policy, facts).await?;
    done.report.findings.extend(beside);
    done.report.not_covered = coverage::not_covered(&read, &done.catalogue, rules, facts).await?;
    read.commit().await.map_err(SanitiseError::server("end the reading"))?;

    done.stamp.verified = Some(horizon);
    done.stamp.verdict = Some(verdict.to_string());
    write(client, &done.stamp, parameter_plan::typed(&done.catalogue)).await?;
    done.report.milliseconds = pass::milliseconds(begun);
    Ok(done.report)
}

/// Writes the stamp, and nothing but the stamp: what was read of the copy still holds after it.
async fn write(client: &mut Client, stamp: &Stamp, typed: bool) -> Result<(), SanitiseError> {
    let transaction = begin(client).await?;
    pass::prepare(&transaction).await?;
    let disabled = triggers::disable(&transaction).await?;
    stamp.write(&transaction, typed).await?;
    disabled.enable(&transaction).await?;
    transaction.commit().await.map_err(SanitiseError::server("commit"))
}

/// What is written from now on was not read when the copy was verified.
async fn horizon(client: &Client) -> Result<Horizon, SanitiseError> {
    let row = client.query_one(Horizon::QUESTION, &[]).await;
    let row = row.map_err(SanitiseError::server("read the server's clock"))?;
    Ok(Horizon {
        at: row.get(0),
        transaction: row.get(1),
    })
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
    let bindings = pass::bindings(policy, facts, &done.stamp, &done.hashes);
    let read = reading(client).await?;
    let asked = ask(&read, &done.catalogue, &done.statements, rules, &bindings).await?;
    read.commit().await.map_err(SanitiseError::server("end the reading"))?;
    Ok(asked)
}
