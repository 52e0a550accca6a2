//! The database that a restore fills, beside the one that serves.

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
        };
        incoming.shut_everyone_out().await?;
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
                "BEGIN; REVOKE ALL ON DATABASE {name} FROM PUBLIC; {seal} {mark}; COMMIT"
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
        extension::prepare(&self.connect().await?, extensions, unaccent_immutable).await
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

    /// Hands everything that the restore role owns in the database over to Odoo's role. The database itself belongs to
    /// another role and stays with it until the swap.
    ///
    /// # Errors
    /// [`PostgresError::StillOwned`] when something is left, and as [`Incoming::connect`].
    pub async fn reassign(&self) -> Result<(), PostgresError> {
        let session = self.connect().await?;
        ownership::hand_over(&session, &self.name, &self.odoo_role).await
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
