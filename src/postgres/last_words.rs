//! What servers said when they closed a connection on their own.
//!
//! A server that ends a session which is not asking anything (a limit for idle sessions, an administrator, a shutdown) says
//! why, and closes. The driver gives these words to the connection's own task; the next statement only learns that the
//! connection is closed, and its error does not say which connection that was. So the words are kept here, for the whole
//! process, until somebody has to explain such an error.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::evidence::words;

/// How many are kept: a server that is shut down says the same to every session.
const KEPT: usize = 8;

/// How long they may explain an error, from the server's words to the end of a run in good order.
const FRESH: Duration = Duration::from_secs(60);

static WORDS: Mutex<VecDeque<(Instant, Vec<String>)>> = Mutex::new(VecDeque::new());

/// Keeps what a server said, if the connection ended with words of the server's.
pub(super) fn keep(error: &tokio_postgres::Error) {
    let Some(db) = error.as_db_error() else { return };
    let mut kept = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() == KEPT {
        kept.pop_front();
    }
    kept.push_back((Instant::now(), words(db)));
}

/// What servers said of late as they closed connections, each once.
pub(super) fn of_late() -> Vec<String> {
    let kept = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut told: Vec<String> = Vec::new();
    for (at, lines) in kept.iter() {
        if at.elapsed() <= FRESH && !lines.iter().all(|line| told.contains(line)) {
            told.extend(lines.iter().cloned());
        }
    }
    told
}
