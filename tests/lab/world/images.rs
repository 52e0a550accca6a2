//! The images that stacks of tests are made of: the lab's, or those that the environment names, real ones for instance.

use std::env;

/// Odoo's image of a version. `OPW_TASK_LAB_ODOO_BASE_IMAGE` names it without its tag.
pub fn odoo_image(version: &str) -> String {
    format!("{}:{version}", odoo_base_image())
}

/// The name of Odoo's image, without a tag.
pub fn odoo_base_image() -> String {
    env::var("OPW_TASK_LAB_ODOO_BASE_IMAGE").unwrap_or_else(|_| "opw-task-lab/odoo".into())
}

/// PostgreSQL's image. `OPW_TASK_LAB_POSTGRES_IMAGE` names it.
pub fn postgres_image() -> String {
    env::var("OPW_TASK_LAB_POSTGRES_IMAGE").unwrap_or_else(|_| "opw-task-lab/postgres:17".into())
}
