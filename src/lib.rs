//! opw-task: a task runner for Odoo estates.
pub mod error;
pub mod manifest;
pub mod process;
pub mod run;
pub mod secret;
