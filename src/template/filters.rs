//! What templates can do beyond minijinja's own filters.

use minijinja::{Environment, Error, ErrorKind, Value};

/// Adds the filters to an environment.
pub(crate) fn add_to(environment: &mut Environment<'_>) {
    environment.add_filter("yaml", yaml);
    environment.add_filter("env", env);
    environment.add_filter("sh", |word: &str| crate::shell_words::quote(word));
}

/// A value as a YAML scalar. JSON's strings are YAML's double-quoted ones; `$` is doubled because compose interpolates.
fn yaml(value: &Value) -> Result<Value, Error> {
    let json = serde_json::to_string(value)
        .map_err(|error| Error::new(ErrorKind::InvalidOperation, "no YAML scalar").with_source(error))?;
    Ok(Value::from_safe_string(json.replace('$', "$$")))
}

/// A value as the right-hand side of a line in an env file for compose.
///
/// compose interpolates `$` everywhere but between single quotes, and between those it knows no escape but `\'`
/// (docker/compose#11058, and tried with compose 2.26). So a `\` in front of a quote, or at the end, cannot be said there;
/// between double quotes it can, with everything else escaped.
fn env(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    if text.contains("\\'") || text.ends_with('\\') {
        let escaped = text.replace('\\', r"\\").replace('"', "\\\"").replace('$', "$$");
        return format!("\"{escaped}\"");
    }
    format!("'{}'", text.replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_compose() {
        assert_eq!(env("a/b:c"), "a/b:c");
        assert_eq!(env("p$word"), "'p$word'");
        assert_eq!(env("it's"), r"'it\'s'");
        assert_eq!(env(r"$a\"), r#""$$a\\""#);
        assert_eq!(
            yaml(&Value::from("a\"$b")).ok().map(|v| v.to_string()),
            Some(r#""a\"$$b""#.into())
        );
    }
}
