//! What an upstream says of a module that is installed there.

use serde::Deserialize;

/// One row of the answer to [`Question::Modules`](super::Question::Modules).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InstalledModule {
    /// Its name.
    pub name: String,
    /// Who wrote it, as its manifest says; may be missing.
    pub author: Option<String>,
    /// Its page, often the repository that it comes from.
    pub website: Option<String>,
}
