//! A run on a terminal: a line a running node, redrawn in place; what has ended stands above.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use console::{Alignment, measure_text_width, pad_str};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::gauge::{Gauge, Layout};
use super::measure;
use super::mode::Verbosity;
use super::paint::Paint;
use crate::plain_text;
use crate::run::event::{Event, NodeInfo, NodeName, Outcome, Progress};

const FRAMES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME: Duration = Duration::from_millis(120);
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

struct Running {
    bar: ProgressBar,
    progress: Option<Progress>,
    layout: Layout,
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
            Event::Line { node, text, .. } => self.mention(node, text),
            Event::Progress { node, progress } => self.progress(node, progress),
            Event::Note { node, text } => {
                self.print(&format!(
                    "{} {node}: {}",
                    paint.accent("•"),
                    plain_text::line(text)
                ));
            }
            Event::Warning { node, text } => {
                self.print(&format!(
                    "{} {node}: {}",
                    paint.warn("!"),
                    paint.warn(&plain_text::line(text))
                ));
            }
            Event::NodeFinished {
                node,
                outcome,
                seconds,
            } => {
                self.stop(node);
                if begun || *outcome != Outcome::Cancelled {
                    self.print(&self.ending(node, outcome, *seconds));
                }
            }
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
            take_off(&self.multi, &running.bar);
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
        let bar = self.multi.add(ProgressBar::no_length());
        bar.set_style(style(layout, self.paint, None));
        bar.set_prefix(self.padded(node));
        bar.set_message(
            self.paint
                .dim(self.about.get(node).map_or("", String::as_str)),
        );
        bar.enable_steady_tick(FRAME);
        let running = Running {
            bar,
            progress: None,
            layout,
        };
        self.running.insert(node.clone(), running);
    }

    fn progress(&mut self, node: &NodeName, progress: &Progress) {
        let layout = Layout::of_columns((self.columns)());
        let Some(running) = self.running.get_mut(node) else {
            return;
        };
        let drawn = running
            .progress
            .as_ref()
            .map(|before| (before.total, before.unit));
        if drawn != Some((progress.total, progress.unit)) || running.layout != layout {
            running
                .bar
                .set_style(style(layout, self.paint, Some(progress.clone())));
            running.layout = layout;
        }
        let current = plain_text::line(&progress.current);
        if !current.is_empty()
            && running
                .progress
                .as_ref()
                .is_none_or(|before| before.current != progress.current)
        {
            running.bar.set_message(self.paint.dim(&current));
        }
        running.bar.set_position(progress.done);
        running.progress = Some(progress.clone());
    }

    /// Shows the latest line of a child, unless the node itself says what it is at.
    fn mention(&self, node: &NodeName, text: &str) {
        let Some(running) = self.running.get(node) else {
            return;
        };
        let says_itself = running
            .progress
            .as_ref()
            .is_some_and(|progress| !progress.current.is_empty());
        let text = plain_text::line(text);
        if !says_itself && !text.trim().is_empty() {
            running.bar.set_message(self.paint.dim(text.trim()));
        }
    }

    fn stop(&mut self, node: &NodeName) {
        if let Some(running) = self.running.remove(node) {
            take_off(&self.multi, &running.bar);
        }
    }

    fn ending(&self, node: &NodeName, outcome: &Outcome, seconds: f64) -> String {
        let (paint, took) = (self.paint, measure::seconds(seconds));
        let name = self.padded(node);
        match outcome {
            Outcome::Done => format!("{} {name}  {}", paint.good("✓"), paint.dim(&took)),
            Outcome::Skipped { reason } => {
                paint.dim(&format!("- {name}  skipped: {}", plain_text::line(reason)))
            }
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

/// Clears a line before it is forgotten: a bar that is only removed leaves its last drawing on the screen.
fn take_off(multi: &MultiProgress, bar: &ProgressBar) {
    bar.disable_steady_tick();
    bar.finish_and_clear();
    multi.remove(bar);
}

/// The look of a running node. What `like` counts is drawn at the position that the bar has by then.
fn style(layout: Layout, paint: Paint, like: Option<Progress>) -> ProgressStyle {
    let template = match (layout, &like) {
        (Layout::Narrow, None) => "{spinner} {prefix} {wide_msg}",
        (Layout::Narrow, Some(_)) => "{spinner} {prefix} {gauge} {wide_msg}",
        (_, None) => "{spinner} {prefix}  {wide_msg} {clock}",
        (_, Some(_)) => "{spinner} {prefix}  {gauge}  {wide_msg} {clock}",
    };
    let frames = FRAMES.map(|frame| paint.accent(frame));
    let frames: Vec<&str> = frames.iter().map(String::as_str).chain([" "]).collect();
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_strings(&frames)
        .with_key(
            "gauge",
            move |state: &ProgressState, line: &mut dyn fmt::Write| {
                if let Some(like) = &like {
                    let progress = Progress {
                        done: state.pos(),
                        ..like.clone()
                    };
                    // The first second's rate is noise.
                    let rate = (state.elapsed().as_secs() > 0).then(|| state.per_sec());
                    let gauge = Gauge {
                        progress: &progress,
                        rate,
                    };
                    let _ = line.write_str(&gauge.in_place(layout, paint));
                }
            },
        )
        .with_key(
            "clock",
            move |state: &ProgressState, line: &mut dyn fmt::Write| {
                let clock = measure::whole_seconds(state.elapsed().as_secs_f64().floor());
                let _ = line.write_str(&paint.dim(&format!("{clock:>6}")));
            },
        )
}

#[cfg(test)]
mod tests;
