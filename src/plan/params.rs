//! What the command line may say to a plan: the parameters of all its tasks together.

use indexmap::IndexMap;
use minijinja::Value;

use super::PlanError;
use super::graph::closure;
use crate::manifest::{Manifest, ParamDef, Text};

/// What the command line said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamValue {
    /// A flag.
    Flag(bool),
    /// An option.
    Text(String),
    /// All remaining words.
    Rest(Vec<String>),
}

impl From<&ParamValue> for Value {
    fn from(value: &ParamValue) -> Self {
        match value {
            ParamValue::Flag(flag) => Self::from(*flag),
            ParamValue::Text(text) => Self::from(text.as_str()),
            ParamValue::Rest(words) => words.iter().map(String::as_str).collect(),
        }
    }
}

/// The parameters of a task and all that it needs. The same parameter may be declared by several tasks, alike.
///
/// # Errors
/// [`PlanError::ParamConflict`] where two tasks declare it differently, [`PlanError::TwoRests`] where two take the rest
/// of the line.
pub fn params_of<'a>(manifest: &'a Manifest, goal: &'a str) -> Result<IndexMap<&'a str, &'a ParamDef>, PlanError> {
    let mut params: IndexMap<&str, (&str, &ParamDef)> = IndexMap::new();
    for task in closure(manifest, goal) {
        let Some(def) = manifest.tasks.get(task) else { continue };
        for (name, param) in &def.def.params {
            let name = name.get_ref().as_str();
            if param.rest
                && let Some((_, (first, _))) = params.iter().find(|(other, (_, def))| def.rest && **other != name)
            {
                return Err(PlanError::TwoRests {
                    first: (*first).to_owned(),
                    second: task.to_owned(),
                });
            }
            match params.get(name) {
                Some((first, other)) if *other != param => {
                    return Err(PlanError::ParamConflict {
                        param: name.to_owned(),
                        first: (*first).to_owned(),
                        second: task.to_owned(),
                    });
                }
                Some(_) => {}
                None => {
                    params.insert(name, (task, param));
                }
            }
        }
    }
    Ok(params.into_iter().map(|(name, (_, param))| (name, param)).collect())
}

/// The parameters that one task declares, as its strings see them: `-` in names becomes `_`.
pub(super) fn seen_by(declared: &IndexMap<Text, ParamDef>, said: &IndexMap<String, ParamValue>) -> Value {
    let value = |name: &str, def: &ParamDef| match said.get(name) {
        Some(value) => Value::from(value),
        None if def.flag => Value::from(false),
        None if def.rest => Value::from(Vec::<Value>::new()),
        None => Value::from(def.default.as_deref().unwrap_or_default()),
    };
    declared
        .iter()
        .map(|(name, def)| (name.get_ref().replace('-', "_"), value(name.get_ref(), def)))
        .collect()
}
