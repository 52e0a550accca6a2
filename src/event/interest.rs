//! Which events a reader of a run wants, and what becomes of them when it is slow.

use super::{Event, NodeName};

/// What becomes of the lines of children that nobody asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// They are not wanted.
    Unwanted,
    /// Only the latest of each node is wanted.
    Latest,
    /// Each is wanted, but a child waits a moment for it at most: then lines are left out, and counted.
    Dropped,
    /// Each is wanted, and its child waits.
    Waited,
}

/// Which events a reader wants. Outcomes, notes and warnings always are, and are never lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interest {
    /// Lines of children that nobody asked for by name; those of the others are waited for.
    pub lines: Lines,
    /// The lines of commands that are run.
    pub commands: bool,
    /// How far nodes have come. A newer one takes the place of one that was not read yet.
    pub progress: bool,
    /// Every event is data: whoever ends the run waits until it is read.
    pub all_is_data: bool,
}

/// What of a node's events may be replaced by a newer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Line,
    Progress,
}

/// How one event is handed over.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// Not at all.
    Unwanted,
    /// In its turn.
    InTurn {
        /// It is what the user asked for: it must be read before the run is left.
        owed: bool,
    },
    /// A newer one takes its place.
    Latest(NodeName, Kind),
    /// In its turn, or only counted.
    MayBeDropped(NodeName),
}

impl Interest {
    /// How an event is handed over. `asked_for` says whether its node's lines are what the user asked for.
    pub(super) fn delivery(self, event: &Event, asked_for: impl Fn(&NodeName) -> bool) -> Delivery {
        let in_turn = Delivery::InTurn { owed: self.all_is_data };
        match event {
            Event::Line { node, .. } => match self.lines_of(asked_for(node)) {
                Lines::Unwanted => Delivery::Unwanted,
                Lines::Latest => Delivery::Latest(node.clone(), Kind::Line),
                Lines::Dropped => Delivery::MayBeDropped(node.clone()),
                Lines::Waited => Delivery::InTurn { owed: true },
            },
            Event::Command { .. } if !self.commands => Delivery::Unwanted,
            Event::Progress { .. } if !self.progress => Delivery::Unwanted,
            Event::Progress { node, .. } => Delivery::Latest(node.clone(), Kind::Progress),
            _ => in_turn,
        }
    }

    /// What becomes of a node's lines.
    pub(super) fn lines_of(self, asked_for: bool) -> Lines {
        if asked_for { Lines::Waited } else { self.lines }
    }
}
