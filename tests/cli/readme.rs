//! What the README says to type, typed.

use std::fs;
use std::process::Command;

use crate::project::{Project, repository};

/// The README's manifest with its env file, made as it says to make them.
fn newcomer() -> Project {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let manifest = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let lines = manifest.lines().filter(|line| !line.is_empty()).count();
    assert!(lines <= 16, "{lines} lines are not fifteen");
    let project = Project::empty().with("tasks.toml", manifest);
    let set_up = readme.lines().filter(|line| line.starts_with("    echo "));
    let script = set_up.collect::<Vec<_>>().join("\n");
    assert!(script.contains("> .env"), "{script}");
    let script = script.replace("$(openssl rand -hex 16)", "keepout");
    let mut shell = Command::new("sh");
    shell.args(["-euc", &script]).current_dir(project.at("."));
    assert!(shell.status().unwrap().success());
    project
}

#[test]
fn the_manifest_of_the_readme_is_enough() {
    let project = newcomer();
    let listed = project.run(&["list"]).ended(0).out;
    for task in ["up STACK", "restore STACK", "rollback STACK", "logs STACK"] {
        assert!(listed.contains(task), "{task}: {listed}");
    }
    for task in ["up", "restore", "rollback"] {
        let planned = project.run(&[task, "local", "--dry-run"]).ended(0);
        assert_eq!(planned.err, "", "{task}");
        assert!(!planned.out.contains("keepout"), "{}", planned.out);
    }
    let restore = project.run(&["restore", "local", "--dry-run"]).ended(0).out;
    assert!(restore.contains("root@shop.example"), "{restore}");
    assert!(!restore.contains(" build "), "it builds an image: {restore}");
}
