//! `render --check` and `render --stdout`: what would be written is compared or printed, and nothing is written.

use std::fs;

use crate::project::{Project, files_below};

const MANIFEST: &str = r#"
[stacks.local]
state-root = "state"
database   = "opw"
vars       = { DOCKER_IMAGE = "odoo", NAME = "one" }
files      = { "out/made.yml" = "made.yml.j2" }

[stacks.cloud]
deploy = "coolify"
files  = { "coolify.yml" = "coolify.yml.j2" }

[tasks.render]
params = { check = { flag = true }, stdout = { flag = true } }
run    = { render = { check = "params.check", stdout = "params.stdout" } }
"#;

fn project() -> Project {
    Project::new(MANIFEST)
        .with(".env", "ODOO_DB_PASSWORD=CANARY-old\n")
        .with("templates/made.yml.j2", "name: {{ env.NAME }}\nkept: true\n")
}

#[test]
fn a_check_fails_with_a_diff_and_writes_nothing() {
    let project = project();
    let ran = project.run(&["render", "local", "--check"]).ended(1);
    assert!(ran.out.contains("out/made.yml is not there"), "{}", ran.whole());
    assert!(!project.at("out").exists() && !project.at("state").exists());

    project.run(&["render", "local"]).ended(0);
    let written = |project: &Project| -> Vec<(std::path::PathBuf, Vec<u8>)> {
        let all = [files_below(&project.at("state")), files_below(&project.at("out"))].concat();
        all.into_iter()
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect()
    };
    let before = written(&project);
    project.run(&["render", "local", "--check"]).ended(0);

    let project = project.with("templates/made.yml.j2", "name: {{ env.NAME }} and two\nkept: true\n");
    let ran = project.run(&["render", "local", "--check"]).ended(1);
    for line in [
        "--- out/made.yml",
        "+++ out/made.yml (rendered)",
        "-name: one\n",
        "+name: one and two\n",
        " kept: true\n",
    ] {
        assert!(ran.out.contains(line), "{line} in {}", ran.whole());
    }
    assert!(ran.err.contains("opw-task render local"), "{}", ran.err);
    assert!(!ran.out.contains("base.yaml"), "{}", ran.out);
    assert_eq!(written(&project), before);
}

#[test]
fn of_a_file_with_secrets_no_value_is_shown() {
    let project = project();
    project.run(&["render", "local"]).ended(0);
    let project = project.with(".env", "ODOO_DB_PASSWORD=CANARY-new\n");
    let ran = project.run(&["render", "local", "--check"]).ended(1);
    assert!(
        ran.out.contains(".compose.env: ODOO_DB_PASSWORD has another value"),
        "{}",
        ran.whole()
    );
    assert!(
        !ran.whole().contains("CANARY") && !project.journal().contains("CANARY"),
        "{}",
        ran.whole()
    );
    let ran = project.run(&["render", "local", "--stdout"]).ended(0);
    assert!(ran.out.contains("# ── out/made.yml\nname: one\n"), "{}", ran.out);
    assert!(!ran.whole().contains("CANARY"), "{}", ran.whole());
}

#[test]
fn one_file_is_printed_as_it_would_be_written() {
    let project = project();
    let printed = project.run(&["render", "cloud", "--stdout"]).ended(0).out;
    assert!(!project.at("coolify.yml").exists());
    project.run(&["render", "cloud"]).ended(0);
    assert_eq!(printed, project.read("coolify.yml"));
    project.run(&["render", "cloud", "--check"]).ended(0);
    fs::write(
        project.at("coolify.yml"),
        printed.replace("restart: unless-stopped", "restart: always"),
    )
    .unwrap();
    project.run(&["render", "cloud", "--check"]).ended(1);
}
