//! Facts about a run, and how they reach who reads them. The screen, the journal and `--output json` know a run through
//! these and nothing else.

mod events;
mod interest;
mod queue;
mod room;

use std::sync::Arc;

use serde::Serialize;

use crate::secret::Secret;

pub use events::Events;
pub use interest::{Interest, Lines};
pub use queue::Queue;
pub use room::Room;

/// The name of a node in its plan: unique there, and the name of its log.
pub type NodeName = Arc<str>;

/// A fact about a run. Text in it has passed the redactor: no event holds a secret.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The run begins. Always the first event.
    RunStarted {
        /// The run's identity, also the name of its journal's folder.
        run: String,
        /// What was asked for, such as `restore opw-testing`.
        title: String,
        /// The nodes of the plan in plan order.
        nodes: Vec<NodeInfo>,
    },
    /// A node's action begins.
    NodeStarted {
        /// Which.
        node: NodeName,
    },
    /// A command is about to run, as a person could type it.
    Command {
        /// On whose behalf.
        node: NodeName,
        /// The line, secrets masked.
        line: String,
    },
    /// A line that a child printed.
    Line {
        /// On whose behalf the child runs.
        node: NodeName,
        /// Which of the child's streams.
        stream: Stream,
        /// The line without its end. Every reader of the run shares it.
        text: Arc<str>,
    },
    /// Lines of children that were not shown here, since whoever reads was too slow. The node's log has them.
    LinesLeftOut {
        /// On whose behalf the children run.
        node: NodeName,
        /// How many.
        count: u64,
    },
    /// How far a node has come.
    Progress {
        /// Which.
        node: NodeName,
        /// How far.
        progress: Progress,
    },
    /// A fact worth telling even when all goes well, such as how long the web was down.
    Note {
        /// Who tells.
        node: NodeName,
        /// The fact, one line.
        text: String,
    },
    /// Something that is no failure but should be mended.
    Warning {
        /// Who warns.
        node: NodeName,
        /// What, one line.
        text: String,
    },
    /// The user asked the run to end; what runs is asked to end, and has a while for it.
    Interrupted,
    /// A node has ended.
    NodeFinished {
        /// Which.
        node: NodeName,
        /// How.
        outcome: Outcome,
        /// How long its action took, in seconds.
        seconds: f64,
    },
    /// The run has ended. Always the last event.
    RunFinished {
        /// Whether every node is done or skipped.
        ok: bool,
        /// Wall time in seconds.
        seconds: f64,
        /// The nodes that failed themselves, first failure first.
        failed: Vec<NodeName>,
    },
}

/// A node as the screen needs to know it before anything runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeInfo {
    /// Its name.
    pub name: NodeName,
    /// What it does, one line; may be empty.
    pub about: String,
    /// Why it will not run, if its `when` says so.
    pub skipped: Option<String>,
    /// Whether what its child prints is what the user asked for: it goes to standard output as it is.
    pub shown: bool,
}

/// A child's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// How far a node has come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Progress {
    /// So many units are done.
    pub done: u64,
    /// Of so many, if that is known.
    pub total: Option<u64>,
    /// What is counted.
    pub unit: Unit,
    /// What is being worked on, such as a table's name; may be empty.
    pub current: String,
}

/// What a [`Progress`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Things: tables, files, modules.
    Items,
}

/// A password that a run made: to be shown once, for it is nowhere else.
#[derive(Debug, Clone)]
pub struct NewPassword {
    /// Whose it is, as the beginning of a sentence.
    pub of: String,
    /// The password.
    pub password: Secret,
    /// Whether it counts whatever becomes of the run.
    pub holds: bool,
}

/// How a node ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Outcome {
    /// Its action succeeded.
    Done,
    /// Its `when` was false.
    Skipped {
        /// The condition.
        reason: String,
    },
    /// Its action failed.
    Failed {
        /// The failure's title, one line.
        error: String,
    },
    /// It was running, or had not begun, when another node failed or the user interrupted.
    Cancelled,
}
