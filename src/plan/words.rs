//! Command lines of the manifest: split into words first, rendered afterwards, so that no value is ever split again.

use minijinja::Value;

use super::PlanError;
use crate::error::Place;
use crate::template::{Strings, only_expression};

/// Stands for a template while the words around it are split. Unicode keeps it for private use.
const STAND_IN: char = '\u{e000}';

/// Splits a command line as a POSIX shell would, templates unbroken, and renders each word.
///
/// A word that is one template is dropped where it renders to nothing, and becomes several where it is a list.
pub(super) fn split(text: &str, place: &Place, strings: &Strings, context: &Value) -> Result<Vec<String>, PlanError> {
    let (hidden, templates) = hide_templates(text);
    let words = shlex::split(&hidden).ok_or_else(|| PlanError::Quotes {
        place: Box::new(place.clone()),
    })?;
    let mut templates = templates.into_iter();
    let mut rendered = Vec::new();
    for word in words {
        let mut whole = String::new();
        for c in word.chars() {
            match c {
                STAND_IN => whole.push_str(templates.next().unwrap_or_default()),
                other => whole.push(other),
            }
        }
        rendered.extend(word_or_words(&whole, place, strings, context)?);
    }
    Ok(rendered)
}

/// Renders one argument: see [`split`].
pub(super) fn word_or_words(
    text: &str,
    place: &Place,
    strings: &Strings,
    context: &Value,
) -> Result<Vec<String>, PlanError> {
    let Some(expression) = only_expression(text) else {
        return Ok(vec![strings.render(text, place, context)?]);
    };
    let words = match strings.list(expression, place, context)? {
        Some(words) => words,
        None => vec![strings.render(text, place, context)?],
    };
    Ok(words.into_iter().filter(|word| !word.is_empty()).collect())
}

/// The text with each template replaced by a stand-in, and the templates.
fn hide_templates(text: &str) -> (String, Vec<&str>) {
    let mut hidden = String::new();
    let mut templates = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        let close = if rest[begin..].starts_with("{{") { "}}" } else { "%}" };
        let Some(length) = rest[begin..].find(close) else { break };
        let end = begin + length + close.len();
        hidden.push_str(&rest[..begin]);
        hidden.push(STAND_IN);
        templates.push(&rest[begin..end]);
        rest = &rest[end..];
    }
    hidden.push_str(rest);
    (hidden, templates)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use minijinja::context;

    use super::*;
    use crate::error::Source;

    fn words(text: &str) -> Vec<String> {
        let place = Place {
            source: Source {
                path: "tasks.toml".into(),
                text: Arc::from(text),
            },
            span: 0..0,
            label: String::new(),
        };
        let context =
            context! { params => context! { fix => false, on => true, path => "a b; rm", files => vec!["x y", "z"] } };
        split(text, &place, &Strings::default(), &context).unwrap()
    }

    #[test]
    fn a_value_is_one_word_whatever_is_in_it() {
        assert_eq!(
            words("cat {{ params.path }} --to={{ params.path }}"),
            ["cat", "a b; rm", "--to=a b; rm"]
        );
    }

    #[test]
    fn a_template_that_says_nothing_is_no_word() {
        assert_eq!(
            words("ruff check {{ '--fix' if params.fix }} addons"),
            ["ruff", "check", "addons"]
        );
        assert_eq!(
            words("ruff check {{ '--fix' if params.on }} ''"),
            ["ruff", "check", "--fix", ""]
        );
    }

    #[test]
    fn a_list_is_many_words() {
        assert_eq!(words("ls {{ params.files }}"), ["ls", "x y", "z"]);
    }
}
