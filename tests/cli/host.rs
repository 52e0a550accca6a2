//! A stack on another machine, with a shell of this one in the place of ssh: who holds its lock, and what becomes of what a
//! run began there.

use std::fs;

use crate::project::Project;
use crate::run::{signal, wait_until};

/// Stacks on a host; `docker` writes down its process and stays, unless it is only asked for what there is.
fn project() -> Project {
    let manifest = r#"
[hosts.node]
ssh = "root@node.example"
[stacks.far]
host       = "node"
state-root = "state"
base-url   = "http://localhost"
[tasks.start]
run = { compose = ["up"] }
[tasks.follow]
run = { compose = ["stats"] }
"#;
    Project::new(manifest)
        .with(".env", "ODOO_DB_NAME=opw\nODOO_DB_PASSWORD=p\n")
        // ssh asks nobody: the last word is the line for the shell there.
        .with_program(
            "ssh",
            "[ \"$1\" != -G ] || exit 1\nfor last; do :; done\nexec sh -c \"$last\"",
        )
        .with_program(
            "docker",
            &format!(
                "case \"$*\" in ps*) ;; context*) echo unix:///here ;; *psql*) printf '%s\\n' '{LIVE}' ;; \
                 *) echo $$ > here.new; mv here.new here; exec sleep 60 ;; esac"
            ),
        )
}

/// What the database's server says of a database that a restore made.
const LIVE: &str =
    r#"{"there": true, "comment": "opw-task {\"state\":\"live\",\"run\":\"r\",\"since\":\"2026-11-22T13:45:09Z\"}"}"#;

fn is_alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
}

#[test]
fn runs_on_a_host_and_from_elsewhere_meet_at_one_lock() {
    let project = project();
    let far = project.command(&["start", "far"]).spawn().unwrap();
    wait_until("the far run is at work", || project.at("here").exists());
    let holder = format!("process {}", far.id());
    for words in [&["start", "far"][..], &["start", "far", "--here"]] {
        let refused = project.run(words).ended(3);
        for word in [
            holder.as_str(),
            "opw-task start far",
            " since 20",
            "logged in there as ",
        ] {
            assert!(refused.err.contains(word), "no `{word}` in {}", refused.err);
        }
    }
    // The run dies; what it began goes on, and the stack is nobody else's until it has ended.
    let pid = project.read("here").trim().to_owned();
    signal(&far, "KILL");
    far.wait_with_output().unwrap();
    wait_until("the lock went with its holder", || {
        project.run(&["start", "far", "--here"]).err.contains("still at work")
    });
    let refused = project.run(&["start", "far"]).ended(3);
    assert!(refused.err.contains("still at work"), "{}", refused.err);
    assert!(refused.err.contains(" up\n"), "{}", refused.err);
    assert!(is_alive(&pid));
    fs::remove_file(project.at("here")).unwrap();
    assert!(std::process::Command::new("kill").arg(&pid).status().unwrap().success());

    // And the other way round: the run on the host has it.
    wait_until("the stack is free", || {
        // Shared by whom the command belonged to, and free when that shell has seen its end.
        fs::File::open(project.at("state/.opw-task.work"))
            .unwrap()
            .try_lock()
            .is_ok()
    });
    let near = project.command(&["start", "far", "--here"]).spawn().unwrap();
    wait_until("the near run is at work", || project.at("here").exists());
    let refused = project.run(&["start", "far"]).ended(3);
    assert!(
        refused.err.contains(&format!("process {}", near.id())),
        "{}",
        refused.err
    );
    signal(&near, "INT");
    assert_eq!(near.wait_with_output().unwrap().status.code(), Some(130));
}

#[test]
fn what_only_looks_ends_with_the_run_that_began_it() {
    let project = project();
    for (how, code) in [("INT", Some(130)), ("KILL", None)] {
        let follow = project.command(&["follow", "far"]).spawn().unwrap();
        wait_until("it follows", || project.at("here").exists());
        let pid = project.read("here").trim().to_owned();
        fs::remove_file(project.at("here")).unwrap();
        signal(&follow, how);
        assert_eq!(follow.wait_with_output().unwrap().status.code(), code, "{how}");
        wait_until("it has ended there", || !is_alive(&pid));
    }
}
