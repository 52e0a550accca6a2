//! Bars, and the terminal that they need.

use indicatif::{InMemoryTerm, TermLike};

use super::*;

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
        verbosity: Verbosity::Normal,
        redactor: Redactor::default(),
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
