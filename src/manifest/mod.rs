//! `tasks.toml`: found, read with its includes, merged, and checked for unknown names.
//!
//! What comes out is typed but unresolved: strings are still templates. Every value keeps its place, so that whoever
//! resolves it later can still point at it.

mod check;
mod error;
mod find;
mod include;
mod load;
mod model;
mod run;
mod sources;
mod templates;

use std::ops::Range;

use camino::Utf8PathBuf;
use indexmap::IndexMap;
use toml::Spanned;

pub use check::{CHOOSES_DOCKER, OPTIONS, is_name, is_variable_name};
pub use error::ManifestError;
pub use find::{FILE_NAME, find};
pub use load::load;
pub use model::{Deploy, HostDef, ParamDef, PortsDef, ProjectDef, StackDef, TaskDef, Text, UpstreamDef};
pub use run::{ActionGrammar, ArgumentDef, ArgumentGrammar, OptionDef, OptionGrammar, OptionKind, RunDef};
pub use sources::Sources;

use crate::error::Place;

/// What manifests may say of actions, and the manifests that opw-task brings.
pub struct Grammar {
    /// The actions that a task may run.
    pub actions: Vec<&'static ActionGrammar>,
    /// What `include = ["builtin:NAME"]` brings.
    pub builtins: &'static [Builtin],
}

/// A manifest that opw-task brings.
pub struct Builtin {
    /// Its name behind `builtin:`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// A definition and the files that it stands in.
#[derive(Debug, Clone)]
pub struct Sourced<T> {
    /// The files of the manifest.
    sources: Sources,
    /// Where its name stands.
    heading: Range<usize>,
    /// The definition.
    pub def: T,
}

impl<T> Sourced<T> {
    /// The place of one of the definition's values.
    #[must_use]
    pub fn place<V>(&self, value: &Spanned<V>) -> Place {
        self.sources.place(value.span())
    }

    /// The place of the definition's own name.
    #[must_use]
    pub fn heading(&self) -> Place {
        self.sources.place(self.heading.clone())
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
    /// `[sanitise]` of every file, the one that wins last.
    pub sanitise: Vec<Sourced<Spanned<toml::Table>>>,
}
