//! What changes a copy, inside a transaction of the caller's: the rules, and the hunt for what they do not name.

use std::collections::BTreeMap;
use std::time::Instant;

use tokio_postgres::{GenericClient, Transaction};

use super::anonymise;
use super::bindings::Bindings;
use super::bulk::{self, SetAside};
use super::catalogue::Catalogue;
use super::error::SanitiseError;
use super::facts::Facts;
use super::finding::Outcome;
use super::hashes::{Hashes, Hashing};
use super::hunt::Hunt;
use super::materialised;
use super::module_files;
use super::parameter_plan;
use super::password;
use super::pipeline::in_order;
use super::plan::plan;
use super::policy::Policy;
use super::production;
use super::report::{ModuleReport, Report, RuleReport};
use super::rule_set::RuleSet;
use super::stamp::{self, Stamp};
use super::statement::Statement;
use super::storages;
use super::treatment::treat;
use super::triggers::{self, Disabled};

/// A pass over the rules that ended, and what reading again needs of it.
pub(super) struct Pass {
    pub catalogue: Catalogue,
    pub stamp: Stamp,
    pub hashes: Hashes,
    pub statements: Vec<Statement>,
    pub report: Report,
    /// To be enabled before the commit.
    pub disabled: Disabled,
}

/// Changes what the rules want changed. The caller hunts, where it has to, enables what was disabled, and commits.
pub(super) async fn apply(
    transaction: &mut Transaction<'_>,
    rules: &RuleSet,
    policy: &Policy,
    facts: &Facts,
) -> Result<Pass, SanitiseError> {
    let begun = Instant::now();
    let files: Vec<_> = facts
        .module_files
        .iter()
        .filter(|file| !policy.skip_module_files.contains(&file.module))
        .cloned()
        .collect();
    module_files::check(&files)?;
    prepare(transaction).await?;
    let disabled = triggers::disable(transaction).await?;
    let catalogue = Catalogue::read(transaction).await?;
    let mut stamp = match Stamp::read(transaction).await? {
        Some(stamp) => stamp,
        None => Stamp::fresh(transaction).await?,
    };
    stamp.policy = digest(rules, policy);
    stamp.source.clone_from(&facts.source);
    if stamp.local_storages.is_none() {
        stamp.local_storages = Some(storages::local(transaction, &catalogue).await?);
    }
    if policy.anonymise.is_on() {
        make_stand_ins(transaction).await?;
    }
    // Passwords are hashed beside the server's work: what binds no hash is done meanwhile.
    let hashing = Hashing::begin(&stamp, catalogue.odoo(), policy, facts)?;
    let production_names = production::names(transaction, &catalogue, policy, facts).await?;
    let so_far = hashing.so_far(policy);
    let mut statements = plan(&catalogue, rules, &bindings(policy, facts, &stamp, &so_far))?;
    let mut modules = BTreeMap::<String, Vec<RuleReport>>::new();
    let ready = statements.iter().filter(|one| !so_far.are_bound_by(&one.sql));
    run(transaction, ready, &mut modules).await?;

    let (hashes, generated_password) = hashing.end(&mut stamp, policy).await?;
    statements = plan(&catalogue, rules, &bindings(policy, facts, &stamp, &hashes))?;
    let last = statements.iter().filter(|one| hashes.are_bound_by(&one.sql));
    run(transaction, last, &mut modules).await?;
    stamp.write(transaction, parameter_plan::typed(&catalogue)).await?;
    if !files.is_empty() {
        for report in module_files::run(transaction, &files).await? {
            modules.entry(report.module).or_default().extend(report.rules);
        }
        // Once more, so that a rule has the last word.
        run(transaction, statements.iter(), &mut modules).await?;
    }

    let report = Report {
        verdict: None,
        odoo: catalogue.odoo(),
        at: stamp::now(),
        treated: Some(stamp.at.clone()),
        source: facts.source.clone(),
        policy: stamp.policy.clone(),
        policy_parts: facts.policy_parts.clone(),
        rule_exceptions: policy.rule_exceptions(),
        modules: modules
            .into_iter()
            .map(|(module, rules)| ModuleReport { module, rules })
            .collect(),
        findings: Vec::new(),
        not_covered: Vec::new(),
        remainders: Vec::new(),
        not_in_image: Vec::new(),
        faults: Vec::new(),
        production_names,
        milliseconds: milliseconds(begun),
        generated_password,
        admin_hash: Some(hashes.admin.clone()),
    };
    Ok(Pass {
        catalogue,
        stamp,
        hashes,
        statements,
        report,
        disabled,
    })
}

/// Runs statements and adds what they changed to the reports of their modules.
async fn run<'a>(
    transaction: &Transaction<'_>,
    statements: impl Iterator<Item = &'a Statement>,
    modules: &mut BTreeMap<String, Vec<RuleReport>>,
) -> Result<(), SanitiseError> {
    let statements: Vec<_> = statements.collect();
    // What may change most of a large table runs by itself, and what is rewritten here: it is read first, and then written. The rest
    // goes without waiting for the server at each.
    let goes_along = |statement: &Statement| statement.sample.is_none() && statement.rewrite.is_none();
    for stretch in statements.chunk_by(|one, next| goes_along(one) && goes_along(next)) {
        for (statement, rows) in stretch.iter().zip(run_together(transaction, stretch).await?) {
            let reports = modules.entry(statement.modules.join(", ")).or_default();
            match reports.iter_mut().find(|report| report.rule == statement.rule) {
                Some(report) => report.rows += rows,
                None => reports.push(RuleReport {
                    rule: statement.rule.clone(),
                    table: statement.table.clone(),
                    rows,
                    why: statement.why.clone(),
                }),
            }
        }
    }
    Ok(())
}

/// Runs statements one behind the other and tells how many rows each changed.
async fn run_together(transaction: &Transaction<'_>, statements: &[&Statement]) -> Result<Vec<u64>, SanitiseError> {
    let aside = match statements {
        [statement] => bulk::set_aside(transaction, statement).await?,
        _ => SetAside::default(),
    };
    let changes = statements.iter().map(async |statement| {
        let changed = statement.run(transaction).await;
        changed.map_err(|source| SanitiseError::Rule {
            rule: statement.rule.clone(),
            table: statement.table.clone(),
            sql: statement.sql.shown(),
            source,
        })
    });
    let rows = in_order(changes).await?;
    aside.restore(transaction).await?;
    Ok(rows)
}
/// Makes the functions that rules about people call, for this session only.
pub(super) async fn make_stand_ins(client: &impl GenericClient) -> Result<(), SanitiseError> {
    let script = anonymise::functions()?.join(";\n");
    client
        .batch_execute(&script)
        .await
        .map_err(SanitiseError::server("make the stand-ins of personal data"))
}

/// What a copy that does not live yet binds.
pub(super) fn bindings<'a>(policy: &'a Policy, facts: &'a Facts, stamp: &'a Stamp, hashes: &'a Hashes) -> Bindings<'a> {
    Bindings {
        policy,
        facts,
        stamp,
        hashes,
        lived: false,
    }
}

/// Looks for what no rule names, does with it what the policy says, and adds it to the report.
pub(super) async fn hunt(
    transaction: &mut Transaction<'_>,
    pass: &mut Pass,
    rules: &RuleSet,
    policy: &Policy,
    facts: &Facts,
) -> Result<(), SanitiseError> {
    let hunt = Hunt {
        catalogue: &pass.catalogue,
        rules,
        bindings: &bindings(policy, facts, &pass.stamp, &pass.hashes),
    };
    let traces = hunt.run(transaction).await?;
    let mut findings = treat(transaction, traces, policy).await?;
    let cleared = findings.iter().any(|finding| finding.outcome == Outcome::Cleared);
    if cleared || pass.report.rows() > 0 {
        findings.extend(materialised::refresh(transaction).await?);
    }
    let traces = hunt.views(transaction).await?;
    findings.extend(treat(transaction, traces, policy).await?);
    pass.report.findings.extend(findings);
    Ok(())
}

/// What rules and policy come to; equal digests mean equal treatment. Secrets are no part of it.
pub(super) fn digest(rules: &RuleSet, policy: &Policy) -> String {
    password::digest(&format!("{rules:?}{policy:?}"))
        .chars()
        .take(16)
        .collect()
}

pub(super) fn milliseconds(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Names resolve in PostgreSQL's catalogue first: a function that came with the dump cannot stand in for a built-in one.
/// A row that a policy hides from the session is an error, not a row that is not there.
pub(super) async fn prepare(client: &impl GenericClient) -> Result<(), SanitiseError> {
    client
        .batch_execute(
            "SET LOCAL search_path = pg_catalog, public; SET LOCAL lock_timeout = '30s'; SET LOCAL jit = off; \
             SET LOCAL row_security = off",
        )
        .await
        .map_err(SanitiseError::server("prepare the session"))
}
