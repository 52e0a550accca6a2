//! What a rule puts into a column.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use super::anonymise::Whose;
use super::token::Shape;

/// A constant as the rule file writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Constant {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
}

/// A value that a rule takes from the policy or from the stack's facts. It is bound as a parameter of the statement and
/// never becomes part of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Binding {
    /// The address under which the stack is reached.
    BaseUrl,
    /// The mail catcher's host.
    MailHost,
    /// The mail catcher's port.
    MailPort,
    /// The jobs that stay on: external ids and names.
    KeepCrons,
    /// The administrator's password, hashed.
    AdminPassword,
    /// The password of all other internal users, hashed.
    UserPassword,
    /// The API keys of the project's service users, hashed: a list.
    ServiceKeys,
    /// This copy's own identity towards Odoo's services.
    DatabaseUuid,
    /// The key with which this copy signs sessions and links.
    DatabaseSecret,
    /// When this copy was first sanitised.
    SanitisedAt,
    /// The logins of the project's service users: a list.
    ServiceLogins,
    /// The types of attachments that are emptied with other free texts: a list of patterns for LIKE.
    AttachmentTypes,
}

impl Binding {
    /// All of them, with the names that rule files use.
    pub const ALL: [(&'static str, Self); 12] = [
        ("base-url", Self::BaseUrl),
        ("mail-host", Self::MailHost),
        ("mail-port", Self::MailPort),
        ("keep-crons", Self::KeepCrons),
        ("admin-password", Self::AdminPassword),
        ("user-password", Self::UserPassword),
        ("service-keys", Self::ServiceKeys),
        ("database-uuid", Self::DatabaseUuid),
        ("database-secret", Self::DatabaseSecret),
        ("sanitised-at", Self::SanitisedAt),
        ("service-logins", Self::ServiceLogins),
        ("attachment-types", Self::AttachmentTypes),
    ];

    /// The binding with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, binding)| *binding)
    }
}

/// What a rule puts into a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing: NULL, or the empty value where the column refuses NULL.
    Nothing,
    /// The same constant in every row.
    Constant(Constant),
    /// A new random value in each row that holds one, derived from the copy's seed and the row's id; of the old one's length and
    /// alphabet where the rule does not say them.
    Renewed(Option<Shape>),
    /// A value of the policy, bound.
    Policy(Binding),
    /// A variable of the stack, bound and never shown.
    Env(String),
    /// A stand-in for what a person left there.
    Fake(Whose),
    /// An SQL expression over the row: the escape hatch.
    Sql(String),
}

impl<'de> Deserialize<'de> for Constant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Constant(constant) => Ok(constant),
            _ => Err(de::Error::custom("expected a text, a whole number, true or false")),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// Reads a scalar as a constant and a table of one key as a reference. Written by hand because serde's untagged enums
/// lose the place and the reason of an error.
struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a whole number, true, false, { policy = \"…\" }, { env = \"…\" }, { fake = \"…\" } or { sql = \"…\" }")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Constant(Constant::Bool(value)))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Constant(Constant::Integer(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Constant(Constant::Text(value.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let Some(key) = map.next_key::<String>()? else {
            return Err(de::Error::invalid_length(0, &self));
        };
        let value = match key.as_str() {
            "policy" => Value::Policy(map.next_value()?),
            "env" => Value::Env(map.next_value()?),
            "sql" => Value::Sql(map.next_value()?),
            "fake" => return fake(map).map(Value::Fake),
            other => return Err(de::Error::unknown_field(other, &["policy", "env", "fake", "sql"])),
        };
        if map.next_key::<String>()?.is_some() {
            return Err(de::Error::invalid_length(2, &self));
        }
        Ok(value)
    }
}

/// Reads a stand-in from behind its first key.
fn fake<'de, A: MapAccess<'de>>(mut map: A) -> Result<Whose, A::Error> {
    let mut whose = Whose {
        fake: map.next_value()?,
        of: None,
        company: None,
    };
    while let Some(key) = map.next_key::<String>()? {
        match key.as_str() {
            "of" => whose.of = Some(map.next_value()?),
            "company" => whose.company = Some(map.next_value()?),
            other => return Err(de::Error::unknown_field(other, &["of", "company"])),
        }
    }
    Ok(whose)
}
