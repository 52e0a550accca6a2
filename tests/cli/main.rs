//! Tests of the built program that need no Docker.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly, and each of them uses its part of what they share"
)]

#[path = "../project/mod.rs"]
mod project;

mod env;
mod folders;
mod guards;
mod host;
mod include;
mod manifest;
mod module_order;
mod names;
mod output;
mod overwrite;
mod package;
mod plan;
mod policy;
mod process;
mod readme;
mod render;
mod render_check;
mod run;
mod secrets;
mod sentinel;
mod swap_script;
mod templates;
