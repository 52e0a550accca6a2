//! What becomes of credentials that no rule names.

use postgres_protocol::escape::escape_identifier;
use tokio_postgres::Transaction;

use super::error::SanitiseError;
use super::finding::{Finding, Outcome};
use super::hunt::Trace;
use super::policy::{Policy, UnknownSecrets};
use crate::postgres::evidence_beside_rows;

/// Does with what was found what the policy says.
pub(super) async fn treat(
    transaction: &mut Transaction<'_>,
    traces: Vec<Trace>,
    policy: &Policy,
) -> Result<Vec<Finding>, SanitiseError> {
    let mut findings = Vec::new();
    for trace in traces {
        let outcome = match (allowed(policy, &trace.table, &trace.column), policy.unknown_secrets) {
            (Some(reason), _) => Outcome::Allowed(reason),
            (None, _) if trace.own => Outcome::Own,
            (None, UnknownSecrets::Clear) => clear(transaction, &trace).await?,
            (None, UnknownSecrets::Report) => Outcome::Left("unknown secrets are reported only".to_owned()),
            (None, UnknownSecrets::Fail) => Outcome::Left("unknown secrets fail".to_owned()),
        };
        let Trace {
            table,
            column,
            clue,
            count,
            ..
        } = trace;
        findings.push(Finding {
            table,
            column,
            count,
            clue,
            outcome,
        });
    }
    let left: Vec<_> = findings
        .iter()
        .filter(|finding| finding.is_left())
        .map(ToString::to_string)
        .collect();
    if policy.unknown_secrets == UnknownSecrets::Fail && !left.is_empty() {
        return Err(SanitiseError::Unknown { findings: left });
    }
    Ok(findings)
}

/// Returns the reason for which the policy lets something stay.
pub(super) fn allowed(policy: &Policy, table: &str, column: &str) -> Option<String> {
    let allowance = policy
        .allow
        .iter()
        .find(|one| one.table == table && one.column == column)?;
    Some(allowance.reason.clone())
}

/// Removes what was found; a constraint that forbids it leaves it standing, and the verdict says so.
async fn clear(transaction: &mut Transaction<'_>, trace: &Trace) -> Result<Outcome, SanitiseError> {
    let doing = "clear what no rule names";
    let Some(removal) = &trace.removal else {
        return Ok(Outcome::Left("it can only be taken out by hand, upstream".to_owned()));
    };
    let attempt = transaction.transaction().await.map_err(SanitiseError::server(doing))?;
    match removal.run(&attempt).await {
        Ok(_) => {
            attempt.commit().await.map_err(SanitiseError::server(doing))?;
            Ok(Outcome::Cleared)
        }
        Err(error) => {
            attempt.rollback().await.map_err(SanitiseError::server(doing))?;
            let said = evidence_beside_rows(&error).join(", ");
            Ok(Outcome::Left(format!(
                "{} could not be cleared: {said}",
                escape_identifier(&trace.column)
            )))
        }
    }
}
