//! What must be remembered of a run until its last line.

use std::collections::{HashMap, HashSet};

use camino::Utf8PathBuf;

use crate::event::{Event, NodeName, Outcome};
use crate::measure;
use crate::plain_text;

/// Counts what happens, for the line that ends a run.
#[derive(Debug, Default)]
pub(super) struct Tally {
    title: Option<String>,
    asked_for: HashSet<NodeName>,
    begun: HashSet<NodeName>,
    never_begun: Vec<NodeName>,
    errors: HashMap<NodeName, String>,
    warnings: usize,
    end: Option<End>,
}

#[derive(Debug)]
struct End {
    ok: bool,
    seconds: f64,
    failed: Vec<NodeName>,
}

/// The last line of a run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Summary {
    Done(String),
    Failed {
        /// What else failed, to be told before.
        also: Option<String>,
        text: String,
    },
    Cancelled(String),
}

impl Tally {
    pub(super) fn receive(&mut self, event: &Event) {
        match event {
            Event::RunStarted { title, nodes, .. } => {
                let asked_for = nodes.iter().filter(|node| node.shown);
                *self = Self {
                    title: Some(plain_text::line(title)),
                    asked_for: asked_for.map(|node| node.name.clone()).collect(),
                    ..Self::default()
                };
            }
            Event::NodeStarted { node } => {
                self.begun.insert(node.clone());
            }
            Event::Warning { .. } => self.warnings += 1,
            Event::NodeFinished { node, outcome, .. } => match outcome {
                Outcome::Failed { error } => {
                    self.errors.insert(node.clone(), plain_text::line(error));
                }
                Outcome::Cancelled if !self.has_begun(node) => self.never_begun.push(node.clone()),
                Outcome::Done | Outcome::Skipped { .. } | Outcome::Cancelled => {}
            },
            Event::RunFinished { ok, seconds, failed } => {
                self.end = Some(End {
                    ok: *ok,
                    seconds: *seconds,
                    failed: failed.clone(),
                });
            }
            Event::Interrupted
            | Event::Command { .. }
            | Event::Line { .. }
            | Event::LinesLeftOut { .. }
            | Event::Progress { .. }
            | Event::Note { .. } => {}
        }
    }

    /// Whether what the node's child prints is what the user asked for.
    pub(super) fn is_asked_for(&self, node: &NodeName) -> bool {
        self.asked_for.contains(node)
    }

    pub(super) fn has_begun(&self, node: &NodeName) -> bool {
        self.begun.contains(node)
    }

    /// The nodes that a failure kept from beginning, once: told in one line, since they can be many.
    pub(super) fn never_begun(&mut self) -> Option<String> {
        let nodes = std::mem::take(&mut self.never_begun);
        (!nodes.is_empty()).then(|| format!("cancelled before they began: {}", nodes.join(", ")))
    }

    /// The last line, once; nothing where no run began.
    pub(super) fn summary(&mut self, log_of: impl Fn(&str) -> Option<Utf8PathBuf>) -> Option<Summary> {
        let title = self.title.take()?;
        let Some(end) = self.end.take() else {
            return Some(Summary::Cancelled(format!("cancelled: {title}")));
        };
        let took = measure::seconds(end.seconds);
        let Some((first, others)) = end.failed.split_first() else {
            return Some(if end.ok {
                Summary::Done(format!("done: {title} in {took}{}", self.warnings()))
            } else {
                Summary::Cancelled(format!("cancelled: {title} after {took}"))
            });
        };
        let error = self
            .errors
            .get(first)
            .map(|error| format!(": {error}"))
            .unwrap_or_default();
        let log = log_of(first).map(|path| format!(" — log: {path}")).unwrap_or_default();
        Some(Summary::Failed {
            also: (!others.is_empty()).then(|| format!("also failed: {}", others.join(", "))),
            text: format!("failed: {first}{error}{log}"),
        })
    }

    fn warnings(&self) -> String {
        match self.warnings {
            0 => String::new(),
            1 => ", 1 warning".to_owned(),
            count => format!(", {count} warnings"),
        }
    }
}
