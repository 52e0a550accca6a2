//! What is rendered, read by the real `docker compose`: valid, and every value there byte for byte. No container is started.

use std::fs;
use std::process::Command;

use crate::project::{Project, repository};

/// Tasks that let compose read what is rendered.
const CHECK: &str = "
[tasks.valid]
needs = [\"render\"]
run = { compose = [\"config\", \"--quiet\"] }
[tasks.read]
needs = [\"render\"]
run = { compose = [\"config\", \"--format\", \"json\"] }
";

/// Every stack that compose runs, of a manifest of this repository, as if it were on this machine.
fn every_stack_is_valid(manifest: &str) {
    let text = fs::read_to_string(repository().join(manifest)).unwrap();
    let here = |text: &str| -> String {
        let elsewhere = ["host ", "path ", "state-root "];
        text.lines()
            .filter(|line| !elsewhere.iter().any(|key| line.starts_with(key)))
            .map(|line| format!("{line}\n"))
            .collect()
    };
    let estate = here(&fs::read_to_string(repository().join("tasks.toml")).unwrap());
    // Only what is above the tasks of production: `host` is a key of upstreams too.
    let estate = estate
        .replace(
            "[upstreams.opw-prod]",
            "[upstreams.opw-prod]\nhost = \"root@opw-prod.invalid\"",
        )
        .replace(
            "[upstreams.cm-prod]",
            "[upstreams.cm-prod]\nhost = \"root@cm-prod.invalid\"",
        );
    let mut project = Project::empty()
        .with(".env", "ODOO_DB_PASSWORD=p\nGITHUB_TOKEN=t\n")
        .with(
            "docker/config/base.env",
            &fs::read_to_string(repository().join("docker/config/base.env")).unwrap(),
        )
        .with("docker/sanitise/shopify.toml", "")
        .with(
            "docker/lab/demo.env",
            &fs::read_to_string(repository().join("docker/lab/demo.env")).unwrap(),
        );
    project = if manifest == "tasks.toml" {
        project.with(manifest, &format!("{estate}{CHECK}"))
    } else {
        project
            .with("tasks.toml", &estate)
            .with(manifest, &format!("{text}{CHECK}"))
    };
    let project = with_plugins(project);
    let listed = project.run(&["--file", manifest, "list", "--output", "json"]).ended(0);
    let rows = listed
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let stacks: Vec<String> = rows
        .filter_map(|row| Some(row.get("stack")?.as_str()?.to_owned()))
        .collect();
    assert!(!stacks.is_empty());
    for stack in stacks.iter().filter(|stack| *stack != "coolify") {
        project.run(&["--file", manifest, "valid", stack]).ended(0);
        project
            .run(&[
                "--file",
                manifest,
                "valid",
                stack,
                "--set",
                "ODOO_ADDON_REPOSITORIES=a/b@main",
            ])
            .ended(0);
    }
}

#[test]
fn every_stack_of_the_estate_is_valid() {
    every_stack_is_valid("tasks.toml");
}

#[test]
fn every_stack_of_the_lab_is_valid() {
    every_stack_is_valid("docker/lab/tasks.toml");
}

/// The Coolify file with these application's settings, as compose reads it once Coolify has taken its own key out.
fn coolify_file_read_with(settings: &[(&str, &str)]) -> serde_json::Value {
    let text = fs::read_to_string(repository().join("docker/config/coolify.yml")).unwrap();
    let text: String = text
        .lines()
        .filter(|line| !line.contains("exclude_from_hc"))
        .map(|line| format!("{line}\n"))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("coolify.yml"), text).unwrap();
    let mut docker = Command::new("docker");
    docker.args([
        "compose",
        "--project-name",
        "check",
        "--file",
        "coolify.yml",
        "config",
        "--format",
        "json",
    ]);
    docker.current_dir(folder.path()).envs(settings.iter().copied());
    let output = docker.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_coolify_file_is_valid_and_passes_passwords_whole() {
    let settings = [("ODOO_DB_NAME", "opw"), ("ODOO_DB_PASSWORD", "s3cret-$host-${x}-$$")];
    let file = coolify_file_read_with(&settings);
    for (service, name) in [("web", "ODOO_DB_PASSWORD"), ("database", "POSTGRES_PASSWORD")] {
        let shown = file["services"][service]["environment"][name].as_str().unwrap();
        assert_eq!(shown.replace("$$", "$"), settings[1].1, "{service}");
    }
    // Nothing set: no password that stands in a public file.
    let file = coolify_file_read_with(&[("ODOO_DB_PASSWORD", "")]);
    assert_eq!(file["services"]["database"]["environment"]["POSTGRES_PASSWORD"], "");
}

/// The program's own `HOME` is the project's; docker finds its plugins by the home of whoever runs the tests.
fn with_plugins(project: Project) -> Project {
    let own = std::env::var("DOCKER_CONFIG").or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.docker")));
    project.with_variable("DOCKER_CONFIG", &own.unwrap())
}

/// What compose would give to the service `web`, with its own doubling of `$` undone.
fn environment_of_web(project: &Project) -> serde_json::Value {
    let read = project.run(&["read", "local"]).ended(0);
    let config: serde_json::Value =
        serde_json::from_str(&read.out).unwrap_or_else(|error| panic!("{error}: {}", read.out));
    config["services"]["web"]["environment"].clone()
}

#[test]
fn every_value_reaches_its_service_as_it_is() {
    let project = |env: &str| {
        with_plugins(Project::new(&format!(
            "[stacks.local]\nstate-root = \"state of $HOME 'q' \\\" #x\"\ndatabase = \"opw\"\nvars = {{ DOCKER_IMAGE = \"odoo\", COMPOSE_BUILD_TARGET = \"\" }}\noverlays = [\"base\", \"ports\", \"dev-mounts\", \"restore-ssh\"]\n[tasks.render]\nrun = {{ render = {{}} }}\n{CHECK}"
        )))
        .with(".env", env)
        // An export in the shell of whoever runs it must not bend the stack.
        .with_variable("ODOO_DB_PASSWORD", "of the shell")
        .with_variable("COMPOSE_PROJECT_NAME", "of-the-shell")
    };
    for (written, value) in [
        ("plain", "plain"),
        ("'a$b${c}$$d'", "a$b${c}$$d"),
        ("'with \"double\"'", "with \"double\""),
        ("\"it's\"", "it's"),
        ("\"both ' and \\\"\"", "both ' and \""),
        ("'  spaces  '", "  spaces  "),
        ("'a # b'", "a # b"),
        ("'back\\slash'", "back\\slash"),
        ("\"ends with \\\\\"", "ends with \\"),
        ("\"quote after \\\\'\"", "quote after \\'"),
        ("'größe 漢字 🐘'", "größe 漢字 🐘"),
        ("'a=b'", "a=b"),
        ("'!@%^&*()[]{}<>|~`;:,.?'", "!@%^&*()[]{}<>|~`;:,.?"),
        ("\"\\$\\$5 \\\\n \\\"q\\\" \\\\\"", "$$5 \\n \"q\" \\"),
        ("\"one\\ntwo\"", "one\ntwo"),
        ("'tab\there'", "tab\there"),
    ] {
        let project = project(&format!(
            "ODOO_DB_PASSWORD=p\nODOO_LOGFILE={written}\nODOO_SERVER_WIDE_MODULES={written}\n"
        ));
        let environment = environment_of_web(&project);
        for name in ["ODOO_LOGFILE", "ODOO_SERVER_WIDE_MODULES"] {
            // compose doubles each `$` when it prints.
            let shown = environment[name].as_str().unwrap().replace("$$", "$");
            let file = project.read("state of $HOME 'q' \" #x/.compose.env");
            assert_eq!(shown, value, "{name} from {written}\n{file}");
        }
        assert_eq!(environment["ODOO_DB_NAME"], "opw");
    }
}
