//! What can keep a command from becoming a plan.

use crate::error::{Diagnostic, ExitCode, Explain, Place};
use crate::render::RenderError;
use crate::stack::StackError;

/// A command that cannot become a plan. Nothing was begun.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// No task has this name.
    #[error("there is no task `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// What there is.
        hint: Option<String>,
    },
    /// Two tasks of one plan declare a parameter differently.
    #[error("`{first}` and `{second}` declare the parameter `{param}` differently")]
    ParamConflict {
        /// The parameter.
        param: String,
        /// One task.
        first: String,
        /// The other.
        second: String,
    },
    /// A command line in the manifest that does not end a quote.
    #[error("this command does not end a quote that it begins")]
    Quotes {
        /// Where.
        place: Box<Place>,
    },
    /// A command line in the manifest that is empty.
    #[error("this command is empty")]
    Empty {
        /// Where.
        place: Box<Place>,
    },
    /// A variable for a command that would put a secret where others read it, or any other bad template.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The stack.
    #[error(transparent)]
    Stack(#[from] StackError),
}

impl Explain for PlanError {
    fn explain(&self) -> Diagnostic {
        let plain = Diagnostic::new(ExitCode::Usage, self.to_string());
        match self {
            Self::Unknown { hint, .. } => match hint {
                Some(hint) => plain.hint(hint),
                None => plain,
            },
            Self::ParamConflict { .. } => plain
                .note("both are in the plan, and the command line has one namespace")
                .hint("rename one of them"),
            Self::Quotes { place } | Self::Empty { place } => plain.at(Some((**place).clone())),
            Self::Render(error) => error.explain(),
            Self::Stack(error) => error.explain(),
        }
    }
}
