//! Where the manifest is: the nearest `tasks.toml` on the way up from a folder.

use camino::{Utf8Path, Utf8PathBuf};

/// The manifest's file name.
pub const FILE_NAME: &str = "tasks.toml";

/// The nearest `tasks.toml` in `folder` or above it.
#[must_use]
pub fn find(folder: &Utf8Path) -> Option<Utf8PathBuf> {
    folder
        .ancestors()
        .map(|dir| dir.join(FILE_NAME))
        .find(|path| path.is_file())
}
