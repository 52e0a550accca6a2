//! What hunting found that no rule names.

use std::fmt;

use serde::Serialize;

/// Why something was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "format")]
pub enum Clue {
    /// Its name is a credential's.
    Name,
    /// Its value looks like one: the known format.
    Value(String),
    /// Its value is mixed as only keys are.
    Random,
    /// It speaks of production: a host name, a mail domain, a shop.
    Production,
    /// It is somebody's mail address, in a copy whose personal data were replaced.
    Person,
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
}

/// What hunting found in one place. Values are never part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The table.
    pub table: String,
    /// The column, or the key of a system parameter.
    pub column: String,
    /// Rows.
    pub count: i64,
    /// Why it was found.
    pub clue: Clue,
    /// What became of it.
    pub outcome: Outcome,
}

impl Finding {
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
            Self::Value(format) => f.write_str(format),
            Self::Random => f.write_str("a random-looking value"),
            Self::Production => f.write_str("speaks of production"),
            Self::Person => f.write_str("mail addresses"),
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
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            table,
            column,
            count,
            clue,
            outcome,
        } = self;
        let rows = if *count == 1 { "row" } else { "rows" };
        write!(f, "{table}.{column}: {count} {rows}, {clue}: {outcome}")
    }
}
