//! A copy of production that cannot act in the world, holds no credential that works anywhere, and says what was done to it.
//!
//! Rules are data ([`RuleSet`], the files in `rules/`), choices are a [`Policy`], and what the database has is read once
//! ([`Catalogue`]). [`plan()`] makes statements of the three, [`sanitise()`] runs them in one transaction and hunts for what no
//! rule names, and [`verify()`] asks the database whether it worked. Only its answer, [`Sanitised`], can go live.

mod anonymise;
mod audit;
mod bindings;
mod bulk;
mod catalogue;
mod condition;
mod coverage;
mod error;
mod facts;
mod finding;
mod format;
mod format_here;
mod fragment;
mod hashes;
mod hunt;
mod hunt_files;
mod hunt_json;
mod hunt_pairs;
mod hunt_stream;
mod hunt_tokens;
mod hunt_values;
mod imagined;
mod json;
mod json_text;
mod materialised;
mod module_files;
mod objects;
mod own;
mod parameter_plan;
mod pass;
mod password;
mod people_plan;
mod pipeline;
mod plan;
mod policy;
mod production;
mod projection;
mod report;
mod report_text;
mod rewrite;
mod rule;
mod rule_change;
mod rule_file;
mod rule_set;
mod service_users;
mod sql_script;
mod stamp;
mod statement;
mod storages;
mod surfaces;
mod token;
mod treatment;
mod triggers;
mod value;
mod verdict;
mod verify;

use std::time::Instant;

use tokio_postgres::Client;

pub use anonymise::{Anonymise, FreeText};
pub use audit::audit;
pub use bindings::Bindings;
pub use catalogue::{Catalogue, Column, Kind, Table};
pub use condition::{Condition, Test};
pub use error::{RuleError, SanitiseError};
pub use facts::Facts;
pub use finding::{Clue, Finding, Outcome};
pub use format_here::CredentialFormats;
pub use hashes::Hashes;
pub use imagined::imagine;
pub use module_files::ModuleFile;
pub use own::{Horizon, Own};
pub use password::{AdminPassword, matches_stored};
pub use plan::plan;
pub use policy::{Allowance, Mail, Passwords, Policy, PolicyPart, ServiceUser, UnknownSecrets};
pub use projection::{Projection, projection};
pub use report::{ModuleReport, NotCovered, Remainder, Report, RuleReport};
pub use rule::{Change, JsonColumn, JsonColumns, MailChoice, Rule, When};
pub use rule_change::{RuleChange, RuleException};
pub use rule_set::RuleSet;
pub use stamp::Stamp;
pub use statement::{Parameter, Sql, Statement};
pub use token::{Alphabet, Renewals, Shape};
pub use value::{Binding, Constant, Value};
pub use verdict::{Refusal, Refused, Sanitised, Verdict};
pub use verify::verify;

/// Sanitises a copy: all rules that apply to it, then what hunting finds, in one transaction. When it fails, the database
/// is as it was; when it ran before on the same database, nothing changes.
///
/// # Errors
/// When a rule fails, by name; when the policy is refused; when the server goes away.
pub async fn sanitise(
    client: &mut Client,
    rules: &RuleSet,
    policy: &Policy,
    facts: &Facts,
) -> Result<Report, SanitiseError> {
    let begun = Instant::now();
    let rules = &rules.under(policy)?;
    let mut transaction = client
        .transaction()
        .await
        .map_err(SanitiseError::server("begin a transaction"))?;
    let mut done = pass::apply(&mut transaction, rules, policy, facts).await?;
    pass::hunt(&mut transaction, &mut done, rules, policy, facts).await?;
    let bindings = pass::bindings(policy, facts, &done.stamp, &done.hashes);
    let elsewhere = storages::findings(&transaction, &done.catalogue, &bindings).await?;
    done.report.findings.extend(elsewhere);
    let names = &done.report.production_names;
    let told = surfaces::told(&transaction, &done.catalogue, names, policy, facts).await?;
    done.report.findings.extend(told);
    done.report.not_covered = coverage::not_covered(&transaction, &done.catalogue, rules, facts).await?;
    done.disabled.enable(&transaction).await?;
    transaction.commit().await.map_err(SanitiseError::server("commit"))?;
    done.report.milliseconds = pass::milliseconds(begun);
    Ok(done.report)
}

/// The statements that [`sanitise()`] would run, for a dry run: read only, secrets masked, nothing changed.
///
/// # Errors
/// When the server refuses, or a rule cannot be applied.
pub async fn preview(
    client: &mut Client,
    rules: &RuleSet,
    policy: &Policy,
    facts: &Facts,
) -> Result<Vec<Statement>, SanitiseError> {
    let read = surfaces::reading(client).await?;
    let catalogue = Catalogue::read(&read).await?;
    read.rollback()
        .await
        .map_err(SanitiseError::server("end the reading"))?;
    shown(&catalogue, rules, policy, facts)
}

/// The statements for people to read: secrets masked, and with what those about people call.
fn shown(
    catalogue: &Catalogue,
    rules: &RuleSet,
    policy: &Policy,
    facts: &Facts,
) -> Result<Vec<Statement>, SanitiseError> {
    let rules = &rules.under(policy)?;
    let stamp = Stamp::for_place(String::new());
    let hashes = Hashes::masked(policy);
    let mut statements = plan(catalogue, rules, &pass::bindings(policy, facts, &stamp, &hashes))?;
    if policy.anonymise.is_on() {
        statements.insert(0, anonymise::prelude()?);
    }
    Ok(statements)
}
