//! The project, whose `tasks.toml` says what stacks there are.

use camino::Utf8PathBuf;

/// What is known of the project wherever an action runs.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Its root folder.
    pub root: Utf8PathBuf,
    /// The folder of its own templates; need not exist.
    pub templates: Utf8PathBuf,
}
