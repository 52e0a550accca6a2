//! What verification says of a copy, and the proof that only it can give.

use std::fmt;

use serde::Serialize;

use super::error::SanitiseError;
use super::finding::{Clue, Finding};
use super::report::Report;
use crate::error::{Diagnostic, ExitCode, Explain};

/// What verification says of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every surface is as its rule wants it and nothing that looks like a credential is left.
    Sanitised,
    /// The rules hold, but something that looks like a credential is left.
    Partial,
    /// A rule does not hold, or the copy was never sanitised.
    NotSanitised,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sanitised => "SANITISED",
            Self::Partial => "PARTIAL",
            Self::NotSanitised => "NOT SANITISED",
        })
    }
}

/// A database that was verified. Only [`verify`](super::verify()) makes it, and only what holds one may go live.
#[derive(Debug)]
pub struct Sanitised<D> {
    database: D,
    report: Report,
}

impl<D> Sanitised<D> {
    pub(super) fn new(database: D, report: Report) -> Self {
        Self { database, report }
    }

    /// What was done.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The database, to be made ready for its activation.
    #[must_use]
    pub fn database(&self) -> &D {
        &self.database
    }

    /// The database, to be activated.
    #[must_use]
    pub fn into_database(self) -> D {
        self.database
    }
}

// The sanitise room does not know databases; that its proof is what the swap asks for is said here, once.
impl crate::postgres::swap::sealed::Sealed for Sanitised<crate::postgres::Incoming> {}

impl crate::postgres::Verified for Sanitised<crate::postgres::Incoming> {
    fn into_incoming(self) -> crate::postgres::Incoming {
        self.into_database()
    }
}

/// A database that may not go live, and why.
#[derive(Debug)]
pub struct Refused<D> {
    /// The database, to be looked at or dropped.
    pub database: D,
    /// Why.
    pub reason: Refusal,
}

/// Why a database may not go live.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Verification came to its end and said no.
    #[error("the copy is {}", .0.verdict.unwrap_or(Verdict::NotSanitised))]
    Verdict(Box<Report>),
    /// Verification did not come to its end.
    #[error("the copy could not be verified")]
    Failed(#[source] SanitiseError),
}

impl Explain for Refusal {
    fn explain(&self) -> Diagnostic {
        match self {
            Self::Failed(error) => {
                let mut told = error.explain();
                told.title = format!("the copy could not be verified: {}", told.title);
                told
            }
            Self::Verdict(report) => {
                let left = report
                    .findings
                    .iter()
                    .filter(|finding| finding.is_left())
                    .map(ToString::to_string);
                let rows = report.remainders.iter().map(|left| {
                    format!(
                        "rule `{}` does not hold for {} rows of `{}`",
                        left.rule, left.rows, left.table
                    )
                });
                let elsewhere = report
                    .findings
                    .iter()
                    .find(|finding| finding.is_left() && finding.clue == Clue::Elsewhere);
                let told = Diagnostic::new(ExitCode::Refused, self.to_string())
                    .evidence(report.faults.iter().cloned())
                    .evidence(rows)
                    .evidence(left)
                    .note("only a copy that is SANITISED goes live; the stack serves what it served before");
                match elsewhere {
                    Some(Finding { table, column, .. }) => told.hint(format!(
                        "where the copy can do without the files that are kept elsewhere, say so: \
                         [[sanitise.allow]] table = {table:?}, column = {column:?}, reason = \"…\"; \
                         write a rule, or such an entry, for what else is left"
                    )),
                    None => {
                        told.hint("write a rule for what is left, or an `allow` entry with its reason, in `[sanitise]`")
                    }
                }
            }
        }
    }
}
