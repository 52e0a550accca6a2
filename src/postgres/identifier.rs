//! Names and texts as SQL writes them, because DDL takes no parameters.

use std::fmt;

/// The longest name that PostgreSQL keeps, in bytes (`NAMEDATALEN - 1`). It cuts longer ones silently, so we must not.
pub const LONGEST_NAME: usize = 63;

/// The name of a database, a role, a schema or an extension. `Display` writes it quoted; there is no way to put it into
/// a statement unquoted by accident.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier(String);

/// Why a text cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// It is empty.
    #[error("a name cannot be empty")]
    Empty,
    /// PostgreSQL would cut it.
    #[error("the name `{name}` has {bytes} bytes, PostgreSQL keeps {LONGEST_NAME}")]
    TooLong {
        /// The text.
        name: String,
        /// Its length in bytes.
        bytes: usize,
    },
    /// It holds a NUL, which ends a text in the protocol.
    #[error("the name `{name}` holds a NUL")]
    Nul {
        /// The text, escaped.
        name: String,
    },
}

impl Identifier {
    /// Takes a text as a name, as it is: nothing is folded to lower case, nothing is cut.
    ///
    /// # Errors
    /// [`BadName`] when PostgreSQL would refuse or cut it.
    pub fn new(name: impl Into<String>) -> Result<Self, BadName> {
        let name = name.into();
        if name.is_empty() {
            return Err(BadName::Empty);
        }
        if name.contains('\0') {
            return Err(BadName::Nul {
                name: name.escape_default().to_string(),
            });
        }
        if name.len() > LONGEST_NAME {
            return Err(BadName::TooLong {
                bytes: name.len(),
                name,
            });
        }
        Ok(Self(name))
    }

    /// A name that we wrote ourselves and know to be good: short, plain, not empty.
    pub(crate) fn ours(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// The bare name, as a parameter (`datname = $1`) or in a message.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// A text as a string literal, whatever `standard_conforming_strings` says.
pub(crate) struct Literal<'a>(pub(crate) &'a str);

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = self.0.replace('\'', "''");
        if quoted.contains('\\') {
            write!(f, " E'{}'", quoted.replace('\\', "\\\\"))
        } else {
            write!(f, "'{quoted}'")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_always_quoted() {
        assert_eq!(Identifier::new("odoo").unwrap().to_string(), r#""odoo""#);
        assert_eq!(Identifier::new(r#"a"b; DROP"#).unwrap().to_string(), r#""a""b; DROP""#);
    }

    #[test]
    fn a_name_that_would_be_cut_is_refused() {
        assert!(Identifier::new("é".repeat(31)).is_ok());
        assert!(matches!(
            Identifier::new("é".repeat(32)),
            Err(BadName::TooLong { bytes: 64, .. })
        ));
        assert_eq!(Identifier::new(""), Err(BadName::Empty));
        assert!(matches!(Identifier::new("a\0b"), Err(BadName::Nul { .. })));
    }

    #[test]
    fn a_literal_survives_quotes_and_backslashes() {
        assert_eq!(Literal("it's").to_string(), "'it''s'");
        assert_eq!(Literal(r"a\'b").to_string(), r" E'a\\''b'");
    }
}
