//! The deliberate choices for a stack: `[sanitise]` in the manifest.

use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::anonymise::Anonymise;
use super::rule_change::RuleChange;
use crate::error::Place;
use crate::secret::Secret;

/// What is to be done to a copy, beyond the built-in rules.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Policy {
    /// The project's own rule files.
    pub rules: Vec<Utf8PathBuf>,
    /// Rules that are not applied, each with its reason.
    pub skip_rules: BTreeMap<String, String>,
    /// Rules that do something else than their file says, each with its reason.
    pub change_rules: BTreeMap<String, RuleChange>,
    /// The jobs that stay on: external ids (`base.autovacuum_job`) or names.
    pub keep_crons: Vec<String>,
    /// What becomes of outgoing mail.
    pub mail: Mail,
    /// What becomes of passwords and keys.
    pub passwords: Passwords,
    /// System parameters to set. An empty value deletes the parameter: an environment that has no test credentials must
    /// not keep production's. Values are treated as secrets everywhere.
    #[serde(deserialize_with = "secrets")]
    pub parameters: BTreeMap<String, Secret>,
    /// System parameters to delete.
    pub delete_parameters: Vec<String>,
    /// Users for programs, with API keys of the copy's own. A user whose key is empty is not made: an environment that
    /// has no key has no such program.
    pub service_users: Vec<ServiceUser>,
    /// Modules whose own `data/neutralize.sql` is not run.
    pub skip_module_files: Vec<String>,
    /// What is done with credentials that no rule names.
    pub unknown_secrets: UnknownSecrets,
    /// What may stay, each with its reason.
    pub allow: Vec<Allowance>,
    /// What is done about personal data.
    pub anonymise: Anonymise,
    /// Texts that mark a value as production's: host names, shop keys. A parameter that holds one is refused.
    pub production_indicators: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            skip_rules: BTreeMap::new(),
            change_rules: BTreeMap::new(),
            keep_crons: vec!["base.autovacuum_job".to_owned()],
            mail: Mail::Off,
            passwords: Passwords::Reset,
            parameters: BTreeMap::new(),
            delete_parameters: Vec::new(),
            service_users: Vec::new(),
            skip_module_files: Vec::new(),
            unknown_secrets: UnknownSecrets::Clear,
            allow: Vec::new(),
            anonymise: Anonymise::default(),
            production_indicators: Vec::new(),
        }
    }
}

impl Policy {
    /// Returns the keys of the system parameters that it sets or deletes.
    pub(super) fn chosen_parameters(&self) -> Vec<&str> {
        let keys = self.parameters.keys().chain(&self.delete_parameters);
        keys.map(String::as_str).collect()
    }
}

/// What becomes of outgoing mail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Mail {
    /// No server answers.
    #[default]
    Off,
    /// Everything goes to a catcher.
    Catcher {
        /// Its host, as the Odoo container reaches it.
        host: String,
        /// Its port.
        port: u16,
    },
}

/// What becomes of passwords and keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Passwords {
    /// Production's stop working; internal users get a new one.
    #[default]
    Reset,
    /// Production's keep working, second factors and API keys included.
    Keep,
}

/// What is done with credentials that no rule names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownSecrets {
    /// They are removed and listed.
    #[default]
    Clear,
    /// Sanitising fails and changes nothing.
    Fail,
    /// They stay and are listed; the verdict is `PARTIAL`.
    Report,
}

/// One thing that may stay.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Allowance {
    /// The table.
    pub table: String,
    /// The column; for `ir_config_parameter`, the parameter's key.
    pub column: String,
    /// Why it may stay. It is printed in every report.
    pub reason: String,
}

/// A user for a program.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ServiceUser {
    /// Its login.
    pub login: String,
    /// Its name, as people see it.
    pub name: String,
    /// Its groups, as external ids; what they imply comes with them.
    #[serde(default = "internal")]
    pub groups: Vec<String>,
    /// Its API key.
    #[serde(deserialize_with = "secret")]
    pub api_key: Secret,
}

/// A part of a policy and where the manifest says it. It is no part of the policy itself: equal policies are equal wherever
/// they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyPart {
    /// The key, with what it is about: `mail`, `parameters.dock.token`, `service-users.bot`.
    pub name: String,
    /// The places, several where files that include each other add to one list.
    #[serde(serialize_with = "as_lines")]
    pub places: Vec<Place>,
}

impl PolicyPart {
    /// The places as `path:line`, each once.
    #[must_use]
    pub fn from(&self) -> String {
        let mut places: Vec<_> = self.places.iter().map(ToString::to_string).collect();
        places.dedup();
        places.join(", ")
    }
}

impl fmt::Display for PolicyPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}", self.name, self.from())
    }
}

fn as_lines<S: Serializer>(places: &[Place], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(places.iter().map(ToString::to_string))
}

fn internal() -> Vec<String> {
    vec!["base.group_user".to_owned()]
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Secret>, D::Error> {
    let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
    Ok(texts.into_iter().map(|(key, text)| (key, Secret::new(text))).collect())
}
