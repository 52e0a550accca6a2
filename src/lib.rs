//! opw-task: a task runner for Odoo estates.
//!
//! Data goes one way through these modules. [`cli`] reads the command line and the [`manifest`]; [`stack`] resolves the
//! stack that is meant, [`plan`] the graph of tasks; [`run`] carries the plan out and tells what happens as
//! [`event`]s, which [`ui`] shows and [`run::Journal`] keeps.
//!
//! What is done stands in [`action`], one file an action. Actions reach the world through six modules and no other way:
//! [`render`] makes files from templates, [`host`] and [`upstream`] know machines, [`process`] runs programs,
//! [`postgres`] speaks SQL, [`sanitise`] takes production's secrets out of a copy.
//!
//! [`env_file`] reads the files that a stack's variables come from.
//!
//! [`error`] is what the user sees when something went wrong, [`secret`] a value that cannot be printed.

pub mod action;
pub mod cli;
pub mod env_file;
pub mod error;
pub mod event;
pub mod host;
pub mod manifest;
pub mod measure;
pub mod plain_text;
pub mod plan;
pub mod postgres;
pub mod process;
pub mod render;
pub mod run;
pub mod sanitise;
pub mod secret;
pub mod server_messages;
pub mod shell_words;
pub mod stack;
pub mod suggest;
pub mod template;
pub mod ui;
pub mod upstream;

/// The worked example of CONTRIBUTING.md, which its test compiles.
#[cfg(doctest)]
#[doc = include_str!("../CONTRIBUTING.md")]
struct Contributing;
