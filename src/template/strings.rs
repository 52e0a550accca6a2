//! Strings of the manifest: minijinja, strict, with errors that point into `tasks.toml`.

use std::collections::HashSet;
use std::sync::Arc;

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, UndefinedBehavior, Value};

use super::bounds::{FUEL, SOURCE, bounded};
use super::{RenderError, filters};
use crate::error::Place;

/// Texts of so few bytes nest no deeper than any stack is, and without statements they have no loop.
const SHORT: usize = 512;

/// Renders strings and evaluates expressions. An unknown name is an error.
#[derive(Debug)]
pub struct Strings {
    environment: Arc<Environment<'static>>,
}

impl Default for Strings {
    fn default() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        filters::add_to(&mut environment);
        Self {
            environment: Arc::new(environment),
        }
    }
}

impl Strings {
    /// Renders one string.
    ///
    /// # Errors
    /// A template that does not parse or does not end, an unknown name, a secret where none may stand; with the string's
    /// place.
    pub fn render(&self, text: &str, place: &Place, context: &Value) -> Result<String, RenderError> {
        if !text.contains('{') {
            return Ok(text.to_owned());
        }
        let context = context.clone();
        self.within_bounds(text, place, move |environment, text| {
            environment.render_str(text, context)
        })
    }

    /// Evaluates an expression, such as `params.build or stack.name == "local"`.
    ///
    /// # Errors
    /// As [`Strings::render`].
    pub fn holds(&self, expression: &str, place: &Place, context: &Value) -> Result<bool, RenderError> {
        let context = context.clone();
        self.within_bounds(expression, place, move |environment, expression| {
            let value = environment.compile_expression(expression)?.eval(context)?;
            Ok(value.is_true())
        })
    }

    /// Evaluates an expression that may be a list: its items as texts, or nothing if it is no list.
    ///
    /// # Errors
    /// As [`Strings::render`].
    pub fn list(&self, expression: &str, place: &Place, context: &Value) -> Result<Option<Vec<String>>, RenderError> {
        let context = context.clone();
        self.within_bounds(expression, place, move |environment, expression| {
            let value = environment.compile_expression(expression)?.eval(context)?;
            if value.kind() != ValueKind::Seq {
                return Ok(None);
            }
            Ok(Some(value.try_iter()?.map(|item| item.to_string()).collect()))
        })
    }

    /// What a string speaks of, such as `env.HOME`, in alphabetical order.
    ///
    /// # Errors
    /// A template that does not parse.
    pub fn names(&self, text: &str, place: &Place) -> Result<Vec<String>, RenderError> {
        if !text.contains('{') {
            return Ok(Vec::new());
        }
        self.within_bounds(text, place, |environment, text| {
            Ok(sorted(environment.template_from_str(text)?.undeclared_variables(true)))
        })
    }

    /// The same for an expression.
    ///
    /// # Errors
    /// An expression that does not parse.
    pub fn names_of_expression(&self, text: &str, place: &Place) -> Result<Vec<String>, RenderError> {
        self.within_bounds(text, place, |environment, text| {
            Ok(sorted(environment.compile_expression(text)?.undeclared_variables(true)))
        })
    }

    /// Does work on a text: in place where the text is too short to nest deeply or to have a loop.
    fn within_bounds<T: Send + 'static>(
        &self,
        text: &str,
        place: &Place,
        work: impl FnOnce(&Environment<'static>, &str) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, RenderError> {
        let done = if text.len() <= SHORT && !text.contains("{%") {
            work(&self.environment, text)
        } else if text.len() > SOURCE {
            return Err(RenderError::too_large(SOURCE, place));
        } else {
            let (environment, text) = (self.environment.clone(), text.to_owned());
            bounded(move || work(&environment, &text)).map_err(|why| RenderError::unbounded(&why, place))?
        };
        done.map_err(|error| RenderError::in_manifest(&error, text, place))
    }
}

fn sorted(names: HashSet<String>) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort_unstable();
    names
}

/// The expression of a text that is `{{ expression }}` and nothing else.
#[must_use]
pub fn only_expression(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{")).then_some(inner)
}
