//! What can keep a command from becoming a plan.

use crate::action::Handed;
use crate::error::{Diagnostic, ExitCode, Explain, Place};
use crate::stack::StackError;
use crate::template::RenderError;

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
    /// A task that is done only where another needs it.
    #[error("`{name}` is a private task: it is done only as a part of others")]
    Private {
        /// The name.
        name: String,
        /// The tasks that may be asked for and pull it in.
        pulled_by: Vec<String>,
    },
    /// Two tasks of one plan both take the rest of the line.
    #[error("`{first}` and `{second}` both take the rest of the line")]
    TwoRests {
        /// One task.
        first: String,
        /// The other.
        second: String,
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
    /// An action that takes what no action before it gives.
    #[error("task `{task}` needs {}, and no task before it makes it", what.name())]
    NotGiven {
        /// The task.
        task: String,
        /// What is missing.
        what: Handed,
        /// Where its action stands.
        place: Option<Box<Place>>,
    },
    /// A secret among the arguments of a command.
    #[error("a secret would stand among the arguments of this command")]
    SecretArgument {
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
            Self::Private { pulled_by, .. } if pulled_by.is_empty() => plain.hint("no task needs it"),
            Self::Private { pulled_by, .. } => {
                let tasks: Vec<_> = pulled_by.iter().map(|task| format!("`{task}`")).collect();
                plain
                    .hint(format!("ask for a task that it belongs to: {}", tasks.join(", ")))
                    .hint("or look at what it does, with --dry-run")
            }
            Self::TwoRests { .. } => plain
                .note("both are in the plan, and there is one line")
                .hint("let one of them take options instead"),
            Self::ParamConflict { .. } => plain
                .note("both are in the plan, and the command line has one namespace")
                .hint("rename one of them"),
            Self::Quotes { place } | Self::Empty { place } => plain.at(Some((**place).clone())),
            Self::NotGiven { what, place, .. } => plain.at(place.as_deref().cloned()).hint(format!(
                "a task that runs `{}` must come before it, by `needs` or `after`",
                what.giver()
            )),
            Self::SecretArgument { place } => plain
                .at(Some((**place).clone()))
                .note("every user of the machine can read the arguments of a program")
                .hint("hand it to the command in its environment: env = { NAME = \"{{ env.NAME }}\" }"),
            Self::Render(error) => error.explain(),
            Self::Stack(error) => error.explain(),
        }
    }
}
