//! What is shown of a run, read from the streams it is written to.

mod answers;
mod terminal;
mod told;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use super::*;
use crate::error::ExitCode;
use crate::event::{NodeInfo, Outcome, Progress, Stream, Unit};

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
