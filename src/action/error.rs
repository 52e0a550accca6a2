//! What can keep an action from being done.

use camino::{Utf8Path, Utf8PathBuf};

use super::room::Shortage;
use super::{Differs, FilesMissing, Handed, ImageUnfit, OtherProject, WayBack, WouldOverwrite};
use crate::error::{Diagnostic, ExitCode, Explain};
use crate::host::{HostError, PathError};
use crate::postgres::{BadName, PostgresError};
use crate::process::ProcessError;
use crate::sanitise::{Refusal, RuleError, SanitiseError, Verdict};
use crate::stack::StackError;
use crate::template::RenderError;
use crate::upstream::UpstreamError;

/// An action that was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// A child failed, or could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A host cannot be reached that way.
    #[error(transparent)]
    Host(#[from] HostError),
    /// An upstream cannot be asked that way.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// A template.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The stack lacks something, or a guard refuses.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The database server.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// A name that PostgreSQL would not take.
    #[error(transparent)]
    Name(#[from] BadName),
    /// Sanitising or verifying.
    #[error(transparent)]
    Sanitise(#[from] SanitiseError),
    /// A program's answer that cannot be read.
    #[error("the answer cannot be read")]
    Answer(#[source] serde_json::Error),
    /// An action without a stack.
    #[error("this action needs a stack")]
    NoStack,
    /// An action whose predecessor is not in the plan.
    #[error("{} was not made ready in this run", .0.name())]
    NotHandedOver(Handed),
    /// A database that is not published.
    #[error("the database of stack `{stack}` is not published on this machine")]
    NotPublished {
        /// The stack.
        stack: String,
    },
    /// The live database is the upstream's.
    #[error("database `{database}` of stack `{stack}` is that of the upstream `{upstream}`")]
    IsProduction {
        /// The stack.
        stack: String,
        /// The upstream.
        upstream: String,
        /// The database.
        database: String,
    },
    /// Files that are not what is rendered.
    #[error(transparent)]
    Differs(Box<Differs>),
    /// An image that does not fit the upstream.
    #[error(transparent)]
    Image(Box<ImageUnfit>),
    /// A file that opw-task did not write, where it would write one.
    #[error(transparent)]
    WouldOverwrite(Box<WouldOverwrite>),
    /// A file or folder.
    #[error("cannot {act} {path}")]
    Path {
        /// What was to be done.
        act: &'static str,
        /// With what.
        path: Utf8PathBuf,
        /// Why it was not.
        source: std::io::Error,
    },
    /// A copy of the filestore that lacks too many files.
    #[error("{0}")]
    FilesMissing(Box<FilesMissing>),
    /// A previous filestore that is not there, or lacks folders that it had when it was put aside.
    #[error("the files of `{database}` are gone: {path}")]
    FilesGone {
        /// The previous database.
        database: String,
        /// Its filestore.
        path: Utf8PathBuf,
        /// How many folders it had and has, where it is there.
        count: Option<(usize, usize)>,
    },
    /// A container that did not become healthy, or ended.
    #[error("{service} of stack `{stack}` is {state}")]
    Unhealthy {
        /// The stack.
        stack: String,
        /// The compose service.
        service: String,
        /// Its container's name, if it has one.
        container: Option<String>,
        /// What Docker says of it.
        state: String,
        /// The last lines of its log.
        log: Vec<String>,
    },
    /// Odoo that does not answer as it should.
    #[error("{url} does not answer as Odoo does: {found}")]
    NoAnswer {
        /// The stack.
        stack: String,
        /// The address.
        url: String,
        /// What came instead.
        found: String,
        /// The last lines of the web's log.
        log: Vec<String>,
    },
    /// Modules that Odoo did not install, though it said that all went well.
    #[error("not installed after the update: {}", listed(modules))]
    NotInstalled {
        /// Their names and states; no state where Odoo does not know them.
        modules: Vec<(String, Option<String>)>,
    },
    /// A rule of the project's own that cannot be read.
    #[error(transparent)]
    Rule(RuleError),
    /// A copy that may not go live.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// A live database that is not sanitised.
    #[error("the database of stack `{stack}` is {verdict}")]
    Audited {
        /// The stack.
        stack: String,
        /// The verdict.
        verdict: Verdict,
    },
    /// A copy that does not fit beside what serves.
    #[error("there is no room for a copy beside what stack `{stack}` serves")]
    NoRoom {
        /// The stack.
        stack: String,
        /// The volumes that have too little.
        volumes: Vec<Shortage>,
    },
    /// A disk that was about to be full in the midst of a copy.
    #[error("the disk of {path} was about to run full or ran full: {} are free", crate::measure::bytes(*free))]
    RoomRanOut {
        /// The stack.
        stack: String,
        /// A folder on that disk.
        path: Utf8PathBuf,
        /// What is free, in bytes.
        free: u64,
    },
    /// Containers of the stack's project that were made from another state root.
    #[error(transparent)]
    OtherProject(Box<OtherProject>),
    /// The connection ended while a command was at work on another machine, or before.
    #[error("the connection to {host} ended while it changed stack `{stack}`")]
    LineLost {
        /// The stack.
        stack: String,
        /// The host.
        host: String,
        /// ssh's end.
        error: Box<ProcessError>,
    },
    /// A swap that was cut off on another machine.
    #[error("a swap of stack `{stack}` was cut off on {host}, and is not finished")]
    SwapOpen {
        /// The stack.
        stack: String,
        /// The host.
        host: String,
        /// The line that finishes it.
        line: String,
    },
    /// A swap that was done by half, and could not be finished or undone.
    #[error("{error}")]
    Torn {
        /// The stack.
        stack: String,
        /// What failed first.
        error: Box<ActionError>,
        /// What kept the filestores from following the database.
        second: Box<ActionError>,
    },
    /// Something that failed when the copy served already.
    #[error("{error}")]
    AfterSwap {
        /// What failed.
        error: Box<ActionError>,
        /// The stack.
        stack: String,
        /// What is with the pair that served before.
        way_back: WayBack,
    },
    /// The program is ending.
    #[error("interrupted")]
    Interrupted,
    /// A fault of opw-task itself.
    #[error("opw-task has a fault of its own: an action ended in the middle")]
    Broken,
}

impl From<PathError> for ActionError {
    fn from(error: PathError) -> Self {
        Self::Host(error.into())
    }
}

impl ActionError {
    /// An error with a path.
    pub(crate) fn path(act: &'static str, path: &Utf8Path, source: std::io::Error) -> Self {
        Self::Path {
            act,
            path: path.to_owned(),
            source,
        }
    }

    /// Whether the action was ended rather than failed.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        match self {
            Self::Process(error)
            | Self::Host(HostError::Process(error))
            | Self::Upstream(UpstreamError::Process(error))
            | Self::Stack(StackError::Process(error)) => error.is_cancelled(),
            Self::Interrupted => true,
            _ => false,
        }
    }
}

fn way_back_of(told: Diagnostic, stack: &str, way_back: &WayBack) -> Diagnostic {
    let rollback = format!("opw-task rollback {stack}");
    match way_back {
        WayBack::None => told.note("the copy serves now; nothing served before it"),
        WayBack::Kept => told
            .note("the copy serves now; the database and the files that served before are kept")
            .hint(format!("`{rollback}` puts them back")),
        WayBack::Gone => told
            .note("the database and the files that served before were put back, and Odoo answers")
            .hint(format!("the copy is kept: `{rollback}` goes to it again")),
        WayBack::Failed(second) => told
            .note(format!(
                "the database and the files that served before could not be put back: {second}"
            ))
            .hint(format!(
                "`opw-task status {stack}` shows which serves; `{rollback}` goes to the other one"
            )),
    }
}

fn listed(modules: &[(String, Option<String>)]) -> String {
    let one = |(name, state): &(String, Option<String>)| match state {
        Some(state) => format!("{name} ({state})"),
        None => format!("{name} (unknown to Odoo)"),
    };
    modules.iter().map(one).collect::<Vec<_>>().join(", ")
}

impl Explain for ActionError {
    fn explain(&self) -> Diagnostic {
        let failed = Diagnostic::new(ExitCode::Failed, self.to_string());
        match self {
            Self::Process(error) => error.explain(),
            Self::Host(error) => error.explain(),
            Self::Upstream(error) => error.explain(),
            Self::Render(error) => error.explain(),
            Self::Stack(error) => error.explain(),
            Self::Postgres(error) => error.explain(),
            Self::Name(_) => Diagnostic::new(ExitCode::Usage, self.to_string()),
            Self::Sanitise(error) => error.explain(),
            Self::Answer(error) => failed.note(error.to_string()),
            Self::NoStack | Self::Interrupted => failed,
            Self::AfterSwap { error, stack, way_back } => way_back_of(error.explain(), stack, way_back),
            Self::Torn { stack, error, second } => error
                .explain()
                .note(format!("the filestores could not follow the database: {second}"))
                .note("the web stays down: it would serve one copy's database with another's files")
                .hint(format!("mend that, then `opw-task up {stack}` finishes the swap and starts the web")),
            Self::Broken => failed.hint("please report it, with the run's journal"),
            Self::NotHandedOver(what) => Diagnostic::new(ExitCode::Usage, self.to_string())
                .hint(format!("a task that runs `{}` must come before, by `needs`", what.giver())),
            Self::NotPublished { stack } => {
                failed
                    .note("opw-task speaks to it over a port of 127.0.0.1")
                    .hint(format!(
                        "give [stacks.{stack}] ports = {{ database = … }} and the overlay `ports`"
                    ))
            }
            Self::IsProduction { database, .. } => Diagnostic::new(ExitCode::Refused, self.to_string())
                .note("both have the same database.uuid: it is production itself, or a copy that was never sanitised")
                .hint(format!(
                    "if it is such a copy, give it an identity of its own first, in psql on `{database}`: \
                     UPDATE ir_config_parameter SET value = gen_random_uuid() WHERE key = 'database.uuid'"
                )),
            Self::Path { source, .. } => failed.note(source.to_string()),
            Self::FilesMissing(found) => {
                let told = Diagnostic::new(ExitCode::Refused, self.to_string()).evidence(found.by_model.clone());
                let told = found.because.iter().cloned().fold(told, Diagnostic::hint);
                told.note(format!("they came from {} of upstream `{}`", found.path, found.upstream))
                    .note(format!("stack `{}` tolerates {}; the copy did not go live", found.stack, found.tolerated))
                    .hint(format!(
                        "if production itself lacks them, tolerate it: missing-files = \"{}\" in [stacks.{}]",
                        found.missing.0, found.stack
                    ))
            }
            Self::FilesGone { database, path, count } => {
                let told = Diagnostic::new(ExitCode::Refused, self.to_string());
                let told = match count {
                    Some((had, has)) => told.note(format!(
                        "it had {had} folders of files when it was put aside, and has {has}; opw-task removed none of them"
                    )),
                    None => told.note("somebody has removed it: opw-task removes it with its database only"),
                };
                let clear = if count.is_some() { format!("rm -r {path} && ") } else { String::new() };
                told.note(format!("nothing was changed; with other files `{database}` would be half of what it was"))
                    .hint("bring the files back, from a backup, and run the rollback again")
                    .hint(format!("to have the database without its files, make an empty folder: `{clear}mkdir {path}`"))
            }
            Self::Unhealthy {
                stack,
                service,
                container,
                log,
                ..
            } => {
                let told = failed.evidence(log.clone());
                let told = match container {
                    Some(container) => told.note(format!("it runs in container {container}")),
                    None => told,
                };
                told.hint(format!("`opw-task logs {stack} {service}` shows more"))
            }
            Self::NoAnswer { stack, log, .. } => failed
                .evidence(log.clone())
                .hint(format!("`opw-task logs {stack} web` shows more")),
            Self::NotInstalled { .. } => failed
                .note("Odoo only warns of a module that it does not find, and ends with success")
                .hint("is the name in ODOO_UPDATE_MODULES right, and is the module in the image, with what it depends on?"),
            Self::WouldOverwrite(error) => error.explain(),
            Self::Image(error) => error.explain(),
            Self::Differs(error) => error.explain(),
            Self::Rule(error) => error.explain(),
            Self::Refused(refusal) => refusal.explain(),
            Self::OtherProject(error) => error.explain(),
            Self::LineLost { stack, error, .. } => {
                let ssh = error.explain();
                let mut told = failed.evidence(ssh.evidence);
                told.notes.extend(ssh.notes);
                told.hints.extend(ssh.hints);
                told.note("if it had begun there, it goes on to its end, and the stack is locked until then")
                    .hint(format!("`opw-task ps {stack}` shows what runs; then give the same command again"))
            }
            Self::SwapOpen { line, .. } => Diagnostic::new(ExitCode::Refused, self.to_string())
                .note("the web would serve one run's database with another run's files")
                .hint(format!("finish it on the host: {line}")),
            Self::Audited { stack, .. } => failed
                .note("what is left stands above; nothing was changed")
                .hint(format!("`opw-task restore {stack}` makes a sanitised copy beside it")),
            Self::NoRoom { stack, volumes } => Diagnostic::new(ExitCode::Refused, self.to_string())
                .evidence(volumes.iter().map(ToString::to_string))
                .note("nothing was copied, and what serves is as it was; the pair kept for a rollback goes only after the swap")
                .hint(format!(
                    "make room there: `opw-task clear {stack}` removes what ended runs left, and with `--previous` also the \
                     pair that is kept for a rollback"
                )),
            Self::RoomRanOut { stack, .. } => failed
                .note("the copy was ended and is removed, so that what serves can write")
                .hint(format!(
                    "make room there (`df -h`, `opw-task clear {stack} --previous`), and run the restore again"
                )),
        }
    }
}
