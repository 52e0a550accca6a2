//! opw-task: a task runner for Odoo estates.
pub mod error;
pub mod postgres;
pub mod process;
pub mod run;
pub mod secret;
