//! What receives the lines of a child.

use std::sync::Arc;

use crate::event::Stream;

/// What receives the lines of a child: redacted, without their ends, at most 16 KiB long.
///
/// It is called from the task that reads the stream, so it must be quick and never block. What makes a child wait is a
/// [`Room`](crate::event::Room).
pub type Sink = Arc<dyn Fn(Stream, &str) + Send + Sync>;

/// A sink for output that nobody wants to see; errors still show its last lines.
#[must_use]
pub fn discard() -> Sink {
    Arc::new(|_, _| {})
}
