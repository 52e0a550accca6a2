//! What a run that was killed left half done, and the next run of any kind finishes first.

use super::Scene;
use super::role_note::{lock_role_out, role_was_left_in};
use super::web_note::{bring_web_back, web_was_left_down};
use crate::stack::Stack;

/// Whether a run of this stack left something half done, as far as its notes tell; that run may still be at work.
#[must_use]
pub fn is_half_done(stack: &Stack) -> bool {
    web_was_left_down(stack) || role_was_left_in(stack)
}

/// Starts the web that a run stopped for a swap, and locks the restore role out that it let in. The caller knows that no run
/// is at work.
///
/// Where that fails, the server or Docker says why, and the note stays for the next run.
pub async fn finish_half_done(scene: &Scene) {
    if let Err(error) = bring_web_back(scene).await {
        let text = format!("web was left down by a run that was ended, and cannot be started: {error}");
        scene.report.warn(text);
    }
    if let Err(error) = lock_role_out(scene).await {
        let text = format!("what a run that was ended left open to logins cannot be closed: {error}");
        scene.report.warn(text);
    }
}
