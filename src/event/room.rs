//! How a child is made to wait when nobody takes its lines.

use std::sync::Arc;

use futures_util::future::BoxFuture;

/// Returns when there is room for a child's next lines. Until then its stream is not read, the pipe fills, and the child
/// waits as it would behind a slow reader in a shell's pipeline.
pub type Room = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;
