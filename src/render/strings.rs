//! Strings of the manifest: minijinja, strict, with errors that point into `tasks.toml`.

use std::collections::HashSet;

use minijinja::value::ValueKind;
use minijinja::{Environment, UndefinedBehavior, Value};

use super::{RenderError, filters};
use crate::error::Place;

/// Renders strings and evaluates expressions. An unknown name is an error.
#[derive(Debug)]
pub struct Strings {
    environment: Environment<'static>,
}

impl Default for Strings {
    fn default() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        filters::add_to(&mut environment);
        Self { environment }
    }
}

impl Strings {
    /// Renders one string.
    ///
    /// # Errors
    /// A template that does not parse, an unknown name, a secret where none may stand; with the string's place.
    pub fn render(&self, text: &str, place: &Place, context: &Value) -> Result<String, RenderError> {
        if !text.contains('{') {
            return Ok(text.to_owned());
        }
        self.environment
            .render_str(text, context)
            .map_err(|error| RenderError::in_manifest(&error, text, place))
    }

    /// Evaluates an expression, such as `params.build or stack.name == "local"`.
    ///
    /// # Errors
    /// As [`Strings::render`].
    pub fn holds(&self, expression: &str, place: &Place, context: &Value) -> Result<bool, RenderError> {
        self.environment
            .compile_expression(expression)
            .and_then(|compiled| compiled.eval(context))
            .map(|value| value.is_true())
            .map_err(|error| RenderError::in_manifest(&error, expression, place))
    }

    /// Evaluates an expression that may be a list: its items as texts, or nothing if it is no list.
    ///
    /// # Errors
    /// As [`Strings::render`].
    pub fn list(&self, expression: &str, place: &Place, context: &Value) -> Result<Option<Vec<String>>, RenderError> {
        let wrong = |error: minijinja::Error| RenderError::in_manifest(&error, expression, place);
        let value = self
            .environment
            .compile_expression(expression)
            .and_then(|compiled| compiled.eval(context));
        let value = value.map_err(wrong)?;
        if value.kind() != ValueKind::Seq {
            return Ok(None);
        }
        let items = value.try_iter().map_err(wrong)?;
        Ok(Some(items.map(|item| item.to_string()).collect()))
    }

    /// What a string speaks of, such as `env.HOME`, in alphabetical order.
    ///
    /// # Errors
    /// A template that does not parse.
    pub fn names(&self, text: &str, place: &Place) -> Result<Vec<String>, RenderError> {
        if !text.contains('{') {
            return Ok(Vec::new());
        }
        let template = self.environment.template_from_str(text);
        let template = template.map_err(|error| RenderError::in_manifest(&error, text, place))?;
        Ok(sorted(template.undeclared_variables(true)))
    }

    /// The same for an expression.
    ///
    /// # Errors
    /// An expression that does not parse.
    pub fn names_of_expression(&self, text: &str, place: &Place) -> Result<Vec<String>, RenderError> {
        let expression = self.environment.compile_expression(text);
        let expression = expression.map_err(|error| RenderError::in_manifest(&error, text, place))?;
        Ok(sorted(expression.undeclared_variables(true)))
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
