//! What is refused before anything runs: production's machines, its database, other Dockers, protected stacks, stacks that
//! would work where another one does. No Docker, no host and no network is needed for it.

use crate::project::{Project, Ran};

/// Two upstreams; one stack copies from the one, one from none.
const MANIFEST: &str = r#"
[upstreams.opw]
host          = "root@opw-prod.example"
database      = "opw"
database-user = "odoo"
filestore     = "/srv/opw"
[upstreams.cm]
host          = "root@cm-prod.example"
database      = "cm"
database-user = "odoo"
filestore     = "/srv/cm"
[upstreams.lab]
host          = "ssh://root@127.0.0.1:22722"
database      = "lab"
database-user = "odoo"
filestore     = "/srv/lab"
[stacks.shop]
upstream = "opw"
vars     = { ODOO_DB_NAME = "shop", ODOO_DB_PASSWORD = "p", ODOO_UPDATE_MODULES = "shop" }
ports    = { database = 15432 }
overlays = ["base", "ports", "restore-ssh"]
[stacks.bare]
vars = { ODOO_DB_NAME = "bare", ODOO_DB_PASSWORD = "p" }
[tasks.down]
run = { compose = ["down"] }
[tasks.ps]
run = { compose = ["ps"] }
[tasks]
ready.run.database = {}
copy = { needs = ["ready"], run = { copy-database = {} } }
modules = { needs = ["copy"], run = { modules = {} } }
[tasks.lint]
run = { command = "echo linted" }
"#;

fn project() -> Project {
    Project::new(MANIFEST)
}

/// The run, which must have been refused with nothing begun.
#[track_caller]
fn refused(project: &Project, args: &[&str], says: &str) -> Ran {
    let ran = project.run(args).ended(3);
    assert!(ran.err.contains(says), "{}", ran.err);
    assert!(!project.at(".opw-task").exists(), "a run was begun");
    ran
}

fn set(name: &str, value: &str) -> String {
    format!("--set={name}={value}")
}

#[test]
fn no_stack_runs_on_the_machine_of_any_upstream() {
    let project = project().without_programs();
    for (stack, host) in [
        ("shop", "opw-prod.example"),
        ("shop", "cm-prod.example"),
        ("bare", "opw-prod.example"),
        ("bare", "CM-Prod.example."),
    ] {
        let host = set("DEPLOY_REMOTE_HOST", host);
        refused(&project, &["down", stack, &host], "which is the upstream `");
        refused(
            &project,
            &["down", stack, &host, "--dry-run"],
            "which is the upstream `",
        );
        // A second sshd of a machine is that machine.
        let port = set("DEPLOY_REMOTE_PORT", "2222");
        refused(&project, &["down", stack, &host, &port], "which is the upstream `");
    }
    // Behind the ports of a loopback address other machines may stand.
    for (port, code) in [("22722", 3), ("22723", 0)] {
        let words = [set("DEPLOY_REMOTE_HOST", "127.0.0.1"), set("DEPLOY_REMOTE_PORT", port)];
        let args = ["down", "bare", &words[0], &words[1], "--dry-run"];
        project.run(&args).ended(code);
    }
    insta::assert_snapshot!(
        project.run(&["down", "bare", "--set=DEPLOY_REMOTE_HOST=cm-prod.example"]).ended(3).err, @"
    error: stack `bare` runs on cm-prod.example, which is the upstream `cm`
    why: an upstream is only ever read
    help: give the stack another host
    ");
}

#[test]
fn nothing_runs_on_an_upstream_that_is_this_machine() {
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let mut names = vec![own.trim().to_uppercase()];
    // The address from which this machine would speak to others, if it has one. Nothing is sent.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    if socket.connect("192.0.2.1:9").is_ok() {
        names.push(socket.local_addr().unwrap().ip().to_string());
    }
    for name in names {
        let project = Project::new(&MANIFEST.replace("cm-prod.example", &name)).without_programs();
        for stack in ["shop", "bare"] {
            let says = format!("stack `{stack}` runs on this machine, which is the upstream `cm`");
            refused(&project, &["down", stack], &says);
        }
        project.run(&["down", "bare", "--dry-run"]).ended(0);
    }
    // Elsewhere and on loopback ports it may be anybody.
    let project = project().without_programs();
    assert!(!project.run(&["down", "bare"]).err.contains("which is the upstream"));
}

#[test]
fn other_names_that_ssh_knows_for_an_upstream_are_seen_through() {
    let ssh = "for last; do :; done\ncase \"$last\" in *backdoor) last=cm-prod.example. ;; esac\n\
               echo \"hostname ${last#*@}\"\necho 'port 22'";
    let project = project().with_program("ssh", ssh);
    let host = set("DEPLOY_REMOTE_HOST", "backdoor");
    refused(&project, &["down", "shop", &host], "which is the upstream `cm`");
    let database = set("ODOO_DB_HOST", "backdoor");
    refused(
        &project,
        &["down", "shop", &database],
        "ODOO_DB_HOST of stack `shop` is the upstream `cm`",
    );
}

#[test]
fn no_odoo_is_started_on_the_database_of_an_upstream() {
    let project = project().without_programs();
    for host in ["opw-prod.example", "CM-PROD.example.", "database,opw-prod.example"] {
        let host = set("ODOO_DB_HOST", host);
        refused(
            &project,
            &["down", "bare", &host],
            "ODOO_DB_HOST of stack `bare` is the upstream `",
        );
        refused(
            &project,
            &["copy", "shop", &host],
            "ODOO_DB_HOST of stack `shop` is the upstream `",
        );
    }
    // Other databases may be somebody's wish, but nothing is restored beside them.
    let host = set("ODOO_DB_HOST", "db.example");
    project.run(&["down", "shop", &host, "--dry-run"]).ended(0);
    refused(
        &project,
        &["copy", "shop", &host],
        "ODOO_DB_HOST of stack `shop` is not `database`",
    );
    let port = set("ODOO_DB_PORT", "5433");
    insta::assert_snapshot!(refused(&project, &["copy", "shop", &port], "5432").err, @"
    error: ODOO_DB_PORT of stack `shop` is not `5432`, the stack's own database
    why: it comes from --set
    help: take ODOO_DB_PORT out there: a stack has a database of its own
    ");
    project
        .run(&["copy", "shop", "--set=ODOO_DB_HOST=database", "--dry-run"])
        .ended(0);
}

#[test]
fn a_stack_of_this_machine_meets_no_other_docker() {
    for endpoint in [
        "ssh://root@opw-prod.example",
        "tcp://10.0.0.5:2375",
        "opw-prod.example:2375",
    ] {
        let project = project().without_programs().with_variable("DOCKER_HOST", endpoint);
        refused(
            &project,
            &["down", "shop"],
            &format!("`docker` would speak to {endpoint}"),
        );
        refused(&project, &["ps", "shop", "--dry-run"], "is on this machine");
    }
    for endpoint in ["unix:///var/run/docker.sock", "npipe:////./pipe/docker_engine", ""] {
        let project = project().without_programs().with_variable("DOCKER_HOST", endpoint);
        project.run(&["down", "shop", "--dry-run"]).ended(0);
    }
    // What runs no docker is not asked.
    let elsewhere = project().with_variable("DOCKER_HOST", "ssh://root@opw-prod.example");
    elsewhere.run(&["lint"]).ended(0);
    // A host that is reached by ssh has its own Docker.
    elsewhere
        .run(&["down", "shop", "--set=DEPLOY_REMOTE_HOST=docker.example", "--dry-run"])
        .ended(0);
}

#[test]
fn a_context_that_leads_elsewhere_is_refused() {
    let docker = |endpoint: &str| {
        format!("case \"$*\" in 'context inspect '*) echo '{endpoint}' ;; *) echo \"$@\" >> did ;; esac")
    };
    for endpoint in ["ssh://root@opw-prod.example", "tcp://10.0.0.5:2376", ""] {
        let project = project().with_program("docker", &docker(endpoint));
        refused(
            &project,
            &["down", "shop"],
            "is on this machine, but `docker` would speak to",
        );
        assert!(!project.at("did").exists());
    }
    let project = project().with_program("docker", &docker("unix:///run/user/1000/docker.sock"));
    project.run(&["ps", "shop"]).ended(0);
    assert!(project.read("did").contains("compose --project-name shop ps"));
}

#[test]
fn neither_a_stack_nor_a_task_chooses_a_docker() {
    let project = project().without_programs().with(".env", "DOCKER_CONTEXT=production\n");
    insta::assert_snapshot!(refused(&project, &["down", "shop"], "DOCKER_CONTEXT").err, @"
    error: stack `shop` has a variable DOCKER_CONTEXT, which chooses another Docker
    why: it comes from .env
    help: take it out there; a stack elsewhere has a host of [hosts]
    ");
    let project = Project::new(
        "[stacks.shop]\n[tasks.down]\nrun = { compose = [\"down\"] }\nenv = { DOCKER_HOST = \"ssh://root@opw-prod.example\" }\n",
    );
    let ran = project.run(&["down", "shop"]).ended(2);
    assert!(
        ran.err
            .contains("task `down` selects another Docker engine through DOCKER_HOST"),
        "{}",
        ran.err
    );
}

#[test]
fn code_of_the_copy_runs_without_production_s_keys() {
    let project = Project::new(&format!(
        "{MANIFEST}[tasks.sanitise]\nneeds = [\"copy\"]\nrun = {{ sanitise = {{}} }}\n"
    ))
    .without_programs();
    for task in ["sanitise", "modules"] {
        let address = set("ODOO_BASE_URL", "http://shop.example");
        let out = project.run(&[task, "shop", "--dry-run", &address]).ended(0).out;
        let run = out.lines().find(|line| line.contains(" run --rm ")).unwrap();
        assert!(
            run.contains("compose/base.yaml") && run.contains("compose/ports.yaml"),
            "{run}"
        );
        assert!(!run.contains("restore-ssh"), "{run}");
    }
}

#[test]
fn stacks_with_one_folder_of_data_are_refused() {
    let other = |line: &str| {
        let tasks = "[tasks.down]\nrun = { compose = [\"down\"] }\n";
        Project::new(&format!("[stacks.one]\n[stacks.two]\n{line}\n{tasks}")).without_programs()
    };
    for (name, path) in [
        ("ODOO_DATA_DIR", "/srv/data"),
        ("ODOO_DATA_HOST_DIR", "/srv/data"),
        ("ODOO_DB_DIR", "/srv/postgres"),
        ("ODOO_DB_HOST_DIR", "state/postgres"),
    ] {
        let project = other("").with(".env", &format!("{name}={path}\n"));
        for stack in ["one", "two"] {
            let ran = project.run(&["down", stack, "--dry-run"]).ended(2);
            assert!(ran.err.contains(&format!("have the same {name}: ")), "{}", ran.err);
        }
        // One that has a folder for itself is beside nobody.
        let project = other(&format!("vars = {{ {name} = '/srv/two' }}")).with(".env", &format!("{name}={path}\n"));
        project.run(&["down", "one", "--dry-run"]).ended(0);
        project.run(&["down", "two", "--dry-run"]).ended(0);
        project.run(&["down", "two", &set(name, path), "--dry-run"]).ended(2);
    }
    // Another way to write a path is the same path.
    let project = other("vars = { ODOO_DATA_DIR = '/srv/x/../data/' }").with(".env", "ODOO_DATA_DIR=/srv/data\n");
    let ran = project.run(&["down", "one", "--dry-run"]).ended(2);
    assert!(
        ran.err.contains("have the same ODOO_DATA_DIR: /srv/data"),
        "{}",
        ran.err
    );
}

#[test]
fn what_may_change_data_is_refused_on_a_protected_stack() {
    let acts = [
        ("down -v", 3),
        ("down -t 5 -v", 3),
        ("--profile x down --volumes", 3),
        ("exec web sh", 3),
        ("run --rm web sh", 3),
        ("cp a web:/b", 3),
        ("rm -fsv", 3),
        ("down", 0),
        ("up --detach", 0),
        ("--profile x restart", 0),
        ("ps", 0),
    ];
    for (words, code) in acts {
        let words: Vec<_> = words.split(' ').map(|word| format!("\"{word}\"")).collect();
        let project = Project::new(&format!(
            "[stacks.shop]\nprotected = true\n[tasks.act]\nrun = {{ compose = [{}] }}\n",
            words.join(", ")
        ));
        project.run(&["act", "shop", "--dry-run"]).ended(code);
    }
}

#[test]
fn databases_of_postgresql_and_of_restores_are_no_stack_s_own() {
    let project = project().without_programs();
    for name in [
        "postgres",
        "template0",
        "template1",
        "shop__previous",
        "shop__incoming_abc",
        "shop__retired_abc",
    ] {
        let ran = project
            .run(&["down", "shop", &set("ODOO_DB_NAME", name), "--dry-run"])
            .ended(2);
        let says = format!("ODOO_DB_NAME of stack `shop` cannot be `{name}`");
        assert!(ran.err.contains(&says), "{}", ran.err);
    }
    for name in ["postgres2", "shop_previous", "previous"] {
        project
            .run(&["down", "shop", &set("ODOO_DB_NAME", name), "--dry-run"])
            .ended(0);
    }
}

#[test]
fn two_service_users_cannot_share_a_key() {
    let manifest = format!(
        "{MANIFEST}\n[sanitise]\nservice-users = [\n  {{ login = \"gpt\", name = \"GPT\", api-key = \"{{{{ env.ODOO_KEY | default('') }}}}\" }},\n  \
         {{ login = \"gpt-admin\", name = \"GPT, administrator\", api-key = \"{{{{ env.ODOO_ADMIN_KEY | default('') }}}}\" }},\n]\n"
    );
    let project = Project::new(&manifest).without_programs();
    let keys = |one: &str, other: &str| [set("ODOO_KEY", one), set("ODOO_ADMIN_KEY", other)];
    let [key, same] = keys("CANARY-0123456789abcdef", "CANARY-0123456789abcdef");
    insta::assert_snapshot!(project.run(&["copy", "shop", &key, &same]).ended(2).err, @"
    error: service users `gpt` and `gpt-admin` have the same API key
       ╭▸ tasks.toml:37:1
       │
    37 │ [sanitise]
       ╰╴━━━━━━━━━━
    why: Odoo finds the user by the key, and would find one of them only
    help: give each a variable of its own
    ");
    // Neither of two users without a key is made, so they share nothing.
    for (one, other) in [("", ""), ("CANARY-0123456789abcdef", "CANARY-fedcba9876543210")] {
        let [one, other] = keys(one, other);
        project.run(&["copy", "shop", &one, &other, "--dry-run"]).ended(0);
    }
}
