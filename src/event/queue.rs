//! The queue between a run and one reader of its events: bounded, and never in the run's way.
//!
//! Putting an event in never blocks and never fails. A child's lines are held back before they are read from its pipe
//! ([`Queue::room`]), so that the queue is passed by one piece of them at most. Everything else is told by the run itself
//! and is little; it is never lost.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::interest::{Delivery, Interest, Kind, Lines};
use super::{Event, NodeName};

/// How much is in the queue when children begin to wait, in bytes.
const LIMIT: usize = 1024 * 1024;

/// What an event takes beside its text, in bytes.
const OVERHEAD: usize = 128;

/// How much the reader takes at once, in bytes: a Linux pipe's usual capacity.
const PORTION: usize = 64 * 1024;

/// How long a child waits for a reader that need not see each of its lines.
const PATIENCE: Duration = Duration::from_secs(1);

/// A queue of events. Clones share it.
#[derive(Debug, Clone)]
pub struct Queue(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    interest: Interest,
    state: Mutex<State>,
    /// There is something to take, or the queue is closed.
    filled: Condvar,
    /// There is room again.
    emptied: Notify,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    bytes: usize,
    /// What a newer one may replace, until its turn comes.
    latest: HashMap<(NodeName, Kind), Event>,
    /// How many lines of a node were left out where its mark stands in the queue.
    left_out: HashMap<NodeName, u64>,
    asked_for: HashSet<NodeName>,
    /// How many events are owed and not taken, and how many are in the reader's hands.
    owed: usize,
    in_hand: usize,
    /// The reader was waited for in vain: lines that may be are left out until half of the queue is read.
    dropping: bool,
    /// Nobody waits any more.
    hurried: bool,
    closed: bool,
    /// How often the reader has taken something.
    taken: u64,
}

#[derive(Debug)]
enum Item {
    Event(Event, bool),
    Latest(NodeName, Kind),
    LeftOut(NodeName),
}

impl Queue {
    /// An empty queue for a reader with this interest.
    #[must_use]
    pub fn new(interest: Interest) -> Self {
        Self(Arc::new(Shared {
            interest,
            state: Mutex::default(),
            filled: Condvar::new(),
            emptied: Notify::new(),
        }))
    }

    /// Puts an event in, unless it is not wanted.
    pub fn send(&self, event: &Event) {
        let mut state = self.state();
        if let Event::RunStarted { nodes, .. } = event {
            let asked_for = nodes.iter().filter(|node| node.shown);
            state.asked_for = asked_for.map(|node| node.name.clone()).collect();
        }
        let is_full = state.bytes >= LIMIT;
        match self.0.interest.delivery(event, |node| state.asked_for.contains(node)) {
            Delivery::Unwanted => return,
            Delivery::InTurn { owed } => match event {
                // The run is being ended by the user, and its reader stands still.
                Event::Line { node, .. } if state.hurried && is_full => state.leave_out(node.clone()),
                _ => state.put(event, owed),
            },
            Delivery::MayBeDropped(node) if is_full && (state.dropping || state.hurried) => state.leave_out(node),
            Delivery::MayBeDropped(_) => state.put(event, false),
            Delivery::Latest(node, kind) => match state.latest.entry((node.clone(), kind)) {
                Entry::Occupied(mut held) => drop(held.insert(event.clone())),
                Entry::Vacant(free) => {
                    free.insert(event.clone());
                    state.items.push_back(Item::Latest(node, kind));
                }
            },
        }
        drop(state);
        self.0.filled.notify_one();
    }

    /// Returns when the lines of a node may be read on.
    pub async fn room(&self, node: &NodeName) {
        let lines = {
            let state = self.state();
            if !state.must_wait() {
                return;
            }
            self.0.interest.lines_of(state.asked_for.contains(node))
        };
        match lines {
            Lines::Unwanted | Lines::Latest => {}
            Lines::Waited => self.emptied().await,
            Lines::Dropped => {
                if self.state().dropping {
                    return;
                }
                if timeout(PATIENCE, self.emptied()).await.is_err() {
                    self.state().dropping = true;
                }
            }
        }
    }

    async fn emptied(&self) {
        loop {
            let mut emptied = std::pin::pin!(self.0.emptied.notified());
            // Registered before the state is looked at, so that what happens between is not missed.
            emptied.as_mut().enable();
            if !self.state().must_wait() {
                return;
            }
            emptied.await;
        }
    }

    /// Takes the next events, oldest first; waits for one. Nothing when the queue is closed and empty. To be called by one
    /// reader, which has written what it took before when it asks again.
    #[must_use]
    pub fn take(&self) -> Option<Vec<Event>> {
        let mut state = self.state();
        state.in_hand = 0;
        while state.items.is_empty() {
            if state.closed {
                return None;
            }
            state = self.0.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let mut events = Vec::new();
        let mut bytes = 0;
        while bytes < PORTION
            && let Some(item) = state.items.pop_front()
        {
            match item {
                Item::Event(event, owed) => {
                    bytes += cost(&event);
                    state.in_hand += usize::from(owed);
                    state.owed -= usize::from(owed);
                    events.push(event);
                }
                Item::Latest(node, kind) => events.extend(state.latest.remove(&(node, kind))),
                Item::LeftOut(node) => {
                    let count = state.left_out.remove(&node).unwrap_or(0);
                    events.push(Event::LinesLeftOut { node, count });
                }
            }
        }
        state.bytes -= bytes;
        state.taken += 1;
        state.dropping &= state.bytes > LIMIT / 2;
        let has_room = !state.must_wait();
        drop(state);
        if has_room {
            self.0.emptied.notify_waiters();
        }
        Some(events)
    }

    /// Lets nobody wait any more: the user ends the run.
    pub fn hurry(&self) {
        self.state().hurried = true;
        self.0.emptied.notify_waiters();
    }

    /// Says that no event comes any more.
    pub fn close(&self) {
        self.state().closed = true;
        self.0.filled.notify_one();
        self.0.emptied.notify_waiters();
    }

    /// Whether something that the user asked for is not written yet.
    #[must_use]
    pub fn owes(&self) -> bool {
        let state = self.state();
        state.owed + state.in_hand > 0
    }

    /// How often the reader has taken something.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.state().taken
    }

    /// Nothing panics while it holds the lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(&mut self, event: &Event, owed: bool) {
        self.bytes += cost(event);
        self.owed += usize::from(owed);
        self.items.push_back(Item::Event(event.clone(), owed));
    }

    fn leave_out(&mut self, node: NodeName) {
        let count = self.left_out.entry(node.clone()).or_insert(0);
        *count += 1;
        if *count == 1 {
            self.items.push_back(Item::LeftOut(node));
        }
    }

    fn must_wait(&self) -> bool {
        self.bytes >= LIMIT && !self.hurried && !self.closed
    }
}

/// What an event takes in the queue, in bytes. Lines alone can be many.
fn cost(event: &Event) -> usize {
    match event {
        Event::Line { text, .. } => text.len() + OVERHEAD,
        _ => OVERHEAD,
    }
}

#[cfg(test)]
mod tests;
