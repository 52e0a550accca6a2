//! What the tests against the lab share: a project of its own for each test, its stack, and eyes on the world.
//!
//! Nothing here believes opw-task. It drives the built binary and then asks Docker, PostgreSQL, the file system, `/proc`
//! and HTTP.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test file uses its part of this, and a test may fail loudly"
)]

mod closed;
mod estate;
mod run;
mod upstream;
mod watch;
mod world;

pub use estate::{Estate, Plan};
pub use run::{Run, Running};
pub use upstream::Upstream;
pub use watch::{Seen, Watch};
pub use world::{command_lines, docker, eventually, processes_with, signal, started_by, words_in_files};
