//! Where a run tells what happens: one queue for each reader.

use std::sync::Arc;

use futures_util::FutureExt;

use super::queue::Queue;
use super::{Event, NodeName, Room};

/// Hands every event to all readers of a run. Telling never blocks; clones tell the same readers.
#[derive(Debug, Clone)]
pub struct Events(Arc<[Queue]>);

impl Events {
    /// Tells these readers.
    #[must_use]
    pub fn to(readers: impl IntoIterator<Item = Queue>) -> Self {
        Self(readers.into_iter().collect())
    }

    /// Tells an event.
    pub fn send(&self, event: &Event) {
        for queue in self.0.iter() {
            queue.send(event);
        }
    }

    /// What a node's children wait for before more of their lines is read.
    #[must_use]
    pub fn room(&self, node: &NodeName) -> Room {
        let (queues, node) = (self.0.clone(), node.clone());
        Arc::new(move || {
            let (queues, node) = (queues.clone(), node.clone());
            async move {
                for queue in queues.iter() {
                    queue.room(&node).await;
                }
            }
            .boxed()
        })
    }

    /// Lets no child wait for a reader any more: the user ends the run.
    pub fn hurry(&self) {
        for queue in self.0.iter() {
            queue.hurry();
        }
    }

    /// Says that the run is over.
    pub fn close(&self) {
        for queue in self.0.iter() {
            queue.close();
        }
    }
}
