//! What a run begins with, and how it ends.

use std::sync::Arc;

use camino::Utf8PathBuf;

use crate::action::{ActionError, Handover};
use crate::event::{Events, NodeName};
use crate::process::Processes;

/// What a run needs beside its plan.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The run's identity.
    pub run: Arc<str>,
    /// The door for children; its token ends the run.
    pub processes: Processes,
    /// Where everything is told.
    pub events: Events,
    /// The maximum number of nodes to run in parallel.
    pub jobs: usize,
    /// What actions of the run give each other, and what is done at its end.
    pub handover: Arc<Handover>,
    /// The folder of the run's journal, if one is kept.
    pub journal: Option<Utf8PathBuf>,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// Every node is done or skipped.
    Done,
    /// Nodes failed; the first failure.
    Failed(NodeName, ActionError),
    /// The user interrupted.
    Interrupted,
}
