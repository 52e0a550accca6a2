//! Credentials under keys: in JSON, and where JSON, the representation of Python's objects, calls with named arguments and addresses
//! stand in other texts, as in tracebacks.
//!
//! A text is not read as JSON and written anew. What stands under a key that names a credential is made empty where it stands, and
//! all else stays as it is, letter by letter: indentation, the order of keys, numbers of any length. So JSON that is in a text, in a
//! text of JSON, or cut off at its end is treated by the same function, and what was JSON before is JSON afterwards.

use std::ops::Range;
use std::sync::LazyLock;

use postgres_protocol::escape::escape_literal;
use regex::Regex;

use super::error::SanitiseError;
use super::format;
use super::json_text::{after_key, argument, number, quoted};

/// Names of credentials that would be too short or too common for a column's name.
const KEYS: [&str; 21] = [
    "auth_pass",
    "authorization",
    "cookie",
    "cred",
    "jwt",
    "otp",
    "pass",
    "passkey",
    "passcode",
    "passwort",
    "pin",
    "proxy_authorization",
    "pw",
    "sas",
    "session_id",
    "sessionid",
    "set_cookie",
    "sid",
    "signing_key",
    "sk",
    "hash_key",
];

/// Names that say what the value beside them is: `{"name": "password", "value": …}`.
const NAMES: [&str; 8] = [
    "code",
    "field",
    "header",
    "key",
    "name",
    "param",
    "parameter",
    "setting",
];

/// A quoted key, or the name of an argument.
const BEGIN: &str = r#"(?P<open>\\{0,7}["']|&(?:quot|apos|#0*3[49]|#[xX]0*2[27]);)(?P<key>[^"'\\&<>\n]{1,100})|(?-u:\b)(?P<word>[A-Za-z_][A-Za-z0-9_.\-]{0,100}) *=[ >]?"#;

/// Where keys are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Everywhere: in texts of JSON, in what is no JSON, before the `=` of arguments.
    All,
    /// Among the keys of the JSON itself. Its texts may be pages and views, in which `password="True"` is no credential.
    Keys,
}

/// Finds what stands under keys.
#[derive(Debug, Clone)]
pub(super) struct Finder {
    begins: Regex,
}

/// The quote around a text, with the backslashes before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quote<'a> {
    Character { escapes: usize, quote: char },
    Entity(&'a str),
}

impl Finder {
    pub(super) fn new() -> Result<Self, SanitiseError> {
        static BEGINS: LazyLock<Result<Regex, regex::Error>> = LazyLock::new(|| Regex::new(BEGIN));
        match &*BEGINS {
            Ok(begins) => Ok(Self { begins: begins.clone() }),
            Err(error) => Err(SanitiseError::Formats {
                reason: error.to_string(),
            }),
        }
    }

    /// The text without what stands under keys that name a credential, and under those in `keys`; none where there is nothing to
    /// take out.
    pub(super) fn cleaned(&self, text: &str, keys: &[String], scope: Scope) -> Option<String> {
        let found = self.found(text, keys, scope);
        if found.is_empty() {
            return None;
        }
        let (mut cleaned, mut at) = (String::with_capacity(text.len()), 0);
        for (range, instead) in found {
            cleaned.push_str(&text[at..range.start]);
            cleaned.push_str(instead);
            at = range.end;
        }
        cleaned.push_str(&text[at..]);
        Some(cleaned)
    }

    /// The places to be taken out, in order, and what stands there instead.
    fn found(&self, text: &str, keys: &[String], scope: Scope) -> Vec<(Range<usize>, &'static str)> {
        let mut found = Vec::new();
        let (mut at, mut value_follows) = (0, None);
        while let Some(begin) = self.begins.captures_at(text, at) {
            let Some(whole) = begin.get(0) else { break };
            if let Some(word) = begin.name("word") {
                at = word.end();
                if scope == Scope::Keys {
                    continue;
                }
                let directly = text.as_bytes().get(whole.end() - 1) == Some(&b'=');
                if let Some(range) = argument(text, whole.end(), directly)
                    && is_credential(word.as_str(), &text[range.clone()], keys)
                {
                    at = range.end;
                    found.push((range, ""));
                }
                continue;
            }
            let (Some(open), Some(key)) = (begin.name("open"), begin.name("key")) else {
                break;
            };
            at = open.end();
            if scope == Scope::Keys && open.as_str() != "\"" {
                continue;
            }
            let quote = Quote::of(open.as_str());
            let Some(value) = after_key(text, key.end(), open.as_str()) else {
                continue;
            };
            let key_name = key.as_str();
            let is_value = value_follows.take()
                == Some(text[..open.start()].trim_end_matches([' ', '\n', '\t', ',']).len())
                && matches!(key_name, "value" | "val" | "default");
            at = value;
            if is_value || names_a_credential(key_name, keys) {
                at = take_out(text, value, quote, key_name, &mut found);
            } else if let Some((content, end)) = quoted(text, value) {
                let says = &text[content.clone()];
                if is_credential(key_name, says, keys) {
                    at = end;
                    found.push((content, ""));
                } else if NAMES.contains(&key_name.to_lowercase().as_str()) && names_a_credential(says, keys) {
                    value_follows = Some(end);
                }
            }
        }
        found
    }
}

/// A condition of PostgreSQL that every text meets from which something is taken out.
pub(super) fn may_hold(text: &str, keys: &[String]) -> String {
    let names = format::any_name(KEYS.into_iter().chain(["key"]).chain(keys.iter().map(String::as_str)));
    format!("{text} ~ {}", escape_literal(&names))
}

impl<'a> Quote<'a> {
    fn of(open: &'a str) -> Self {
        match open.chars().last() {
            Some(quote @ ('"' | '\'')) => Self::Character {
                escapes: open.len() - 1,
                quote,
            },
            _ => Self::Entity(open),
        }
    }
}

/// Whether a value under this key is a credential whatever it is.
fn names_a_credential(key: &str, more: &[String]) -> bool {
    let name = plain(key);
    KEYS.contains(&name.as_str())
        || format::names_a_credential(&name)
        || more.iter().any(|known| known.eq_ignore_ascii_case(key))
}

/// Whether this value under this key is a credential. Some keys lock, others sort and find: their looks tell.
fn is_credential(key: &str, value: &str, more: &[String]) -> bool {
    names_a_credential(key, more) || (is_some_key(&plain(key)) && format::looks_random(value))
}

fn is_some_key(name: &str) -> bool {
    name == "key" || format::names_some_key(name)
}

/// The name of a key as columns are named: `clientSecret` is `client_secret`. What server_environment adds around the name of a
/// field is none of the name.
fn plain(key: &str) -> String {
    let mut name = String::with_capacity(key.len() + 4);
    let mut before = ' ';
    for letter in key.trim().chars() {
        if letter.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            name.push('_');
        }
        name.push(match letter {
            '-' | '.' | ' ' => '_',
            letter => letter.to_ascii_lowercase(),
        });
        before = letter;
    }
    let name = name.strip_prefix("x_").unwrap_or(&name);
    name.strip_suffix("_env_default").unwrap_or(name).to_owned()
}

/// Takes out the value that begins at `at`; tells where it ends.
fn take_out(
    text: &str,
    at: usize,
    quote: Quote<'_>,
    key: &str,
    found: &mut Vec<(Range<usize>, &'static str)>,
) -> usize {
    if let Some((content, end)) = quoted(text, at) {
        if !content.is_empty() {
            found.push((content, ""));
        }
        return end;
    }
    let nothing = match quote {
        Quote::Character { quote: '\'', .. } => "None",
        _ => "null",
    };
    if text[at..].starts_with(['{', '[', '(']) {
        return take_out_all(text, at, nothing, found);
    }
    let length = number(&text[at..]);
    // How many tokens a model may use is no credential.
    if length > 0 && !key.to_lowercase().ends_with("tokens") {
        found.push((at..at + length, nothing));
    }
    at + length
}

/// Takes all texts and numbers out of an object or a list, and leaves its keys.
fn take_out_all(text: &str, at: usize, nothing: &'static str, found: &mut Vec<(Range<usize>, &'static str)>) -> usize {
    let (mut depth, mut place) = (0_usize, at);
    while let Some(first) = text[place..].chars().next() {
        match first {
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth = depth.saturating_sub(1),
            '"' | '\'' | '\\' | '&' => {
                if let Some((content, end)) = quoted(text, place) {
                    let open = &text[place..content.start];
                    let is_key = after_key(text, content.end, open).is_some();
                    if !content.is_empty() && !is_key {
                        found.push((content, ""));
                    }
                    place = end;
                    continue;
                }
            }
            '-' | '0'..='9' => {
                let length = number(&text[place..]);
                if length > 0 {
                    found.push((place..place + length, nothing));
                    place += length;
                    continue;
                }
            }
            _ => {}
        }
        place += first.len_utf8();
        if depth == 0 {
            break;
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str) -> String {
        let cleaned = Finder::new()
            .unwrap()
            .cleaned(text, &["endpoint".to_owned()], Scope::All);
        cleaned.unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn values_under_keys_of_credentials_go_and_all_else_stays() {
        for (text, expected) in [
            (
                r#"{"a": 1.50, "password": "x", "b": [true]}"#,
                r#"{"a": 1.50, "password": "", "b": [true]}"#,
            ),
            (
                r#"{"x_smtp_pass_env_default":"x","smtp_host":"h"}"#,
                r#"{"x_smtp_pass_env_default":"","smtp_host":"h"}"#,
            ),
            (
                r#"[{"n": {"clientSecret": "it's \"x\" \\", "id": 7}}]"#,
                r#"[{"n": {"clientSecret": "", "id": 7}}]"#,
            ),
            (
                r#"{"pin": 1234, "api_key": null, "max_tokens": 4096}"#,
                r#"{"pin": null, "api_key": null, "max_tokens": 4096}"#,
            ),
            (
                r#"{"credentials": {"login": "a", "list": ["b", 2, {"c": "}"}]}, "z": "d"}"#,
                r#"{"credentials": {"login": "", "list": ["", null, {"c": ""}]}, "z": "d"}"#,
            ),
            (
                r#"{"body": "{\"token\": \"a\\\"b\", \"n\": 1}"}"#,
                r#"{"body": "{\"token\": \"\", \"n\": 1}"}"#,
            ),
            (
                r#"[{"name": "password", "value": "x"}, {"name": "colour", "value": "red"}]"#,
                r#"[{"name": "password", "value": ""}, {"name": "colour", "value": "red"}]"#,
            ),
            (
                r#""password"=>"x", "colour"=>"red""#,
                r#""password"=>"", "colour"=>"red""#,
            ),
            ("{'password': \"it's\", 'pin': 3}", "{'password': \"\", 'pin': None}"),
            (
                "call(1, password='x', user=u, api_key=b'y')",
                "call(1, password='', user=u, api_key=b'')",
            ),
            (
                "GET https://h/p?api_key=x&page=2 token=y",
                "GET https://h/p?api_key=&page=2 token=",
            ),
            (
                "data=\"{&quot;token&quot;: &quot;x&quot;}\"",
                "data=\"{&quot;token&quot;: &quot;&quot;}\"",
            ),
            (
                r#"{"endpoint": "x", "token_type": "bearer"}"#,
                r#"{"endpoint": "", "token_type": "bearer"}"#,
            ),
            (
                r#"{"headers": {"X-Key": "Zq4hi8FTR3kE9gq6p6qWTndAC7", "sort_key": "name"}, "key": "colour"}"#,
                r#"{"headers": {"X-Key": "", "sort_key": "name"}, "key": "colour"}"#,
            ),
            (
                "https://h/p?key=Zq4hi8FTR3kE9gq6p6qWTndAC7&key=2",
                "https://h/p?key=&key=2",
            ),
            (r#"{"token": "cut o"#, r#"{"token": ""#),
            (
                r#"{"note": "my password: secret", "Ünï": "ö"}"#,
                r#"{"note": "my password: secret", "Ünï": "ö"}"#,
            ),
        ] {
            assert_eq!(cleaned(text), expected, "{text}");
            assert_eq!(cleaned(expected), expected, "{text}");
        }
    }

    #[test]
    fn texts_of_json_can_be_left_alone() {
        let finder = Finder::new().unwrap();
        let view = r#"{"en_US": "<field name=\"pin\" password=\"True\" t-value=\"{'token': 'a', \"secret\": 1}\"/>?token=x", "pin": "1"}"#;
        let expected = view.replace(r#""pin": "1""#, r#""pin": """#);
        assert_eq!(finder.cleaned(view, &[], Scope::Keys), Some(expected));
    }

    #[test]
    fn ends_that_are_missing_are_no_panic() {
        for text in [
            "\"",
            "'a':",
            "\"token\":",
            "\"token\": \\",
            "\"token\": {\"a",
            "token=",
            "&quot;token&quot;:&",
            "\"token\": ü",
            "\"token\": [ü\\",
            "\"pin\": -",
        ] {
            let _ = cleaned(text);
        }
    }
}
