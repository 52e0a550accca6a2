//! Something that fails once the copy serves: the way back is told, or gone.

use std::time::Duration;

use super::health::Health;
use super::{Action, ActionError, Scene, rollback};

/// How long Odoo may take until it answers on the pair that was put back.
const PATIENCE: Duration = Duration::from_secs(300);

/// What can be said of the pair that served before.
#[derive(Debug)]
pub enum WayBack {
    /// There was none.
    None,
    /// It is kept.
    Kept,
    /// It serves again.
    Gone,
    /// It was to serve again, and does not.
    Failed(Box<ActionError>),
}

/// The error of an action, with the way back where the copy serves already: by `--auto-rollback` it is gone at once.
pub(super) async fn with_way_back(scene: &Scene, error: ActionError) -> ActionError {
    let handover = &scene.handover;
    if !handover.is_live() || error.is_cancelled() || matches!(error, ActionError::Torn { .. }) {
        return error;
    }
    let Ok(stack) = scene.stack() else { return error };
    let way_back = if !handover.has_previous() {
        WayBack::None
    } else if handover.take_auto_rollback() {
        scene
            .report
            .warn(format!("{error}; putting the pair back that served before"));
        match put_back(scene).await {
            Ok(()) => WayBack::Gone,
            Err(second) => WayBack::Failed(Box::new(second)),
        }
    } else {
        WayBack::Kept
    };
    ActionError::AfterSwap {
        error: Box::new(error),
        stack: stack.name.clone(),
        way_back,
    }
}

async fn put_back(scene: &Scene) -> Result<(), ActionError> {
    rollback::switch_back(scene).await?;
    rollback::start_web(scene).await?;
    Health { timeout: PATIENCE }.carry_out(scene).await
}
