//! `tasks.toml`: found, read, and refused with a place and a way out before anything is begun.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the law allows them in tests")]

mod project;

use std::fs;

use project::{Project, repository};

/// Every manifest in `tests/manifests/valid` is taken.
#[test]
fn valid_manifests_are_taken() {
    for path in project::files_below(&repository().join("tests/manifests/valid")) {
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
    for path in project::files_below(&repository().join("tests/manifests/invalid")) {
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
