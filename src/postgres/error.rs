//! What can go wrong between us and a PostgreSQL server, told so that one can act on it.

use std::time::Duration;

use crate::error::{Diagnostic, ExitCode, Explain};

use super::evidence::evidence;
use super::identifier::{BadName, Identifier};
use super::lock::Holder;

/// A failure of this room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// A name that the server would refuse or cut.
    #[error(transparent)]
    Name(#[from] BadName),
    /// The server could not be reached, or did not let us in.
    #[error("cannot log in to database `{database}` at {server} as `{role}`")]
    Connect {
        /// Host and port.
        server: String,
        /// The database.
        database: String,
        /// The role.
        role: String,
        /// What the driver or the server said.
        source: tokio_postgres::Error,
    },
    /// The server did not accept connections in time.
    #[error("PostgreSQL at {server} does not accept connections after {} s", waited.as_secs())]
    NotReady {
        /// Host and port.
        server: String,
        /// How long we tried.
        waited: Duration,
        /// The last refusal.
        source: tokio_postgres::Error,
    },
    /// A statement failed.
    #[error("{doing} failed")]
    Statement {
        /// What the statement was for, as `renaming the live database`.
        doing: String,
        /// What the server said.
        source: tokio_postgres::Error,
    },
    /// The server's answer is not what was asked for.
    #[error("the server's answer cannot be read")]
    Answer(#[source] serde_json::Error),
    /// The login role cannot do what a restore needs.
    #[error("role `{role}` at {server} is no superuser")]
    NotSuperuser {
        /// Host and port.
        server: String,
        /// The role.
        role: String,
    },
    /// Another run restores the same database, or another one of the same server.
    #[error("{what} is already running")]
    Locked {
        /// What the lock stands for, as `a restore of database `opw``.
        what: String,
        /// Who holds the lock; nobody if it was let go just now.
        holder: Option<Holder>,
    },
    /// The session that held the restore's lock is gone.
    #[error("the lock on {what} was lost")]
    LockLost {
        /// What the lock stood for.
        what: String,
    },
    /// A database stands in the way and carries no mark of ours.
    #[error("database `{}` is not ours: {why}", database.as_str())]
    NotOurs {
        /// The database.
        database: Identifier,
        /// What we would have done and why we do not.
        why: String,
        /// Its comment.
        comment: Option<String>,
    },
    /// There is nothing to go back to.
    #[error("there is no previous database of `{}`", live.as_str())]
    NoPrevious {
        /// The live database's name.
        live: Identifier,
        /// The name that was looked for.
        previous: Identifier,
    },
    /// A database that should be there is not.
    #[error("database `{}` does not exist", database.as_str())]
    Missing {
        /// The database.
        database: Identifier,
    },
    /// The server lacks extensions that the upstream uses.
    #[error("the server lacks the extensions of the upstream: {}", names.join(", "))]
    ExtensionsMissing {
        /// Their names.
        names: Vec<String>,
    },
    /// Objects still belong to the restore role after they were handed over.
    #[error("{count} objects in `{}` still belong to `{}`", database.as_str(), role.as_str())]
    StillOwned {
        /// The database.
        database: Identifier,
        /// The restore role.
        role: Identifier,
        /// How many.
        count: i64,
    },
    /// A program that we had let in did not log in.
    #[error("no backend of `{}` came into `{}` within {} s", role.as_str(), database.as_str(), waited.as_secs())]
    NobodyCame {
        /// The database.
        database: Identifier,
        /// The role that was to log in.
        role: Identifier,
        /// How long we waited.
        waited: Duration,
    },
    /// The swap or the rollback did not get through in time. The old names stand.
    #[error("`{}` could not be swapped within {} s", live.as_str(), waited.as_secs())]
    SwapTimedOut {
        /// The live database's name.
        live: Identifier,
        /// The deadline.
        waited: Duration,
        /// The sessions that were in the way at the end: role, program, state.
        sessions: Vec<String>,
    },
    /// The connection broke while the swap was being committed, and the server cannot be asked how it ended.
    #[error("the connection was lost while `{}` was being swapped", live.as_str())]
    SwapUnknown {
        /// The live database's name.
        live: Identifier,
        /// Why the server cannot be asked.
        source: Box<PostgresError>,
    },
}

impl PostgresError {
    /// Wraps a statement's failure with what it was for.
    pub(crate) fn doing(doing: impl Into<String>) -> impl FnOnce(tokio_postgres::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Statement { doing, source }
    }

    /// Whether it is the session that broke, so that a new one may do what this one did not.
    pub(crate) fn lost_the_session(&self) -> bool {
        match self {
            Self::Statement { source, .. } => source
                .as_db_error()
                .is_none_or(|error| error.code().code().starts_with("57P")),
            _ => false,
        }
    }

    /// Whether a guard refused, rather than something failing.
    fn exit(&self) -> ExitCode {
        match self {
            Self::Name(_) => ExitCode::Usage,
            Self::Locked { .. } | Self::LockLost { .. } | Self::NotOurs { .. } | Self::NoPrevious { .. } => {
                ExitCode::Refused
            }
            _ => ExitCode::Failed,
        }
    }
}

impl Explain for PostgresError {
    fn explain(&self) -> Diagnostic {
        let told = Diagnostic::new(self.exit(), self.to_string());
        match self {
            Self::Name(_) => told.hint("choose a shorter, plain name"),
            Self::Connect { source, server, .. } => told.evidence(evidence(source)).hint(login_hint(source, server)),
            Self::NotReady { source, .. } => told.evidence(evidence(source)).hint(
                "look at the container's log: a server that recovers from a crash, or a full disk, says so there",
            ),
            Self::Statement { source, .. } => told.evidence(evidence(source)),
            Self::Answer(source) => told.evidence([source.to_string()]),
            Self::NotSuperuser { role, .. } => told
                .note("a restore makes a role of its own, extensions that are not trusted, and hands objects over")
                .hint(format!(
                    "log in as the server's bootstrap superuser, or: ALTER ROLE {role} SUPERUSER"
                )),
            Self::Locked { holder, .. } => match holder {
                Some(holder) => told.evidence([holder.to_string()]).hint(format!(
                    "wait for it; if its program is dead, end it on the server: SELECT pg_terminate_backend({})",
                    holder.pid
                )),
                None => told.note("its holder let go in this moment").hint("try again"),
            },
            Self::LockLost { .. } => told
                .note("the server ended the session that held it: a restart, or pg_terminate_backend")
                .hint("nothing was swapped; run the restore again"),
            Self::NotOurs { database, comment, .. } => told
                .note(match comment {
                    Some(text) => format!("its comment is `{text}`"),
                    None => "it has no comment".to_owned(),
                })
                .note("opw-task drops or replaces only databases whose comment it wrote itself")
                .hint(format!(
                    "if nobody needs it, rename or drop it by hand: DROP DATABASE {database}"
                )),
            Self::NoPrevious { previous, .. } => told
                .note(format!(
                    "`{}` is kept by each restore that replaces a live database",
                    previous.as_str()
                ))
                .hint("restore again"),
            Self::Missing { .. } => told.hint("if another run cleaned up meanwhile, run the restore again"),
            Self::ExtensionsMissing { names } => told.hint(format!(
                "install the packages that provide {} in the stack's PostgreSQL image, or drop the extensions upstream",
                names.join(", ")
            )),
            Self::StillOwned { role, .. } => told
                .note("after the swap nobody could log in as that role, and Odoo could not alter those objects")
                .hint(format!(
                    "see what they are: SELECT * FROM pg_shdepend WHERE refobjid = '{role}'::regrole"
                )),
            Self::NobodyCame { .. } => told.hint("the program's own output says why it did not connect"),
            Self::SwapTimedOut { sessions, .. } => told
                .evidence(sessions.iter().cloned())
                .note("the transaction was rolled back: the old names stand and the live database serves on")
                .hint("stop what holds the database open, such as a CREATE DATABASE … TEMPLATE, and run again"),
            Self::SwapUnknown { source, .. } => told
                .evidence(source.explain().evidence)
                .note("both names changed, or neither did: the swap is one transaction")
                .hint("bring the server back; the comments on the databases (\\l+) say which one is live"),
        }
    }
}

fn login_hint(error: &tokio_postgres::Error, server: &str) -> String {
    use tokio_postgres::error::SqlState;
    match error.code() {
        Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
            "the password in the stack's env layers is not the server's: POSTGRES_PASSWORD only takes effect when the \
             data folder is first made; set it anew with ALTER ROLE … PASSWORD"
                .to_owned()
        }
        Some(&SqlState::INVALID_CATALOG_NAME) => "is the database's name right? \\l lists them".to_owned(),
        Some(&SqlState::TOO_MANY_CONNECTIONS) => "raise max_connections or stop a client".to_owned(),
        Some(_) => "the server's log has more".to_owned(),
        None => format!("is the stack's database service up, and is {server} its published port?"),
    }
}
