//! Two stacks must never end in one compose project, one state root, or one folder of data, by accident.
//!
//! It happens when a file that several stacks read names one (`ODOO_PROJECT_NAME` in `.env`): a stack without a name of
//! its own takes that one, and `up` of it would replace the containers of another.

use super::places::plain;
use super::{Origin, Stack, StackError, resolve};
use crate::host::{Host, same_name};
use crate::manifest::{Deploy, Manifest};

/// What no two stacks of a host may share: its variables, the first that is set says it; and its value, if it is known.
type Own = (&'static [&'static str], fn(&Stack) -> String);

const OWN: [Own; 4] = [
    (&["ODOO_PROJECT_NAME"], |stack| stack.project.clone()),
    (&["ODOO_STATE_ROOT"], |stack| plain(&stack.paths.root).into_string()),
    (&["ODOO_DATA_HOST_DIR", "ODOO_DATA_DIR", "ODOO_STATE_ROOT"], |stack| {
        plain(&stack.paths.data).into_string()
    }),
    (&["ODOO_DB_HOST_DIR", "ODOO_DB_DIR", "ODOO_STATE_ROOT"], |stack| {
        plain(&stack.paths.database).into_string()
    }),
];

impl Stack {
    /// Refuses a stack that would work in another stack's compose project, state root, or folder of data. Of two, the one
    /// that names it for itself has it.
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
            if other.deploy == Deploy::Coolify || self.deploy == Deploy::Coolify || !self.is_beside(&other) {
                continue;
            }
            for (variables, value) in OWN {
                let is_ours = self.names_for_itself(variables, &other) && !other.names_for_itself(variables, self);
                if value(self) == value(&other) && !is_ours {
                    let variable = self.said_by(variables);
                    return Err(StackError::Shared {
                        stack: self.name.clone(),
                        other: other.name.clone(),
                        key: match variable {
                            "ODOO_PROJECT_NAME" => "project",
                            "ODOO_STATE_ROOT" => "state-root",
                            _ => variable,
                        },
                        value: value(self),
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

    /// Whether both are on one host, as whoever one logs in there.
    fn is_beside(&self, other: &Self) -> bool {
        match (&self.host, &other.host) {
            (Host::Local, Host::Local) => true,
            (Host::Ssh(a), Host::Ssh(b)) => same_name(a, b),
            _ => false,
        }
    }

    /// Which of these variables is the first that says something, or the last.
    fn said_by(&self, variables: &[&'static str]) -> &'static str {
        let said = variables.iter().find(|name| self.variables.text(name).is_some());
        said.or(variables.last()).copied().unwrap_or_default()
    }

    /// Whether the first of these variables that says something comes from where `other` does not look.
    fn names_for_itself(&self, variables: &[&'static str], other: &Self) -> bool {
        match self.variables.origin(self.said_by(variables)) {
            Some(Origin::File(path)) => !other.env_files.iter().any(|(shared, _)| shared == path),
            // What is said for one run is no stack's own: the next run of the other is without it.
            Some(Origin::Defaults(_) | Origin::Environment | Origin::CommandLine) | None => false,
            Some(Origin::BuiltIn | Origin::Manifest(_)) => true,
        }
    }
}
