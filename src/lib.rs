//! opw-task: a task runner for Odoo estates.
pub mod error;
pub mod plain_text;
pub mod process;
pub mod run;
pub mod secret;
pub mod ui;
