//! `opw-task upstream STACK`: what a restore may send to production, line by line.

use crate::stack::{Stack, StackError};
use crate::ui::Ui;

/// Lists the lines. An upstream's forced command compares what it is sent with them.
pub(super) fn upstream(stack: &Stack, ui: &mut Ui) -> Result<(), StackError> {
    for line in stack.upstream()?.lines() {
        if ui.is_json() {
            ui.json(&serde_json::json!({ "line": line }));
        } else {
            ui.data(&format!("{line}\n"));
        }
    }
    Ok(())
}
