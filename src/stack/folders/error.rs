//! Why a stack's folders are not worked in.

use camino::Utf8PathBuf;

use super::Advice;
use crate::error::{Diagnostic, ExitCode, Explain};
use crate::host::HostError;
use crate::shell_words::quote;

/// Folders that are not the stack's, or data that would be left behind.
#[derive(Debug, thiserror::Error)]
pub enum FoldersError {
    /// A folder in which other things live.
    #[error("{variable} of stack `{stack}` cannot be {path}: that {why}")]
    System {
        /// The stack.
        stack: String,
        /// The variable that names the folder.
        variable: &'static str,
        /// The folder.
        path: Utf8PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// A folder with somebody else's files.
    #[error("{path} is not empty, and no stack of opw-task has worked there")]
    Foreign {
        /// The stack.
        stack: String,
        /// The variable that names the folder.
        variable: &'static str,
        /// The folder.
        path: Utf8PathBuf,
        /// What lies in it.
        entries: Vec<String>,
        /// Data of the stack's that lies in there.
        advice: Vec<Advice>,
        /// What was asked for.
        command: String,
    },
    /// Data where it would not be looked for.
    #[error("stack `{stack}` would begin with empty folders beside its data")]
    Elsewhere {
        /// The stack.
        stack: String,
        /// The state root.
        root: Utf8PathBuf,
        /// What lies where.
        advice: Vec<Advice>,
        /// What was asked for.
        command: String,
    },
    /// A folder of addons that is a link out of the checkout.
    #[error("{path} of stack `{stack}` leads out of the checkout, to {real}")]
    LeadsOut {
        /// The stack.
        stack: String,
        /// The folder as it is named.
        path: Utf8PathBuf,
        /// Where it leads.
        real: Utf8PathBuf,
        /// The checkout.
        checkout: Utf8PathBuf,
    },
    /// A folder of addons outside of the checkout.
    #[error("LOCAL_ADDONS_DIRS of stack `{stack}` names `{entry}`, which {why}")]
    Outside {
        /// The stack.
        stack: String,
        /// What is named.
        entry: String,
        /// Why it is not mounted.
        why: &'static str,
        /// Where the variable comes from.
        origin: String,
    },
    /// A host that cannot be asked that way.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl Explain for FoldersError {
    fn explain(&self) -> Diagnostic {
        let refused = Diagnostic::new(ExitCode::Refused, self.to_string());
        match self {
            Self::System { variable, stack, .. } => refused
                .note("a stack's folders are given to Odoo and PostgreSQL; nothing was changed")
                .hint(format!(
                    "give [stacks.{stack}] a folder of its own: {variable} = … or state-root = \"…\""
                )),
            Self::Foreign {
                path,
                variable,
                entries,
                advice,
                command,
                stack,
            } => {
                let lies = match entries.is_empty() {
                    true => Vec::new(),
                    false => vec![format!("there are: {}", entries.join(", "))],
                };
                let told = with_advice(refused.evidence(lies).note("nothing was changed"), stack, advice);
                told.hint(format!("if {path} is not the stack's, give it another one: {variable}"))
                    .hint(format!(
                        "if it is, `opw-task {command} --take-over {}` works there from now on; what lies there stays",
                        quote(path.as_str())
                    ))
            }
            Self::Elsewhere {
                stack,
                root,
                advice,
                command,
            } => with_advice(refused.note("nothing was started or changed"), stack, advice).hint(format!(
                "to begin with empty folders all the same: `opw-task {command} --take-over {}`",
                quote(root.as_str())
            )),
            Self::LeadsOut {
                real, stack, checkout, ..
            } => refused
                .note(format!(
                    "the checkout is {checkout}; what lies outside of it is mounted only where it is named"
                ))
                .hint(format!(
                    "write mounts-outside = [\"{real}\"] into [stacks.{stack}], if that is meant"
                )),
            Self::Outside {
                origin, stack, entry, ..
            } => refused.note(format!("it comes from {origin}")).hint(format!(
                "name folders of the checkout, with commas; one outside of it as an absolute path that \
                     [stacks.{stack}] allows: mounts-outside = [\"{entry}\"]"
            )),
            Self::Host(error) => error.explain(),
        }
    }
}

/// Tells what lies where, and the lines that take it over.
fn with_advice(mut told: Diagnostic, stack: &str, advice: &[Advice]) -> Diagnostic {
    for one in advice {
        told = told.evidence([one.what.clone()]);
        if let Some((variable, path)) = &one.set {
            told = told.hint(format!(
                "to use it where it lies: vars = {{ {variable} = \"{path}\" }} in [stacks.{stack}]"
            ));
        }
        told = told.hint(format!(
            "to move it, with the stack stopped: {}",
            one.lines.join(" && ")
        ));
    }
    told
}
