//! Runs without the lab: what runs beside each other, how a failure and an interrupt end, what is shown and what is kept.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::project::Project;

/// Two tasks that can only end when both run: each waits for the other at a FIFO.
const RENDEZVOUS: &str = r#"
[tasks.left]
run = { shell = "echo here > to-right; cat to-left > /dev/null" }
[tasks.right]
run = { shell = "cat to-right > /dev/null; echo here > to-left" }
[tasks.both]
needs = ["left", "right"]
"#;

fn with_fifos(project: &Project, names: &[&str]) {
    for name in names {
        assert!(Command::new("mkfifo").arg(project.at(name)).status().unwrap().success());
    }
}

/// Waits until something is so; a test that waits in vain says for what.
#[track_caller]
pub fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

fn is_alive(pid: &str) -> bool {
    // A zombie has ended: nobody but its parent can take it away.
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    state.is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .trim_start()
            .starts_with('Z')
    })
}

#[test]
fn independent_tasks_run_beside_each_other() {
    let project = Project::new(RENDEZVOUS);
    with_fifos(&project, &["to-left", "to-right"]);
    project.run(&["both", "--jobs", "2"]).ended(0);
}

#[test]
fn one_job_is_one_task_at_a_time() {
    let project = Project::new(RENDEZVOUS);
    with_fifos(&project, &["to-left", "to-right"]);
    let mut child = project.command(&["both", "--jobs", "1"]).spawn().unwrap();
    let journal_says = |what: &str| project.journal().contains(what);
    wait_until("a task begins", || journal_says("node-started"));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(project.journal().matches("\"event\":\"node-started\"").count(), 1);
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn the_first_failure_ends_the_rest_and_is_named_last() {
    let project = Project::new(
        r#"
[tasks.bad]
run = { shell = "cat begin > /dev/null; echo 'disk full' >&2; exit 7" }
[tasks.slow]
run = { shell = "echo go > begin; sleep 600" }
[tasks.next]
needs = ["slow"]
run = { command = "touch next-was-begun" }
[tasks.all]
needs = ["bad", "slow", "next"]
"#,
    );
    with_fifos(&project, &["begin"]);
    let ran = project.run(&["all", "--jobs", "2"]).ended(1);
    insta::assert_snapshot!(ran.whole(), @r#"
    exit code: 1
    --- stdout
    --- stderr
    all (run RUN)
    [bad] started
    [slow] started
    [bad] failed after TIME: `sh -euc "cat begin > /dev/null; echo 'disk full' >&2; exit 7"` ended with exit status 7
    [slow] cancelled after TIME
    cancelled before they began: next, all
    error: `sh -euc "cat begin > /dev/null; echo 'disk full' >&2; exit 7"` ended with exit status 7
      │ disk full
    failed: bad: `sh -euc "cat begin > /dev/null; echo 'disk full' >&2; exit 7"` ended with exit status 7 — log: HERE/.opw-task/runs/RUN/bad.log
    "#);
    assert!(!project.at("next-was-begun").exists());
}

#[test]
fn what_the_asked_task_prints_is_the_output_and_what_others_print_is_kept() {
    let project = Project::new(
        r#"
[tasks.prepare]
run = { shell = "echo quiet-out; echo quiet-err >&2" }
[tasks.show]
needs = ["prepare"]
run = { shell = "printf '  two  spaces\\n\\n\\033[1mbold\\033[0m\\n'; echo remark >&2" }
"#,
    );
    let out = "  two  spaces\n\n\u{1b}[1mbold\u{1b}[0m\n";
    for output in ["auto", "bars", "plain", "quiet"] {
        let ran = project.run(&["show", "--output", output]).ended(0);
        assert_eq!(ran.out, out, "{output}");
        assert_eq!(ran.err.matches("remark\n").count(), 1, "{output}: {}", ran.err);
        assert!(
            !ran.err.contains("quiet-") && !ran.err.contains("bold"),
            "{output}: {}",
            ran.err
        );
    }
    assert_eq!(project.run(&["show", "--output", "quiet"]).err, "remark\n");
    insta::assert_snapshot!(project.run(&["show", "--verbose"]).ended(0).err, @r#"
    show (run RUN)
    [prepare] started
    [prepare] $ sh -euc 'echo quiet-out; echo quiet-err >&2'
    [prepare] │ quiet-out
    [prepare] │ quiet-err
    [prepare] done in TIME
    [show] started
    [show] $ sh -euc "printf '  two  spaces\\n\\n\\033[1mbold\\033[0m\\n'; echo remark >&2"
    remark
    [show] done in TIME
    done: show in TIME
    "#);
    assert!(project.journal().contains("quiet-err"));
}

#[test]
fn json_is_json_lines_on_standard_output_and_nothing_else() {
    let project = Project::new(
        "[tasks.bad]\nrun = { shell = \"echo text; exit 1\" }\n[tasks.good]\nrun = { shell = \"echo text\" }",
    );
    for (args, code) in [
        (&["good", "--output", "json"][..], 0),
        (&["bad", "--output", "json", "--verbose"], 1),
        (&["good", "--output", "json", "--dry-run"], 0),
        (&["list", "--output", "json"], 0),
    ] {
        let ran = project.run(args).ended(code);
        assert_eq!(ran.err, "", "{args:?}");
        assert!(!ran.out.is_empty());
        for line in ran.out.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(value.is_object());
        }
    }
}

#[test]
fn an_interrupt_ends_grandchildren_and_is_no_failure() {
    for name in ["INT", "TERM", "HUP"] {
        let project = Project::new(
            "[tasks.deep]\nrun = { shell = \"sh -c 'sleep 600 & echo $! > grandchild.new; mv grandchild.new grandchild; wait' & wait\" }",
        );
        let child = project.command(&["deep"]).spawn().unwrap();
        wait_until("the grandchild runs", || project.at("grandchild").exists());
        let grandchild = project.read("grandchild");
        assert!(is_alive(&grandchild));
        signal(&child, name);
        let ran = project.ran(child.wait_with_output().unwrap()).ended(130);
        wait_until("the grandchild ends", || !is_alive(&grandchild));
        insta::allow_duplicates! {
            insta::assert_snapshot!(ran.whole(), @"
            exit code: 130
            --- stdout
            --- stderr
            deep (run RUN)
            [deep] started
            interrupted: what runs is asked to end; interrupt again to kill it
            [deep] cancelled after TIME
            cancelled: deep after TIME
            ");
        }
    }
}

#[test]
fn a_terminal_that_hangs_up_twice_still_lets_children_end_in_order() {
    let project = Project::new(
        "[tasks.tidy]\nrun = { shell = \"trap 'sleep 1; touch tidied; exit 1' TERM INT; echo > here; while :; do sleep 0.1; done\" }",
    );
    let child = project.command(&["tidy"]).spawn().unwrap();
    wait_until("the child runs", || project.at("here").exists());
    signal(&child, "HUP");
    std::thread::sleep(Duration::from_millis(200));
    signal(&child, "HUP");
    project.ran(child.wait_with_output().unwrap()).ended(130);
    assert!(project.at("tidied").exists(), "it was killed before it could tidy up");
}

#[test]
fn what_runs_under_nohup_outlives_its_terminal() {
    let project = Project::new("[tasks.wait]\nrun = { shell = \"echo > here; cat go > /dev/null; touch done\" }");
    with_fifos(&project, &["go"]);
    let plain = project.command(&["wait"]);
    let mut under = Command::new("nohup");
    under.arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => under.env(name, value),
            None => under.env_remove(name),
        };
    }
    under.current_dir(plain.get_current_dir().unwrap());
    under.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = under.spawn().unwrap();
    wait_until("the child runs", || project.at("here").exists());
    signal(&child, "HUP");
    fs::write(project.at("go"), "go").unwrap();
    project.ran(child.wait_with_output().unwrap()).ended(0);
    assert!(project.at("done").exists());
}

#[test]
fn a_second_interrupt_kills_a_child_that_ignores_the_first() {
    let project = Project::new(
        "[tasks.deaf]\nrun = { shell = \"trap '' INT TERM; echo $$ > pid.new; mv pid.new pid; while :; do sleep 1; done\" }",
    );
    let child = project.command(&["deaf"]).spawn().unwrap();
    wait_until("the child runs", || project.at("pid").exists());
    let began = Instant::now();
    signal(&child, "INT");
    std::thread::sleep(Duration::from_millis(200));
    assert!(
        is_alive(&project.read("pid")),
        "it was killed without being asked first"
    );
    signal(&child, "INT");
    project.ran(child.wait_with_output().unwrap()).ended(130);
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "the second interrupt waited as the first does"
    );
    wait_until("the child ends", || !is_alive(&project.read("pid")));
}

#[test]
fn exit_codes_tell_what_kind_of_end_it_was() {
    let project = Project::new(
        "[stacks.safe]\nprotected = true\ndatabase = \"x\"\nstate-root = \"state\"\nupstream = \"prod\"\n\
         [upstreams.prod]\nhost = \"root@prod.invalid\"\ndatabase = \"x\"\ndatabase-user = \"odoo\"\nfilestore = \"/f\"\n\
         [tasks.good]\nrun = { command = \"true\" }\n[tasks.bad]\nrun = { command = \"false\" }\n\
         [tasks.wipe]\nrun = { copy-database = {} }\n",
    );
    project.run(&["good"]).ended(0);
    project.run(&["bad"]).ended(1);
    project.run(&["bda"]).ended(2);
    project.run(&["good", "--nonsense"]).ended(2);
    insta::assert_snapshot!(project.run(&["wipe", "safe"]).ended(3).err, @"
    error: stack `safe` is protected
    why: wipe safe would change its data
    help: take `protected = true` out of tasks.toml if that is really meant
    ");
}

#[test]
fn a_program_that_is_not_there_is_named_with_a_way_to_get_it() {
    let project = Project::new("[stacks.local]\nstate-root = \"state\"\n[tasks.ps]\nrun = { compose = [\"ps\"] }\n[tasks.own]\nrun = { command = \"frobnicate --all\" }")
        .without_programs();
    insta::assert_snapshot!(project.run(&["ps", "local"]).ended(1).err, @"
    ps local (run RUN)
    [ps] started
    [ps] failed after TIME: `docker` is not installed, or not on PATH
    error: `docker` is not installed, or not on PATH
    help: install Docker Engine with the compose and buildx plugins: https://docs.docker.com/engine/install/
    failed: ps: `docker` is not installed, or not on PATH — log: HERE/.opw-task/runs/RUN/ps.log
    ");
    insta::assert_snapshot!(project.run(&["own"]).ended(1).err, @"
    own (run RUN)
    [own] started
    [own] failed after TIME: `frobnicate` is not installed, or not on PATH
    error: `frobnicate` is not installed, or not on PATH
    help: install frobnicate, or put the folder it is in on PATH
    failed: own: `frobnicate` is not installed, or not on PATH — log: HERE/.opw-task/runs/RUN/own.log
    ");
}

#[test]
fn a_stack_that_another_run_changes_is_refused_with_who_has_it() {
    let project = Project::new(
        "[stacks.local]\nstate-root = \"state\"\nbase-url = \"http://localhost\"\n[tasks.start]\nrun = { compose = [\"up\"] }\n[tasks.ps]\nrun = { compose = [\"ps\"] }",
    )
    .with(".env", "ODOO_DB_NAME=opw\nODOO_DB_PASSWORD=p\n")
    .with_program("docker", "case \"$*\" in *ps|ps*) ;; context*) echo unix:///here ;; *) echo $$ > here.new; mv here.new here; exec sleep 60 ;; esac");
    let holder = project.command(&["start", "local"]).spawn().unwrap();
    wait_until("the holder is at work", || project.at("here").exists());
    let refused = project.run(&["start", "local"]).ended(3);
    let machine = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let err = refused
        .err
        .replace(&holder.id().to_string(), "PID")
        .replace(machine.trim(), "MACHINE")
        .replace(&format!("user {} ", rustix::process::getuid().as_raw()), "user ID ");
    let since = err.find(" since 20").expect("it says since when") + " since ".len();
    let err = err.replace(&err[since..since + "2026-11-25 12:00:00".len()], "THEN");
    insta::assert_snapshot!(err, @"
    error: stack `local` is being changed by another run
      │ opw-task start local
      │ run RUN since THEN UTC
      │ user ID on MACHINE, process PID
    why: the lock is HERE/state/.opw-task.lock; it goes with the process that holds it
    help: wait for that run, or end it
    ");
    // Who only looks needs no lock.
    project.run(&["ps", "local"]).ended(0);
    signal(&holder, "KILL");
    holder.wait_with_output().unwrap();
    // Nobody is left to end the child of a run that was killed.
    assert!(
        Command::new("kill")
            .arg(project.read("here").trim())
            .status()
            .unwrap()
            .success()
    );
    let mut next = project.command(&["start", "local"]).spawn().unwrap();
    wait_until("the lock went with its holder", || {
        project.journal().matches("node-started").count() >= 3
    });
    signal(&next, "INT");
    assert_eq!(next.wait().unwrap().code(), Some(130));
}

#[test]
fn a_secret_is_masked_wherever_it_is_printed() {
    let project = Project::new(
        r#"
[stacks.local]
state-root = "state"
env = ["local.env"]
[tasks.leak]
run = { shell = "echo out $X; echo err $X >&2; echo \"{\\\"url\\\": \\\"https://u:$X@h\\\"}\"; exit ${CODE:-0}" }
env = { X = "{{ env.MY_TOKEN }}", CODE = "{{ env.CODE | default('') }}" }
[tasks.indirect]
needs = ["leak"]
"#,
    )
    .with("local.env", "MY_TOKEN='CANARY-4711 $x'\n");
    for args in [
        &["leak", "local"][..],
        &["leak", "local", "--verbose"],
        &["leak", "local", "--output", "json"],
        &["leak", "local", "--output", "quiet"],
        &["leak", "local", "--dry-run"],
        &["indirect", "local", "--verbose"],
        &["indirect", "local", "--verbose", "--set", "CODE=9"],
        &["leak", "local", "--set", "CODE=9", "--output", "json"],
        &["env", "local"],
        &["env", "local", "--output", "json"],
    ] {
        let ran = project.run(args);
        let all = ran.whole();
        assert!(all.contains("***") && !all.contains("CANARY"), "{args:?}\n{all}");
    }
    assert!(project.journal().contains("out ***"));
    assert!(!project.journal().contains("CANARY"));
}

#[test]
fn a_journal_has_a_log_a_node_and_only_its_owner_can_read_it() {
    let project = Project::new(
        "[tasks.first]\nrun = { command = \"echo one\" }\n[tasks.second]\nneeds = [\"first\"]\nrun = { command = \"echo two\" }",
    );
    project.run(&["second"]).ended(0);
    let runs: Vec<_> = fs::read_dir(project.at(".opw-task/runs"))
        .unwrap()
        .map(|run| run.unwrap().path())
        .collect();
    assert_eq!(runs.len(), 1);
    let names: Vec<_> = crate::project::files_below(&runs[0])
        .iter()
        .map(|path| path.file_name().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["events.jsonl", "first.log", "second.log"]);
    assert!(
        fs::read_to_string(runs[0].join("first.log"))
            .unwrap()
            .contains("out   one\n")
    );
    for path in crate::project::files_below(&runs[0]) {
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600,
            "{}",
            path.display()
        );
    }
    for folder in [&runs[0], &project.at(".opw-task/runs"), &project.at(".opw-task")] {
        assert_eq!(
            fs::metadata(folder).unwrap().permissions().mode() & 0o777,
            0o700,
            "{}",
            folder.display()
        );
    }
    for line in fs::read_to_string(runs[0].join("events.jsonl")).unwrap().lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_told_before_anything_runs() {
    let project = Project::new("[tasks.go]\nrun = { command = \"touch gone\" }").with(".opw-task", "a file");
    let ran = project.run(&["go"]).ended(1);
    insta::assert_snapshot!(ran.err, @"
    error: cannot make the journal's folder HERE/.opw-task/runs: Not a directory (os error 20)
    help: `.opw-task` is a folder of the program's own: move away what is there
    ");
    assert!(!project.at("gone").exists());
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let project = Project::new(
        "[tasks.many]\nrun = { shell = \"i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done\" }",
    );
    let mut child = project.command(&["many"]).spawn().unwrap();
    let mut first = [0; 6];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"line 0");
    project.ran(child.wait_with_output().unwrap()).ended(0);
}
