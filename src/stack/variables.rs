//! The variables of a stack: layers laid over each other, each value with its origin.

use camino::Utf8Path;
use indexmap::IndexMap;
use serde_json::Value as Json;

use super::common::{Common, public_names};
use super::secrecy::{keys, names_some_key};
use super::{Origin, Secrecy, StackError, Unset};
use crate::env_file;
use crate::manifest::Manifest;
use crate::process::Redactor;
use crate::secret::{Secret, credentials, decoded};

/// Variables whose values stand where everybody sees them: in paths, labels, addresses, command lines.
const SHOWN: [&str; 28] = [
    "ODOO_PROJECT_NAME",
    "ODOO_DB_NAME",
    "ODOO_DB_USER",
    "ODOO_DB_HOST",
    "ODOO_DB_PORT",
    "ODOO_STATE_ROOT",
    "ODOO_DATA_HOST_DIR",
    "ODOO_DATA_DIR",
    "ODOO_DB_HOST_DIR",
    "ODOO_DB_DIR",
    "ODOO_LOG_HOST_DIR",
    "ODOO_LOG_DIR",
    "ODOO_BASE_URL",
    "ODOO_BIND_ADDRESS",
    "ODOO_WEB_HOST_PORT",
    "ODOO_LONGPOLL_HOST_PORT",
    "ODOO_DB_HOST_PORT",
    "DEPLOY_REMOTE_HOST",
    "DEPLOY_REMOTE_USER",
    "DEPLOY_REMOTE_PORT",
    "DEPLOY_REMOTE_STACK_PATH",
    "DEPLOY_COMPOSE_FILES",
    "DOCKER_IMAGE",
    "POSTGRES_IMAGE",
    "RESTORE_SSH_DIR",
    "RESTORE_SSH_KEY",
    "LOCAL_ADDONS_DIRS",
    "ODOO_FILESTORE_PATH",
];

/// The value of a variable.
#[derive(Debug, Clone)]
pub enum Value {
    /// Anybody may see it.
    Plain(String),
    /// Nobody may.
    Secret(Secret),
}

impl Value {
    /// The text in clear; see [`Secret::expose`] for who may ask.
    #[must_use]
    pub fn expose(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(secret) => secret.expose(),
        }
    }
}

/// A variable's value and where it came from.
#[derive(Debug, Clone)]
pub struct Variable {
    /// The value.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
}

/// The variables of a stack, by name, in the order in which they were first met.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    secrecy: Secrecy,
    map: IndexMap<String, Variable>,
    /// What was laid over: a value composed of it may still hold it.
    past: Vec<(String, Secret)>,
    common: Common,
}

impl Variables {
    /// None yet.
    #[must_use]
    pub fn new(secrecy: Secrecy) -> Self {
        Self {
            secrecy,
            ..<Self as Default>::default()
        }
    }

    /// None, for what is told before a stack is resolved or without one: the names that everybody sees are the manifest's.
    #[must_use]
    pub fn of_no_stack(manifest: &Manifest) -> Self {
        Self {
            secrecy: Secrecy::of(manifest),
            common: Common::new(public_names(manifest)),
            ..<Self as Default>::default()
        }
    }

    /// Lays a value over what was there. An empty value is a value.
    pub fn set(&mut self, name: impl Into<String>, text: impl Into<String>, origin: Origin) {
        self.lay(name.into(), text.into(), origin, false);
    }

    /// The same for a value that is composed of secrets, and so is one itself, unless the project says that this variable is
    /// none.
    pub fn set_composed(&mut self, name: impl Into<String>, text: impl Into<String>, origin: Origin) {
        self.lay(name.into(), text.into(), origin, true);
    }

    fn lay(&mut self, name: String, text: String, origin: Origin, is_composed: bool) {
        let is_composed = is_composed && !text.is_empty() && !self.secrecy.is_said_to_be_none(&name);
        let value = match is_composed || self.secrecy.is_secret_value(&name, &text) {
            true => Value::Secret(Secret::new(text)),
            false => Value::Plain(text),
        };
        self.put(name, Variable { value, origin });
    }

    fn put(&mut self, name: String, variable: Variable) {
        let before = self.map.get(&name).map(|before| &before.value);
        if let Some(Value::Secret(before)) = before {
            self.past.push((name.clone(), before.clone()));
        }
        self.map.insert(name, variable);
    }

    /// Sets a value only where there is none, or an empty one.
    pub fn default(&mut self, name: &str, text: impl Into<String>, origin: Origin) {
        if self.value(name).is_none() {
            self.set(name, text, origin);
        }
    }

    /// Lays all variables of another set over these.
    pub fn lay_over(&mut self, other: &Self) {
        self.past.extend(other.past.iter().cloned());
        for (name, variable) in &other.map {
            self.put(name.clone(), variable.clone());
        }
    }

    /// Makes a secret of every variable that holds one that can be told from other texts. `public` are names and paths that
    /// everybody sees: what is a part of them is told from nothing.
    pub(super) fn hide_composed(&mut self, public: Vec<String>) {
        let shown = SHOWN.iter().filter_map(|name| self.text(name)).map(str::to_owned);
        self.common = Common::new(public.into_iter().chain(shown));
        let secrets = Redactor::new(&self.secrets());
        for variable in self.map.values_mut() {
            if let Value::Plain(text) = &variable.value
                && secrets.knows_any_in(text)
            {
                variable.value = Value::Secret(Secret::new(text.as_str()));
            }
        }
    }

    /// Lays an env file over what was there. What its values speak of is looked up in `outer` first, which wins over files
    /// in the end too, then in what was laid so far. Nothing, for a file that does not exist; else what is not set.
    ///
    /// # Errors
    /// A file that cannot be read, or a line of it.
    pub fn lay_file(
        &mut self,
        root: &Utf8Path,
        path: &Utf8Path,
        outer: &Self,
    ) -> Result<Option<Vec<Unset>>, StackError> {
        let bytes = match std::fs::read(root.join(path)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                let path = path.to_owned();
                return Err(StackError::ReadEnv { path, source });
            }
        };
        let mut unset = Vec::new();
        let found = |variables: &Self, name: &str| {
            let variable = outer.map.get(name).or_else(|| variables.map.get(name));
            variable.map(|variable| variable.value.expose().to_owned())
        };
        let read = env_file::read(&bytes, self, found, |variables, entry| {
            let is_secret = |name: &String| {
                let variable = outer.map.get(name).or_else(|| variables.map.get(name));
                variable.is_some_and(|variable| matches!(variable.value, Value::Secret(_)))
            };
            let is_composed = entry.composed_of.iter().any(is_secret);
            unset.extend(entry.unset.iter().map(|name| Unset {
                path: path.to_owned(),
                line: entry.line,
                name: name.clone(),
                stands_in: entry.name.clone(),
            }));
            let origin = Origin::File(path.to_owned());
            variables.lay(entry.name, entry.value, origin, is_composed);
        });
        let path = path.to_owned();
        read.map_err(|source| StackError::Env { path, source })?;
        Ok(Some(unset))
    }

    /// Takes over which texts are too common to be looked for.
    pub(super) fn common_as_in(&mut self, other: &Self) {
        self.common = other.common.clone();
    }

    /// Those of them that the manifest states, or that are built in.
    #[must_use]
    pub fn of_manifest(&self) -> Self {
        let mut kept = self.clone();
        kept.map.retain(|_, variable| {
            matches!(
                variable.origin,
                Origin::BuiltIn | Origin::Defaults(_) | Origin::Manifest(_)
            )
        });
        kept
    }

    /// The first of the variables that everybody sees which holds a secret, with where it came from.
    #[must_use]
    pub fn secret_that_is_shown(&self) -> Option<(&'static str, &Origin)> {
        let is_secret = |name: &str| matches!(self.value(name), Some(Value::Secret(_)));
        let name = SHOWN.into_iter().find(|name| is_secret(name))?;
        Some((name, self.origin(name)?))
    }

    /// Those of them for which this holds.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&str, &Variable) -> bool) -> Self {
        let mut kept = self.clone();
        kept.map.retain(|name, variable| keep(name, variable));
        kept
    }

    /// The value of a variable that is set and not empty, secrets included.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        let variable = self.map.get(name)?;
        (!variable.value.expose().is_empty()).then_some(&variable.value)
    }

    /// The text of a variable that is set, not empty and no secret.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            Value::Plain(text) => Some(text),
            Value::Secret(_) => None,
        }
    }

    /// The value of a variable as a secret, if it is set and not empty.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<Secret> {
        match self.value(name)? {
            Value::Plain(text) => Some(Secret::new(text.clone())),
            Value::Secret(secret) => Some(secret.clone()),
        }
    }

    /// Where a variable came from.
    #[must_use]
    pub fn origin(&self, name: &str) -> Option<&Origin> {
        self.map.get(name).map(|variable| &variable.origin)
    }

    /// All variables.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Variable)> {
        self.map.iter().map(|(name, variable)| (name.as_str(), variable))
    }

    /// What must never be shown: the secrets among them, those that were laid over, and the passwords in those that are
    /// URLs. Texts that are too common to be told from others are left out; as a variable's value they are not shown either.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        let now = self.map.iter().filter_map(|(name, variable)| match &variable.value {
            Value::Secret(secret) => Some((name, secret)),
            Value::Plain(_) => None,
        });
        let all = now.chain(self.past.iter().map(|(name, secret)| (name, secret)));
        all.flat_map(|(name, secret)| self.told(names_some_key(name), secret.expose()))
            .collect()
    }

    /// What must never be shown of a secret that is no variable of the stack.
    #[must_use]
    pub fn secrets_in(&self, secret: &Secret) -> Vec<Secret> {
        self.told(false, secret.expose())
    }

    /// Whether a text holds a credential by its look, and one that can be told from other texts.
    #[must_use]
    pub fn holds_credential(&self, text: &str) -> bool {
        let mut passwords = credentials(text).into_iter().map(|range| &text[range]);
        passwords.any(|password| !self.common.has(password)) || !keys(text).is_empty()
    }

    /// Whether this value of a variable that is not the stack's own, such as one that a task gives its command, is a secret.
    #[must_use]
    pub fn is_secret_value(&self, name: &str, text: &str) -> bool {
        self.secrecy.is_secret_value(name, text)
    }

    /// What can be told from other texts: the text, the passwords of URLs in it, and what is secret in it by a name of its
    /// own, if it is JSON.
    fn told(&self, is_key: bool, text: &str) -> Vec<Secret> {
        let is_common = |text: &str| match is_key {
            true => self.common.has_key(text),
            false => self.common.has(text),
        };
        let mut texts = vec![text.to_owned()];
        for password in credentials(text).into_iter().map(|range| &text[range]) {
            texts.extend(decoded(password));
            texts.push(password.to_owned());
        }
        if let Ok(value @ (Json::Object(_) | Json::Array(_))) = serde_json::from_str::<Json>(text) {
            self.in_json("", &value, &mut texts);
        }
        let texts = texts.into_iter().filter(|text| !is_common(text));
        texts.map(Secret::new).collect()
    }

    /// Texts that are secrets by the names that they have in a document, such as the key in a service's account.
    fn in_json(&self, name: &str, value: &Json, found: &mut Vec<String>) {
        match value {
            Json::String(text) if self.is_secret_value(name, text) => found.push(text.clone()),
            Json::Array(items) => items.iter().for_each(|item| self.in_json(name, item, found)),
            Json::Object(entries) => entries.iter().for_each(|(name, item)| self.in_json(name, item, found)),
            _ => {}
        }
    }
}
