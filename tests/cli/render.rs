//! Rendering: what is written, with which modes, from whose templates; and nothing at all when anything is wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::project::{Project, estate, files_below, is_published, repository};
use serde_yaml::Value;

const RENDER: &str = "[tasks.render]\nrun = { render = {} }\n";

fn stack() -> Project {
    Project::new(&format!(
        "[stacks.local]\nstate-root = \"state\"\ndatabase = \"opw\"\nvars = {{ DOCKER_IMAGE = \"odoo\" }}\nports = {{ web = 8069 }}\nfiles = {{ \"out/made.yml\" = \"made.yml.j2\" }}\n{RENDER}"
    ))
    .with("templates/made.yml.j2", "name: {{ stack.name }}\n")
    .with(".env", "ODOO_DB_PASSWORD='CANARY p$ss'\n")
}

fn rendered(project: &Project) -> Vec<String> {
    let written = files_below(&project.at("state"))
        .into_iter()
        .chain(files_below(&project.at("out")));
    written
        .map(|path| path.strip_prefix(project.at("")).unwrap().display().to_string())
        .collect()
}

#[test]
fn files_are_for_those_who_need_them() {
    let project = stack();
    fs::create_dir(project.at("out")).unwrap();
    fs::set_permissions(project.at("out"), fs::Permissions::from_mode(0o775)).unwrap();
    project.run(&["render", "local"]).ended(0);
    assert_eq!(
        rendered(&project),
        [
            "state/.compose.env",
            "state/.opw-task.lock",
            "state/compose/base.yaml",
            "state/compose/ports.yaml",
            "state/config/odoo.conf",
            "out/made.yml",
        ]
    );
    assert_eq!(project.mode("state/.compose.env"), 0o600);
    for path in [
        "state/compose/base.yaml",
        "state/compose/ports.yaml",
        "state/config/odoo.conf",
        "out/made.yml",
    ] {
        assert_eq!(project.mode(path), 0o644, "{path}");
        assert!(!project.read(path).contains("CANARY"), "{path}");
    }
    assert!(
        project
            .read("state/.compose.env")
            .contains("ODOO_DB_PASSWORD='CANARY p$ss'\n")
    );
    // The state root can be passed through, not listed; folders of the checkout stay as their owner has them.
    assert_eq!(project.mode("state"), 0o711);
    assert_eq!(project.mode("out"), 0o775);
    assert!(!project.journal().contains("CANARY"));
}

#[test]
fn when_one_template_fails_no_file_is_touched() {
    let project = stack();
    project.run(&["render", "local"]).ended(0);
    let before: Vec<_> = rendered(&project).iter().map(|path| project.read(path)).collect();
    let project = project.with(".env", "ODOO_DB_PASSWORD=another-4711\n");
    for broken in [
        "name: {{ stack.nmae }}\n",
        "name: {{ stack.name\n",
        "name: [\n",
        "name: {{ env.ODOO_DB_PASSWORD }}\n",
    ] {
        let project = &project;
        fs::write(project.at("templates/made.yml.j2"), broken).unwrap();
        let ran = project.run(&["render", "local"]).ended(2);
        assert!(ran.err.contains("made.yml.j2"), "{}", ran.err);
        assert!(!ran.whole().contains("another-4711"), "{}", ran.whole());
        let after: Vec<_> = rendered(project).iter().map(|path| project.read(path)).collect();
        let but_lock = |texts: &[String]| {
            texts
                .iter()
                .filter(|text| !text.contains("opw-task render"))
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(but_lock(&before), but_lock(&after), "{broken}");
    }
    fs::remove_file(project.at("templates/made.yml.j2")).unwrap();
    insta::assert_snapshot!(project.run(&["render", "local"]).ended(2).err, @"
    render local (run RUN)
    [render] started
    [render] failed after TIME: there is no template `made.yml.j2`
    error: there is no template `made.yml.j2`
    why: neither built in nor in HERE/templates
    help: choose one of `compose/services.yaml.j2`, `compose/base.yaml.j2`, `compose/ports.yaml.j2`, `compose/restore-ssh.yaml.j2`, `compose/dev-mounts.yaml.j2`, `env.j2`, `odoo.conf.j2`, `odoo/settings.j2`, `coolify.yml.j2`
    failed: render: there is no template `made.yml.j2` — log: HERE/.opw-task/runs/RUN/render.log
    ");
}

#[test]
fn an_error_in_a_template_is_shown_in_it() {
    let project = stack().with("templates/made.yml.j2", "a: 1\nb: {{ stack.nmae }}\n");
    insta::assert_snapshot!(project.run(&["render", "local", "--dry-run"]).ended(2).err, @r#"
    error: `stack.nmae` is not set
      ╭▸ HERE/templates/made.yml.j2:2:7
      │
    2 │ b: {{ stack.nmae }}
      ╰╴      ━━━━━━━━━━
    help: set it, or say what stands for it: `… | default("")`
    "#);
    let project = stack().with("templates/made.yml.j2", "a: 1\nb: {{ env.ODOO_DB_PASSWORD }}\n");
    insta::assert_snapshot!(project.run(&["render", "local", "--dry-run"]).ended(2).err, @"
    error: ODOO_DB_PASSWORD is a secret: here it would be readable by others
      ╭▸ HERE/templates/made.yml.j2:2:7
      │
    2 │ b: {{ env.ODOO_DB_PASSWORD }}
      ╰╴      ━━━━━━━━━━━━━━━━━━━━
    help: let compose look it up when it reads the file: ${NAME}
    ");
    let project = stack().with("templates/made.yml.j2", "a: {{ stack.name }}\nb: [\n");
    insta::assert_snapshot!(project.run(&["render", "local", "--dry-run"]).ended(2).err, @"
    error: the template `made.yml.j2` rendered what is no YAML: did not find expected node content at line 3 column 1, while parsing a flow node
      ╭▸ made.yml.j2 (rendered):2:6
      │
    2 │ b: [
      ╰╴    ━
    ");
}

#[test]
fn a_projects_own_templates_win_and_may_use_the_built_in_ones() {
    let project = stack()
        .with("templates/compose/ports.yaml.j2", "# own\nservices: {}\n")
        .with(
            "templates/made.yml.j2",
            "{% from \"compose/services.yaml.j2\" import odoo_environment %}services:\n  web:\n    environment:\n{{ odoo_environment(env) }}\n",
        );
    project.run(&["render", "local"]).ended(0);
    assert!(
        project
            .read("state/compose/ports.yaml")
            .starts_with("# own\nservices: {}\n# opw-task: rendered")
    );
    assert!(
        project
            .read("out/made.yml")
            .contains("ODOO_DB_PASSWORD: ${ODOO_DB_PASSWORD:?")
    );
    // An own one in the place of what others import is imported.
    let project = project.with(
        "templates/compose/services.yaml.j2",
        "{% macro odoo_environment(env, d=false) %}      OWN: here{% endmacro %}{% macro build_args(env, d=false) %}{% endmacro %}",
    );
    project.run(&["render", "local"]).ended(0);
    assert!(project.read("out/made.yml").contains("OWN: here"));
    assert!(project.read("state/compose/base.yaml").contains("OWN: here"));
}

#[test]
fn a_template_cannot_be_taken_from_outside_of_its_folder() {
    let project = Project::new(&format!(
        "[stacks.local]\nstate-root = \"state\"\ndeploy = \"coolify\"\nfiles = {{ \"out.yml\" = \"../secret.yml\" }}\n{RENDER}"
    ))
    .with("secret.yml", "x: 1\n");
    project.run(&["render", "local"]).ended(2);
    assert!(!project.at("out.yml").exists());
}

const COOLIFY: &str = "docker/config/coolify.yml";

#[test]
fn the_coolify_file_of_the_repository_is_what_the_manifest_renders() {
    let Some(project) = estate() else { return };
    insta::assert_snapshot!(project.run(&["render", "coolify"]).ended(0).err, @"
    render coolify (run RUN)
    [render] Write the files that the stack is made of
    [render] wrote docker/config/coolify.yml
    [render] done in TIME
    done: render coolify in TIME
    ");
    let kept = fs::read_to_string(repository().join(COOLIFY)).unwrap();
    assert_eq!(
        project.read(COOLIFY),
        kept,
        "`opw-task render coolify` in a clean checkout mends it"
    );
    assert_eq!(project.run(&["render", "coolify"]).ended(0).code, Some(0));
    assert_eq!(project.read(COOLIFY), kept);
}

/// What Coolify does with a compose file, as far as a file can be held to it: it registers a value as a variable only if it
/// begins with `$`, renames containers and volumes, and takes health from the file alone.
#[test]
fn the_coolify_file_keeps_coolifys_rules() {
    if is_published() {
        return;
    }
    let mut file: Value = serde_yaml::from_str(&fs::read_to_string(repository().join(COOLIFY)).unwrap()).unwrap();
    file.apply_merge().unwrap();
    let volumes = file["volumes"].as_mapping().unwrap();
    let services = file["services"].as_mapping().unwrap();
    assert!(services.contains_key("web") && services.contains_key("database"));
    for (name, service) in services {
        let name = name.as_str().unwrap();
        for key in ["container_name", "ports", "env_file", "networks", "profiles"] {
            assert!(service.get(key).is_none(), "{name} has {key}");
        }
        assert!(service.get("healthcheck").is_some(), "{name} has no healthcheck");
        assert!(
            service.get("restart").is_some(),
            "{name} does not say when it is started again"
        );
        let args = service.get("build").and_then(|build| build.get("args"));
        for values in service.get("environment").into_iter().chain(args) {
            for (variable, value) in values.as_mapping().unwrap() {
                let text = value.as_str().unwrap_or_default();
                assert!(
                    text.starts_with("${") || !text.contains('$'),
                    "{name}: {variable:?}: {text}"
                );
            }
        }
        for volume in service["volumes"].as_sequence().unwrap() {
            let (source, _) = volume.as_str().unwrap().split_once(':').unwrap();
            assert!(volumes.contains_key(source), "{name}: {source} is no named volume");
        }
    }
}

/// Whoever renders it, the file is the same: it lies in git.
#[test]
fn the_coolify_file_depends_on_the_manifest_alone() {
    let Some(project) = estate() else { return };
    let kept = fs::read_to_string(repository().join(COOLIFY)).unwrap();
    let project = project
        .with(".env", "ODOO_LIST_DB=True\nCOMPOSE_BUILD_TARGET=development\nPOSTGRES_IMAGE=postgres:11\n")
        .with(
            "docker/config/coolify.env",
            "ODOO_WORKERS=4\nODOO_DB_NAME=mine\nODOO_DB_PASSWORD=CANARY\nGITHUB_TOKEN=CANARY\nODOO_ADDON_REPOSITORIES=acme/addons\n",
        )
        .with_variable("GITHUB_TOKEN", "CANARY");
    project
        .run(&["render", "coolify", "--set", "ODOO_VERSION=17.0"])
        .ended(0);
    assert_eq!(project.read(COOLIFY), kept);
}

/// What the manifest says stands in the file; everything else is a plain reference, never one with a default or a message,
/// which Coolify would make the value of.
#[test]
fn the_coolify_file_says_what_the_manifest_says() {
    let Some(project) = estate() else { return };
    let manifest = project.read("tasks.toml").replace(
        "vars   = { ODOO_VERSION = \"19.0\" }",
        "vars   = { ODOO_VERSION = \"19.0\", ODOO_WORKERS = \"4\", ODOO_DBFILTER = \"^a$\" }",
    );
    let project = project.with("tasks.toml", &manifest);
    project.run(&["render", "coolify"]).ended(0);
    let text = project.read(COOLIFY);
    let mut file: Value = serde_yaml::from_str(&text).unwrap();
    file.apply_merge().unwrap();
    for service in ["web", "script-runner"] {
        let environment = &file["services"][service]["environment"];
        for (name, value) in [
            ("ODOO_WORKERS", "4"),
            ("ODOO_DBFILTER", "^a$$"),
            ("ODOO_LIST_DB", "False"),
            ("ODOO_PROXY_MODE", "True"),
            ("ODOO_LOGFILE", ""),
            ("ODOO_DB_PASSWORD", "${ODOO_DB_PASSWORD}"),
            ("ODOO_DB_NAME", "${ODOO_DB_NAME}"),
        ] {
            assert_eq!(environment[name], value, "{service} {name}");
        }
        assert!(
            environment["ODOO_ADMIN_PASSWD"]
                .as_str()
                .unwrap()
                .starts_with("${SERVICE_PASSWORD_64_")
        );
        let build = &file["services"][service]["build"];
        assert_eq!(build["args"]["ODOO_VERSION"], "19.0");
        for name in ["ODOO_ADDON_REPOSITORIES", "PYTHON_VERSION", "ODOO_BASE_IMAGE"] {
            assert_eq!(build["args"][name], format!("${{{name}}}"));
        }
        assert_eq!(build["secrets"][0], "github_token");
    }
    assert_eq!(file["secrets"]["github_token"]["environment"], "GITHUB_TOKEN");
    assert_eq!(file["services"]["script-runner"]["exclude_from_hc"], true);
    for (at, _) in text.match_indices("${") {
        let name = &text[at + 2..at + text[at..].find('}').unwrap()];
        let is_plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        assert!(name.chars().all(is_plain), "{name}");
    }
}

/// Coolify puts an ARG for every variable behind lines that begin so, and secrets would lie in the image's history.
#[test]
fn no_line_of_the_dockerfile_begins_with_from_in_capitals() {
    if is_published() {
        return;
    }
    let file = fs::read_to_string(repository().join("docker/Dockerfile")).unwrap();
    assert!(file.lines().any(|line| line.starts_with("from ")));
    assert!(
        !file.lines().any(|line| line.trim_start().starts_with("FROM")),
        "{file}"
    );
}
