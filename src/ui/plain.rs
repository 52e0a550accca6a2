//! A run as lines that stay: for logs, pipes and continuous integration.

use std::collections::HashMap;
use std::time::Instant;

use super::gauge::Gauge;
use super::mode::Verbosity;
use super::pace::Pace;
use super::printer::Printer;
use super::{INTERRUPTED, left_out};
use crate::event::{Event, NodeInfo, NodeName, Outcome, Progress};
use crate::measure;
use crate::plain_text;

/// Every line begins with its node, so that lines of nodes that run side by side can be told apart.
#[derive(Debug)]
pub(super) struct Plain {
    verbosity: Verbosity,
    about: HashMap<NodeName, String>,
    paces: HashMap<NodeName, Pace>,
}

impl Plain {
    pub(super) fn new(verbosity: Verbosity) -> Self {
        Self {
            verbosity,
            about: HashMap::new(),
            paces: HashMap::new(),
        }
    }

    /// Says an event, if it is worth a line. `begun` is whether the event's node had begun.
    pub(super) fn receive(&mut self, event: &Event, begun: bool, printer: &mut Printer) {
        let verbose = self.verbosity == Verbosity::Verbose;
        let said = match event {
            Event::RunStarted { run, title, nodes } => {
                self.remember(nodes);
                printer.talk(&format!("{} (run {run})\n", plain_text::line(title)));
                None
            }
            Event::NodeStarted { node } => {
                self.paces.insert(node.clone(), Pace::new(Instant::now()));
                let about = self.about.get(node).filter(|about| !about.is_empty());
                Some((node, about.cloned().unwrap_or_else(|| "started".to_owned())))
            }
            Event::Command { node, line } => verbose.then(|| (node, format!("$ {}", plain_text::line(line)))),
            Event::Line { node, text, .. } => verbose.then(|| (node, format!("│ {}", plain_text::line(text)))),
            Event::LinesLeftOut { node, count } => Some((node, format!("│ {}", left_out(*count)))),
            Event::Progress { node, progress } => self.progress(node, progress).map(|text| (node, text)),
            Event::Note { node, text } => Some((node, plain_text::line(text))),
            Event::Warning { node, text } => Some((node, format!("warning: {}", plain_text::line(text)))),
            Event::NodeFinished { node, outcome, seconds } => {
                let took = measure::seconds(*seconds);
                let text = match outcome {
                    Outcome::Done => Some(format!("done in {took}")),
                    Outcome::Skipped { reason } => Some(format!("skipped: {}", plain_text::line(reason))),
                    Outcome::Failed { error } => Some(format!("failed after {took}: {}", plain_text::line(error))),
                    Outcome::Cancelled => begun.then(|| format!("cancelled after {took}")),
                };
                self.paces.remove(node);
                text.map(|text| (node, text))
            }
            Event::Interrupted => {
                printer.talk(&format!("{INTERRUPTED}\n"));
                None
            }
            Event::RunFinished { .. } => None,
        };
        if let Some((node, text)) = said {
            printer.talk(&(format!("[{node}] {text}").trim_end().to_owned() + "\n"));
        }
    }

    fn remember(&mut self, nodes: &[NodeInfo]) {
        let about = nodes
            .iter()
            .map(|node| (node.name.clone(), plain_text::line(&node.about)));
        self.about = about.collect();
    }

    fn progress(&mut self, node: &NodeName, progress: &Progress) -> Option<String> {
        let now = Instant::now();
        let pace = self.paces.entry(node.clone()).or_insert_with(|| Pace::new(now));
        let due = pace.is_due(progress, now);
        let gauge = Gauge {
            progress,
            rate: pace.rate(progress, now),
        };
        due.then(|| plain_text::line(&gauge.kept()))
    }
}
