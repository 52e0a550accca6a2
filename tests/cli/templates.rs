//! Templates that do not come to an end, or nest without measure: they end as an error that names them, and signals are
//! heard meanwhile.

use std::fs;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::project::{Project, files_below};

const MANIFEST: &str = "[stacks.local]\nstate-root = \"state\"\ndeploy = \"coolify\"\nfiles = { \"out/made.yml\" = \"made.yml.j2\" }\n[tasks.render]\nrun = { render = {} }\n";

fn project(template: &str) -> Project {
    Project::new(MANIFEST).with("templates/made.yml.j2", template)
}

/// Renders; it must fail, and say where.
#[track_caller]
fn fails(template: &str, says: &[&str]) {
    let project = project(template);
    let ran = project.run(&["render", "local"]).ended(2);
    for said in says {
        assert!(ran.err.contains(said), "{said}\nin\n{}", ran.err);
    }
    assert!(!project.at("out").exists());
}

#[test]
fn a_loop_without_end_is_given_up_at_its_line() {
    fails(
        "a: 1\n{% for x in range(100000) %}\n{% for y in range(100000) %}\n{% set z = x + y %}\n{% endfor %}{% endfor %}\n",
        &["does not come to an end", "templates/made.yml.j2:"],
    );
    fails(
        "a: 1\n{% for x in range(100000) %}\nb: {{ 'x' * 10000 }}\n{% endfor %}\n",
        &["renders more than 16 MiB", "templates/made.yml.j2:3"],
    );
    fails(
        "{% include 'made.yml.j2' %}\n",
        &["templates/made.yml.j2:1", "recursion limit"],
    );
}

#[test]
fn a_template_that_grows_without_bounds_is_given_up() {
    fails(
        "{% set n = namespace(x='aaaaaaaaaaaaaaaa') %}\n{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}\n",
        &["made.yml.j2", "grows without bounds"],
    );
}

#[test]
fn nesting_overflows_no_stack() {
    let deep = [
        format!("a: {{{{ {}true }}}}\n", "not ".repeat(30_000)),
        format!("a: {{{{ {}1 }}}}\n", "-".repeat(100_000)),
        format!("a: {{{{ 1{} }}}}\n", "+1".repeat(50_000)),
        format!("a: {{{{ x{} }}}}\n", ".x".repeat(50_000)),
        format!("a: {{{{ {}1{} }}}}\n", "[".repeat(50_000), "]".repeat(50_000)),
        format!("{}{}\n", "{% if x %}".repeat(5_000), "{% endif %}".repeat(5_000)),
        format!("{{% if true %}}{}{{% endif %}}\n", "{% elif x %}".repeat(5_000)),
        "{% set n = namespace(x=[]) %}{% for i in range(100000) %}{% set n.x = [n.x] %}{% endfor %}a: 1\n".to_owned(),
        format!("# {}\n", "x".repeat(200_000)),
    ];
    for template in &deep {
        let project = project(template);
        let ran = project.run(&["render", "local"]);
        assert!(matches!(ran.code, Some(0 | 2)), "{}…: {}", &template[..40], ran.whole());
    }
    for text in ["{{ TEXT }}", "{% if TEXT %}x{% endif %}"] {
        let text = text.replace("TEXT", &format!("{}true", "not ".repeat(30_000)));
        for manifest in [
            format!(
                "[tasks.x]\nwhen = \"{}true\"\nrun = {{ command = \"true\" }}\n",
                "not ".repeat(30_000)
            ),
            format!("[tasks.x]\nrun = {{ command = \"echo {text}\" }}\n"),
            format!("[stacks.x]\nbase-url = \"{text}\"\n[tasks.x]\nrun = {{ command = \"true\" }}\n"),
        ] {
            let project = Project::new(&manifest);
            for args in [&["x"][..], &["env", "x"], &["list"]] {
                let ran = project.run(args);
                assert!(ran.code.is_some(), "a signal: {}… {args:?}", &manifest[..40]);
            }
        }
    }
}

#[test]
fn what_is_no_file_is_no_template() {
    let project = project("a: 1\n");
    fs::remove_file(project.at("templates/made.yml.j2")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", project.at("templates/made.yml.j2")).unwrap();
    let ran = project.run(&["render", "local"]).ended(2);
    assert!(ran.err.contains("is no file"), "{}", ran.err);
}

#[test]
fn a_signal_ends_a_run_whose_template_takes_long() {
    let slow = "{% for x in range(100000) %}{% set y = range(100000) | sort(reverse=true) | list | length %}{% endfor %}a: 1\n";
    for signal in [Signal::INT, Signal::TERM] {
        let project = project(slow);
        let mut child = project.command(&["render", "local"]).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let mut lines = lines.skip_while(|line| !line.contains("[render] started"));
        assert!(lines.next().is_some());
        let begun = Instant::now();
        kill_process(Pid::from_child(&child), signal).unwrap();
        let status = child.wait().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!(status.code(), Some(130), "{}", lines.collect::<Vec<_>>().join("\n"));
        assert!(files_below(&project.at("out")).is_empty());
    }
}
