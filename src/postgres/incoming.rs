//! The database that a restore fills, beside the one that serves.

use std::sync::{Mutex, PoisonError};

use super::door::{Door, Hinge};
use super::error::PostgresError;
use super::extension::{self, Extension};
use super::identifier::{Identifier, Literal};
use super::locale::{self, Locale};
use super::lock::RestoreLock;
use super::marker::{Comment, Marker, State, Treatment};
use super::observer::Observer;
use super::ownership;
use super::role::{self, RESTORE, RestoreRole};
use super::seal;
use super::server::{APPLICATION, COME_BACK, Server};
use super::session::Session;
use super::status::status;
use crate::secret::Secret;

/// What an incoming database is made from.
#[derive(Debug, Clone)]
pub struct IncomingSpec {
    /// The role of Odoo, which will own the database when it is live and is kept out until then.
    pub odoo_role: String,
    /// The name of the upstream, for the mark.
    pub source: String,
    /// The upstream's locale.
    pub locale: Locale,
}

/// A database under a name of its own, `<db>__incoming_<run>`, that a restore fills.
///
/// Until the swap nobody but the restore role can log in to it, and that role only while a [`Door`] is open. Odoo's cron
/// workers cannot find it: it is a template and belongs to a role without login. Its state stands in its comment, so a
/// run that is killed at any instant leaves something that [`recover`](super::recover) knows.
///
/// There is one value per database, and the swap consumes it.
#[derive(Debug)]
pub struct Incoming {
    server: Server,
    pub(super) admin: Session,
    password: Secret,
    name: Identifier,
    odoo_role: Identifier,
    locale: Locale,
    run: String,
    source: String,
    pub(super) hinge: Hinge,
    /// What is to be made when everything else is done.
    at_last: Mutex<String>,
}

impl Incoming {
    /// Makes the database, closed from its first moment on, marked `restoring`.
    ///
    /// Where the server does not have the locale, the nearest that it has is taken; see [`Incoming::locale`].
    ///
    /// # Errors
    /// [`PostgresError::Statement`], [`PostgresError::Connect`], and [`PostgresError::Name`] for a bad role name.
    pub async fn create(
        server: &Server,
        lock: &RestoreLock,
        role: &RestoreRole,
        spec: &IncomingSpec,
    ) -> Result<Self, PostgresError> {
        let name = lock.names().incoming(lock.run())?;
        let odoo_role = Identifier::new(&spec.odoo_role)?;
        let application = format!("{APPLICATION} run {}", lock.run());
        let admin = server.connect_named(&server.maintenance, &application).await?;
        let locale = locale::create(&admin, &name, &spec.locale).await?;
        let incoming = Self {
            server: server.clone(),
            admin,
            password: role.password().clone(),
            name,
            odoo_role,
            locale,
            run: lock.run().to_owned(),
            source: spec.source.clone(),
            hinge: Hinge::default(),
            at_last: Mutex::default(),
        };
        incoming.shut_everyone_out().await?;
        let schema = format!("GRANT ALL ON SCHEMA public TO {RESTORE}");
        let granting = PostgresError::doing("giving the restore role its place");
        incoming
            .connect_as_admin()
            .await?
            .batch_execute(&schema)
            .await
            .map_err(granting)?;
        Ok(incoming)
    }

    async fn shut_everyone_out(&self) -> Result<(), PostgresError> {
        let Self { name, .. } = self;
        let closing = || PostgresError::doing(format!("closing the new database `{}`", name.as_str()));
        let seal = seal::seal(&self.admin, name, &self.odoo_role)
            .await
            .map_err(closing())?;
        let mark = self.comment(State::Restoring, None);
        self.admin
            .batch_execute(&format!(
                "BEGIN; REVOKE ALL ON DATABASE {name} FROM PUBLIC; GRANT ALL ON DATABASE {name} TO {RESTORE};
                 {seal} {mark}; COMMIT"
            ))
            .await
            .map_err(closing())
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &Identifier {
        &self.name
    }

    /// The role of Odoo, that will own it.
    #[must_use]
    pub fn odoo_role(&self) -> &Identifier {
        &self.odoo_role
    }

    /// The run that fills it.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The upstream's name.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The locale it got. It differs from what was asked for where the server does not have that: worth a warning, for
    /// texts will sort otherwise than upstream.
    #[must_use]
    pub fn locale(&self) -> &Locale {
        &self.locale
    }

    /// Lets logins of the restore role in until the door is closed again. For programs that log in by themselves.
    ///
    /// # Errors
    /// [`PostgresError::Statement`].
    pub async fn open(&self) -> Result<Door<'_>, PostgresError> {
        Door::open(self).await
    }

    /// Keeps the restore role's password valid as long as the work lasts: programs log in again whenever they like, and a
    /// password that nobody renews ends after some minutes.
    pub async fn keep_role_valid<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        let mut renewal = tokio::time::interval(role::RENEWAL);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                // The next one may succeed; if none does, the program that cannot log in says so.
                _ = renewal.tick() => drop(role::renew(&self.admin).await),
            }
        }
    }

    /// Logs in as the restore role; the door is open only for that moment.
    ///
    /// # Errors
    /// [`PostgresError::Connect`], [`PostgresError::Statement`].
    pub async fn connect(&self) -> Result<Session, PostgresError> {
        let door = self.open().await?;
        let application = format!("{APPLICATION} run {}", self.run);
        let session = self
            .server
            .connect_as(self.name.as_str(), RESTORE, &self.password, &application)
            .await;
        door.close().await?;
        session
    }

    /// Logs in as the server's administrator, for what no role without a superuser's rights can do, and no code of the copy
    /// takes part in.
    async fn connect_as_admin(&self) -> Result<Session, PostgresError> {
        let door = self.open().await?;
        let session = self.server.connect_bare(self.name.as_str()).await;
        door.close().await?;
        session
    }

    /// Has the restore role be a superuser as long as the work lasts. No code of the copy may run in it.
    ///
    /// # Errors
    /// Those of the work; [`PostgresError::Statement`]. A role that could not be set back is locked out at the run's end.
    pub async fn as_superuser<T, E: From<PostgresError>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        role::set_superuser(&self.admin, true).await?;
        let done = work.await;
        let set_back = role::set_superuser(&self.admin, false).await;
        let done = done?;
        set_back?;
        Ok(done)
    }

    /// Keeps a script that is to run when everything else is done, after [`Incoming::reassign`] has handed the objects over.
    ///
    /// Event triggers are made so: they belong to superusers, and would run with the rights of whoever does anything in the
    /// database, ours among them.
    pub fn keep_for_last(&self, script: String) {
        *self.at_last.lock().unwrap_or_else(PoisonError::into_inner) = script;
    }

    /// A session that only looks: progress and size.
    ///
    /// # Errors
    /// As [`Incoming::connect`].
    pub async fn observe(&self) -> Result<Observer, PostgresError> {
        Ok(Observer::new(self.connect().await?))
    }

    /// Prepares the extensions of the upstream before `pg_restore` needs them; see [`extension::prepare`].
    ///
    /// # Errors
    /// [`PostgresError::ExtensionsMissing`], and as [`Incoming::connect`].
    pub async fn prepare_extensions(
        &self,
        extensions: &[Extension],
        unaccent_immutable: bool,
    ) -> Result<(), PostgresError> {
        self.as_superuser(async { extension::prepare(&self.connect().await?, extensions, unaccent_immutable).await })
            .await
    }

    /// Finishes them once those are there too that come with the dump; see [`extension::finish`].
    ///
    /// # Errors
    /// [`PostgresError::Statement`], and as [`Incoming::connect`].
    pub async fn finish_extensions(&self, unaccent_immutable: bool) -> Result<(), PostgresError> {
        let keeper = Identifier::new(&self.server.admin)?;
        self.as_superuser(async { extension::finish(&self.connect().await?, &keeper, unaccent_immutable).await })
            .await
    }

    /// Writes on the database how far it has come.
    ///
    /// # Errors
    /// [`PostgresError::Statement`].
    pub async fn set_state(&self, state: State) -> Result<(), PostgresError> {
        self.mark(self.comment(state, None)).await
    }

    /// Writes on the database that it is verified, and with what result.
    ///
    /// # Errors
    /// [`PostgresError::Statement`].
    pub async fn set_verified(&self, treatment: Treatment) -> Result<(), PostgresError> {
        self.mark(self.comment(State::Verified, Some(treatment))).await
    }

    async fn mark(&self, comment: String) -> Result<(), PostgresError> {
        self.admin
            .batch_execute(&comment)
            .await
            .map_err(PostgresError::doing(format!("marking `{}`", self.name.as_str())))
    }

    /// Hands everything that the restore role owns in the database over to Odoo's role, and makes what was [kept for
    /// last](Incoming::keep_for_last). The database itself belongs to another role and stays with it until the swap.
    ///
    /// Whatever runs code of the copy comes before: as Odoo's role, it may have a superuser's rights.
    ///
    /// # Errors
    /// [`PostgresError::StillOwned`] when something is left, and as [`Incoming::connect`].
    pub async fn reassign(&self) -> Result<(), PostgresError> {
        let session = self.connect_as_admin().await?;
        ownership::hand_over(&session, &self.name, &self.odoo_role).await?;
        let script = std::mem::take(&mut *self.at_last.lock().unwrap_or_else(PoisonError::into_inner));
        let making = PostgresError::doing("making the event triggers of the copy");
        session
            .batch_execute(&format!("BEGIN; {script}\nCOMMIT"))
            .await
            .map_err(making)
    }

    /// Ends every session in the database and closes it, whatever doors are open; over a new session where the server
    /// ended ours.
    ///
    /// # Errors
    /// [`PostgresError::Statement`]; [`PostgresError::NotReady`] where the server does not come back.
    pub async fn park(&self) -> Result<(), PostgresError> {
        let _turn = self.hinge.turn().await;
        match shut(&self.admin, &self.name).await {
            Err(error) if error.lost_the_session() || self.admin.is_closed() => {
                let admin = self.server.wait_until_ready(COME_BACK).await?;
                match status(&admin, &self.name).await? {
                    Some(_) => shut(&admin, &self.name).await,
                    // Another run has cleared up meanwhile: our lock went with our session.
                    None => Ok(()),
                }
            }
            done => done,
        }
    }

    /// Drops the database with whatever is connected to it.
    ///
    /// # Errors
    /// [`PostgresError::Statement`].
    pub async fn drop(self) -> Result<(), PostgresError> {
        let admin = self.server.wait_until_ready(COME_BACK).await?;
        super::recover::drop_database(&self.server, &admin, &self.name)
            .await
            .map(drop)
    }

    pub(super) async fn allow_connections(&self, allowed: bool) -> Result<(), PostgresError> {
        allow_connections(&self.admin, &self.name, allowed).await
    }

    fn comment(&self, state: State, treatment: Option<Treatment>) -> String {
        let marker = Marker {
            treatment,
            ..Marker::now(state, &self.run, &self.source)
        };
        let comment = Comment::default().marked(marker);
        format!("COMMENT ON DATABASE {} IS {}", self.name, Literal(&comment.to_string()))
    }
}

async fn allow_connections(admin: &Session, name: &Identifier, allowed: bool) -> Result<(), PostgresError> {
    let verb = if allowed { "opening" } else { "closing" };
    admin
        .batch_execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}"))
        .await
        .map_err(PostgresError::doing(format!("{verb} `{}`", name.as_str())))
}

/// Closes a database and ends every session in it.
pub(super) async fn shut(admin: &Session, name: &Identifier) -> Result<(), PostgresError> {
    allow_connections(admin, name, false).await?;
    admin
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
            &[&name.as_str()],
        )
        .await
        .map_err(PostgresError::doing(format!(
            "ending the sessions in `{}`",
            name.as_str()
        )))?;
    Ok(())
}
