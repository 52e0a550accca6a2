//! What can be wrong with a stack.

use camino::Utf8PathBuf;

use super::FoldersError;
use crate::env_file::EnvFileError;
use crate::error::{Diagnostic, ExitCode, Explain, Place};
use crate::host::SshTargetError;
use crate::process::ProcessError;
use crate::suggest::suggestion;
use crate::template::RenderError;
use crate::upstream::UpstreamError;

/// A stack that cannot be resolved, or an act that its guards refuse.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// No stack has this name.
    #[error("there is no stack `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// What there is.
        hint: Option<String>,
    },
    /// An env file that exists and cannot be read.
    #[error("cannot read the env file {path}")]
    ReadEnv {
        /// Which.
        path: Utf8PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A line of an env file that cannot be read. The line itself is not shown: it may hold a secret.
    #[error("{path}:{}: {}", .source.line, .source.wrong)]
    Env {
        /// The file.
        path: Utf8PathBuf,
        /// The line, and what is wrong with it.
        source: EnvFileError,
    },
    /// A variable that must have a value has none.
    #[error("stack `{stack}` has no {name}")]
    Missing {
        /// The stack.
        stack: String,
        /// The variable.
        name: String,
        /// The env files that were looked for.
        files: Vec<String>,
    },
    /// A secret where everybody sees it.
    #[error("{name} of stack `{stack}` holds a secret")]
    Shown {
        /// The stack.
        stack: String,
        /// The variable.
        name: String,
        /// Where the value came from.
        origin: String,
    },
    /// A variable whose value cannot be.
    #[error("{name} of stack `{stack}` cannot be `{value}`: {why}")]
    Invalid {
        /// The stack.
        stack: String,
        /// The variable.
        name: String,
        /// Its value; never a secret.
        value: String,
        /// Where the value came from.
        origin: String,
        /// Why it cannot be.
        why: String,
    },
    /// An address of a host or an upstream that cannot be one.
    #[error("{source}")]
    Address {
        /// What is wrong with it.
        source: SshTargetError,
        /// Where it is written, if in the manifest.
        place: Option<Box<Place>>,
    },
    /// A name or path of an upstream that cannot be one.
    #[error("{source}")]
    Upstream {
        /// What is wrong with it.
        source: UpstreamError,
        /// The upstream.
        place: Box<Place>,
    },
    /// A policy that cannot be read.
    #[error("[sanitise]: {message}")]
    Policy {
        /// What is wrong.
        message: String,
        /// Where.
        place: Option<Box<Place>>,
    },
    /// Two service users with one API key.
    #[error("service users `{}` and `{}` have the same API key", .logins[0], .logins[1])]
    SharedKey {
        /// The users.
        logins: [String; 2],
        /// Where.
        place: Option<Box<Place>>,
    },
    /// A string that cannot be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// An act on a protected stack.
    #[error("stack `{stack}` is protected")]
    Protected {
        /// The stack.
        stack: String,
        /// What was refused.
        act: String,
    },
    /// A stack that runs on the machine of an upstream, its own or another's.
    #[error("stack `{stack}` runs on {host}, which is the upstream `{upstream}`")]
    IsUpstream {
        /// The stack.
        stack: String,
        /// The upstream.
        upstream: String,
        /// The machine that both are.
        host: String,
    },
    /// A stack of this machine whose `docker` would speak to an engine elsewhere.
    #[error("stack `{stack}` is on this machine, but `docker` would speak to {endpoint}")]
    OtherDocker {
        /// The stack.
        stack: String,
        /// The engine's address.
        endpoint: String,
    },
    /// A stack with a variable that chooses an engine.
    #[error("stack `{stack}` has a variable {name}, which chooses another Docker")]
    ChoosesDocker {
        /// The stack.
        stack: String,
        /// The variable.
        name: &'static str,
        /// Where it came from.
        origin: String,
    },
    /// A stack whose Odoo would work on a database that is not its own.
    #[error("{name} of stack `{stack}` {why}")]
    OtherDatabase {
        /// The stack.
        stack: String,
        /// The variable.
        name: &'static str,
        /// What it should not be.
        why: String,
        /// Where it came from.
        origin: String,
    },
    /// Folders that are not the stack's, or data that would be left behind.
    #[error(transparent)]
    Folders(#[from] Box<FoldersError>),
    /// ssh's or Docker's configuration could not be asked.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A stack that would work where another one does.
    #[error("stacks `{stack}` and `{other}` have the same {key}: {value}")]
    Shared {
        /// The stack.
        stack: String,
        /// The other stack.
        other: String,
        /// What they share, as the manifest calls it.
        key: &'static str,
        /// Its value.
        value: String,
        /// Where the stack has it from.
        origin: String,
    },
    /// An act that needs an upstream, on a stack without one.
    #[error("stack `{stack}` has no upstream")]
    NoUpstream {
        /// The stack.
        stack: String,
    },
    /// An act that does not fit who runs the stack.
    #[error("stack `{stack}` {why}")]
    Unfit {
        /// The stack.
        stack: String,
        /// Why the act does not fit.
        why: String,
        /// What to do instead.
        hint: String,
    },
}

impl Explain for StackError {
    fn explain(&self) -> Diagnostic {
        let usage = Diagnostic::new(ExitCode::Usage, self.to_string());
        let refused = Diagnostic::new(ExitCode::Refused, self.to_string());
        match self {
            Self::Unknown { hint, .. } => match hint {
                Some(hint) => usage.hint(hint),
                None => usage,
            },
            Self::ReadEnv { source, .. } => usage.note(source.to_string()),
            Self::Env { source, .. } => usage.hint(source.wrong.hint()),
            Self::Missing { name, files, stack } => usage.note(format!("looked in: {}", files.join(", "))).hint(
                format!("write {name}=… into an env file of the stack; `opw-task env {stack}` shows what is set"),
            ),
            Self::Shown { origin, name, .. } => usage
                .note(format!(
                    "it comes from {origin}, and would stand in paths, names or addresses that others read"
                ))
                .hint(format!(
                    "take the secret out of it; if it is none, name {name}, or what it is composed of, in [project] not-secrets"
                )),
            Self::Invalid { origin, .. } => usage.note(format!("it comes from {origin}")),
            Self::Address { source, place } => source.explain().at(place.as_deref().cloned()),
            Self::Upstream { source, place } => source.explain().at(Some((**place).clone())),
            Self::Render(error) => error.explain(),
            Self::Folders(error) => error.explain(),
            Self::Process(error) => error.explain(),
            Self::Policy { place, message } => {
                let usage = usage.at(place.as_deref().cloned());
                match suggestion(message) {
                    Some(hint) => usage.hint(hint),
                    None => usage,
                }
            }
            Self::SharedKey { place, .. } => usage
                .at(place.as_deref().cloned())
                .note("Odoo finds the user by the key, and would find one of them only")
                .hint("give each a variable of its own"),
            Self::Protected { act, .. } => refused
                .note(format!("{act} would change its data"))
                .hint("take `protected = true` out of tasks.toml if that is really meant"),
            Self::IsUpstream { .. } => refused
                .note("an upstream is only ever read")
                .hint("give the stack another host"),
            Self::OtherDocker { .. } => refused
                .note("DOCKER_HOST, DOCKER_CONTEXT or the current context says so")
                .hint("unset them and `docker context use default`; a stack elsewhere has a host of [hosts]"),
            Self::ChoosesDocker { origin, .. } => refused
                .note(format!("it comes from {origin}"))
                .hint("take it out there; a stack elsewhere has a host of [hosts]"),
            Self::OtherDatabase { origin, name, .. } => refused
                .note(format!("it comes from {origin}"))
                .hint(format!("take {name} out there: a stack has a database of its own")),
            Self::Shared {
                stack,
                key,
                origin,
                other,
                ..
            } => usage
                .note(format!(
                    "{origin} says so; what is done to the one would be done to `{other}`"
                ))
                .hint(match key.starts_with("ODOO_") {
                    true => format!("write {key} = \"…\" into the vars of [stacks.{stack}]"),
                    false => format!("write {key} = \"…\" into [stacks.{stack}]"),
                }),
            Self::NoUpstream { stack } => usage.hint(format!("write upstream = \"…\" into [stacks.{stack}]")),
            Self::Unfit { hint, .. } => usage.hint(hint),
        }
    }
}
