//! minijinja: the strings of the manifest, and the templates of the files that a stack needs.
//!
//! Built-in templates are those of the repository's `templates/` folder, embedded in the binary; a project's own win.

mod bounds;
mod error;
mod files;
mod filters;
mod mark;
mod mounts;
mod secrets;
mod strings;

pub use error::RenderError;
pub use files::{File, render};
pub use mark::{Author, without_mark};
pub use mounts::moved;
pub(crate) use secrets::context_in_clear;
pub use secrets::context_of_variables;
pub use strings::{Strings, only_expression};
