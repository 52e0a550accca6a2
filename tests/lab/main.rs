//! Tests of the built program in the lab (docker/lab): real containers, ssh and PostgreSQL.
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
mod world;

mod activate;
mod audit;
mod compose_config;
mod env_files;
mod first_start;
mod host_line;
mod host_lock;
mod image;
mod kept_secrets;
mod logs;
mod planted_links;
mod report;
mod restore;
mod restore_beyond;
mod restore_code;
mod restore_cut_off;
mod restore_fails;
mod restore_files;
mod restore_image;
mod restore_keys;
mod restore_killed;
mod restore_left_open;
mod restore_modules;
mod restore_old_upstream;
mod restore_people;
mod restore_proof;
mod restore_refused;
mod restore_replicated;
mod restore_room;
mod restore_settings;
mod restore_storage;
mod restore_swap;
mod sanitise;
mod sentinel;
mod settings;
mod ssh;
mod ssh_folders;
mod stand_in;
mod up;
mod upstream_lock;
mod volumes;
