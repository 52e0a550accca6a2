//! Variables as templates see them. A secret may be passed over, never written: asking for it is an error that says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use minijinja::value::{Enumerator, Object};
use minijinja::{Error, ErrorKind, Value};

use super::{Value as Variable, Variables};
use crate::template::IS_SECRET;

/// Variables for strings of the manifest and for files that anybody may read.
#[must_use]
pub fn context_of_variables(variables: &Variables) -> Value {
    Value::from_object(Masked(variables.clone()))
}

/// Variables for what nobody but its owner may read: a file of mode 0600, or values that are bound in SQL.
#[must_use]
pub(crate) fn context_in_clear(variables: &Variables) -> Value {
    variables
        .iter()
        .map(|(name, variable)| (name.to_owned(), Value::from(variable.value.expose())))
        .collect::<std::collections::BTreeMap<_, _>>()
        .into()
}

/// Variables in clear for a string whose value is kept as one of a variable, and what tells whether it speaks of a secret.
#[must_use]
pub fn context_that_notes(variables: &Variables) -> (Value, Composed) {
    let composed = Composed::default();
    let object = Noted {
        variables: variables.clone(),
        composed: composed.clone(),
    };
    (Value::from_object(object), composed)
}

/// Whether a string spoke of a secret when it was rendered.
#[derive(Debug, Clone, Default)]
pub struct Composed(Arc<AtomicBool>);

impl Composed {
    /// It did, so that what came of it may hold one.
    #[must_use]
    pub fn is_of_secrets(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
struct Noted {
    variables: Variables,
    composed: Composed,
}

impl Object for Noted {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let value = self.variables.value(key.as_str()?)?;
        if matches!(value, Variable::Secret(_)) {
            self.composed.0.store(true, Ordering::Relaxed);
        }
        Some(Value::from(value.expose()))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.variables.iter().map(|(name, _)| Value::from(name)).collect())
    }
}

#[derive(Debug)]
struct Masked(Variables);

impl Object for Masked {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        match self.0.value(name)? {
            Variable::Plain(text) => Some(Value::from(text.as_str())),
            Variable::Secret(_) => Some(Value::from(Error::new(
                ErrorKind::InvalidOperation,
                format!("{name} {IS_SECRET}: here it would be readable by others"),
            ))),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.iter().map(|(name, _)| Value::from(name)).collect())
    }
}
