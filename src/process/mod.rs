//! The one door for child processes: what is run, how it is shown, how it is ended.
pub mod command;

pub use command::{Command, Env};
