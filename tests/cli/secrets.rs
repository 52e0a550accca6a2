//! What is a secret, by its name, by what stands in it or by what it is composed of, is shown nowhere and becomes no
//! argument; what is none is shown.

use std::fs;

use crate::project::{Project, Ran};

/// What `opw-task env` shows of a variable.
#[track_caller]
fn shown(ran: &Ran, name: &str) -> String {
    let rows = ran.out.lines().map(|line| line.split_once(char::is_whitespace));
    let row = rows.flatten().find(|(variable, _)| *variable == name);
    let (_, rest) = row.unwrap_or_else(|| panic!("no {name} in\n{}", ran.out));
    rest.split("  ")
        .find(|cell| !cell.is_empty())
        .unwrap_or_default()
        .trim()
        .to_owned()
}

const SECRETS: &str = "\
ODOO_DB_PASSWORD=canary-12345
DB_URL=postgres://odoo:${ODOO_DB_PASSWORD}@db/x
PWCOPY=${ODOO_DB_PASSWORD}
PREFIXED=x-$ODOO_DB_PASSWORD-x
SAME_TEXT=--password=canary-12345
BY_DEFAULT=${NOT_SET:-${ODOO_DB_PASSWORD}}
SHORT_PASSWORD=ab
OF_SHORT=user${SHORT_PASSWORD}
MAIL_PASS=hunter2-canary
SMTP_URL=smtp://me:hunter3-canary@mail
PGPASS=canary-9999
API_KEYS=canary-8888
KEY=canary-7777
PASSPHRASE=canary-6666
AUTH=canary-5555
PWD_DB=canary-4444
COOKIE=canary-3333
PRIVATE_KEY_BASE64=canary-2222
SENTRY_DSN=https://canary-1111@sentry
DATABASE_URL=postgres://u:canary-0000@h/d
SLACK_WEBHOOK_URL=https://hooks.slack.com/services/T000/B000/canaryXXXX
HOOK=https://hooks.slack.com/services/T000/B000/canaryYYYY
PLAIN_NAME=ghp_0123456789canaryABCDEFGHIJ0123456789
LIBPQ=host=db user=odoo password=canary-libpq
";

#[test]
fn a_secret_is_hidden_whatever_makes_it_one() {
    let project = Project::new(
        "[stacks.local]\nvars = { URL2 = \"http://u:{{ env.ODOO_DB_PASSWORD }}@h\", TWICE = \"{{ env.DB_URL }}?x\", LITERAL = \"amqp://u:canary-amqp@h\" }\n",
    )
    .with(".env", SECRETS);
    let table = project.run(&["env", "local"]).ended(0);
    let json = project.run(&["env", "local", "-o", "json"]).ended(0);
    let names = SECRETS.lines().map(|line| line.split_once('=').unwrap().0);
    for name in names.chain(["URL2", "TWICE", "LITERAL"]) {
        assert_eq!(shown(&table, name), "***", "{name}");
    }
    for ran in [table, json] {
        assert!(!ran.whole().contains("canary"), "{}", ran.whole());
    }
}

#[test]
fn what_is_said_to_be_no_secret_is_shown_and_taints_nothing() {
    let project = Project::empty()
        .with(
            "tasks.toml",
            "[project]\nname = \"demo\"\nnot-secrets = [\"SORT_KEY\", \"LOCAL_URL\"]\n[stacks.local]\n",
        )
        .with(
            ".env",
            "SORT_KEY=by-name-1\nX=${SORT_KEY}/x\nLOCAL_URL=http://odoo:odoo@localhost\n",
        );
    let ran = project.run(&["env", "local"]).ended(0);
    assert_eq!(shown(&ran, "SORT_KEY"), "by-name-1");
    assert_eq!(shown(&ran, "X"), "by-name-1/x");
    assert_eq!(shown(&ran, "LOCAL_URL"), "http://odoo:***@localhost");
}

#[test]
fn common_texts_do_not_blot_out_paths_and_names() {
    let manifest = "\
[hosts.docker]\nssh = \"root@docker.example\"
[stacks.opw-testing]\ndatabase = \"opw\"\nhost = \"docker\"\npath = \"/opt/opw-testing\"\nstate-root = \"/opt/odoo-ai/data/opw-testing\"
[stacks.other]
[tasks.state]\nrun = { state-root = {} }\n[tasks.config]\nrun = { compose = [\"config\"] }\n";
    let env = "SHOPIFY_STORE_URL_KEY=opw-testing\nA_KEY=opw\nB_TOKEN=odoo\nC_KEY=docker.example\nD_KEY=other\nE_PASSWORD=testing\nF_KEY=root\nREAL_KEY=canary-4711\n";
    let project = Project::new(manifest).with(".env", env);
    for task in ["state", "config"] {
        let ran = project.run(&[task, "opw-testing", "--dry-run"]).ended(0);
        assert!(!ran.whole().contains("***"), "{}", ran.whole());
        assert!(ran.out.contains("/opt/odoo-ai/data/opw-testing"), "{}", ran.out);
    }
    // As a variable's value they are not shown all the same, and what merely has such a text in it is no secret.
    let ran = project.run(&["env", "opw-testing"]).ended(0);
    for line in env.lines() {
        let name = line.split_once('=').unwrap().0;
        assert_eq!(shown(&ran, name), "***", "{name}");
    }
    assert_eq!(shown(&ran, "ODOO_STATE_ROOT"), "/opt/odoo-ai/data/opw-testing");
    assert_eq!(shown(&ran, "ODOO_DB_NAME"), "opw");
}

#[test]
fn common_texts_do_not_blot_out_names_where_no_stack_is_asked_about() {
    let project = Project::new(
        "[stacks.opw-testing]\nvars = { SHOPIFY_STORE_URL_KEY = \"opw-testing\" }\n[tasks.say]\nenv = { URL_KEY = \"opw-testing\" }\nrun = { command = \"echo opw-testing\" }\n",
    )
    .with_variable("A_KEY", "opw-testing");
    for args in [
        &["list"][..],
        &["say"],
        &["say", "-o", "json"],
        &["nope", "opw-testing"],
    ] {
        let ran = project.run(args);
        // Only as that variable's value it is hidden.
        let all = ran.whole().replace("URL_KEY=***", "");
        assert!(!all.contains("***"), "{all}");
    }
}

#[test]
fn the_environment_comes_in_through_inherit_alone() {
    let manifest = "[stacks.local]\nenv = [\"two.env\"]\ninherit = [\"NAMED\", \"MY_TOKEN\"]\n";
    let project = Project::new(manifest)
        .with(
            ".env",
            "USERTOK=${GITHUB_TOKEN}\nALSO=\"x$GITHUB_TOKEN\"\nGITHUB_TOKEN\nPASSED=${NAMED}\nHIDDEN=a${MY_TOKEN}\nHOMEX=${HOME}/.ssh\nBASE=one\nDOLLAR=pa$w0rd\n",
        )
        .with("two.env", "OTHER=${BASE}-two\nSET=${FROM_LINE:-no}\n")
        .with_variable("GITHUB_TOKEN", "ghp_canary_from_shell")
        .with_variable("MY_TOKEN", "canary-4711")
        .with_variable("NAMED", "inherited");
    let ran = project.run(&["env", "local", "--set", "FROM_LINE=yes"]).ended(0);
    assert!(!ran.whole().contains("canary"), "{}", ran.whole());
    for (name, value) in [
        ("PASSED", "inherited"),
        ("HIDDEN", "***"),
        ("HOMEX", "HERE/home/.ssh"),
        ("OTHER", "one-two"),
        ("SET", "yes"),
        ("DOLLAR", "pa"),
    ] {
        assert_eq!(shown(&ran, name), value, "{name}");
    }
    assert!(!ran.out.contains("GITHUB_TOKEN "), "{}", ran.out);
    insta::assert_snapshot!(ran.err, @r"
    warning: .env:1: GITHUB_TOKEN is not set, and nothing stands for it in USERTOK; the environment has it: name it in the stack's `inherit`
    warning: .env:2: GITHUB_TOKEN is not set, and nothing stands for it in ALSO; the environment has it: name it in the stack's `inherit`
    warning: .env:8: w0rd is not set, and nothing stands for it in DOLLAR; $$ stands for a dollar sign
    ");
}

#[test]
fn a_secret_becomes_no_argument_and_the_way_round_is_told() {
    let tasks = r#"
[stacks.local]
database = "d"
[tasks.composed]
run = { command = "echo {{ env.DB_URL }}" }
[tasks.script]
run = { shell = "echo {{ env.DB_URL }}" }
[tasks.compose]
run = { compose = ["run", "-e", "X={{ env.DB_URL }}", "web"] }
[tasks.param]
params = { url = { default = "" } }
run = { command = "touch 'gone {{ params.url }}'" }
[tasks.literal]
run = { command = "touch gone postgres://u:canary-literal@h" }
[tasks.key]
run = { shell = "touch gone; curl -H 'Authorization: Bearer canary0123456789'" }
[tasks.fine]
run = { shell = "echo postgres://$USER:$PASS@h 'postgres://odoo:odoo@localhost' ${X:-http://a:${B}@c}" }
"#;
    let project = Project::new(tasks).with(
        ".env",
        "ODOO_DB_PASSWORD=canary-12345\nDB_URL=postgres://odoo:${ODOO_DB_PASSWORD}@db/x\n",
    );
    for args in [
        &["composed", "local"][..],
        &["script", "local"],
        &["compose", "local"],
        &["literal"],
        &["key"],
    ] {
        for more in [&[][..], &["--dry-run"], &["-o", "json"]] {
            let ran = project.run(&[args, more].concat()).ended(2);
            assert!(!ran.whole().contains("canary"), "{}", ran.whole());
            assert!(ran.whole().contains("env = { NAME ="), "{}", ran.whole());
        }
    }
    assert!(!project.at("gone").exists());
    let tasks = format!("{tasks}[tasks.stacked]\nneeds = [\"param\"]\nwhen = \"stack.name\"\n");
    let project = project.with("tasks.toml", &format!("{}{tasks}", crate::project::HEAD));
    let ran = project.run(&["stacked", "local", "--url", "x canary-12345"]).ended(2);
    assert!(!ran.whole().contains("canary"), "{}", ran.whole());
    let ran = project.run(&["fine", "--dry-run"]).ended(0);
    assert!(ran.out.contains("postgres://$USER:$PASS@h"), "{}", ran.out);
}

#[test]
fn a_task_gives_its_command_what_is_composed_of_secrets_and_nothing_shows_it() {
    let project = Project::new(
        r#"
[stacks.local]
vars = { URL = "postgres://odoo:{{ env.MY_TOKEN }}@db" }
[tasks.use]
env = { HEADER = "Bearer {{ env.MY_TOKEN }}", DSN = "{{ env.URL }}/x", API_TOKEN = "canary-of-the-task", PLAIN = "shown" }
run = { shell = "printf '%s\n' \"$HEADER\" \"$DSN\" \"$API_TOKEN\" \"$PLAIN\" > got; cat got; cat got >&2; exit ${CODE:-0}" }
[tasks.alone]
env = { API_TOKEN = "canary-alone", TARGET = "http://u:canary-url@h" }
run = { shell = "echo $API_TOKEN $TARGET" }
"#,
    )
    .with(".env", "MY_TOKEN=canary-4711\n");
    for more in [&[][..], &["-v"], &["-o", "json"], &["--dry-run"]] {
        let ran = project.run(&[&["use", "local"], more].concat()).ended(0);
        assert!(!ran.whole().contains("canary"), "{}", ran.whole());
        assert!(ran.whole().contains("shown"), "{}", ran.whole());
        let ran = project.run(&[&["alone"], more].concat()).ended(0);
        assert!(!ran.whole().contains("canary"), "{}", ran.whole());
    }
    assert_eq!(
        project.read("got"),
        "Bearer canary-4711\npostgres://odoo:canary-4711@db/x\ncanary-of-the-task\nshown\n"
    );
    assert!(!project.journal().contains("canary"));
}

#[test]
fn parts_of_a_secret_are_hidden_too() {
    let account = r#"{"type": "service_account", "project": "shown-project", "private_key": "canary-in-json", "deep": [{"token": "canary-deeper"}]}"#;
    let project = Project::new(
        "[stacks.local]\n[tasks.print]\nwhen = \"stack.name\"\nenv = { URL = \"{{ env.SMTP }}\" }\nrun = { shell = \"cat said\" }\n",
    )
    .with(
        ".env",
        &format!("GOOGLE_CREDENTIALS='{account}'\nSMTP=smtp://me:canary%40home%2F1@mail.example\n"),
    )
    .with("said", "login with canary@home/1\ncanary-in-json\ncanary-deeper\nshown-project\n");
    let ran = project.run(&["print", "local"]).ended(0);
    assert_eq!(ran.out, "login with ***\n***\n***\nshown-project\n");
}

#[test]
fn a_parameter_with_the_name_of_a_secret_is_shown_nowhere() {
    let project = Project::new(
        "[tasks.login]\nparams = { api-key = { default = \"canary-default\" } }\nrun = { shell = \"echo {{ params.api_key }}\" }\n",
    );
    for args in [
        &["login", "--help"][..],
        &["login"],
        &["login", "-v"],
        &["login", "--api-key", "canary-said", "-v"],
        &["login", "--api-key", "canary-said", "-o", "json"],
        &["login", "--dry-run"],
    ] {
        let ran = project.run(args).ended(0);
        assert!(!ran.whole().contains("canary"), "{}", ran.whole());
    }
    assert!(!project.journal().contains("canary"));
}

#[test]
fn a_secret_where_everybody_sees_it_is_refused_and_can_be_looked_at() {
    let project = Project::new("[stacks.local]\n[tasks.up]\nrun = { compose = [\"up\"] }\n")
        .with(".env", "MY_TOKEN=canary-4711\nODOO_STATE_ROOT=/srv/${MY_TOKEN}\n");
    insta::assert_snapshot!(project.run(&["up", "local", "--dry-run"]).ended(2).err, @"
    error: ODOO_STATE_ROOT of stack `local` holds a secret
    why: it comes from .env, and would stand in paths, names or addresses that others read
    help: take the secret out of it; if it is none, name ODOO_STATE_ROOT, or what it is composed of, in [project] not-secrets
    ");
    let ran = project.run(&["env", "local"]).ended(0);
    assert_eq!(shown(&ran, "ODOO_STATE_ROOT"), "***");
}

#[test]
fn an_error_that_shows_a_line_shows_no_secret_of_it() {
    for (manifest, code) in [
        (
            "[stacks.local]\nvars = { MY_TOKEN = \"canary-1\", X = \"{{ env.nope }}\" }\n",
            2,
        ),
        (
            "[stacks.local]\nvars = { MY_TOKEN = \"canary-1\", X = \"{{ nope }}\" }\n",
            2,
        ),
        ("[stacks.local]\nvars = { MY_TOKEN = \"canary-1\" X = 1 }\n", 2),
        ("[stacks.local]\nvars = { MY_TOKEN = \"canary-1 }\n", 2),
        ("[stacks.local]\nvars = { URL = \"a://u:canary-1@h\", X = 1 }\n", 2),
        (
            "[tasks.t]\nenv = { API_KEY = 'canary-1', Y = '{{ params.no }}' }\nrun = { command = 'true' }\n",
            2,
        ),
    ] {
        let project = Project::new(manifest);
        for args in [&["env", "local"][..], &["t"], &["env", "local", "-o", "json"]] {
            let ran = project.run(args);
            assert!(!ran.whole().contains("canary"), "{}", ran.whole());
        }
        project.run(&["env", "local"]).ended(code);
    }
    let project = Project::new("[stacks.local]\n");
    for args in [
        &["env", "local", "--set", "1TOKEN=canary-1"][..],
        &["env", "local", "--set", "canary-1"],
    ] {
        let ran = project.run(args).ended(2);
        assert!(!ran.whole().contains("canary"), "{}", ran.whole());
    }
    let ran = project.run(&["env", "local", "--set", "MY_TOKEN=canary-1"]).ended(0);
    assert!(ran.err.contains("--set MY_TOKEN=… is an argument"), "{}", ran.err);
    assert!(!fs::exists(project.at(".opw-task")).unwrap());
}
