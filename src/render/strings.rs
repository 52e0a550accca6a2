//! Strings of the manifest: minijinja, strict, with errors that point into `tasks.toml`.

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

    /// Whether a string speaks of `name`, so that it can only be resolved where there is one.
    #[must_use]
    pub fn mentions(&self, text: &str, name: &str) -> bool {
        self.environment
            .template_from_str(text)
            .is_ok_and(|template| template.undeclared_variables(false).contains(name))
    }

    /// The same for an expression.
    #[must_use]
    pub fn expression_mentions(&self, text: &str, name: &str) -> bool {
        self.environment
            .compile_expression(text)
            .is_ok_and(|compiled| compiled.undeclared_variables(false).contains(name))
    }
}

/// The expression of a text that is `{{ expression }}` and nothing else.
#[must_use]
pub fn only_expression(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{")).then_some(inner)
}
