//! What the tests against the lab share: a project of its own for each test, its stack, and eyes on the world.
//!
//! Nothing here believes opw-task. It drives the built binary and then asks Docker, PostgreSQL, the file system, `/proc`
//! and HTTP.

mod closed;
mod estate;
mod images;
pub mod laptop;
mod machine;
mod run;
mod sshd;
mod upstream;
mod watch;

pub use estate::{Estate, Plan, block_on};
pub use images::{odoo_base_image, odoo_image, postgres_image};
pub use machine::{command_lines, docker, eventually, processes_with, signal, started_by, words_in_files};
pub use run::{Run, Running};
pub use sshd::Sshd;
pub use upstream::Upstream;
pub use watch::{Seen, Watch};
