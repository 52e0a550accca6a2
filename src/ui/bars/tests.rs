//! The screen itself is looked at, through a terminal in memory.

use indicatif::InMemoryTerm;

use super::*;
use crate::event::{Stream, Unit};

struct Screen {
    term: InMemoryTerm,
    bars: Bars,
}

impl Screen {
    fn new(columns: u16, verbosity: Verbosity) -> Self {
        let term = InMemoryTerm::new(12, columns);
        let target = ProgressDrawTarget::term_like(Box::new(term.clone()));
        let bars = Bars::new(target, move || columns, verbosity, Paint::new(false));
        let mut screen = Self { term, bars };
        let node = |(name, about): (&str, &str)| NodeInfo {
            name: name.into(),
            about: about.into(),
            skipped: None,
            shown: false,
        };
        let nodes = [
            ("database", "Start PostgreSQL"),
            ("copy-filestore", "Bring the files"),
            ("modules", "Update modules"),
        ];
        let (run, title) = ("R".to_owned(), "restore demo".to_owned());
        screen.receive(Event::RunStarted {
            run,
            title,
            nodes: nodes.map(node).into(),
        });
        screen
    }

    fn receive(&mut self, event: Event) {
        self.bars.receive(&event, true);
    }

    fn begin(&mut self, node: &str) {
        self.receive(Event::NodeStarted { node: node.into() });
    }

    fn says(&mut self, node: &str, text: &str) {
        self.receive(Event::Line {
            node: node.into(),
            stream: Stream::Out,
            text: text.into(),
        });
    }

    fn copies(&mut self, done: u64, total: Option<u64>, current: &str) {
        let progress = Progress {
            done,
            total,
            unit: Unit::Bytes,
            current: current.into(),
        };
        self.receive(Event::Progress {
            node: "copy-filestore".into(),
            progress,
        });
    }

    fn end(&mut self, node: &str, outcome: Outcome) {
        self.receive(Event::NodeFinished {
            node: node.into(),
            outcome,
            seconds: 1.24,
        });
    }

    /// What is on the screen, with the spinner stopped.
    fn contents(&self) -> String {
        for running in self.bars.running.values() {
            running.draw_once();
        }
        running::FRAMES
            .iter()
            .fold(self.term.contents(), |text, frame| text.replace(frame, "⠋"))
    }
}

#[test]
fn a_line_a_running_node_and_what_has_ended_above() {
    let mut screen = Screen::new(120, Verbosity::Normal);
    screen.begin("database");
    screen.begin("copy-filestore");
    screen.says("database", "\x1b[2J\x1b[1;1H Container demo-database-1  Starting\r\n");
    screen.copies(412_300_000, Some(1_200_000_000), "ab/abcdef");
    screen.says("copy-filestore", "not shown: the node says itself what it is at");
    insta::assert_snapshot!(screen.contents(), @"
    ⠋ database        Container demo-database-1  Starting                                                                0 s
    ⠋ copy-filestore  ━━━━━━╸─────────────   34 %  412.3 MB of 1.2 GB  ab/abcdef                                         0 s
    ");

    screen.end("database", Outcome::Done);
    screen.end(
        "modules",
        Outcome::Skipped {
            reason: "nothing to update".into(),
        },
    );
    screen.receive(Event::Note {
        node: "database".into(),
        text: "port 15432".into(),
    });
    screen.receive(Event::Warning {
        node: "database".into(),
        text: "slow disk".into(),
    });
    insta::assert_snapshot!(screen.contents(), @"
    ✓ database        1.2 s
    - modules         skipped: nothing to update
    • database: port 15432
    ! database: slow disk
    ⠋ copy-filestore  ━━━━━━╸─────────────   34 %  412.3 MB of 1.2 GB  ab/abcdef                                         0 s
    ");

    screen.end(
        "copy-filestore",
        Outcome::Failed {
            error: "rsync exited with 23".into(),
        },
    );
    screen.bars.clear();
    insta::assert_snapshot!(screen.contents(), @"
    ✓ database        1.2 s
    - modules         skipped: nothing to update
    • database: port 15432
    ! database: slow disk
    ✗ copy-filestore  1.2 s  rsync exited with 23
    ");
}

#[test]
fn narrow_terminals_get_what_matters_on_one_line() {
    let mut screen = Screen::new(44, Verbosity::Normal);
    screen.begin("database");
    screen.begin("copy-filestore");
    screen.says(
        "database",
        "a line that is much longer than this terminal is wide, 漢字 and all",
    );
    screen.copies(412_300_000, Some(1_200_000_000), "ab/abcdef0123456789abcdef0123456789");
    insta::assert_snapshot!(screen.contents(), @"
    ⠋ database       a line that is much longer
    ⠋ copy-filestore  34 % ab/abcdef0123456789ab
    ");
    screen.bars.clear();
    assert_eq!(screen.contents(), "");
}

#[test]
fn medium_terminals_do_without_the_bar() {
    let mut screen = Screen::new(80, Verbosity::Normal);
    screen.begin("copy-filestore");
    screen.copies(412_300_000, None, "");
    insta::assert_snapshot!(screen.contents(), @"⠋ copy-filestore  412.3 MB  Bring the files                                  0 s");
    screen.copies(412_300_000, Some(1_200_000_000), "");
    insta::assert_snapshot!(screen.contents(), @"⠋ copy-filestore   34 %  412.3 MB of 1.2 GB  Bring the files                 0 s");
}

#[test]
fn verbose_lines_stand_above_with_their_node() {
    let mut screen = Screen::new(80, Verbosity::Verbose);
    screen.begin("database");
    screen.receive(Event::Command {
        node: "database".into(),
        line: "docker compose up -d".into(),
    });
    screen.says("database", "Started\x1b[31m red");
    insta::assert_snapshot!(screen.contents(), @"
    database $ docker compose up -d
    database │ Started red
    ⠋ database        Start PostgreSQL                                           0 s
    ");
    screen.end("database", Outcome::Cancelled);
    screen.bars.clear();
    insta::assert_snapshot!(screen.contents(), @"
    database $ docker compose up -d
    database │ Started red
    ⊘ database        cancelled after 1.2 s
    ");
}

#[test]
fn more_nodes_than_rows_leave_nothing_behind() {
    let mut screen = Screen::new(60, Verbosity::Normal);
    let names: Vec<String> = (0..30).map(|number| format!("node-{number}")).collect();
    for name in &names {
        screen.begin(name);
    }
    for name in &names {
        screen.says(name, "working");
        screen.end(name, Outcome::Done);
    }
    screen.bars.clear();
    let contents = screen.contents();
    assert!(contents.ends_with("✓ node-29         1.2 s"), "{contents}");
    assert!(!contents.contains('⠋'), "{contents}");
}
