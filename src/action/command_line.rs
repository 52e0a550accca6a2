//! Runs a program of the project's own, in the project's root.
//!
//! Killed half-way it leaves whatever that program leaves.

use super::{ActionError, Scene, Step};
use crate::process::Command;

/// A program with its arguments.
#[derive(Debug, Clone)]
pub struct CommandLine {
    /// The program.
    pub command: Command,
}

impl CommandLine {
    pub(super) fn steps(&self) -> Vec<Step> {
        vec![Step::Command(self.command.to_string())]
    }

    pub(super) async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        scene.run(&self.command).await
    }
}
