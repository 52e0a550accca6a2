//! What a task does: an [`Action`], one type and one file each, found through [`KINDS`].
//!
//! An action says what it will do ([`Action::steps`], for `--dry-run`) and does it ([`Action::carry_out`]), from the
//! same commands. It never parses the manifest and never draws.

mod activate;
mod after_swap;
mod anonymous_volumes;
mod audit;
mod clear;
mod command_line;
mod compose;
mod copy_database;
mod copy_filestore;
mod database;
mod downtime;
mod error;
mod filestore_copy;
mod filestore_proof;
mod filestore_records;
mod first_start;
mod half_done;
mod handed;
mod handover;
mod health;
mod image;
mod in_the_way;
mod incoming_filestore;
mod kind;
mod logs;
mod module_files;
mod modules;
mod pg_restore;
mod preview;
mod render;
mod reserve;
mod role_note;
mod rollback;
mod room;
mod same_project;
mod sanitise;
mod scene;
mod state_root;
mod status;
mod step;
mod there;
mod unnamed_files;
mod verify;
mod web;
mod web_note;

pub use after_swap::WayBack;
pub use error::ActionError;
pub use filestore_proof::FilesMissing;
pub use half_done::{finish_half_done, is_half_done};
pub use handed::Handed;
pub use handover::Handover;
pub use image::ImageUnfit;
pub use in_the_way::{InTheWay, WouldOverwrite};
pub use kind::{Given, GivenOption, KINDS, Kind, grammar, kind};
pub use render::Differs;
pub use room::{Need, Shortage, is_short};
pub use same_project::OtherProject;
pub use scene::{Outline, Report, Scene};
pub use step::Step;

use std::fmt::Debug;

use async_trait::async_trait;

use crate::process::Env;
use crate::stack::{Change, Stack};

/// What a task does.
#[async_trait]
pub trait Action: Debug + Send + Sync {
    /// Returns what it will do, for a person to read.
    ///
    /// # Errors
    /// What it cannot know without a variable that is missing.
    fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError>;

    /// Does it.
    ///
    /// # Errors
    /// Whatever kept it from being done; what it leaves behind then stands at the top of its file.
    async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError>;

    /// Returns what it changes of the stack. That decides which guards are asked, and whether the stack is locked.
    fn change(&self) -> Change {
        Change::Nothing
    }

    /// Returns whether what it prints is an answer.
    fn voice(&self) -> Voice {
        Voice::Silent
    }

    /// Returns the variables that its task gives its command.
    fn environment(&self) -> &[(String, Env)] {
        &[]
    }

    /// Returns whether it runs `docker`. What a project's own programs do is theirs.
    fn uses_docker(&self) -> bool {
        true
    }

    /// Returns whether it reads compose files, which fail where a variable that they need is missing.
    fn requires_variables(&self) -> bool {
        self.uses_docker()
    }

    /// Returns whether it starts containers, or makes the folders that they work in.
    fn starts(&self) -> bool {
        false
    }

    /// Returns whether it may act on a stack whose containers somebody else runs.
    fn is_for_any_deployment(&self) -> bool {
        false
    }

    /// Returns what it needs from an action that comes before it in the same run.
    fn takes(&self) -> &'static [Handed] {
        &[]
    }

    /// Returns what it leaves for actions that come after it in the same run.
    fn gives(&self) -> &'static [Handed] {
        &[]
    }
}

/// Whether what an action or its child prints is an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// It is not.
    Silent,
    /// It is an answer to whoever asks for its task by name.
    Speaks,
    /// It does nothing but answer: what it prints is shown wherever it stands in a plan.
    Answers,
}

/// Refuses what would fail for want of a variable, before anything is begun: half a plan would have been carried out
/// when compose finds it missing.
///
/// # Errors
/// [`StackError::Missing`](crate::stack::StackError::Missing) in its layer.
pub fn require_variables(action: &dyn Action, stack: Option<&Stack>) -> Result<(), ActionError> {
    match stack {
        Some(stack) if action.requires_variables() => Ok(stack.require_variables()?),
        _ => Ok(()),
    }
}

/// Carries an action out. A failure once the copy serves tells the way back, or goes it.
///
/// # Errors
/// Those of the action.
pub async fn carry_out(action: &dyn Action, scene: &Scene) -> Result<(), ActionError> {
    match action.carry_out(scene).await {
        Err(error) => Err(after_swap::with_way_back(scene, error).await),
        done => done,
    }
}
