//! The roles that stand between Odoo and a database that is not sanitised yet.

use std::time::Duration;

use uuid::Uuid;

use crate::secret::Secret;

use super::error::PostgresError;
use super::identifier::{Identifier, Literal};
use super::lock::{AdvisoryLock, RestoreLock};
use super::server::{APPLICATION, COME_BACK, Server};
use super::session::Session;
use super::settings;

/// Owns incoming databases, never logs in. It is not the restore role, because `REASSIGN OWNED` inside the incoming
/// database hands over what that role owns *anywhere shared* too: a database of the restore role would become Odoo's
/// with its objects, and Odoo's cron workers run jobs in every database that their role owns.
pub const KEEPER: &str = "opw_task_keeper";

/// Fills incoming databases.
pub const RESTORE: &str = "opw_task_restore";

/// Runs modules' own `neutralize.sql`. It owns nothing, cannot log in, and has rights on an incoming database's tables
/// only within the transaction that sanitises it.
pub const NEUTRALISE: &str = "opw_task_neutralise";

/// How long the restore role can log in after it was let in or [renewed](renew), as PostgreSQL's interval.
///
/// A run that is killed cannot take the right back; the clock does.
const LIFETIME: &str = "10 minutes";

/// How often it is renewed while programs log in by themselves: the second time still comes early enough when the first
/// fails.
pub(crate) const RENEWAL: Duration = Duration::from_secs(240);

/// What a run that uses the restore role holds the lock on. Not the server's address: two runs may reach one server by
/// two addresses.
const IN_USE: &str = "another restore on this server";

/// The restore role while a run lasts.
///
/// Everything in the incoming database is its own, and it has no other rights: code of the copy runs as it, in indexes, CHECK
/// constraints, generated columns and materialised views. Only while [what a superuser must make](super::Contents) is made
/// it is one ([`Incoming::as_superuser`](super::Incoming::as_superuser)); no row is there then. It can log in only between [`RestoreRole::begin`] and [`RestoreRole::end`], with a random
/// password that the server and its log only ever see as a SCRAM verifier; outside of a run it has neither login nor
/// password. For a run that was killed the password ends ten minutes after it was last renewed, and
/// [`recover`](super::recover) does the rest.
#[derive(Debug)]
pub struct RestoreRole {
    server: Server,
    run: String,
    lock: AdvisoryLock,
    password: Secret,
}

impl RestoreRole {
    /// Makes the roles where they do not exist, and lets the restore role in for this run.
    ///
    /// # Errors
    /// [`PostgresError::NotSuperuser`] when the admin cannot do this; [`PostgresError::Locked`] when another restore
    /// uses the role on this server, for its password would change under it.
    pub async fn begin(server: &Server, lock: &RestoreLock) -> Result<Self, PostgresError> {
        let own = AdvisoryLock::take(server, IN_USE.to_owned(), lock.run()).await?;
        let session = own.session();
        require_superuser(server, session).await?;
        let password = random_password();
        // The verifier is made here: a password sent in clear would stand in the log of a server that logs statements.
        let verifier = postgres_protocol::password::scram_sha_256(password.expose().as_bytes());
        let keeper = verb(session, KEEPER).await?;
        let restore = verb(session, RESTORE).await?;
        let neutralise = verb(session, NEUTRALISE).await?;
        let making = || PostgresError::doing("making the roles of the restore");
        let settings = settings::of_role(session, RESTORE).await.map_err(making())?;
        let memberships = memberships(session).await.map_err(making())?;
        let row = session
            .query_one(&format!("SELECT (clock_timestamp() + '{LIFETIME}')::text"), &[])
            .await
            .map_err(making())?;
        let until: String = row.get(0);
        session
            .batch_execute(&format!(
                "BEGIN;
                 {keeper} ROLE {KEEPER} NOLOGIN NOSUPERUSER;
                 {neutralise} ROLE {NEUTRALISE} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS;
                 {restore} ROLE {RESTORE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION BYPASSRLS
                     CONNECTION LIMIT -1 VALID UNTIL {} PASSWORD {};
                 {memberships}
                 GRANT {NEUTRALISE} TO {RESTORE};
                 ALTER ROLE {RESTORE} RESET ALL;
                 {settings}
                 ALTER ROLE {RESTORE} SET synchronous_commit = off;
                 COMMIT",
                Literal(&until),
                Literal(&verifier)
            ))
            .await
            .map_err(making())?;
        Ok(Self {
            server: server.clone(),
            run: lock.run().to_owned(),
            lock: own,
            password,
        })
    }

    /// The role's name.
    #[must_use]
    pub fn name(&self) -> Identifier {
        Identifier::ours(RESTORE)
    }

    /// Its password for this run, for programs that log in over TCP.
    #[must_use]
    pub fn password(&self) -> &Secret {
        &self.password
    }

    /// Ends its sessions and its right to log in; over a new session where the server ended ours.
    ///
    /// # Errors
    /// [`PostgresError::Statement`]; [`PostgresError::NotReady`] where the server does not come back.
    pub async fn end(self) -> Result<(), PostgresError> {
        let session = self.lock.session();
        match lock_out(session).await {
            Err(error) if error.lost_the_session() || session.is_closed() => end_anew(&self.server, &self.run).await,
            done => done,
        }
    }
}

/// Returns the statements that end what the restore role was given by others: the rights of roles that it is a member of.
async fn memberships(session: &Session) -> Result<String, tokio_postgres::Error> {
    let rows = session
        .query(
            "SELECT format('REVOKE %I FROM %I;', r.rolname, m.rolname)
               FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
              WHERE m.rolname IN ($1, $2)",
            &[&RESTORE, &NEUTRALISE],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get::<_, String>(0)).collect())
}

/// Gives the restore role a superuser's rights, or takes them.
pub(super) async fn set_superuser(session: &Session, is: bool) -> Result<(), PostgresError> {
    let rights = if is { "SUPERUSER" } else { "NOSUPERUSER" };
    session
        .batch_execute(&format!("ALTER ROLE {RESTORE} {rights}"))
        .await
        .map_err(PostgresError::doing(format!("altering the rights of {RESTORE}")))
}

/// Has the restore role's password end later, for a run that lives and is about to use it. One that was locked out stays so.
pub(super) async fn renew(session: &Session) -> Result<(), PostgresError> {
    session
        .batch_execute(&format!(
            "DO $$ BEGIN
               EXECUTE format('ALTER ROLE {RESTORE} VALID UNTIL %L', clock_timestamp() + interval '{LIFETIME}');
             END $$"
        ))
        .await
        .map_err(PostgresError::doing(format!("renewing the password of {RESTORE}")))
}

/// Locks the role out for a run whose session is gone, unless another run has begun to use it meanwhile.
async fn end_anew(server: &Server, run: &str) -> Result<(), PostgresError> {
    drop(server.wait_until_ready(COME_BACK).await?);
    match AdvisoryLock::take(server, IN_USE.to_owned(), run).await {
        Ok(own) => lock_out(own.session()).await,
        // The server has not noticed yet that nobody is at the other end of our old session.
        Err(PostgresError::Locked {
            holder: Some(holder), ..
        }) if holder.application == format!("{APPLICATION} run {run}") => {
            lock_out(&server.connect_maintenance().await?).await
        }
        Err(PostgresError::Locked { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Locks the role out that a killed run left, unless another run has begun to use it meanwhile.
pub(crate) async fn lock_out_unless_in_use(server: &Server, lock: &RestoreLock) -> Result<(), PostgresError> {
    match AdvisoryLock::take(server, IN_USE.to_owned(), lock.run()).await {
        Ok(own) => lock_out(own.session()).await,
        Err(PostgresError::Locked { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Takes login, password and rights from the restore role, and ends its sessions.
async fn lock_out(session: &Session) -> Result<(), PostgresError> {
    session
        .batch_execute(&format!("ALTER ROLE {RESTORE} NOLOGIN NOSUPERUSER PASSWORD NULL"))
        .await
        .map_err(PostgresError::doing(format!("locking role {RESTORE} out")))?;
    session
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1",
            &[&RESTORE],
        )
        .await
        .map_err(PostgresError::doing(format!("ending the sessions of {RESTORE}")))?;
    Ok(())
}

/// Whether a run is using the restore role now.
pub(crate) async fn in_use(session: &Session) -> Result<bool, PostgresError> {
    AdvisoryLock::is_taken(session, IN_USE).await
}

async fn require_superuser(server: &Server, session: &Session) -> Result<(), PostgresError> {
    let row = session
        .query_one("SELECT rolsuper FROM pg_roles WHERE rolname = current_user", &[])
        .await
        .map_err(PostgresError::doing("asking for the rights of the login role"))?;
    if row.get(0) {
        return Ok(());
    }
    Err(PostgresError::NotSuperuser {
        server: server.to_string(),
        role: server.admin.clone(),
    })
}

/// `CREATE` or `ALTER`, whichever makes the role what it should be.
async fn verb(session: &Session, role: &str) -> Result<&'static str, PostgresError> {
    let found = session
        .query_opt("SELECT FROM pg_roles WHERE rolname = $1", &[&role])
        .await
        .map_err(PostgresError::doing(format!("looking for role {role}")))?;
    Ok(if found.is_some() { "ALTER" } else { "CREATE" })
}

/// 244 random bits from the operating system, in characters that need no quoting anywhere.
fn random_password() -> Secret {
    Secret::new(format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()))
}
