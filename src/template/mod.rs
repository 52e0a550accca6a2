//! minijinja for the strings of the manifest: strict, bounded in time and size. The files of a stack are rendered by the
//! same rules, in `render`.

pub(crate) mod bounds;
mod error;
pub(crate) mod filters;
mod strings;

pub use error::RenderError;
pub use strings::{Strings, only_expression};

/// How an error begins that is about a secret.
pub(crate) const IS_SECRET: &str = "is a secret";
