//! opw-task: a task runner for Odoo estates.
pub mod error;
pub mod host;
pub mod process;
pub mod run;
pub mod secret;
pub mod upstream;
