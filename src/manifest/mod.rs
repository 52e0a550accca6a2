//! `tasks.toml`: found, read with its includes, merged, and checked for names that nothing bears.
//!
//! What comes out is typed but unresolved: strings are still templates. Every value keeps its place, so that whoever
//! resolves it later can still point at it.

mod check;
mod error;
mod find;
mod load;
mod model;
mod suggest;

use camino::Utf8PathBuf;
use indexmap::IndexMap;

pub use check::{is_name, path_of_cycle};
pub use error::ManifestError;
pub use find::{FILE_NAME, find};
pub use load::load;
pub use model::{
    Deploy, HealthDef, HostDef, ParamDef, PortsDef, ProjectDef, ReportDef, RunDef, StackDef, TaskDef, Text, UpstreamDef,
};
pub use suggest::hint;

use crate::error::{Place, Source};

/// A definition and the file that it stands in.
#[derive(Debug, Clone)]
pub struct Sourced<T> {
    /// The file.
    pub source: Source,
    /// The definition.
    pub def: T,
}

impl<T> Sourced<T> {
    /// The place of one of the definition's strings.
    #[must_use]
    pub fn place(&self, text: &Text) -> Place {
        place(&self.source, text)
    }
}

/// The place of a string in a source.
#[must_use]
pub fn place(source: &Source, text: &Text) -> Place {
    Place {
        source: source.clone(),
        span: text.span(),
        label: String::new(),
    }
}

/// A whole manifest: the file that was asked for over all that it includes.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The file that was asked for.
    pub path: Utf8PathBuf,
    /// The folder of the file that holds `[project]`; relative paths begin there.
    pub root: Utf8PathBuf,
    /// `[project]`
    pub project: Sourced<ProjectDef>,
    /// `[upstreams.*]` in the order written.
    pub upstreams: IndexMap<String, Sourced<UpstreamDef>>,
    /// `[hosts.*]` in the order written.
    pub hosts: IndexMap<String, Sourced<HostDef>>,
    /// `[stacks.defaults]` of every file, the one that wins first.
    pub stack_defaults: Vec<Sourced<StackDef>>,
    /// `[stacks.*]` in the order written.
    pub stacks: IndexMap<String, Sourced<StackDef>>,
    /// `[tasks.*]` in the order written.
    pub tasks: IndexMap<String, Sourced<TaskDef>>,
    /// `[sanitise]`
    pub sanitise: Option<Sourced<toml::Spanned<toml::Table>>>,
}
