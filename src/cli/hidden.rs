//! What the command line hides beside a run: secrets in tables, in errors and the lines of the manifest that they show, and
//! in the last words of a program that fails on a fault of its own.

use std::io::Write;
use std::ops::Range;
use std::panic;
use std::sync::LazyLock;

use regex::Regex;

use crate::error::Diagnostic;
use crate::manifest::{Manifest, Sourced, StackDef};
use crate::process::Redactor;
use crate::secret::Secret;
use crate::stack::{Secrecy, Variables, keys};

/// Keys of a manifest that only speak about secrets.
const ABOUT: [&str; 2] = ["passwords", "unknown-secrets"];

/// A variable or key of a manifest with its value: quoted, or up to what ends it. Lists and tables are none.
static ASSIGNMENTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x) \b (?<name> [A-Za-z_][A-Za-z0-9_.-]*) ["']? [\ \t]* [=:] [\ \t]*
        (?<value> """ (?s:.*?) (?: """ | \z) | \'\'\' (?s:.*?) (?: \'\'\' | \z)
        | " (?: [^"\\\n] | \\. )* | ' [^'\n]* | [^\s"',\[\]{}\#] [^\s,}]* )"#,
    )
    .ok()
});

/// What a manifest and the command line say in clear of secrets. The stack's own are known once it is resolved.
pub(super) fn said_in_clear(manifest: &Manifest, set: &[(String, String)]) -> Redactor {
    let variables = Variables::of_no_stack(manifest);
    let of_stack = |stack: &Sourced<StackDef>| stack.def.vars.clone();
    let of_stacks = manifest
        .stacks
        .values()
        .chain(&manifest.stack_defaults)
        .flat_map(of_stack);
    let of_tasks = manifest.tasks.values().flat_map(|task| task.def.env.clone());
    let written = of_stacks.chain(of_tasks);
    let written = written.map(|(name, text)| (name.into_inner(), text.into_inner()));
    let said = written.chain(set.iter().cloned());
    let said = said.filter(|(name, text)| !text.contains("{{") && variables.is_secret_value(name, text));
    let secrets = said
        .flat_map(|(_, text)| variables.secrets_in(&Secret::new(text)))
        .collect();
    redactor(secrets, &variables)
}

/// What hides secrets, and those of the environment of this process too: children have it, and may print it.
pub(super) fn redactor(mut secrets: Vec<Secret>, variables: &Variables) -> Redactor {
    for (name, value) in std::env::vars_os() {
        if let (Some(name), Some(value)) = (name.to_str(), value.to_str())
            && variables.is_secret_value(name, value)
        {
            secrets.extend(variables.secrets_in(&Secret::new(value)));
        }
    }
    Redactor::new(&secrets)
}

/// The error without the values that its line of a manifest gives to variables which hold secrets by their names: such a
/// line may be one that could not be read.
pub(super) fn without_values(mut diagnostic: Diagnostic) -> Diagnostic {
    if let Some(place) = &mut diagnostic.place {
        place.source.text = blanked(&place.source.text).into();
    }
    let others = diagnostic.take_others().into_iter();
    diagnostic.with_others(others.map(without_values))
}

/// The text with stars in place of such values and of keys that are known by their looks, each byte one.
fn blanked(text: &str) -> String {
    let secrecy = Secrecy::default();
    let assignments = ASSIGNMENTS
        .iter()
        .flat_map(|assignments| assignments.captures_iter(text));
    let values = assignments.filter_map(|found| {
        let (name, value) = (found.name("name")?, found.name("value")?);
        let name = name.as_str();
        let is_secret = secrecy.is_secret(name) && !ABOUT.contains(&name) && !value.as_str().contains("{{");
        is_secret.then(|| value.range())
    });
    let mut spans: Vec<Range<usize>> = values.chain(keys(text)).collect();
    spans.sort_unstable_by_key(|span| span.start);
    let mut blanked = String::with_capacity(text.len());
    let mut from = 0;
    for span in spans.into_iter().filter(|span| !span.is_empty()) {
        let begin = span.start.max(from);
        let end = span.end.max(begin);
        blanked.push_str(&text[from..begin]);
        blanked.extend(text[begin..end].bytes().map(|byte| match byte {
            b'"' | b'\'' | b'\n' => char::from(byte),
            _ => '*',
        }));
        from = end;
    }
    blanked.push_str(&text[from..]);
    blanked
}

/// Hides secrets in what is said when the program panics, as everywhere, and says it by `tell`.
pub(super) fn hide_in_panics(redactor: Redactor, tell: impl Fn(&str) + Send + Sync + 'static) {
    panic::set_hook(Box::new(move |fault| {
        let text = format!("error: a fault of opw-task itself: {fault}\n");
        tell(&redactor.redact(&text));
    }));
}

/// Says it on standard error. Where that cannot be written there is nobody left to tell it to.
pub(super) fn on_standard_error(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secrets_are_blanked_in_any_line_and_nothing_moves() {
        for (line, shown) in [
            ("MY_TOKEN = \"CANARY\"", "MY_TOKEN = \"******\""),
            (
                "vars = { A = \"b\", MY_TOKEN = 'CANARY', C = 1 }",
                "vars = { A = \"b\", MY_TOKEN = '******', C = 1 }",
            ),
            ("MY_TOKEN = \"CANARY", "MY_TOKEN = \"******"),
            ("\"MY_TOKEN\" = CANARY }", "\"MY_TOKEN\" = ****** }"),
            (
                "MY_TOKEN = \"\"\"CANARY\nCANARY\"\"\" }",
                "MY_TOKEN = \"\"\"******\n******\"\"\" }",
            ),
            ("X = { API_KEY: 'a \\' }", "X = { API_KEY: '***' }"),
            ("MY_TOKEN = \"{{ env.OTHER }}\"", "MY_TOKEN = \"{{ env.OTHER }}\""),
            ("secrets = [\"MY_TOKEN\"]", "secrets = [\"MY_TOKEN\"]"),
            (
                "{ login = 'x', api-key = 'CANARY' }",
                "{ login = 'x', api-key = '******' }",
            ),
            (
                "parameters.'shop.token' = 'CANARY'",
                "parameters.'shop.token' = '******'",
            ),
            ("passwords = 'random'", "passwords = 'random'"),
            ("PLAIN = \"shown\"", "PLAIN = \"shown\""),
        ] {
            assert_eq!(blanked(line), shown, "{line}");
        }
    }

    #[test]
    fn a_panic_shows_no_secret() {
        let (told, heard) = std::sync::mpsc::channel();
        let told = std::sync::Mutex::new(told);
        let usual = panic::take_hook();
        let redactor = Redactor::new(&[Secret::new("CANARY-4711")]);
        hide_in_panics(redactor, move |text| {
            let _ = told.lock().map(|told| told.send(text.to_owned()));
        });
        let thread = std::thread::spawn(|| std::hint::black_box("CANARY-4711 é")[..13].len());
        assert!(thread.join().is_err());
        panic::set_hook(usual);
        let all: String = heard.try_iter().collect();
        assert!(all.contains("***") && !all.contains("CANARY"), "{all}");
    }
}
