//! One rule, as planning and verification read it.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::anonymise::FreeText;
use super::condition::Condition;
use super::own::Own;
use super::policy::{Mail, Passwords, Policy};
use super::value::Value;

/// What a rule does to the rows it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Columns get values.
    Set(Vec<(String, Value)>),
    /// In the JSON of columns, what stands under keys that name a credential becomes empty.
    Json(Vec<JsonColumn>),
    /// The rows go.
    Delete,
    /// A row is made unless one that meets the condition exists.
    Create(Vec<(String, Value)>),
    /// System parameters get a value, or go when there is none.
    Parameters {
        /// Their keys.
        keys: Vec<String>,
        /// The value; none deletes.
        value: Option<Value>,
        /// Whether a parameter that is not there stays away.
        only_if_present: bool,
    },
}

/// A column with JSON, or with text in which JSON stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonColumn {
    /// Its name.
    pub name: String,
    /// Keys whose values go, beside those that name a credential.
    pub keys: Vec<String>,
}

/// The columns of a rule about JSON: a list, or a table that lists more keys for each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonColumns(pub Vec<JsonColumn>);

impl<'de> Deserialize<'de> for JsonColumns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = JsonColumns;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of columns, or a table of columns and lists of keys")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<JsonColumns, A::Error> {
        let mut columns = Vec::new();
        while let Some(name) = seq.next_element()? {
            columns.push(JsonColumn { name, keys: Vec::new() });
        }
        Ok(JsonColumns(columns))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonColumns, A::Error> {
        let mut columns = Vec::new();
        while let Some((name, keys)) = map.next_entry()? {
            columns.push(JsonColumn { name, keys });
        }
        Ok(JsonColumns(columns))
    }
}

/// The choices of the policy on which a rule depends.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct When {
    /// `off` or `catcher`.
    pub mail: Option<MailChoice>,
    /// `reset` or `keep`.
    pub passwords: Option<Passwords>,
    /// A model whose personal data are replaced.
    pub anonymise: Option<String>,
    /// `keep`, `blank` or `drop`.
    pub free_text: Option<FreeText>,
}

/// [`Mail`] without its details, as a rule asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailChoice {
    /// No server answers.
    Off,
    /// Everything goes to a catcher.
    Catcher,
}

impl When {
    /// Whether the policy chose what the rule asks for.
    #[must_use]
    pub fn holds(&self, policy: &Policy) -> bool {
        let mail = match policy.mail {
            Mail::Off => MailChoice::Off,
            Mail::Catcher { .. } => MailChoice::Catcher,
        };
        self.mail.is_none_or(|wanted| wanted == mail)
            && self.passwords.is_none_or(|wanted| wanted == policy.passwords)
            && self
                .anonymise
                .as_ref()
                .is_none_or(|model| policy.anonymise.covers(model))
            && self.free_text.is_none_or(|wanted| wanted == policy.anonymise.free_text)
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name, unique in a set.
    pub name: String,
    /// The Odoo modules it belongs to, for the report.
    pub modules: Vec<String>,
    /// The major versions it is for; empty means all.
    pub odoo: Vec<u16>,
    /// The table.
    pub table: String,
    /// Which rows.
    pub condition: Condition,
    /// What happens to them.
    pub change: Change,
    /// Which rows an audit of a copy that lives takes for the copy's own.
    pub own: Own,
    /// On which choices of the policy it depends.
    pub when: When,
    /// The columns that name the partner whose a row is, the first that does: `partner_id`, or
    /// `user_id -> res_users.partner_id`.
    pub person: Vec<String>,
    /// The column with a mail address by which the partner is found where none is named.
    pub person_email: Option<String>,
    /// Whether two rows must not be one person: the first is the partner's, the others are somebody of their own.
    pub person_once: bool,
    /// What its raw SQL reads: `table` or `table.column`. The rule applies only where all of it exists.
    pub requires: Vec<String>,
    /// Why.
    pub why: String,
}

impl Rule {
    /// The columns that the rule gives values to.
    pub fn assignments(&self) -> &[(String, Value)] {
        match &self.change {
            Change::Set(assignments) => assignments,
            Change::Json(_) | Change::Delete | Change::Create(_) | Change::Parameters { .. } => &[],
        }
    }
}
