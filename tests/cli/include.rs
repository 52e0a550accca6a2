//! Manifests that include others, files of the project's own and those that opw-task brings.

use crate::project::{HEAD, Project};

const STACK: &str =
    "[stacks.local]\nbase-url = \"http://localhost:8069\"\ndatabase = \"shop\"\nvars = { ODOO_VERSION = \"18.0\" }\n";

#[test]
fn the_tasks_of_an_odoo_stack_are_brought() {
    let project = Project::empty().with("tasks.toml", &format!("include = [\"builtin:odoo\"]\n{HEAD}{STACK}"));
    let listed = project.run(&["list"]).ended(0).out;
    for task in [
        "up", "restore", "rollback", "audit", "status", "ps", "logs", "health", "down", "render",
    ] {
        assert!(
            listed.lines().any(|line| line.starts_with(&format!("{task} STACK "))),
            "{task} in {listed}"
        );
    }
    let shown = project.run(&["up", "local", "--dry-run"]).ended(0).out;
    assert!(shown.contains(" up --detach "), "{shown}");
}

#[test]
fn an_including_manifest_changes_a_task_key_by_key() {
    let own = "[tasks.health]\nrun = { health = { timeout = 7 } }\n[tasks.up]\nabout = \"Begin\"\n[tasks.audit]\nparams.loud = { flag = true }\n";
    let project = Project::empty().with(
        "tasks.toml",
        &format!("include = [\"builtin:odoo\"]\n{HEAD}{STACK}{own}"),
    );
    let listed = project.run(&["list"]).ended(0).out;
    let about = |task: &str| {
        listed
            .lines()
            .find(|line| line.starts_with(&format!("{task} STACK ")))
            .unwrap()
            .to_owned()
    };
    assert!(about("up").ends_with("Begin"), "{listed}");
    assert!(
        about("health").ends_with("Wait until the containers are healthy and Odoo answers"),
        "{listed}"
    );
    // What `up` needs and what `audit` takes is still what the included manifest says.
    let shown = project.run(&["up", "local", "--dry-run"]).ended(0).out;
    assert!(
        shown.contains(" up --detach ") && shown.contains("/web/login"),
        "{shown}"
    );
    project
        .run(&["audit", "local", "--report", "x", "--loud", "--dry-run"])
        .ended(0);
}

#[test]
fn a_mistake_is_shown_in_the_file_that_makes_it() {
    let project = Project::empty()
        .with("one.toml", "[tasks.go]\nabout = \"Go\"\nrun = { shell = \"true\" }\n")
        .with(
            "tasks.toml",
            &format!("include = [\"one.toml\"]\n{HEAD}[tasks.go]\nneeds = [\"gone\"]\n"),
        );
    let refused = project.run(&["list"]).ended(2).err;
    assert!(
        refused.contains("there is no task `gone`") && refused.contains(" tasks.toml:"),
        "{refused}"
    );
    let project = Project::empty()
        .with("one.toml", "[tasks.go]\nrun = { shell = \"{{ nothing }}\" }\n")
        .with(
            "tasks.toml",
            &format!("include = [\"one.toml\"]\n{HEAD}[tasks.go]\nabout = \"Go\"\n"),
        );
    let refused = project.run(&["list"]).ended(2).err;
    assert!(refused.contains(" one.toml:2:"), "{refused}");
    let project = Project::empty()
        .with("one.toml", "include = \"two.toml\"\n")
        .with("tasks.toml", &format!("include = [\"one.toml\"]\n{HEAD}"));
    let refused = project.run(&["list"]).ended(2).err;
    assert!(refused.contains(" one.toml:1:11"), "{refused}");
}

#[test]
fn a_built_in_manifest_that_is_not_there_is_told_with_what_there_is() {
    let project = Project::empty().with("tasks.toml", &format!("include = [\"builtin:oddo\"]\n{HEAD}"));
    insta::assert_snapshot!(project.run(&["list"]).ended(2).err, @r#"
    error: there is no built-in manifest `oddo`
      ╭▸ tasks.toml:1:12
      │
    1 │ include = ["builtin:oddo"]
      ╰╴           ━━━━━━━━━━━━━━
    help: did you mean `odoo`?
    "#);
}

#[test]
fn a_file_that_is_included_by_two_is_read_once_and_chains_have_an_end() {
    let mut project = Project::empty()
        .with("tasks.toml", &format!("include = [\"a.toml\", \"b.toml\"]\n{HEAD}"))
        .with("a.toml", "include = [\"c.toml\"]\n[tasks.one]\nabout = \"of a\"\n")
        .with("b.toml", "include = [\"./c.toml\"]\n[tasks.two]\nabout = \"of b\"\n")
        .with(
            "c.toml",
            "[tasks.one]\nabout = \"of c\"\n[tasks.two]\nabout = \"of c\"\n",
        );
    let listed = project.run(&["list"]).ended(0).out;
    assert!(
        listed.contains("of a") && listed.contains("of b") && !listed.contains("of c"),
        "{listed}"
    );

    project = Project::empty().with("tasks.toml", &format!("include = [\"1.toml\"]\n{HEAD}"));
    for number in 1..40 {
        project = project.with(
            &format!("{number}.toml"),
            &format!("include = [\"{}.toml\"]\n", number + 1),
        );
    }
    let refused = project.run(&["list"]).ended(2).err;
    assert!(
        refused.contains("more than 32 manifests include each other"),
        "{refused}"
    );
    assert!(refused.contains("30.toml includes 31.toml"), "{refused}");
}

#[test]
fn what_files_say_of_how_a_stack_is_sanitised_adds_up() {
    let of = |rule: &str| format!("[stacks.local.sanitise]\ndelete-parameters = [\"{rule}\"]\n");
    let project = Project::empty().with("one.toml", &of("one.key")).with(
        "tasks.toml",
        &format!(
            "include = [\"one.toml\"]\n{HEAD}{STACK}{}[tasks.sanitise]\nprivate = true\nrun = {{ sanitise = {{}} }}\n",
            of("two.key")
        ),
    );
    let shown = project.run(&["sanitise", "local", "--dry-run"]).ended(0).out;
    assert!(shown.contains("'one.key'") && shown.contains("'two.key'"), "{shown}");
}
