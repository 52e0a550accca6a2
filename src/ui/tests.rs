//! What is shown of a run, read from the streams it is written to.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use indicatif::{InMemoryTerm, TermLike};

use super::*;
use crate::error::ExitCode;
use crate::run::event::{NodeInfo, Outcome, Progress, Stream, Unit};

/// A stream that is kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const NOWHERE: Terminal = Terminal {
    stdout: false,
    stderr: false,
    ci: false,
    colours: false,
    columns: None,
};

struct Shown {
    out: String,
    err: String,
}

/// Shows events and a diagnostic, and returns what both streams then hold.
fn show(mode: Mode, verbosity: Verbosity, events: &[Event], diagnostic: Option<&Diagnostic>) -> Shown {
    let (out, err) = (Kept::default(), Kept::default());
    let mut ui = Ui::on(mode, verbosity, NOWHERE, Printer::new(out.clone(), err.clone()));
    for event in events {
        ui.receive(event);
    }
    if let Some(diagnostic) = diagnostic {
        ui.diagnostic(diagnostic);
    }
    ui.finish(|node| Some(format!(".opw-task/runs/R/{node}.log").into()))
        .unwrap();
    Shown {
        out: out.text(),
        err: err.text(),
    }
}

fn started(names: &[(&str, &str)]) -> Event {
    let node = |(name, about): &(&str, &str)| NodeInfo {
        name: (*name).into(),
        about: (*about).into(),
        skipped: None,
        shown: false,
    };
    Event::RunStarted {
        run: "20261122t134501x7k2".into(),
        title: "restore demo".into(),
        nodes: names.iter().map(node).collect(),
    }
}

fn begin(node: &str) -> Event {
    Event::NodeStarted { node: node.into() }
}

fn end(node: &str, outcome: Outcome, seconds: f64) -> Event {
    Event::NodeFinished {
        node: node.into(),
        outcome,
        seconds,
    }
}

fn copied(done: u64) -> Event {
    let progress = Progress {
        done,
        total: Some(1_200_000_000),
        unit: Unit::Bytes,
        current: "mail_message".into(),
    };
    Event::Progress {
        node: "copy-database".into(),
        progress,
    }
}

fn line(node: &str, text: &str) -> Event {
    Event::Line {
        node: node.into(),
        stream: Stream::Out,
        text: text.into(),
    }
}

/// All goes well.
fn good_run() -> Vec<Event> {
    vec![
        started(&[
            ("database", "Start PostgreSQL"),
            ("copy-database", "Stream the upstream's rows"),
            ("modules", ""),
        ]),
        begin("database"),
        Event::Command {
            node: "database".into(),
            line: "docker compose up -d database".into(),
        },
        line("database", "\x1b[1A\x1b[2K Container demo-database-1  Started\r"),
        end("database", Outcome::Done, 1.24),
        begin("copy-database"),
        copied(60_000_000),
        copied(130_000_000),
        copied(140_000_000),
        copied(1_200_000_000),
        Event::Note {
            node: "copy-database".into(),
            text: "412 tables, 3 of them empty".into(),
        },
        Event::Warning {
            node: "copy-database".into(),
            text: "the upstream runs\nPostgreSQL 13".into(),
        },
        end("copy-database", Outcome::Done, 83.0),
        end(
            "modules",
            Outcome::Skipped {
                reason: "ODOO_UPDATE_MODULES is empty".into(),
            },
            0.0,
        ),
        Event::RunFinished {
            ok: true,
            seconds: 84.3,
            failed: vec![],
        },
    ]
}

/// One node fails while another runs; two never begin.
fn bad_run() -> Vec<Event> {
    let failed = Outcome::Failed {
        error: "pg_restore exited with 1".into(),
    };
    vec![
        started(&[
            ("copy-database", ""),
            ("copy-filestore", ""),
            ("sanitise", ""),
            ("activate", ""),
        ]),
        begin("copy-database"),
        begin("copy-filestore"),
        line("copy-database", "pg_restore: error: out of disk"),
        end("copy-database", failed, 12.0),
        end("copy-filestore", Outcome::Cancelled, 12.1),
        end("sanitise", Outcome::Cancelled, 0.0),
        end("activate", Outcome::Cancelled, 0.0),
        Event::RunFinished {
            ok: false,
            seconds: 12.2,
            failed: vec!["copy-database".into()],
        },
    ]
}

fn why() -> Diagnostic {
    Diagnostic::new(ExitCode::Failed, "copy-database: pg_restore exited with 1")
        .evidence(["pg_restore: error: out of disk".into()])
        .hint("free space under /var/lib/docker")
}

#[test]
fn plain_lines_tell_what_matters_and_nothing_moves() {
    let shown = show(Mode::Auto, Verbosity::Normal, &good_run(), None);
    insta::assert_snapshot!(shown.err, @"
    restore demo (run 20261122t134501x7k2)
    [database] Start PostgreSQL
    [database] done in 1.2 s
    [copy-database] Stream the upstream's rows
    [copy-database] 10 %, 130.0 MB of 1.2 GB, mail_message
    [copy-database] 100 %, 1.2 GB of 1.2 GB, mail_message
    [copy-database] 412 tables, 3 of them empty
    [copy-database] warning: the upstream runs PostgreSQL 13
    [copy-database] done in 1 min 23 s
    [modules] skipped: ODOO_UPDATE_MODULES is empty
    done: restore demo in 1 min 24 s, 1 warning
    ");
    assert_eq!(shown.out, "");
    assert!(!shown.err.contains('\x1b') && !shown.err.contains('\r'));
}

#[test]
fn plain_lines_of_children_are_cleaned_and_prefixed() {
    let shown = show(Mode::Plain, Verbosity::Verbose, &good_run()[..5], None);
    insta::assert_snapshot!(shown.err, @"
    restore demo (run 20261122t134501x7k2)
    [database] Start PostgreSQL
    [database] $ docker compose up -d database
    [database] │  Container demo-database-1  Started
    [database] done in 1.2 s
    cancelled: restore demo
    ");
}

#[test]
fn a_failure_is_named_last_with_its_log() {
    let shown = show(Mode::Plain, Verbosity::Normal, &bad_run(), Some(&why()));
    insta::assert_snapshot!(shown.err, @"
    restore demo (run 20261122t134501x7k2)
    [copy-database] started
    [copy-filestore] started
    [copy-database] failed after 12.0 s: pg_restore exited with 1
    [copy-filestore] cancelled after 12.1 s
    cancelled before they began: sanitise, activate
    error: copy-database: pg_restore exited with 1
      │ pg_restore: error: out of disk
    help: free space under /var/lib/docker
    failed: copy-database: pg_restore exited with 1 — log: .opw-task/runs/R/copy-database.log
    ");
}

#[test]
fn quiet_says_failures_only() {
    assert_eq!(show(Mode::Quiet, Verbosity::Normal, &good_run(), None).err, "");
    let shown = show(Mode::Quiet, Verbosity::Normal, &bad_run(), Some(&why()));
    insta::assert_snapshot!(shown.err, @"
    error: copy-database: pg_restore exited with 1
      │ pg_restore: error: out of disk
    help: free space under /var/lib/docker
    failed: copy-database: pg_restore exited with 1 — log: .opw-task/runs/R/copy-database.log
    ");
}

#[test]
fn json_is_one_object_a_line_and_standard_error_stays_empty() {
    let shown = show(Mode::Json, Verbosity::Verbose, &bad_run(), Some(&why()));
    assert_eq!(shown.err, "");
    insta::assert_snapshot!(shown.out, @r#"
    {"event":"run-started","run":"20261122t134501x7k2","title":"restore demo","nodes":[{"name":"copy-database","about":"","skipped":null,"shown":false},{"name":"copy-filestore","about":"","skipped":null,"shown":false},{"name":"sanitise","about":"","skipped":null,"shown":false},{"name":"activate","about":"","skipped":null,"shown":false}]}
    {"event":"node-started","node":"copy-database"}
    {"event":"node-started","node":"copy-filestore"}
    {"event":"line","node":"copy-database","stream":"out","text":"pg_restore: error: out of disk"}
    {"event":"node-finished","node":"copy-database","outcome":{"kind":"failed","error":"pg_restore exited with 1"},"seconds":12.0}
    {"event":"node-finished","node":"copy-filestore","outcome":{"kind":"cancelled"},"seconds":12.1}
    {"event":"node-finished","node":"sanitise","outcome":{"kind":"cancelled"},"seconds":0.0}
    {"event":"node-finished","node":"activate","outcome":{"kind":"cancelled"},"seconds":0.0}
    {"event":"run-finished","ok":false,"seconds":12.2,"failed":["copy-database"]}
    {"event":"error","title":"copy-database: pg_restore exited with 1","evidence":["pg_restore: error: out of disk"],"notes":[],"hints":["free space under /var/lib/docker"],"exit":1}
    "#);
}

/// A node that was asked for by name behind one that it needs; both print.
fn asked_run() -> Vec<Event> {
    let mut begun = started(&[("render", ""), ("ps", "")]);
    if let Event::RunStarted { nodes, .. } = &mut begun {
        nodes[1].shown = true;
    }
    vec![
        begun,
        begin("render"),
        line("render", "not asked for"),
        end("render", Outcome::Done, 0.1),
        begin("ps"),
        line("ps", "  \x1b[1mNAME\x1b[0m   STATE"),
        Event::Line {
            node: "ps".into(),
            stream: Stream::Err,
            text: "a remark".into(),
        },
        end("ps", Outcome::Done, 0.1),
        Event::RunFinished {
            ok: true,
            seconds: 0.2,
            failed: vec![],
        },
    ]
}

#[test]
fn what_was_asked_for_goes_out_as_it_is_and_once() {
    let out = "  \x1b[1mNAME\x1b[0m   STATE\n";
    let quiet = show(Mode::Quiet, Verbosity::Normal, &asked_run(), None);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), (out, "a remark\n"));
    for verbosity in [Verbosity::Normal, Verbosity::Verbose] {
        let plain = show(Mode::Plain, verbosity, &asked_run(), None);
        assert_eq!(plain.out, out);
        assert!(
            plain.err.contains("\na remark\n") && !plain.err.contains("NAME"),
            "{}",
            plain.err
        );
        assert_eq!(plain.err.contains("not asked for"), verbosity == Verbosity::Verbose);
    }
    let json = show(Mode::Json, Verbosity::Normal, &asked_run(), None);
    assert_eq!(json.err, "");
    assert_eq!(json.out.matches("NAME").count(), 1, "{}", json.out);
}

#[test]
fn an_interrupted_run_is_cancelled_not_failed() {
    let mut events = bad_run();
    events.truncate(3);
    events.push(end("copy-database", Outcome::Cancelled, 3.0));
    events.push(Event::RunFinished {
        ok: false,
        seconds: 3.1,
        failed: vec![],
    });
    let shown = show(Mode::Plain, Verbosity::Normal, &events, None);
    assert!(
        shown
            .err
            .ends_with("[copy-database] cancelled after 3.0 s\ncancelled: restore demo after 3.1 s\n"),
        "{}",
        shown.err
    );
}

#[test]
fn several_failures_end_with_the_first() {
    let mut events = bad_run();
    events.pop();
    let failed = vec!["copy-database".into(), "copy-filestore".into()];
    events.push(Event::RunFinished {
        ok: false,
        seconds: 12.2,
        failed,
    });
    let shown = show(Mode::Quiet, Verbosity::Normal, &events, None);
    insta::assert_snapshot!(shown.err, @"
    also failed: copy-filestore
    failed: copy-database: pg_restore exited with 1 — log: .opw-task/runs/R/copy-database.log
    ");
}

#[test]
fn data_and_talk_go_different_ways() {
    let (out, err) = (Kept::default(), Kept::default());
    let mut ui = Ui::on(
        Mode::Auto,
        Verbosity::Normal,
        NOWHERE,
        Printer::new(out.clone(), err.clone()),
    );
    let mut table = Table::new(["task", "about"]);
    table.row(["up", "Start a stack"]);
    ui.say("two stacks are known");
    ui.warn("`opw-dev` has no upstream");
    ui.data("services: {}\n");
    ui.table(&table);
    ui.finish(|_| None).unwrap();
    assert_eq!(out.text(), "services: {}\ntask  about\nup    Start a stack\n");
    assert_eq!(err.text(), "two stacks are known\nwarning: `opw-dev` has no upstream\n");
}

#[test]
fn a_reader_that_has_enough_is_no_failure_but_a_full_disk_is() {
    struct Broken(io::ErrorKind);
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let finish = |kind| {
        let mut ui = Ui::on(
            Mode::Auto,
            Verbosity::Normal,
            NOWHERE,
            Printer::new(Broken(kind), io::sink()),
        );
        ui.data("text");
        ui.finish(|_| None)
    };
    assert!(finish(io::ErrorKind::BrokenPipe).is_ok());
    assert_eq!(
        finish(io::ErrorKind::StorageFull).unwrap_err().kind(),
        io::ErrorKind::StorageFull
    );
}

#[test]
fn bars_need_a_terminal_that_is_watched() {
    let view = |mode, stderr, ci| {
        let terminal = Terminal { stderr, ci, ..NOWHERE };
        let ui = Ui::on(mode, Verbosity::Normal, terminal, Printer::new(io::sink(), io::sink()));
        matches!(ui.view, View::Bars(_))
    };
    assert!(view(Mode::Auto, true, false));
    assert!(!view(Mode::Auto, true, true));
    assert!(!view(Mode::Auto, false, false));
    assert!(view(Mode::Bars, true, true));
    assert!(!view(Mode::Bars, false, false));
}

/// Standard error of a program whose terminal is in memory.
struct OnScreen(InMemoryTerm);

impl Write for OnScreen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // What a terminal's line discipline does.
        let text = String::from_utf8_lossy(bytes).replace('\n', "\r\n");
        self.0.write_str(&text)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A ui with bars on a terminal in memory, and its standard output.
fn on_terminal(verbosity: Verbosity) -> (Ui, InMemoryTerm, Kept) {
    let (term, out) = (InMemoryTerm::new(24, 100), Kept::default());
    let target = ProgressDrawTarget::term_like(Box::new(term.clone()));
    let bars = Bars::new(target, || 100, verbosity, Paint::new(false));
    let ui = Ui {
        printer: Printer::new(out.clone(), OnScreen(term.clone())),
        view: View::Bars(Box::new(bars)),
        tally: Tally::default(),
        terminal: Terminal {
            stderr: true,
            ..NOWHERE
        },
    };
    (ui, term, out)
}

#[test]
fn bars_stand_aside_for_what_was_asked_for() {
    for verbosity in [Verbosity::Normal, Verbosity::Verbose] {
        let (mut ui, term, out) = on_terminal(verbosity);
        for event in asked_run() {
            ui.receive(&event);
        }
        ui.finish(|_| None).unwrap();
        assert_eq!(out.text(), "  \x1b[1mNAME\x1b[0m   STATE\n");
        let screen = term.contents();
        assert!(screen.contains("\na remark\n") && !screen.contains("NAME"), "{screen}");
    }
}

#[test]
fn a_terminal_keeps_the_story_and_no_line_in_place() {
    let (mut ui, term, out) = on_terminal(Verbosity::Normal);
    for event in bad_run() {
        if matches!(event, Event::NodeFinished { .. }) {
            ui.data("asked for\n");
        }
        ui.receive(&event);
    }
    ui.diagnostic(&why());
    ui.finish(|node| Some(format!("{node}.log").into())).unwrap();
    insta::assert_snapshot!(term.contents(), @"
    ✗ copy-database   12.0 s  pg_restore exited with 1
    ⊘ copy-filestore  cancelled after 12.1 s
    cancelled before they began: sanitise, activate
    error: copy-database: pg_restore exited with 1
      │ pg_restore: error: out of disk
    help: free space under /var/lib/docker
    failed: copy-database: pg_restore exited with 1 — log: copy-database.log
    ");
    assert_eq!(out.text(), "asked for\n".repeat(4));
}
