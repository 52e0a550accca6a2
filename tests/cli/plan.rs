//! From a word of the command line to a plan: what is pulled in, in what order, with which words.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::project::{Project, Ran, estate};

/// Prints each of its arguments on a line, in brackets.
const SHOW: &str = "for word; do printf '<%s>\\n' \"$word\"; done";

/// The names of the nodes of a dry run, in order.
fn nodes(project: &Project, args: &[&str]) -> Vec<String> {
    let ran = project
        .run(&[args, &["--dry-run", "--output", "json"]].concat())
        .ended(0);
    let plan: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let nodes = plan["nodes"].as_array().unwrap().iter();
    nodes.map(|node| node["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_task_that_is_needed_twice_runs_once_and_both_wait_for_it() {
    let task = |name: &str, needs: &str| {
        format!("[tasks.{name}]\nneeds = [{needs}]\nrun = {{ shell = \"echo {name} >> order\" }}\n")
    };
    let project = Project::new(
        &[
            task("top", "\"right\", \"left\""),
            task("left", "\"bottom\""),
            task("right", "\"bottom\""),
            task("bottom", ""),
        ]
        .concat(),
    );
    project.run(&["top"]).ended(0);
    let order = project.read("order");
    let order: Vec<_> = order.lines().collect();
    assert_eq!((order.len(), order[0], order[3]), (4, "bottom", "top"), "{order:?}");
}

#[test]
fn after_orders_and_never_pulls() {
    let project = Project::new(
        "[tasks.image]\n[tasks.start]\nafter = [\"image\"]\n[tasks.up]\nneeds = [\"start\", \"image\"]\n[tasks.alone]\nneeds = [\"start\"]\n",
    );
    assert_eq!(nodes(&project, &["up"]), ["image", "start", "up"]);
    assert_eq!(nodes(&project, &["alone"]), ["start", "alone"]);
}

#[test]
fn when_is_asked_of_params_and_of_the_stack() {
    let project = Project::new(
        "[stacks.local]\n[stacks.testing]\n[tasks.image]\nparams = { build = { flag = true } }\nwhen = \"params.build and stack.name != 'testing'\"\nrun = { command = \"echo built\" }\n[tasks.up]\nneeds = [\"image\"]\n",
    );
    let skipped = |args: &[&str]| {
        project
            .run(args)
            .ended(0)
            .err
            .contains("[image] skipped: not params.build")
    };
    assert!(skipped(&["up", "local"]));
    assert!(skipped(&["up", "testing", "--build"]));
    assert!(!skipped(&["up", "local", "--build"]));
    insta::assert_snapshot!(project.run(&["up", "local", "--dry-run"]).ended(0).out, @"
    # up local

    # image
    # skipped: not params.build and stack.name != 'testing'

    # up (after: image)
    ");
}

#[test]
fn values_of_the_command_line_stay_one_word_each() {
    let project = Project::new(
        "[tasks.show]\nparams = { loud = { flag = true }, level = { default = \"low\", choices = [\"low\", \"high\"] }, to = { default = \"\" }, names = { rest = true } }\nrun = { command = \"show {{ '--loud' if params.loud }} {{ params.level }} {{ params.to }} --to={{ params.to }} {{ params.names }} 'a  b'\" }\n",
    )
    .with_program("show", SHOW);
    let said = |args: &[&str]| project.run(args).ended(0).out;
    assert_eq!(said(&["show"]), "<low>\n<--to=>\n<a  b>\n");
    let nasty = "a 'b' \"c\" $(touch pwned) `x` ; * \\ {{ 7 * 7 }} ü";
    let shown = said(&[
        "show", "--loud", "--level", "high", "--to", nasty, "one two", "-", "$HOME", "",
    ]);
    assert_eq!(
        shown,
        format!("<--loud>\n<high>\n<{nasty}>\n<--to={nasty}>\n<one two>\n<->\n<$HOME>\n<a  b>\n")
    );
    assert!(!project.at("pwned").exists());
    // What follows `--` is no option.
    assert!(said(&["show", "--", "--loud", "-x"]).contains("<--loud>\n<-x>\n"));
    // The line that a dry run shows, typed into a shell, does the same.
    let line = project.run(&["show", "--to", nasty, "--dry-run"]).ended(0).out;
    let line = line.lines().last().unwrap();
    let mut shell = std::process::Command::new("sh");
    let typed = shell
        .args(["-c", line])
        .env("PATH", format!("{}:/usr/bin:/bin", project.at("bin").display()));
    let typed = String::from_utf8(typed.output().unwrap().stdout).unwrap();
    assert_eq!(typed, said(&["show", "--to", nasty]));
}

#[test]
fn params_that_are_wrong_are_refused() {
    let project = Project::new(
        "[tasks.show]\nparams = { level = { default = \"low\", choices = [\"low\", \"high\"] }, name = { help = \"Who\" } }\nrun = { command = \"echo {{ params.name }}\" }\n",
    );
    insta::assert_snapshot!(project.run(&["show"]).ended(2).err, @"
    error: the following required arguments were not provided:
      --name <NAME>

    Usage: opw-task show --name <NAME>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(project.run(&["show", "--name", "x", "--level", "middle"]).ended(2).err, @"
    error: invalid value 'middle' for '--level <LEVEL>'
      [possible values: low, high]

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(project.run(&["show", "--nmae", "x"]).ended(2).err, @"
    error: unexpected argument '--nmae' found

      tip: a similar argument exists: '--name'

    Usage: opw-task show --name <NAME>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(project.run(&["show", "--help"]).ended(0).out, @"
    Usage: opw-task show [OPTIONS] --name <NAME>

    Options:
          --level <LEVEL>  [default: low] [possible values: low, high]
          --name <NAME>    Who
      -h, --help           Print help

    Options of every command:
      -f, --file <PATH>       Path of the manifest [default: the nearest tasks.toml, from here upwards]
      -o, --output <HOW>      How to show a run [default: auto] [possible values: auto, bars, plain,
                              json, quiet]
      -v, --verbose           Show commands and what they print
      -j, --jobs <N>          Run at most N tasks at once [default: number of processors, at least 2]
          --here              Run here instead of connecting to the stack's host over ssh
      -n, --dry-run           Print the commands instead of running them
          --set <NAME=VALUE>  Set a variable of the stack, overriding all env files
          --take-over <PATH>  Replace this file, or use this folder, although opw-task did not make it;
                              the old file is kept beside it
    ");
}

#[test]
fn a_chain_of_thousands_and_a_wide_fan_are_no_matter() {
    let mut chain = String::from("[tasks.t0]\nrun = { command = \"true\" }\n");
    for index in 1..5000 {
        writeln!(chain, "[tasks.t{index}]\nneeds = [\"t{}\"]", index - 1).unwrap();
    }
    let mut fan = String::new();
    for index in 0..1000 {
        writeln!(fan, "[tasks.f{index}]\nrun = {{ command = \"true\" }}").unwrap();
    }
    let names: Vec<_> = (0..1000).map(|index| format!("\"f{index}\"")).collect();
    writeln!(fan, "[tasks.all]\nneeds = [{}]", names.join(", ")).unwrap();
    for (manifest, goal) in [(chain, "t4999"), (fan, "all")] {
        let project = Project::new(&manifest);
        let began = Instant::now();
        project.run(&[goal, "--output", "quiet"]).ended(0);
        // Unoptimised, and beside other tests: seconds, where something quadratic takes minutes.
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "{goal}: {:?}",
            began.elapsed()
        );
    }
}

/// Whether a shell can read a text. Commands may go over several lines.
fn is_shell(text: &str) -> bool {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-n", "-c", text]).status().unwrap().success()
}

fn names(ran: &Ran, column: &str) -> Vec<String> {
    let rows = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    rows.filter_map(|row| Some(row.get(column)?.as_str()?.to_owned()))
        .collect()
}

#[test]
fn every_task_of_the_estate_can_be_planned_for_every_stack_with_nothing_in_reach() {
    let Some(project) = estate() else { return };
    let listed = project.run(&["list", "--output", "json"]).ended(0);
    let (tasks, stacks) = (names(&listed, "task"), names(&listed, "stack"));
    assert!(tasks.len() >= 10 && stacks.len() >= 6, "{tasks:?} {stacks:?}");
    for task in tasks {
        let Some(task) = task.strip_suffix(" STACK") else {
            project.run(&[&task, "--dry-run"]).ended(0);
            continue;
        };
        for stack in &stacks {
            let ran = project.run(&[task, stack, "--dry-run"]);
            if stack == "coolify" && ran.code != Some(0) {
                // Its containers are Coolify's.
                let ran = ran.ended(2);
                assert!(
                    ran.err.contains("is run by Coolify") && ran.err.contains("opw-task render coolify"),
                    "{}",
                    ran.err
                );
                continue;
            }
            let ran = ran.ended(0);
            assert_eq!(ran.err, "", "{task} {stack}");
            assert!(is_shell(&ran.out), "{task} {stack}: {}", ran.out);
        }
    }
    assert!(
        !project.at(".opw-task").exists() && !project.at("home/odoo-ai").exists(),
        "a dry run wrote something"
    );
}

#[test]
fn the_flags_of_up_reach_the_image() {
    let Some(project) = estate() else { return };
    let image = |flags: &[&str]| {
        let ran = project.run(&[&["up", "local", "--dry-run"], flags].concat()).ended(0);
        let block = ran
            .out
            .split("\n\n")
            .find(|block| block.starts_with("# image"))
            .unwrap();
        block.lines().nth(1).unwrap().to_owned()
    };
    assert_eq!(image(&[]), "# skipped: not params.build or params.no_cache");
    assert!(image(&["--build"]).ends_with(" build web"));
    assert!(image(&["--build", "--no-cache"]).ends_with(" build --no-cache web"));
    assert!(image(&["--no-cache"]).ends_with(" build --no-cache web"));
}

#[test]
fn a_dry_run_shows_no_secret() {
    let Some(project) = estate() else { return };
    let project = project.with(
        "docker/config/opw-local.env",
        "ODOO_DB_PASSWORD=CANARY-1\nGITHUB_TOKEN=CANARY-2\nODOO_ADMIN_PASSWORD=CANARY-3\nSHOPIFY_API_TOKEN=CANARY-4\nODOO_KEY=CANARY-5\n",
    );
    for task in ["up", "restore", "rollback", "image", "render"] {
        for how in ["auto", "json"] {
            let ran = project.run(&[task, "opw-local", "--dry-run", "--output", how]).ended(0);
            assert!(!ran.whole().contains("CANARY"), "{task}: {}", ran.out);
        }
    }
}

#[test]
fn on_the_stacks_own_host_nothing_goes_over_ssh_but_production() {
    let Some(project) = estate() else { return };
    let manifest: toml::Table = toml::from_str(&project.read("tasks.toml")).unwrap();
    let host = manifest["hosts"]["docker-shiny"]["ssh"].as_str().unwrap();
    let production = manifest["upstreams"]["opw-prod"]["host"].as_str().unwrap();
    let password = ["--set", "ODOO_DB_PASSWORD=keepout"];
    let run = |args: &[&str]| project.run(&[args, &password, &["--dry-run"]].concat()).ended(0).out;
    let lines = |out: &str| out.lines().filter(|line| line.contains(host)).count();
    assert!(lines(&run(&["restore", "opw-testing"])) > 5);
    let here = run(&["restore", "opw-testing", "--here"]);
    assert_eq!(lines(&here), 0, "{here}");
    assert!(here.contains(production), "{here}");
}

#[test]
fn a_part_of_other_tasks_is_looked_at_and_not_done_alone() {
    let project = Project::new(
        "[stacks.local]\nbase-url = \"http://localhost\"\nvars = { ODOO_VERSION = \"17.0\" }\nupstream = \"live\"\ndatabase = \"shop\"\n\
         [upstreams.live]\nhost = \"root@prod.example\"\ndatabase = \"shop\"\ndatabase-user = \"odoo\"\n\
         filestore = \"/srv/filestore/shop\"\n\
         [sanitise]\nanonymise = [\"res.partner\"]\nparameters = { \"shop.token\" = \"keepout-token\" }\n\
         [tasks.ready]\nrun.database = {}\n[tasks.copy]\nneeds = [\"ready\"]\nrun.copy-database = {}\n\
         [tasks.sanitise]\nneeds = [\"copy\"]\nprivate = true\nrun = { sanitise = {} }\n[tasks.restore]\nneeds = [\"sanitise\"]\n",
    );
    let refused = project.run(&["sanitise", "local"]).ended(2);
    assert!(refused.err.contains("private task"), "{}", refused.err);
    assert!(refused.err.contains("--dry-run"), "{}", refused.err);

    let shown = project.run(&["sanitise", "local", "--dry-run"]).ended(0).out;
    for line in [
        "# sql: -- mail-servers-off (base): ",
        "# sql: -- anonymise-partners (base): ",
        "pg_temp.fake_person(",
        "-- parameter shop.token ([sanitise]): ",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    assert!(
        shown
            .lines()
            .all(|line| line.starts_with('#') || !line.contains("UPDATE ")),
        "{shown}"
    );
    assert!(!shown.contains("keepout"), "{shown}");
    // Rules of another version are another version's.
    assert!(!shown.contains("carriers-off-16"), "{shown}");
    // As a part of a restore it is told in short.
    assert!(
        !project
            .run(&["restore", "local", "--dry-run"])
            .ended(0)
            .out
            .contains("UPDATE")
    );
}
