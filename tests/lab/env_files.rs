//! Env files, read here and by the real `docker compose`: the same variables, or a reason why not.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use opw_task::env_file;

type Map = BTreeMap<String, String>;

/// What is read here.
fn here(text: &str) -> Result<Map, String> {
    let mut map = Map::new();
    let read = env_file::read(
        text.as_bytes(),
        &mut map,
        |map: &Map, name: &str| map.get(name).cloned(),
        |map, entry| drop(map.insert(entry.name, entry.value)),
    );
    read.map(|()| map).map_err(|error| error.to_string())
}

/// What compose reads, each file as that of a service of its own, all of them at once; what it says, if it refuses one.
fn by_compose(texts: &[&str]) -> Result<Vec<Map>, String> {
    let folder = tempfile::tempdir().unwrap();
    let mut services = String::from("services:\n");
    for (at, text) in texts.iter().enumerate() {
        fs::write(folder.path().join(format!("{at}.env")), text).unwrap();
        services.push_str(&format!("  s{at}:\n    image: none\n    env_file: [{at}.env]\n"));
    }
    fs::write(folder.path().join("compose.yml"), services).unwrap();
    let mut docker = Command::new("docker");
    let own = std::env::var("DOCKER_CONFIG").or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.docker")));
    docker
        .args(["compose", "--project-name", "envfiles", "config", "--format", "json"])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("DOCKER_CONFIG", own.unwrap());
    let output = docker.output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let config: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let maps = (0..texts.len()).map(|at| {
        let environment = config["services"][format!("s{at}")]["environment"].as_object();
        let entries = environment.into_iter().flatten();
        // compose doubles each `$` when it prints; a name without a value has none.
        let entries = entries.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.replace("$$", "$"))));
        entries.collect()
    });
    Ok(maps.collect())
}

/// The same for one after the other where a batch is refused as a whole.
fn each_by_compose(texts: &[&str]) -> Vec<Option<Map>> {
    match by_compose(texts) {
        Ok(maps) => maps.into_iter().map(Some).collect(),
        Err(_) if texts.len() == 1 => vec![None],
        Err(_) => {
            let (some, others) = texts.split_at(texts.len() / 2);
            [each_by_compose(some), each_by_compose(others)].concat()
        }
    }
}

/// Why it is right that these differ, if it is known.
fn reason(text: &str, compose: Option<&Map>, here: &Result<Map, String>) -> Option<&'static str> {
    let compose = compose?;
    if compose.keys().any(|name| name.is_empty()) {
        return Some("compose makes a variable without a name, which no environment can hold");
    }
    if compose.keys().any(|name| name.contains(|c: char| c.is_whitespace())) {
        return Some("compose takes white space but a plain space into a name");
    }
    if here.is_err() && text.contains('\0') {
        return Some("no environment can hold a byte of value 0");
    }
    None
}

fn differences(texts: &[&str]) -> Vec<String> {
    let mut differences = Vec::new();
    for (text, compose) in texts.iter().zip(each_by_compose(texts)) {
        let here = here(text);
        let are_alike = match (&here, &compose) {
            (Ok(here), Some(compose)) => here == compose,
            (Err(_), None) => true,
            _ => false,
        };
        if !are_alike && reason(text, compose.as_ref(), &here).is_none() {
            differences.push(format!("{text:?}\n  compose {compose:?}\n  here    {here:?}"));
        }
    }
    differences
}

#[test]
fn the_table_of_env_files_is_what_compose_says_today() {
    let path = crate::project::repository().join("tests/data/env-files.json");
    let cases: Vec<serde_json::Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let texts: Vec<&str> = cases.iter().map(|case| case["text"].as_str().unwrap()).collect();
    for (case, compose) in cases.iter().zip(each_by_compose(&texts)) {
        let expected = case
            .get("values")
            .map(|values| serde_json::from_value::<Map>(values.clone()).unwrap());
        assert_eq!(compose, expected, "{}", case["text"]);
    }
}

/// Pieces that env files are made of, and that go wrong next to each other.
const PIECES: [&str; 60] = [
    "A=",
    "B=",
    "A: ",
    "export ",
    "NAME",
    "\n",
    "\n",
    "\n",
    "\n",
    " ",
    " ",
    "\t",
    "#",
    " # c",
    "'",
    "'",
    "\"",
    "\"",
    "\\",
    "\\n",
    "\\$",
    "\\\"",
    "\\'",
    "\\0",
    "\\012",
    "$",
    "$$",
    "$A",
    "$B",
    "${A}",
    "${B:-x}",
    "${N:-x}",
    "${N-",
    "${A:+",
    "${A+",
    "${N:-${A}}",
    "{",
    "}",
    "}",
    "x",
    "y z",
    "=",
    ":",
    "é",
    "漢",
    "\r\n",
    "\u{a0}",
    "\u{2003}",
    "[0]",
    "-",
    ".",
    "/",
    "1",
    "C='a b'\n",
    "D=\"$A\"\n",
    "E=a#b\n",
    "\u{c}",
    "`id`",
    "%",
    "!",
];

#[test]
fn random_env_files_mean_the_same_to_compose() {
    // A generator of its own: what fails must fail again. Constants of Knuth's MMIX.
    let mut state = 0x5eed_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut texts = Vec::new();
    while texts.len() < 3_000 {
        let mut text = String::from("A=a1\nB=\n");
        for _ in 0..1 + next(3) {
            let (begin, end) = [("A=", "\n"), ("X=", "\n"), ("Y=\"", "\"\n"), ("Z='", "'\n")][next(4)];
            text.push_str(begin);
            for _ in 0..next(6) {
                text.push_str(PIECES[next(PIECES.len())]);
            }
            text.push_str(end);
        }
        texts.push(text);
    }
    // Files that are refused here are mostly refused there: those are asked about one by one, and so only some of them.
    let (read, refused): (Vec<&str>, Vec<&str>) = texts.iter().map(String::as_str).partition(|text| here(text).is_ok());
    assert!(read.len() > 1_000, "{}", read.len());
    let mut wrong: Vec<String> = read.chunks(100).flat_map(differences).collect();
    wrong.extend(refused.chunks(1).step_by(10).flat_map(differences));
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(30)].join("\n")
    );
}
