//! What a task does: one of a small closed set, one type and one file each.
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
mod handover;
mod health;
mod in_the_way;
mod incoming_filestore;
mod logs;
mod module_files;
mod modules;
mod preview;
mod render;
mod reserve;
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

pub use activate::Activate;
pub use after_swap::WayBack;
pub use audit::Audit;
pub use clear::Clear;
pub use command_line::CommandLine;
pub use compose::Compose;
pub use copy_database::CopyDatabase;
pub use copy_filestore::CopyFilestore;
pub use database::Database;
pub use error::ActionError;
pub use filestore_proof::FilesMissing;
pub use handover::Handover;
pub use health::Health;
pub use in_the_way::{InTheWay, WouldOverwrite};
pub use modules::Modules;
pub use preview::Preview;
pub use render::Render;
pub use rollback::Rollback;
pub use room::{Need, Shortage, is_short};
pub use same_project::OtherProject;
pub use sanitise::Sanitise;
pub use scene::{Outline, Report, Scene};
pub use state_root::StateRoot;
pub use status::Status;
pub use step::Step;
pub use verify::Verify;
pub use web_note::{bring_web_back, web_was_left_down};

use crate::stack::{Change, Stack};

/// What a task does.
#[derive(Debug, Clone)]
pub enum Action {
    /// Runs a program of the project's own.
    Command(CommandLine),
    /// Runs `docker compose` on the stack.
    Compose(Compose),
    /// Renders the stack's files.
    Render(Render),
    /// Makes the stack's folders.
    StateRoot(StateRoot),
    /// Starts the database and makes it ready for a restore.
    Database(Database),
    /// Streams the upstream's database into the incoming database.
    CopyDatabase(CopyDatabase),
    /// Copies the upstream's filestore beside the live one.
    CopyFilestore(CopyFilestore),
    /// Sanitises the incoming database.
    Sanitise(Sanitise),
    /// Updates modules in the incoming database.
    Modules(Modules),
    /// Sanitises again and proves it.
    Verify(Verify),
    /// Puts the incoming pair in the live one's place.
    Activate(Activate),
    /// Puts the previous pair back.
    Rollback(Rollback),
    /// Removes what ended runs left behind.
    Clear(Clear),
    /// Says whether the live database is sanitised.
    Audit(Audit),
    /// Shows the stack's databases.
    Status(Status),
    /// Prints what sanitising would run.
    Preview(Preview),
    /// Waits until Odoo answers.
    Health(Health),
}

impl Action {
    /// What it will do, for a person to read.
    ///
    /// # Errors
    /// What it cannot know without a variable that is missing.
    pub fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        match self {
            Self::Command(action) => Ok(action.steps()),
            Self::Compose(action) => action.steps(outline),
            Self::Render(action) => action.steps(outline),
            Self::StateRoot(action) => action.steps(outline),
            Self::Database(action) => action.steps(outline),
            Self::CopyDatabase(action) => action.steps(outline),
            Self::CopyFilestore(action) => action.steps(outline),
            Self::Sanitise(action) => action.steps(outline),
            Self::Modules(action) => action.steps(outline),
            Self::Verify(action) => action.steps(outline),
            Self::Activate(action) => action.steps(outline),
            Self::Rollback(action) => action.steps(outline),
            Self::Clear(action) => action.steps(outline),
            Self::Audit(action) => action.steps(outline),
            Self::Status(action) => action.steps(outline),
            Self::Preview(action) => action.steps(outline),
            Self::Health(action) => action.steps(outline),
        }
    }

    /// Refuses what would fail for want of a variable, before anything is begun: half a plan would have been carried out
    /// when compose finds it missing.
    ///
    /// # Errors
    /// [`StackError::Missing`](crate::stack::StackError::Missing) in its layer.
    pub fn require(&self, stack: Option<&Stack>) -> Result<(), ActionError> {
        let composes = match self {
            Self::Compose(action) => action.needs_files(),
            _ => self.uses_docker(),
        };
        match stack {
            Some(stack) if composes => Ok(stack.require_variables()?),
            _ => Ok(()),
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// Whatever kept it from being done; what it leaves behind then stands at the top of its file.
    pub async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        match self.act(scene).await {
            Err(error) => Err(after_swap::with_way_back(scene, error).await),
            done => done,
        }
    }

    async fn act(&self, scene: &Scene) -> Result<(), ActionError> {
        match self {
            Self::Command(action) => action.carry_out(scene).await,
            Self::Compose(action) => action.carry_out(scene).await,
            Self::Render(action) => action.carry_out(scene).await,
            Self::StateRoot(action) => action.carry_out(scene).await,
            Self::Database(action) => action.carry_out(scene).await,
            Self::CopyDatabase(action) => action.carry_out(scene).await,
            Self::CopyFilestore(action) => action.carry_out(scene).await,
            Self::Sanitise(action) => action.carry_out(scene).await,
            Self::Modules(action) => action.carry_out(scene).await,
            Self::Verify(action) => action.carry_out(scene).await,
            Self::Activate(action) => action.carry_out(scene).await,
            Self::Rollback(action) => action.carry_out(scene).await,
            Self::Clear(action) => action.carry_out(scene).await,
            Self::Audit(action) => action.carry_out(scene).await,
            Self::Status(action) => action.carry_out(scene).await,
            Self::Preview(action) => action.carry_out(scene).await,
            Self::Health(action) => action.carry_out(scene).await,
        }
    }

    /// Whether it runs `docker`. What a project's own programs do is theirs.
    #[must_use]
    pub fn uses_docker(&self) -> bool {
        !matches!(self, Self::Command(_) | Self::Render(_) | Self::StateRoot(_))
    }

    /// What it changes of the stack.
    #[must_use]
    pub fn change(&self) -> Change {
        match self {
            Self::Command(_) | Self::Audit(_) | Self::Status(_) | Self::Preview(_) | Self::Health(_) => Change::Nothing,
            Self::Compose(action) => action.change(),
            Self::Render(_) | Self::StateRoot(_) | Self::Database(_) => Change::Containers,
            Self::CopyDatabase(_)
            | Self::CopyFilestore(_)
            | Self::Sanitise(_)
            | Self::Modules(_)
            | Self::Verify(_)
            | Self::Activate(_)
            | Self::Rollback(_)
            | Self::Clear(_) => Change::Data,
        }
    }

    /// Whether it starts containers, or makes the folders that they work in.
    #[must_use]
    pub fn starts(&self) -> bool {
        match self {
            Self::StateRoot(_) | Self::Database(_) => true,
            Self::Compose(action) => action.starts(),
            _ => false,
        }
    }

    /// Whether what it or its child prints is an answer to whoever asked for it by name.
    #[must_use]
    pub fn speaks(&self) -> bool {
        matches!(self, Self::Command(_) | Self::Compose(_)) || self.answers()
    }

    /// Whether it does nothing but answer: what it prints is shown wherever it stands in a plan.
    #[must_use]
    pub fn answers(&self) -> bool {
        matches!(self, Self::Audit(_) | Self::Status(_) | Self::Preview(_))
    }
}
