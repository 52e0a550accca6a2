//! A run on a terminal: a line a running node, redrawn in place; what has ended stands above.

mod running;

use std::collections::HashMap;
use std::fmt;

use console::{Alignment, measure_text_width, pad_str};
use indicatif::{MultiProgress, ProgressDrawTarget};

use super::gauge::Layout;
use super::mode::Verbosity;
use super::paint::Paint;
use super::{INTERRUPTED, left_out};
use crate::event::{Event, NodeInfo, NodeName, Outcome, Progress};
use crate::measure;
use crate::plain_text;
use running::Running;

/// Longer names are cut: a line must have room for more than its name.
const LONGEST_NAME: usize = 24;

/// The lines of the running nodes.
pub(super) struct Bars {
    multi: MultiProgress,
    /// Asked anew at every change, since windows are resized.
    columns: Box<dyn Fn() -> u16 + Send>,
    verbosity: Verbosity,
    paint: Paint,
    about: HashMap<NodeName, String>,
    name_width: usize,
    running: HashMap<NodeName, Running>,
}

impl Bars {
    pub(super) fn new(
        target: ProgressDrawTarget,
        columns: impl Fn() -> u16 + Send + 'static,
        verbosity: Verbosity,
        paint: Paint,
    ) -> Self {
        Self {
            multi: MultiProgress::with_draw_target(target),
            columns: Box::new(columns),
            verbosity,
            paint,
            about: HashMap::new(),
            name_width: 0,
            running: HashMap::new(),
        }
    }

    /// Shows an event. `begun` is whether the event's node had begun.
    pub(super) fn receive(&mut self, event: &Event, begun: bool) {
        let verbose = self.verbosity == Verbosity::Verbose;
        let paint = self.paint;
        match event {
            Event::RunStarted { nodes, .. } => self.remember(nodes),
            Event::NodeStarted { node } => self.start(node),
            Event::Command { node, line } if verbose => {
                self.print(&format!(
                    "{} {}",
                    paint.dim(&format!("{node} $")),
                    plain_text::line(line)
                ));
            }
            Event::Line { node, text, .. } if verbose => {
                self.print(&format!(
                    "{} {}",
                    paint.dim(&format!("{node} │")),
                    plain_text::line(text)
                ));
            }
            Event::LinesLeftOut { node, count } => self.print(&paint.dim(&format!("{node} │ {}", left_out(*count)))),
            Event::Line { node, text, .. } => {
                if let Some(running) = self.running.get(node) {
                    running.mention(text);
                }
            }
            Event::Progress { node, progress } => self.progress(node, progress),
            Event::Note { node, text } => {
                self.print(&format!("{} {node}: {}", paint.accent("•"), plain_text::line(text)));
            }
            Event::Warning { node, text } => {
                self.print(&format!(
                    "{} {node}: {}",
                    paint.warn("!"),
                    paint.warn(&plain_text::line(text))
                ));
            }
            Event::NodeFinished { node, outcome, seconds } => {
                self.stop(node);
                if begun || *outcome != Outcome::Cancelled {
                    self.print(&self.ending(node, outcome, *seconds));
                }
            }
            Event::Interrupted => self.print(&paint.warn(INTERRUPTED)),
            Event::Command { .. } | Event::RunFinished { .. } => {}
        }
    }

    /// Prints a line above the running nodes.
    pub(super) fn print(&self, line: &str) {
        // Nobody is left to be told that the terminal has gone.
        let _ = self.multi.println(line);
    }

    /// Lets something else write to the terminal, the running nodes out of its way.
    pub(super) fn aside(&self, write: impl FnOnce()) {
        self.multi.suspend(write);
    }

    /// Takes every line in place off the screen.
    pub(super) fn clear(&mut self) {
        for (_, running) in self.running.drain() {
            running.take_off(&self.multi);
        }
        let _ = self.multi.clear();
    }

    fn remember(&mut self, nodes: &[NodeInfo]) {
        let widths = nodes.iter().map(|node| measure_text_width(&node.name));
        self.name_width = widths.max().unwrap_or(0).min(LONGEST_NAME);
        let about = nodes
            .iter()
            .map(|node| (node.name.clone(), plain_text::line(&node.about)));
        self.about = about.collect();
    }

    fn start(&mut self, node: &NodeName) {
        let layout = Layout::of_columns((self.columns)());
        let about = self.about.get(node).map_or("", String::as_str);
        let running = Running::start(&self.multi, &self.padded(node), about, layout, self.paint);
        self.running.insert(node.clone(), running);
    }

    fn progress(&mut self, node: &NodeName, progress: &Progress) {
        let layout = Layout::of_columns((self.columns)());
        if let Some(running) = self.running.get_mut(node) {
            running.progress(progress, layout);
        }
    }

    fn stop(&mut self, node: &NodeName) {
        if let Some(running) = self.running.remove(node) {
            running.take_off(&self.multi);
        }
    }

    fn ending(&self, node: &NodeName, outcome: &Outcome, seconds: f64) -> String {
        let (paint, took) = (self.paint, measure::seconds(seconds));
        let name = self.padded(node);
        match outcome {
            Outcome::Done => format!("{} {name}  {}", paint.good("✓"), paint.dim(&took)),
            Outcome::Skipped { reason } => paint.dim(&format!("- {name}  skipped: {}", plain_text::line(reason))),
            Outcome::Failed { error } => {
                format!(
                    "{} {name}  {}  {}",
                    paint.bad("✗"),
                    paint.dim(&took),
                    plain_text::line(error)
                )
            }
            Outcome::Cancelled => paint.dim(&format!("⊘ {name}  cancelled after {took}")),
        }
    }

    fn padded(&self, node: &str) -> String {
        pad_str(node, self.name_width, Alignment::Left, Some("…")).into_owned()
    }
}

impl fmt::Debug for Bars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bars")
            .field("running", &self.running.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
