use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use camino::Utf8Path;
use tempfile::TempDir;

use super::*;
use crate::event::{Outcome, Stream};
use crate::run::id::run_id;

const RUN: &str = "20261122t134501x7k2";

fn folder(temp: &TempDir) -> &Utf8Path {
    Utf8Path::from_path(temp.path()).unwrap()
}

fn mode(path: &Utf8Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn line(text: &str) -> Event {
    Event::Line {
        node: "web:build".into(),
        stream: Stream::Err,
        text: text.into(),
    }
}

/// A log without its times, which are checked to be there.
fn untimed(log: &str) -> String {
    log.lines().fold(String::new(), |all, line| {
        let (at, rest) = line.split_once(' ').unwrap();
        at.parse::<Timestamp>().unwrap();
        assert_eq!(at.len(), "2026-11-22T13:45:01.123Z".len());
        all + rest + "\n"
    })
}

#[test]
fn only_the_owner_can_read_it_and_git_ignores_it() {
    let temp = TempDir::new().unwrap();
    let mut journal = Journal::create(folder(&temp), RUN).unwrap();
    journal.record(&line("hello")).unwrap();
    journal.flush().unwrap();

    let own = folder(&temp).join(".opw-task");
    assert_eq!(fs::read_to_string(own.join(".gitignore")).unwrap(), "*\n");
    assert_eq!(journal.folder(), own.join("runs").join(RUN));
    for path in [&own, &own.join("runs"), &journal.folder().to_owned()] {
        assert_eq!(mode(path), 0o700, "{path}");
    }
    for path in [
        own.join(".gitignore"),
        journal.folder().join(EVENTS),
        journal.logs().path("web:build"),
    ] {
        assert_eq!(mode(&path), 0o600, "{path}");
    }
}

#[test]
fn keeps_every_event_and_a_readable_log_a_node() {
    let temp = TempDir::new().unwrap();
    let mut journal = Journal::create(folder(&temp), RUN).unwrap();
    let node: Arc<str> = "web:build".into();
    let events = [
        Event::NodeStarted { node: node.clone() },
        Event::Command {
            node: node.clone(),
            line: "docker build .".into(),
        },
        line("\x1b[31mno space\x1b[0m"),
        Event::Warning {
            node: node.clone(),
            text: "slow disk".into(),
        },
        Event::NodeFinished {
            node,
            outcome: Outcome::Failed {
                error: "docker exited with 1".into(),
            },
            seconds: 1.25,
        },
        Event::NodeFinished {
            node: "never-begun".into(),
            outcome: Outcome::Cancelled,
            seconds: 0.0,
        },
    ];
    for event in &events {
        journal.record(event).unwrap();
        journal.flush().unwrap();
    }

    // Read while the journal is still open: what is recorded must not wait for anything.
    let log = fs::read_to_string(journal.logs().path("web:build")).unwrap();
    insta::assert_snapshot!(untimed(&log), @r"
    start
    run   docker build .
    err   no space
    warn  slow disk
    end   failed after 1.2 s: docker exited with 1
    ");
    assert!(!journal.logs().path("never-begun").exists());

    let kept = fs::read_to_string(journal.folder().join(EVENTS)).unwrap();
    let kept: Vec<serde_json::Value> = kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(kept.len(), events.len() - 1, "a line is kept once, in its log");
    assert_eq!(kept[1]["event"], "command");
    assert_eq!(kept[1]["line"], "docker build .");
    kept[1]["at"].as_str().unwrap().parse::<Timestamp>().unwrap();
}

#[test]
fn two_runs_never_share_a_journal() {
    let temp = TempDir::new().unwrap();
    let first = Journal::create(folder(&temp), RUN);
    let second = Journal::create(folder(&temp), RUN);
    assert!(first.is_ok());
    assert!(matches!(second, Err(JournalError::Folder { .. })));
}

#[test]
fn the_last_fifty_runs_stay() {
    let temp = TempDir::new().unwrap();
    let runs = folder(&temp).join(".opw-task/runs");
    let name = |minute: usize| format!("20200101t00{minute:02}00aaaa");
    let running = Journal::create(folder(&temp), &name(0)).unwrap();
    for minute in 1..55 {
        fs::create_dir_all(runs.join(name(minute))).unwrap();
    }
    fs::create_dir(runs.join("my-notes")).unwrap();

    let new = Journal::create(folder(&temp), &run_id()).unwrap();

    let mut left: Vec<_> = runs
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_owned())
        .collect();
    left.sort();
    assert!(left.contains(&"my-notes".to_owned()), "not ours, so not touched");
    assert!(running.folder().exists(), "another process still writes it");
    assert!(new.folder().exists());
    // 56 of ours, six too many; the oldest of those six is running.
    assert!(!runs.join(name(5)).exists());
    assert!(runs.join(name(6)).exists());
    assert_eq!(left.len(), 1 + 51);
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_with_its_path() {
    let temp = TempDir::new().unwrap();
    fs::write(folder(&temp).join(".opw-task"), "a file in the way").unwrap();
    let error = Journal::create(folder(&temp), RUN).unwrap_err();
    assert!(error.to_string().contains(".opw-task/runs"), "{error}");
}

#[test]
fn a_full_disk_is_told_once_and_leaves_whole_lines() {
    let temp = TempDir::new().unwrap();
    let mut journal = Journal::create(folder(&temp), RUN).unwrap();
    std::os::unix::fs::symlink("/dev/full", journal.logs().path("web:build")).unwrap();

    journal.record(&line("one")).unwrap();
    let error = journal.flush().unwrap_err();
    let hints = error.explain().hints;
    assert!(hints[0].starts_with("free space"), "{hints:?}");
    journal.record(&line("two")).unwrap();
    journal.flush().unwrap();
    journal.record(&Event::Interrupted).unwrap();

    let kept = fs::read_to_string(journal.folder().join(EVENTS)).unwrap();
    assert_eq!(kept.lines().count(), 1, "the other file goes on");
}

#[test]
fn a_torn_line_is_ended_before_the_next() {
    let temp = TempDir::new().unwrap();
    let mut journal = Journal::create(folder(&temp), RUN).unwrap();
    let good = std::mem::replace(
        &mut journal.events,
        File::options().append(true).open("/dev/full").unwrap(),
    );
    journal.record(&Event::Interrupted).unwrap_err();
    journal.events = good;
    journal.record(&Event::Interrupted).unwrap();
    let kept = fs::read_to_string(journal.folder().join(EVENTS)).unwrap();
    assert!(kept.starts_with("\n{"), "{kept}");
}

#[test]
fn old_runs_that_take_too_much_go() {
    let temp = TempDir::new().unwrap();
    let runs = folder(&temp).join(".opw-task/runs");
    let name = |minute: usize| format!("20200101t00{minute:02}00aaaa");
    for minute in 0..5 {
        fs::create_dir_all(runs.join(name(minute))).unwrap();
        let log = File::create(runs.join(name(minute)).join("a.log")).unwrap();
        log.set_len(BYTES_KEPT / 3).unwrap();
    }
    let _new = Journal::create(folder(&temp), &run_id()).unwrap();
    let left: Vec<_> = (0..5).filter(|minute| runs.join(name(*minute)).exists()).collect();
    assert_eq!(left, [2, 3, 4], "the newest stay");
}
