//! The variables of a stack: where they come from, which wins, which are secrets, what follows from them.

use crate::project::Project;

/// The rows of `opw-task env`: value and origin of a variable.
fn variable(project: &Project, args: &[&str], name: &str) -> Option<(String, String)> {
    let ran = project.run(&[args, &["--output", "json"]].concat()).ended(0);
    let rows = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let row = rows.into_iter().find(|row| row["variable"] == name)?;
    let cell = |column: &str| row[column].as_str().unwrap().to_owned();
    Some((cell("value"), cell("from")))
}

#[track_caller]
fn is(project: &Project, name: &str, value: &str, origin: &str) {
    let found = variable(project, &["env", "local"], name);
    assert_eq!(found, Some((value.to_owned(), origin.to_owned())), "{name}");
}

#[test]
fn later_layers_win_and_each_value_tells_where_it_comes_from() {
    let project = Project::new(
        r#"
[stacks.defaults]
env     = ["base.env", "{{ stack.name }}.env"]
inherit = ["FROM_SHELL", "NOT_THERE"]
vars    = { A = "defaults", B = "defaults", C = "defaults", D = "defaults", E = "defaults" }
[stacks.local]
vars = { E = "own", G = "own", H = "own", COMPOSED = "{{ env.D }}-{{ stack.name }}" }
ports = { web = 8069 }
"#,
    )
    .with(
        ".env",
        "B=dotenv\nC=dotenv\nD=dotenv\nE=dotenv\nFROM_SHELL=dotenv\nNOT_INHERITED=dotenv\n",
    )
    .with("base.env", "C=base\nD=base\nE=base\n")
    .with("local.env", "D=local\nE=local\n")
    .with_variable("FROM_SHELL", "shell")
    .with_variable("NOT_INHERITED", "shell")
    .with_variable("A", "shell");
    is(&project, "A", "defaults", "tasks.toml:7");
    is(&project, "B", "dotenv", ".env");
    is(&project, "C", "base", "base.env");
    is(&project, "D", "local", "local.env");
    is(&project, "E", "own", "tasks.toml:9");
    is(&project, "G", "own", "tasks.toml:9");
    is(&project, "FROM_SHELL", "shell", "environment");
    is(&project, "NOT_INHERITED", "dotenv", ".env");
    is(&project, "COMPOSED", "local-local", "tasks.toml:9");
    is(&project, "ODOO_WEB_HOST_PORT", "8069", "tasks.toml:10");
    is(&project, "ODOO_PROJECT_NAME", "local", "built in");
    for (set, value) in [("E=set", "set"), ("E=", ""), ("E=a=b c", "a=b c")] {
        let found = variable(&project, &["env", "local", "--set", set], "E");
        assert_eq!(found, Some((value.to_owned(), "--set".to_owned())));
    }
    insta::assert_snapshot!(project.run(&["env", "local", "--set", "1X=y"]).ended(2).err, @"
    error: invalid value '1X=***' for '--set <NAME=VALUE>': a variable's name consists of letters, digits and `_` and does not start with a digit

    For more information, try '--help'.
    ");
}

#[test]
fn secrets_are_masked_whatever_their_layer() {
    let project = Project::empty()
    .with("tasks.toml", "[project]\nname = \"demo\"\nsecrets = [\"HARMLESS\"]\nnot-secrets = [\"TOKEN_COUNT\"]\n[stacks.local]\ninherit = [\"GITHUB_TOKEN\"]\nvars = { ODOO_KEY = \"CANARY\" }\n")
    .with(".env", "ODOO_DB_PASSWORD=CANARY\nHARMLESS=CANARY\nTOKEN_COUNT=7\nRESTORE_SSH_KEY=id_restore\n")
    .with_variable("GITHUB_TOKEN", "CANARY");
    let ran = project.run(&["env", "local", "--set", "API_TOKEN=CANARY"]).ended(0);
    assert!(!ran.whole().contains("CANARY"), "{}", ran.whole());
    for (name, value) in [
        ("ODOO_DB_PASSWORD", "***"),
        ("HARMLESS", "***"),
        ("GITHUB_TOKEN", "***"),
        ("ODOO_KEY", "***"),
        ("TOKEN_COUNT", "7"),
        ("RESTORE_SSH_KEY", "id_restore"),
    ] {
        assert_eq!(variable(&project, &["env", "local"], name).unwrap().0, value, "{name}");
    }
}

#[test]
fn env_files_are_read_as_people_write_them() {
    let project = Project::new("[stacks.local]\n").with(
        ".env",
        "# a comment\n\nPLAIN=a/b:c@d\nexport EXPORTED=yes\nSPACES=\"a b\"\nSINGLE='a $b \"c\" #d'\nHASH=a#b\nCOMMENT=a # b\nEMPTY=\nEQUALS=a=b=c\nQUOTED=\"a \\\"b\\\" \\$c\"\nUNICODE=größe漢\nLINES=\"one\ntwo\"\r\nCRLF=x\r\n",
    );
    for (name, value) in [
        ("PLAIN", "a/b:c@d"),
        ("EXPORTED", "yes"),
        ("SPACES", "a b"),
        ("SINGLE", "a $b \"c\" #d"),
        ("HASH", "a#b"),
        ("COMMENT", "a"),
        ("EMPTY", ""),
        ("EQUALS", "a=b=c"),
        ("QUOTED", "a \"b\" $c"),
        ("UNICODE", "größe漢"),
        ("CRLF", "x"),
    ] {
        is(&project, name, value, ".env");
    }
}

#[test]
fn a_bad_line_is_named_without_what_stands_in_it() {
    for (text, line) in [
        ("GOOD=1\nCANARY no assignment\n", 2),
        ("GOOD=1\n\n# c\nMY_TOKEN='CANARY\nMORE=1\n", 4),
        ("A=\"one\ntwo\"\nMY TOKEN=CANARY\n", 3),
        ("A=1\nMY_TOKEN=${CANARY\n", 2),
    ] {
        let project = Project::new("[stacks.local]\n").with(".env", text);
        let ran = project.run(&["env", "local"]).ended(2);
        assert!(!ran.whole().contains("CANARY"), "{}", ran.whole());
        assert!(ran.err.contains(&format!(".env:{line}: ")), "{text:?}: {}", ran.err);
    }
}

#[test]
fn files_that_are_not_there_are_passed_over_and_named_when_something_is_missing() {
    let project = Project::new(
        "[stacks.local]\nenv = [\"base.env\", \"local.env\"]\nstate-root = \"state\"\n[tasks.health]\nrun = { health = {} }\n[tasks.render]\nrun = { render = {} }\n",
    )
    .with("base.env", "X=1\n");
    let ran = project.run(&["env", "local"]).ended(0);
    insta::assert_snapshot!(ran.err, @"
    .env does not exist
    local.env does not exist
    ");
    insta::assert_snapshot!(project.run(&["health", "local", "--dry-run"]).ended(2).err, @"
    error: stack `local` has no ODOO_BASE_URL
    why: looked in: .env (not there), base.env, local.env (not there)
    help: write ODOO_BASE_URL=… into an env file of the stack; `opw-task env local` shows what is set
    ");
}

#[test]
fn keys_that_env_files_already_hold_mean_what_they_meant() {
    let project = Project::new("[stacks.local]\nenv = [\"local.env\"]\n[tasks.up]\nrun = { compose = [\"up\"] }\n[tasks.state]\nrun = { state-root = {} }\n[tasks.health]\nrun = { health = {} }\n")
        .with(
            "local.env",
            "ODOO_PROJECT_NAME=shop\nODOO_DATA_DIR=/srv/data\nODOO_DB_DIR=/srv/pg\nODOO_LOG_DIR=/srv/logs\nODOO_STATE_ROOT=/srv/state\n\
             DEPLOY_COMPOSE_FILES=extra.yml:more/b.yml,c.yml\nODOO_BASE_URL=https://shop.example/\n",
        );
    insta::assert_snapshot!(project.run(&["up", "local", "--dry-run"]).ended(0).out, @"
    # up local

    # up
    docker compose --project-name shop --project-directory HERE --env-file /srv/state/.compose.env --file /srv/state/compose/base.yaml --file /srv/state/compose/ports.yaml --file HERE/extra.yml --file HERE/more/b.yml --file HERE/c.yml up
    ");
    insta::assert_snapshot!(project.run(&["state", "local", "--dry-run"]).ended(0).out, @r#"
    # state local

    # state
    mkdir -p -m 0711 /srv/state
    mkdir -p /srv/data /srv/pg /srv/logs
    sh -c 'give() { [ "$(id -u)" != 0 ] || chown -- "$1" .; }
    cd -P -- "$3" && give "$1" && cd -P -- "$2" && give "$1" && data=$(pwd -P) || exit
    mkdir -- filestore 2> /dev/null
    cd -P -- filestore && [ "$(pwd -P)" = "${data%/}/filestore" ] ||
      { echo "$2/filestore is a link or no folder, and below a state root no link is followed" >&2; exit 1; }
    give "$1"' sh 1000:1000 /srv/data /srv/logs
    # notes in /srv/state/.opw-task where these folders are
    "#);
    insta::assert_snapshot!(project.run(&["health", "local", "--dry-run"]).ended(0).out, @"
    # health local

    # health
    docker compose --project-name shop --project-directory HERE --env-file /srv/state/.compose.env --file /srv/state/compose/base.yaml --file /srv/state/compose/ports.yaml --file HERE/extra.yml --file HERE/more/b.yml --file HERE/c.yml ps --all --quiet database
    docker compose --project-name shop --project-directory HERE --env-file /srv/state/.compose.env --file /srv/state/compose/base.yaml --file /srv/state/compose/ports.yaml --file HERE/extra.yml --file HERE/more/b.yml --file HERE/c.yml ps --all --quiet web
    curl -fsS https://shop.example/web/health
    curl -fsS -o /dev/null https://shop.example/web/login
    ");
}

#[test]
fn a_remote_host_may_stand_in_an_env_file() {
    let project = Project::new("[stacks.local]\nenv = [\"local.env\"]\n[tasks.ps]\nrun = { compose = [\"config\"] }\n").with(
        "local.env",
        "DEPLOY_REMOTE_HOST=docker.example\nDEPLOY_REMOTE_USER=deploy\nDEPLOY_REMOTE_PORT=2222\nDEPLOY_REMOTE_STACK_PATH=/opt/stack\n",
    );
    let out = project.run(&["ps", "local", "--dry-run"]).ended(0).out;
    assert!(out.contains(" -p 2222 deploy@docker.example "), "{out}");
    assert!(out.contains("--project-directory /opt/stack"), "{out}");
    assert!(out.contains("/opt/odoo-ai/data/local/.compose.env"), "{out}");
}

#[test]
fn two_stacks_never_share_a_project_or_a_state_root_by_accident() {
    let tasks = "[tasks.up]\nrun = { compose = [\"up\"] }\n[tasks.ps]\nrun = { compose = [\"ps\"] }\n";
    // A shared file names a project: whoever has no name of its own would take it.
    let project =
        Project::new(&format!("[stacks.one]\n[stacks.two]\n{tasks}")).with(".env", "ODOO_PROJECT_NAME=odoo\n");
    insta::assert_snapshot!(project.run(&["up", "one", "--dry-run"]).ended(2).err, @r#"
    error: stacks `one` and `two` have the same project: odoo
    why: .env says so; what is done to the one would be done to `two`
    help: write project = "…" into [stacks.one]
    "#);
    // Looking is no harm, and shows what is wrong.
    project.run(&["ps", "one", "--dry-run"]).ended(0);
    project.run(&["env", "one"]).ended(0);
    let project = Project::new(&format!(
        "[stacks.one]\nproject = \"one\"\n[stacks.two]\nproject = \"two\"\n{tasks}"
    ))
    .with(".env", "ODOO_PROJECT_NAME=odoo\n");
    project.run(&["up", "one", "--dry-run"]).ended(0);
    let project =
        Project::new(&format!("[stacks.one]\n[stacks.two]\n{tasks}")).with(".env", "ODOO_STATE_ROOT=/srv/odoo\n");
    insta::assert_snapshot!(project.run(&["up", "one", "--dry-run"]).ended(2).err, @r#"
    error: stacks `one` and `two` have the same state-root: /srv/odoo
    why: .env says so; what is done to the one would be done to `two`
    help: write state-root = "…" into [stacks.one]
    "#);
    // Elsewhere is elsewhere.
    let project = Project::new(&format!(
        "[hosts.a]\nssh = \"root@a.example\"\n[stacks.one]\nproject = \"odoo\"\n[stacks.two]\nproject = \"odoo\"\nhost = \"a\"\n{tasks}"
    ));
    project.run(&["up", "one", "--dry-run"]).ended(0);
}
