//! Two stacks must never end in one compose project, nor in one state root, by accident.
//!
//! It happens when a file that several stacks read names one (`ODOO_PROJECT_NAME` in `.env`): a stack without a name of
//! its own takes that one, and `up` of it would replace the containers of another.

use super::{Origin, Stack, StackError, resolve};
use crate::manifest::{Deploy, Manifest};

impl Stack {
    /// Refuses a stack that would work in another stack's compose project or state root. Of two, the one that names it
    /// for itself has it.
    ///
    /// # Errors
    /// [`StackError::Shared`].
    pub fn guard_neighbours(
        &self,
        manifest: &Manifest,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), StackError> {
        for name in manifest.stacks.keys().filter(|name| **name != self.name) {
            // What is wrong with another stack is told when that one is meant.
            let Ok(other) = resolve(manifest, name, &[], environment) else {
                continue;
            };
            if other.deploy == Deploy::Coolify || self.deploy == Deploy::Coolify || other.host != self.host {
                continue;
            }
            for (variable, key, same, value) in [
                (
                    "ODOO_PROJECT_NAME",
                    "project",
                    self.project == other.project,
                    self.project.as_str(),
                ),
                (
                    "ODOO_STATE_ROOT",
                    "state-root",
                    self.paths.root == other.paths.root,
                    self.paths.root.as_str(),
                ),
            ] {
                let is_ours = self.names_for_itself(variable, &other) && !other.names_for_itself(variable, self);
                if same && !is_ours {
                    return Err(StackError::Shared {
                        stack: self.name.clone(),
                        other: other.name,
                        key,
                        value: value.to_owned(),
                        origin: self
                            .variables
                            .origin(variable)
                            .map(ToString::to_string)
                            .unwrap_or_default(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Whether a variable comes from where `other` does not look.
    fn names_for_itself(&self, variable: &str, other: &Self) -> bool {
        match self.variables.origin(variable) {
            Some(Origin::File(path)) => !other.env_files.iter().any(|(shared, _)| shared == path),
            Some(Origin::Defaults(_) | Origin::Environment) | None => false,
            Some(Origin::BuiltIn | Origin::Manifest(_) | Origin::CommandLine) => true,
        }
    }
}
