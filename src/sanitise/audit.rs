//! The verdict on a database that is there already.

use std::time::Instant;

use tokio_postgres::Client;

use super::bindings::Bindings;
use super::catalogue::Catalogue;
use super::coverage;
use super::error::SanitiseError;
use super::facts::Facts;
use super::hashes::{Hashes, service};
use super::pass;
use super::plan::plan;
use super::policy::{Passwords, Policy};
use super::production;
use super::report::Report;
use super::rule_set::RuleSet;
use super::stamp::{self, Stamp};
use super::surfaces::{ask, reading_people, told};

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
    let rules = &rules.under(policy)?;
    let read = reading_people(client, policy).await?;
    let catalogue = Catalogue::read(&read).await?;
    let known = Stamp::read(&read).await?;
    let mut faults = Vec::new();
    if known.is_none() {
        faults.push("this database was never sanitised here".to_owned());
    }
    let treated = known.as_ref().map(|stamp| stamp.at.clone());
    let verified = known.as_ref().is_some_and(Stamp::is_sanitised);
    let stamp = match known {
        Some(stamp) => stamp,
        None => Stamp::fresh(&read).await?,
    };
    // People change their passwords in a copy that lives; that production's are gone was verified when it began to. Of
    // a copy that was made otherwise nobody knows that.
    let passwords = match treated {
        Some(_) => Passwords::Keep,
        None => policy.passwords,
    };
    let kept = Policy {
        passwords,
        ..policy.clone()
    };
    let hashes = Hashes {
        service: service(&stamp, policy)?,
        ..Hashes::masked(policy)
    };
    let bindings = Bindings {
        policy: &kept,
        facts,
        stamp: &stamp,
        hashes: &hashes,
        lived: verified,
    };
    let statements = plan(&catalogue, rules, &bindings)?;
    let mut asked = ask(&read, &catalogue, &statements, rules, &bindings).await?;
    asked.faults.append(&mut faults);
    let production_names = production::names(&read, &catalogue, policy, facts).await?;
    let verdict = asked.verdict();
    let mut findings = asked.findings;
    findings.extend(told(&read, &catalogue, &production_names, policy, facts).await?);
    let report = Report {
        verdict: Some(verdict),
        odoo: catalogue.odoo(),
        at: stamp::now(),
        treated,
        source: stamp.source.clone(),
        policy: if stamp.policy.is_empty() {
            pass::digest(rules, policy)
        } else {
            stamp.policy.clone()
        },
        policy_parts: facts.policy_parts.clone(),
        rule_exceptions: policy.rule_exceptions(),
        modules: Vec::new(),
        findings,
        not_covered: coverage::not_covered(&read, &catalogue, rules, facts).await?,
        remainders: asked.remainders,
        not_in_image: Vec::new(),
        faults: asked.faults,
        production_names,
        milliseconds: pass::milliseconds(begun),
        generated_password: None,
        admin_hash: None,
    };
    read.rollback()
        .await
        .map_err(SanitiseError::server("end the reading"))?;
    Ok(report)
}
