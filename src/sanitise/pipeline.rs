//! Many statements, one wait.

use std::future::{Future, poll_fn};
use std::task::Poll;

use futures_util::future::maybe_done;

/// Sends all statements, in order, and then takes their answers, in order. The server carries them out one after another
/// whatever comes, so a later one sees what an earlier one did, and in a transaction none of them counts after one that
/// failed: with the first error the others are given up.
///
/// The driver sends a statement when it is first polled; hence this and no `join_all`, which leaves open in what order it
/// polls.
pub(super) async fn in_order<T, E, F: Future<Output = Result<T, E>>>(
    statements: impl IntoIterator<Item = F>,
) -> Result<Vec<T>, E> {
    let mut sent: Vec<_> = statements.into_iter().map(|one| Box::pin(maybe_done(one))).collect();
    poll_fn(|context| {
        for one in &mut sent {
            let _ = one.as_mut().poll(context);
        }
        Poll::Ready(())
    })
    .await;
    let mut answers = Vec::with_capacity(sent.len());
    for one in &mut sent {
        one.as_mut().await;
        if let Some(answer) = one.as_mut().take_output() {
            answers.push(answer?);
        }
    }
    Ok(answers)
}
