//! What hunting found that no rule names.

use std::fmt;

use serde::Serialize;

/// Why something was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "format")]
pub enum Clue {
    /// Its name is a credential's.
    Name,
    /// It stands under a key that names one: in JSON, in a call, in an address.
    Key,
    /// Its value looks like one: the known format.
    Value(String),
    /// Its value is mixed as only keys are.
    Random,
    /// It speaks of production: a host name, a mail domain, a shop.
    Production,
    /// It is somebody's mail address, in a copy whose personal data were replaced.
    Person,
    /// A rule would have it otherwise.
    Rule(String),
    /// It leads out of the database: to another server, or to whatever a program may do.
    Reach,
    /// Its content means nothing to rules.
    Opaque,
    /// It holds what tables held before they were treated, and could not be computed anew.
    Stale,
    /// Its files are in a storage that the filestore is no part of.
    Elsewhere,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "outcome", content = "reason")]
pub enum Outcome {
    /// It was removed.
    Cleared,
    /// It stands, for this reason. The copy is not sanitised.
    Left(String),
    /// It stands because the policy allows it, for this reason.
    Allowed(String),
    /// It stands and is no credential.
    Reported,
    /// It stands, and the copy made it since it was verified.
    Own,
}

/// What hunting found in one place. Values are never part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The table: its name in the schema `public`, `schema.table` in another. For what is no table's, the catalogue that
    /// knows it: `pg_user_mapping`, `pg_proc` …
    pub table: String,
    /// The column, the key of a system parameter, the storage of files, or the name of what the catalogue knows. Empty for all that a
    /// materialised view holds.
    pub column: String,
    /// Rows.
    pub count: i64,
    /// Why it was found.
    pub clue: Clue,
    /// What became of it.
    pub outcome: Outcome,
}

impl Finding {
    /// Where it stands, in one word.
    #[must_use]
    pub fn place(&self) -> String {
        if self.column.is_empty() {
            self.table.clone()
        } else {
            format!("{}.{}", self.table, self.column)
        }
    }

    /// Whether the copy made it since it was verified.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.outcome == Outcome::Own
    }

    /// Whether it keeps the copy from being sanitised.
    #[must_use]
    pub fn is_left(&self) -> bool {
        matches!(self.outcome, Outcome::Left(_))
    }
}

impl fmt::Display for Clue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("by its name"),
            Self::Key => f.write_str("by a key in its text"),
            Self::Value(format) => f.write_str(format),
            Self::Random => f.write_str("a random-looking value"),
            Self::Production => f.write_str("speaks of production"),
            Self::Person => f.write_str("mail addresses"),
            Self::Rule(rule) => write!(f, "rule `{rule}`"),
            Self::Reach => f.write_str("leads out of the database"),
            Self::Opaque => f.write_str("content that no rule can read"),
            Self::Stale => f.write_str("could not be computed anew"),
            Self::Elsewhere => f.write_str("kept outside of the filestore"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cleared => f.write_str("cleared"),
            Self::Left(reason) => write!(f, "left, {reason}"),
            Self::Allowed(reason) => write!(f, "allowed, {reason}"),
            Self::Reported => f.write_str("reported"),
            Self::Own => f.write_str("the copy's own, made since it was verified"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            count, clue, outcome, ..
        } = self;
        let rows = if *count == 1 { "row" } else { "rows" };
        write!(f, "{}: {count} {rows}, {clue}: {outcome}", self.place())
    }
}
