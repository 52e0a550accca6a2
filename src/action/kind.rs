//! Which actions there are. Each stands in its own file; a line in [`KINDS`] makes it known to the manifest, the plan and
//! the reference page.

use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::{
    Action, activate, audit, clear, command_line, compose, copy_database, copy_filestore, database, health, modules,
    preview, render, rollback, sanitise, state_root, status, verify,
};
use crate::manifest::{ActionGrammar, Builtin, Grammar};
use crate::process::Env;

/// One action: what a manifest may say of it, and how it is made of that.
pub struct Kind {
    /// What a manifest may say.
    pub grammar: ActionGrammar,
    /// Makes the action of what was said.
    pub make: fn(Given) -> Arc<dyn Action>,
}

/// Every action, in the order of the reference page.
pub static KINDS: [&Kind; 18] = [
    &command_line::COMMAND,
    &command_line::SHELL,
    &compose::KIND,
    &render::KIND,
    &state_root::KIND,
    &health::KIND,
    &database::KIND,
    &copy_database::KIND,
    &copy_filestore::KIND,
    &sanitise::KIND,
    &modules::KIND,
    &verify::KIND,
    &activate::KIND,
    &rollback::KIND,
    &clear::KIND,
    &audit::KIND,
    &status::KIND,
    &preview::KIND,
];

/// The manifests that opw-task brings.
static BUILTINS: [Builtin; 1] = [Builtin {
    name: "odoo",
    text: include_str!("../../templates/tasks/odoo.toml"),
}];

/// Returns what a manifest may say: every action, and the manifests to include.
#[must_use]
pub fn grammar() -> Grammar {
    Grammar {
        actions: KINDS.iter().map(|kind| &kind.grammar).collect(),
        builtins: &BUILTINS,
    }
}

/// Returns the action of a key.
#[must_use]
pub fn kind(key: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.grammar.key == key)
}

/// What a task says of its action, every string rendered.
#[derive(Debug, Default)]
pub struct Given {
    /// The words of a command line or of a list; of a script, those that run it.
    pub words: Vec<String>,
    /// The task's `env`.
    pub env: Vec<(String, Env)>,
    /// The project's root, where its own programs run.
    pub folder: Utf8PathBuf,
    /// The options that are there, or have a default.
    pub options: Vec<(&'static str, GivenOption)>,
}

/// The value of an option.
#[derive(Debug)]
pub enum GivenOption {
    /// A string.
    Text(String),
    /// Whether a condition holds.
    Condition(bool),
    /// A duration.
    Duration(Duration),
}

impl Given {
    fn option(&self, key: &str) -> Option<&GivenOption> {
        self.options
            .iter()
            .find(|(known, _)| *known == key)
            .map(|(_, value)| value)
    }

    /// Returns the text that an option gives.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.option(key) {
            Some(GivenOption::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns the path that an option gives; an empty one is none.
    #[must_use]
    pub fn path(&self, key: &str) -> Option<Utf8PathBuf> {
        self.text(key).filter(|text| !text.is_empty()).map(Utf8PathBuf::from)
    }

    /// Returns whether an option is given and holds.
    #[must_use]
    pub fn holds(&self, key: &str) -> bool {
        matches!(self.option(key), Some(GivenOption::Condition(true)))
    }

    /// Returns the duration that an option gives.
    #[must_use]
    pub fn duration(&self, key: &str) -> Duration {
        match self.option(key) {
            Some(GivenOption::Duration(duration)) => *duration,
            _ => Duration::ZERO,
        }
    }
}
