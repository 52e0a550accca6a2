//! `tasks.toml`: found, read, and refused with a place and a way out before anything is begun.

use std::fs;

use crate::project::{Project, repository};

/// Every manifest in `tests/manifests/valid` is taken.
#[test]
fn valid_manifests_are_taken() {
    for path in crate::project::files_below(&repository().join("tests/manifests/valid")) {
        let text = fs::read_to_string(&path).unwrap();
        let project = Project::empty().with("tasks.toml", &text);
        let listed = project.run(&["list", "--all"]);
        assert_eq!((listed.code, listed.err.as_str()), (Some(0), ""), "{}", path.display());
    }
}

/// Every manifest in `tests/manifests/invalid` is refused with the words that stand behind `# expected:` in it, whatever is
/// asked for; `# asked: …` is asked where the manifest can only be refused when its task is planned.
#[test]
fn invalid_manifests_are_refused_as_they_say() {
    let mut wrong = Vec::new();
    for path in crate::project::files_below(&repository().join("tests/manifests/invalid")) {
        let text = fs::read_to_string(&path).unwrap();
        let (manifest, expected) = text
            .split_once("\n# expected:\n")
            .unwrap_or_else(|| panic!("{}", path.display()));
        let expected = expected.replace("\n# ", "\n").replace("\n#", "\n");
        let expected = expected.trim_start_matches("# ");
        let asked = manifest.lines().find_map(|line| line.strip_prefix("# asked: "));
        let manifest: String = manifest
            .lines()
            .filter(|line| !line.starts_with("# asked: "))
            .map(|line| format!("{line}\n"))
            .collect();
        let project = Project::empty().with("tasks.toml", &manifest);
        let args: Vec<&str> = asked.unwrap_or("list").split(' ').collect();
        let ran = project.run(&args);
        if (ran.code, ran.out.as_str()) != (Some(2), "") || ran.err.trim_end() != expected.trim_end() {
            wrong.push(format!(
                "== {}\n{}",
                path.file_name().unwrap().to_string_lossy(),
                ran.whole()
            ));
        }
        assert!(!project.at(".opw-task").exists(), "{}: a run was begun", path.display());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A task that prints, so that it can be seen which manifest was read.
fn says(word: &str) -> String {
    format!("\n[tasks.say]\nabout = \"{word}\"\nrun = {{ command = \"echo {word}\" }}\n")
}

#[test]
fn the_nearest_manifest_upwards_is_taken_and_commands_run_in_its_folder() {
    let project = Project::new("[tasks.where]\nrun = { command = \"pwd\" }").with("deep/er/x", "");
    let mut command = project.command(&["where"]);
    let ran = project
        .ran(command.current_dir(project.at("deep/er")).output().unwrap())
        .ended(0);
    assert_eq!(ran.out, "HERE\n");
    let nowhere = Project::empty().run(&["list"]).ended(2);
    insta::assert_snapshot!(nowhere.err, @"
    error: no tasks.toml in HERE or in any folder above it
    help: change into a project that has one, or name it: opw-task --file path/to/tasks.toml …
    ");
}

#[test]
fn a_manifest_can_be_named_anywhere_on_the_line() {
    let project = Project::new(&says("near"))
        .with("far/tasks.toml", &format!("{}{}", crate::project::HEAD, says("far")))
        .with(
            "far/flags.toml",
            &format!(
                "{}{}params = {{ loud = {{ flag = true }} }}\n",
                crate::project::HEAD,
                says("flags")
            ),
        );
    for args in [
        &["--file", "far/tasks.toml", "say"][..],
        &["say", "--file=far/tasks.toml"],
        &["say", "-f", "far/tasks.toml"],
        &["say", "-ffar/tasks.toml"],
        &["-vffar/tasks.toml", "say"],
        &["--jobs", "1", "say", "-vf", "far/tasks.toml"],
    ] {
        assert_eq!(project.run(args).ended(0).out, "far\n", "{args:?}");
    }
    assert_eq!(
        project.run(&["say", "--loud", "--file", "far/flags.toml"]).ended(0).out,
        "flags\n"
    );
}

#[test]
fn what_includes_wins_over_what_is_included_and_later_over_earlier() {
    let project = Project::new(&says("own"))
        .with("one.toml", &says("one"))
        .with("two.toml", &says("two"))
        .with("both.toml", "include = [\"one.toml\", \"two.toml\"]\n")
        .with(
            "sub/below.toml",
            "include = [\"../one.toml\"]\n[project]\nname = \"below\"\n[tasks.where]\nrun = { command = \"pwd\" }\n",
        );
    let said = |include: &str| {
        let manifest = format!("include = {include}\n{}", crate::project::HEAD);
        fs::write(project.at("tasks.toml"), manifest).unwrap();
        project.run(&["say"]).ended(0).out
    };
    assert_eq!(said("[\"one.toml\", \"two.toml\"]"), "two\n");
    assert_eq!(said("[\"two.toml\", \"one.toml\"]"), "one\n");
    assert_eq!(said("[\"both.toml\", \"both.toml\"]"), "two\n");
    assert_eq!(said("[\"sub/below.toml\"]"), "one\n");
    // The root is the folder of the `[project]` that wins.
    assert_eq!(project.run(&["where"]).ended(0).out, "HERE\n");
    fs::write(project.at("tasks.toml"), "include = [\"sub/below.toml\"]\n").unwrap();
    assert_eq!(project.run(&["where"]).ended(0).out, "HERE/sub\n");
}

#[test]
fn an_error_in_an_included_file_is_shown_there() {
    let project = Project::empty()
        .with("tasks.toml", "include = [\"sub/a.toml\"]\n[project]\nname = \"demo\"\n")
        .with("sub/a.toml", "include = [\"b.toml\"]\n")
        .with("sub/b.toml", "[tasks.up]\nneeds = [\"nowhere\"]\n");
    insta::assert_snapshot!(project.run(&["list"]).ended(2).err, @r#"
    error: there is no task `nowhere`
      ╭▸ sub/b.toml:2:10
      │
    2 │ needs = ["nowhere"]
      ╰╴         ━━━━━━━━━
    help: choose one of `up`
    "#);
    fs::write(project.at("sub/b.toml"), "include = [\"../tasks.toml\"]\n").unwrap();
    insta::assert_snapshot!(project.run(&["list"]).ended(2).err, @r#"
    error: sub/../tasks.toml includes itself
      ╭▸ sub/b.toml:1:12
      │
    1 │ include = ["../tasks.toml"]
      ╰╴           ━━━━━━━━━━━━━━━
    why: by tasks.toml, which includes sub/a.toml, which includes sub/b.toml
    "#);
}

#[test]
fn words_that_are_no_task_are_told_what_there_is() {
    let project = Project::new(
        "[tasks.build]\n[tasks.start]\nprivate = true\n[tasks.up]\nneeds = [\"start\"]\n[tasks.alone]\nprivate = true\n[stacks.local]\n[stacks.opw-testing]\n[tasks.ps]\nrun = { compose = [\"ps\"] }",
    );
    let said = |args: &[&str]| project.run(args).ended(2).err;
    insta::assert_snapshot!(said(&["biuld"]), @"
    error: there is no task `biuld`
    help: did you mean `build`?
    ");
    insta::assert_snapshot!(said(&["start"]), @"
    error: `start` is a private task: it is done only as a part of others
    help: ask for a task that it belongs to: `up`
    help: or look at what it does, with --dry-run
    ");
    insta::assert_snapshot!(said(&["alone"]), @"
    error: `alone` is a private task: it is done only as a part of others
    help: no task needs it
    ");
    insta::assert_snapshot!(said(&["ps", "opw-testng"]), @"
    error: invalid value 'opw-testng' for '<STACK>'
      [possible values: local, opw-testing]

      tip: a similar value exists: 'opw-testing'

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(said(&["ps", "zzz"]), @"
    error: invalid value 'zzz' for '<STACK>'
      [possible values: local, opw-testing]

    For more information, try '--help'.
    ");
    let json = project.run(&["biuld", "--output", "json"]).ended(2);
    assert_eq!(json.err, "");
    insta::assert_snapshot!(json.out, @r#"{"event":"error","title":"there is no task `biuld`","evidence":[],"notes":[],"hints":["did you mean `build`?"],"exit":2}"#);
    insta::assert_snapshot!(said(&["ps"]), @"
    error: no stack was named, and this command needs one
    help: name one of `local`, `opw-testing`
    ");
    let json = project.run(&["ps", "--output", "json"]).ended(2);
    assert_eq!(json.err, "");
    insta::assert_snapshot!(json.out, @r#"{"event":"error","title":"no stack was named, and this command needs one","evidence":[],"notes":[],"hints":["name one of `local`, `opw-testing`"],"exit":2}"#);
}
