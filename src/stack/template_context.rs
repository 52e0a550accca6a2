//! Variables as templates see them. A secret may be passed over, never written: asking for it is an error that says so.

use std::sync::Arc;

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
