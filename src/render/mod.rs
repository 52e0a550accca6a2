//! The files that a stack needs, rendered from templates.
//!
//! Built-in templates are those of the repository's `templates/` folder, embedded in the binary; a project's own win.

mod files;
mod mark;
mod mounts;
mod reads;

pub use files::{File, render};
pub use mark::{Author, without_mark};
pub use mounts::moved;
