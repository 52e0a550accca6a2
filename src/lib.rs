//! opw-task: a task runner for Odoo estates.
pub mod error;
pub mod process;
pub mod run;
pub mod sanitise;
pub mod secret;
