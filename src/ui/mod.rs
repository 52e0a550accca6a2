//! Events in, terminal out. The only room that writes to the user.
//!
//! A run is shown in one of four ways ([`Mode`]), all of them fed by the same events: bars in place on a terminal, plain
//! lines elsewhere, one JSON object a line for machines, or nothing but failures. What the user asked for goes to standard
//! output, what is said about it to standard error, so that `opw-task ps demo | grep web` means what it says.

mod bars;
mod diagnostic;
mod gauge;
mod json;
mod mode;
mod pace;
mod paint;
mod place;
mod plain;
mod plan_view;
mod printer;
mod table;
mod tally;
mod terminal;

use std::io;

use camino::Utf8PathBuf;
use console::Term;
use indicatif::ProgressDrawTarget;
use serde::Serialize;

use crate::error::Diagnostic;
use crate::event::{Event, Interest, Lines, NewPassword, Stream};
use crate::process::Redactor;
use bars::Bars;
use paint::Paint;
use plain::Plain;
use tally::{Summary, Tally};

pub use mode::{Mode, Verbosity};
pub use plan_view::{NodeView, PlanView, StepView};
pub use printer::Printer;
pub use table::Table;
pub use terminal::Terminal;

/// Frames a second at most: more cannot be read, and every frame is written over ssh.
const FRAME_RATE: u8 = 15;
/// What is said when the user interrupts: children may take seconds to end in good order.
const INTERRUPTED: &str = "interrupted: what runs is asked to end; interrupt again to kill it";
/// What is assumed of a terminal that does not tell its width.
const USUAL_COLUMNS: u16 = 80;

/// What the user sees. It belongs to one task, which hands it every event in order.
#[derive(Debug)]
pub struct Ui {
    printer: Printer,
    view: View,
    tally: Tally,
    terminal: Terminal,
    verbosity: Verbosity,
    redactor: Redactor,
}

#[derive(Debug)]
enum View {
    Bars(Box<Bars>),
    Plain(Plain),
    Json,
    Quiet,
}

impl Ui {
    /// A ui on this process's own streams.
    #[must_use]
    pub fn new(mode: Mode, verbosity: Verbosity) -> Self {
        Self::on(mode, verbosity, Terminal::of_process(), Printer::of_process())
    }

    /// A ui on the given streams. Bars are drawn on the process's own standard error even so, since only a real terminal
    /// can show them: facts that deny one (`terminal.stderr`) lead to plain lines.
    #[must_use]
    pub fn on(mode: Mode, verbosity: Verbosity, terminal: Terminal, printer: Printer) -> Self {
        let in_place = match mode {
            Mode::Auto => terminal.stderr && !terminal.ci,
            Mode::Bars => terminal.stderr,
            Mode::Plain | Mode::Json | Mode::Quiet => false,
        };
        let view = match mode {
            Mode::Json => View::Json,
            Mode::Quiet => View::Quiet,
            _ if in_place => {
                let target = ProgressDrawTarget::stderr_with_hz(FRAME_RATE);
                let columns = || {
                    Term::stderr()
                        .size_checked()
                        .map_or(USUAL_COLUMNS, |(_rows, columns)| columns)
                };
                View::Bars(Box::new(Bars::new(
                    target,
                    columns,
                    verbosity,
                    Paint::new(terminal.colours),
                )))
            }
            Mode::Auto | Mode::Bars | Mode::Plain => View::Plain(Plain::new(verbosity)),
        };
        Self {
            printer,
            view,
            tally: Tally::default(),
            terminal,
            verbosity,
            redactor: Redactor::default(),
        }
    }

    /// Hides secrets in whatever it shows from here on, beside events and what was asked of a run: those hide theirs.
    pub fn hide(&mut self, redactor: Redactor) {
        self.redactor = redactor;
    }

    /// Which events of a run it wants.
    #[must_use]
    pub fn interest(&self) -> Interest {
        let verbose = self.verbosity == Verbosity::Verbose;
        let lines = match self.view {
            View::Json => Lines::Dropped,
            View::Plain(_) | View::Bars(_) if verbose => Lines::Dropped,
            View::Bars(_) => Lines::Latest,
            View::Plain(_) | View::Quiet => Lines::Unwanted,
        };
        Interest {
            lines,
            commands: self.is_json() || verbose,
            progress: !matches!(self.view, View::Quiet),
            all_is_data: self.is_json(),
        }
    }

    /// Whether machines read along: what is asked for should be given as records.
    #[must_use]
    pub fn is_json(&self) -> bool {
        matches!(self.view, View::Json)
    }

    /// Shows an event of a run. Text of it may be held back until [`Ui::flush`].
    pub fn receive(&mut self, event: &Event) {
        let begun = match event {
            Event::NodeFinished { node, .. } => self.tally.has_begun(node),
            _ => false,
        };
        self.tally.receive(event);
        if let Event::Line { node, stream, text } = event
            && !self.is_json()
            && self.tally.is_asked_for(node)
        {
            self.pass_on(*stream, text);
            return;
        }
        if matches!(self.view, View::Bars(_)) {
            // What stands above the bars keeps its order.
            self.flush();
        }
        match &mut self.view {
            View::Bars(bars) => bars.receive(event, begun),
            View::Plain(plain) => plain.receive(event, begun, &mut self.printer),
            View::Json => self.printer.data(&json::line(event)),
            View::Quiet => {}
        }
        if matches!(event, Event::RunFinished { .. }) {
            self.end_of_run();
        }
    }

    /// Gives a line of the child that the user asked for: unprefixed and unpainted, on the stream it came from.
    fn pass_on(&mut self, stream: Stream, text: &str) {
        if self.printer.is_full() || self.printer.goes_elsewhere(stream) {
            self.flush();
        }
        for part in [text, "\n"] {
            match stream {
                Stream::Out => self.printer.data(part),
                Stream::Err => self.printer.talk(part),
            }
        }
    }

    /// Writes what is held back.
    pub fn flush(&mut self) {
        match &self.view {
            View::Bars(bars) if !self.printer.is_empty() => bars.aside(|| self.printer.flush()),
            _ => self.printer.flush(),
        }
    }

    /// Tells what failed. A run's own failure belongs between its last event and [`Ui::finish`].
    pub fn diagnostic(&mut self, diagnostic: &Diagnostic) {
        let redact = |text: &str| self.redactor.redact(text).into_owned();
        let mut diagnostic = diagnostic.clone().mapped(redact);
        let others = diagnostic.take_others();
        if let Some(place) = &mut diagnostic.place {
            place.source.text = self.redactor.blank(&place.source.text).into();
        }
        if self.is_json() {
            self.as_it_is(&json::diagnostic(&diagnostic));
        } else {
            let text = diagnostic::draw(&diagnostic, self.paint(), self.terminal.columns);
            self.talk(&text);
        }
        for other in &others {
            self.diagnostic(other);
        }
    }

    /// Says something outside of a run, one line.
    pub fn say(&mut self, text: &str) {
        if !matches!(self.view, View::Quiet) {
            let text = self.redactor.redact(text).into_owned();
            self.talk(&format!("{text}\n"));
        }
    }

    /// Shows a generated password, in every mode: it is nowhere else.
    pub fn password(&mut self, new: &NewPassword) {
        let (of, password) = (&new.of, new.password.expose());
        if self.is_json() {
            let record = serde_json::json!({ "event": "password", "of": of, "password": password });
            self.as_it_is(&json::line(&record));
        } else {
            self.talk(&format!("{of}, shown this once: {password}\n"));
        }
    }

    /// Says that something should be mended, one line.
    pub fn warn(&mut self, text: &str) {
        if self.is_json() {
            self.json(&serde_json::json!({ "event": "warning", "text": text }));
        } else {
            let warning = self.paint().warn("warning:");
            self.say(&format!("{warning} {text}"));
        }
    }

    /// Gives what the user asked for.
    pub fn data(&mut self, text: &str) {
        let text = self.redactor.redact(text).into_owned();
        self.as_it_is(&text);
    }

    fn as_it_is(&mut self, text: &str) {
        self.flush();
        self.printer.data(text);
        self.flush();
    }

    /// Gives what the user asked for as a line of JSON.
    pub fn json<T: Serialize>(&mut self, value: &T) {
        let text = json::masked_line(value, &self.redactor);
        self.as_it_is(&text);
    }

    /// Gives a table: aligned columns, or one record a row.
    pub fn table(&mut self, table: &Table) {
        let table = table.masked(&self.redactor);
        if self.is_json() {
            let records: String = table.records().map(|record| json::line(&record)).collect();
            self.as_it_is(&records);
        } else {
            self.as_it_is(&table.draw(self.data_paint()));
        }
    }

    /// Gives what a run would do: a script to read, or one record.
    pub fn plan(&mut self, plan: &PlanView) {
        if self.is_json() {
            self.json(plan);
        } else {
            self.data(&plan.script(self.data_paint()));
        }
    }

    /// Says the last line, `done: …` or `failed: … — log: …`, and leaves the terminal as it was. `log_of` knows where a
    /// node's log is.
    ///
    /// # Errors
    ///
    /// When something that was asked for could not be written to standard output.
    pub fn finish(&mut self, log_of: impl Fn(&str) -> Option<Utf8PathBuf>) -> io::Result<()> {
        self.end_of_run();
        let paint = self.paint();
        let text = match self.tally.summary(log_of) {
            None => String::new(),
            Some(Summary::Done(_)) if matches!(self.view, View::Quiet) => String::new(),
            Some(Summary::Done(text)) => paint.good(&text) + "\n",
            Some(Summary::Cancelled(text)) => paint.warn(&text) + "\n",
            Some(Summary::Failed { also, text }) => {
                let also = also.map(|also| also + "\n").unwrap_or_default();
                also + &paint.bad(&text) + "\n"
            }
        };
        self.talk(&text);
        self.printer.finish()
    }

    fn end_of_run(&mut self) {
        if let View::Bars(bars) = &mut self.view {
            bars.clear();
        }
        if let Some(text) = self.tally.never_begun() {
            let text = self.paint().dim(&text);
            self.say(&text);
        }
    }

    fn talk(&mut self, text: &str) {
        if !text.is_empty() && !self.is_json() {
            self.flush();
            self.printer.talk(text);
            self.flush();
        }
    }

    /// Colours on standard output.
    fn data_paint(&self) -> Paint {
        Paint::new(self.terminal.colours && self.terminal.stdout)
    }

    /// Colours on standard error.
    fn paint(&self) -> Paint {
        Paint::new(match self.view {
            View::Bars(_) | View::Quiet => self.terminal.colours && self.terminal.stderr,
            View::Plain(_) | View::Json => false,
        })
    }
}

/// What is said where lines are missing.
fn left_out(count: u64) -> String {
    format!("… {count} lines left out: they came faster than they were read here; the log has them …")
}

#[cfg(test)]
mod tests;
