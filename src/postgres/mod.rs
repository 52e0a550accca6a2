//! PostgreSQL: the databases that a restore makes, guards, swaps and cleans up.
//!
//! A restore goes through this room so: [`RestoreLock::take`], [`scan`] and [`clean`] what earlier runs left,
//! [`RestoreRole::begin`], [`Incoming::create`], fill it, [`Incoming::reassign`], have it verified, [`activate`],
//! [`RestoreRole::end`]. Until the swap the live database serves on, and nobody but the restore role can open the new one:
//! [`role`] and [`Incoming`] say how, the seal in `seal.rs` how that holds for superusers.

mod contents;
mod disk_use;
pub mod door;
pub mod error;
mod evidence;
mod exchange;
pub mod extension;
pub mod facts;
mod first_start;
pub mod identifier;
pub mod incoming;
mod inheritance;
mod last_words;
// Two attributes, because clippy knows tests by the plain `cfg(test)`.
#[cfg(test)]
#[cfg(feature = "lab")]
mod lab;
pub mod locale;
pub mod lock;
pub mod marker;
pub mod names;
pub mod observer;
pub mod odoo;
mod ownership;
pub mod recover;
mod replication;
pub mod role;
mod seal;
pub mod server;
pub mod session;
mod settings;
pub mod standing;
pub mod status;
pub mod swap;
pub mod swap_script;

pub use contents::Contents;
pub use disk_use::{DiskUse, sizes};
pub use door::Door;
pub use error::PostgresError;
pub(crate) use evidence::evidence_beside_rows;
pub use exchange::Cost;
pub use extension::Extension;
pub use facts::DatabaseFacts;
pub use first_start::{BEGINNING, Beginning, administrators_password};
pub(crate) use identifier::Literal;
pub use identifier::{BadName, Identifier};
pub use incoming::{Incoming, IncomingSpec};
pub use locale::Locale;
pub use lock::RestoreLock;
pub use marker::{Comment, Marker, State, Treatment};
pub use names::{Names, is_reserved};
pub use observer::Observer;
pub use odoo::{
    AttachedFile, Attachments, STORED_ELSEWHERE, analyze, attachments, installed_modules, modules_not_installed,
    modules_that_are, put_back_to_installed,
};
pub use recover::{Leftover, clean, close, scan};
pub use replication::staying_behind;
pub use role::{NEUTRALISE, RESTORE, RestoreRole};
pub use server::Server;
pub use session::Session;
pub use standing::Standing;
pub use status::{Status, status};
pub use swap::{Activated, Verified, activate, can_roll_back, drop_previous, rollback, undo};
pub use swap_script::{activation_script, rollback_script};
