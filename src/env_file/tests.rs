//! The grammar, over a table of files that docker compose was asked about.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

/// A file, and what compose makes of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    text: String,
    /// Its variables, if compose reads it.
    #[serde(default)]
    values: Map,
    /// Compose refuses it.
    #[serde(default)]
    refused: bool,
    /// Why it is refused here although compose reads it.
    refused_here: Option<String>,
    /// Its variables here, where they are others.
    values_here: Option<Map>,
    /// Why they are.
    because: Option<String>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../../tests/data/env-files.json")).unwrap()
}

type Map = BTreeMap<String, String>;

fn read_alone(bytes: &[u8]) -> Result<(Map, Vec<Entry>), EnvFileError> {
    let mut state = (Map::new(), Vec::new());
    let found = |state: &(Map, Vec<Entry>), name: &str| state.0.get(name).cloned();
    read(bytes, &mut state, found, |state, entry| {
        state.0.insert(entry.name.clone(), entry.value.clone());
        state.1.push(entry);
    })?;
    Ok(state)
}

#[test]
fn files_mean_what_they_mean_to_compose() {
    let mut wrong = Vec::new();
    for case in cases() {
        let here = read_alone(case.text.as_bytes()).map(|(values, _)| values);
        assert_eq!(case.values_here.is_some(), case.because.is_some());
        let expected = case.values_here.as_ref().unwrap_or(&case.values);
        let is_as_it_should_be = match &here {
            Ok(values) => !case.refused && case.refused_here.is_none() && values == expected,
            Err(_) => case.refused || case.refused_here.is_some(),
        };
        if !is_as_it_should_be {
            wrong.push(format!(
                "{:?}\n  compose {:?}\n  here    {here:?}",
                case.text, case.values
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn errors_name_the_line_and_show_nothing_of_it() {
    for (text, line, wrong) in [
        ("GOOD=1\nCANARY no assignment\n", 2, Wrong::Name),
        ("GOOD=1\n\n# c\nMY_TOKEN='CANARY\nMORE=1\n", 4, Wrong::Quote),
        ("A=\"one\ntwo\"\nMY TOKEN=CANARY\n", 3, Wrong::Name),
        ("A=1\n=CANARY\n", 2, Wrong::NoName),
        ("A=1\r\nB=${CANARY\r\n", 2, Wrong::Template),
        ("A=a\0b\n", 1, Wrong::Nul),
    ] {
        let error = read_alone(text.as_bytes()).unwrap_err();
        assert_eq!((error.line, &error.wrong), (line, &wrong), "{text:?}");
        assert!(!format!("{error} {}", error.wrong.hint()).contains("CANARY"), "{error}");
    }
    let error = read_alone(b"A=1\nB=gr\xfc\xdfe\n").unwrap_err();
    assert_eq!((error.line, error.wrong), (2, Wrong::NotUtf8));
    let error = read_alone(b"A=secret\nB=${C:?say $A}\n").unwrap_err();
    assert_eq!(error.to_string(), "line 2: this value needs C, which is not set");
    let deep = "${X:-".repeat(5_000) + &"}".repeat(5_000);
    let error = read_alone(format!("A={deep}\n").as_bytes()).unwrap_err();
    assert_eq!(error.wrong, Wrong::TooDeep);
}

#[test]
fn a_value_tells_what_it_is_composed_of() {
    let text = "A=a\nB=${A}-${NONE}-${A:+yes}-${NONE:-$A}\nC='${A}'\n\nD=${B}\n";
    let (_, entries) = read_alone(text.as_bytes()).unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                entry.name.as_str(),
                entry.line,
                entry.composed_of.join(" "),
                entry.unset.join(" "),
            )
        })
        .collect();
    let told: Vec<_> = told
        .iter()
        .map(|(n, l, c, u)| (*n, *l, c.as_str(), u.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("A", 1, "", ""),
            ("B", 2, "A A", "NONE"),
            ("C", 3, "", ""),
            ("D", 5, "B", ""),
        ]
    );
}
