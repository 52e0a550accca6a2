//! A file operation that failed, with its path: the system's own message never names it.

use std::io;

use camino::Utf8PathBuf;
use thiserror::Error;

use crate::error::{Diagnostic, ExitCode, Explain};

/// A file operation on this machine that failed.
#[derive(Debug, Error)]
#[error("could not {doing} `{path}`")]
pub struct PathError {
    /// What was to be done, such as `write`.
    pub doing: &'static str,
    /// To what.
    pub path: Utf8PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl Explain for PathError {
    fn explain(&self) -> Diagnostic {
        let told = Diagnostic::new(ExitCode::Failed, self.to_string()).note(self.source.to_string());
        match self.source.kind() {
            io::ErrorKind::PermissionDenied => {
                told.hint("look at the owner and mode of it and of the folders above it (`namei -l`)")
            }
            io::ErrorKind::StorageFull => told.hint("make room on that disk (`df -h`)"),
            _ => told,
        }
    }
}
