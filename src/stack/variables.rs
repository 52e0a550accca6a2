//! The variables of a stack: layers laid over each other, each value with its origin.

use camino::Utf8Path;
use indexmap::IndexMap;

use super::{Origin, Secrecy, StackError};
use crate::secret::Secret;

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
}

impl Variables {
    /// None yet.
    #[must_use]
    pub fn new(secrecy: Secrecy) -> Self {
        Self {
            secrecy,
            map: IndexMap::new(),
        }
    }

    /// Lays a value over what was there. An empty value is a value.
    pub fn set(&mut self, name: impl Into<String>, text: impl Into<String>, origin: Origin) {
        let (name, text) = (name.into(), text.into());
        let value = if self.secrecy.is_secret(&name) {
            Value::Secret(Secret::new(text))
        } else {
            Value::Plain(text)
        };
        self.map.insert(name, Variable { value, origin });
    }

    /// Sets a value only where there is none, or an empty one.
    pub fn default(&mut self, name: &str, text: impl Into<String>, origin: Origin) {
        if self.text(name).is_none() {
            self.set(name, text, origin);
        }
    }

    /// Lays all variables of another set over these.
    pub fn lay_over(&mut self, other: &Self) {
        for (name, variable) in &other.map {
            self.map.insert(name.clone(), variable.clone());
        }
    }

    /// Lays an env file over what was there. A file that does not exist is passed over: `false`.
    ///
    /// # Errors
    /// A file that cannot be read or a line that is no `NAME=value`.
    pub fn lay_file(&mut self, root: &Utf8Path, path: &Utf8Path) -> Result<bool, StackError> {
        let read = |source| StackError::ReadEnv {
            path: path.to_owned(),
            source,
        };
        let text = match std::fs::read_to_string(root.join(path)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(read(error)),
        };
        for pair in dotenvy::from_read_iter(text.as_bytes()) {
            let (name, value) = pair.map_err(|error| env_error(path, &text, error))?;
            self.set(name, value, Origin::File(path.to_owned()));
        }
        Ok(true)
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

    /// The secrets among them: what must never be shown.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.map.values().filter_map(|variable| match &variable.value {
            Value::Secret(secret) => Some(secret),
            Value::Plain(_) => None,
        })
    }
}

/// dotenvy names the wrong line by its text; the line may hold a secret, so only its number is told.
fn env_error(path: &Utf8Path, text: &str, error: dotenvy::Error) -> StackError {
    let line = match &error {
        dotenvy::Error::LineParse(lines, _) => {
            // It may be a value alone, and all lines from a quote that is never ended count as one.
            let first = lines.lines().next().unwrap_or_default().trim_end();
            let told = |line: &str| !first.is_empty() && line.trim_end().ends_with(first);
            text.lines().position(told)
        }
        _ => None,
    };
    StackError::Env {
        path: path.to_owned(),
        line: line.map(|index| index + 1),
    }
}
