//! The database that a restore fills, beside the one that serves.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::error::PostgresError;
use super::extension::{self, Extension};
use super::identifier::{Identifier, Literal};
use super::locale::{Locale, create_statement};
use super::lock::RestoreLock;
use super::marker::{Comment, Marker, State};
use super::observer::Observer;
use super::role::{KEEPER, RESTORE, RestoreRole};
use super::seal;
use super::server::{APPLICATION, Server};
use super::session::Session;
use crate::secret::Secret;

/// How often we look whether a program that was let in has logged in.
const LOOK: Duration = Duration::from_millis(50);

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
    admin: Session,
    password: Secret,
    name: Identifier,
    odoo_role: Identifier,
    locale: Locale,
    run: String,
    source: String,
    doors: AtomicU32,
    // Serialises the changes to whether logins are allowed: two at once would fail with "tuple concurrently updated".
    hinge: Mutex<()>,
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
        let locale = create(&admin, &name, &spec.locale).await?;
        let incoming = Self {
            server: server.clone(),
            admin,
            password: role.password().clone(),
            name,
            odoo_role,
            locale,
            run: lock.run().to_owned(),
            source: spec.source.clone(),
            doors: AtomicU32::new(0),
            hinge: Mutex::new(()),
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
        let mark = self.comment(State::Restoring);
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
        let _turn = self.hinge.lock().await;
        if self.doors.load(Ordering::Relaxed) == 0 {
            self.allow_connections(true).await?;
        }
        self.doors.fetch_add(1, Ordering::Relaxed);
        Ok(Door { incoming: self })
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
        self.admin
            .batch_execute(&self.comment(state))
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
        let doing = || PostgresError::doing(format!("handing the objects over to `{}`", self.odoo_role.as_str()));
        session
            .batch_execute(&format!("REASSIGN OWNED BY {RESTORE} TO {}", self.odoo_role))
            .await
            .map_err(doing())?;
        let row = session
            .query_one(
                "SELECT count(*) FROM pg_shdepend
                  WHERE deptype = 'o' AND refclassid = 'pg_authid'::regclass
                    AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = $1)
                    AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
                &[&RESTORE],
            )
            .await
            .map_err(doing())?;
        match row.get(0) {
            0 => Ok(()),
            count => Err(PostgresError::StillOwned {
                database: self.name.clone(),
                role: Identifier::ours(RESTORE),
                count,
            }),
        }
    }

    /// Ends every session in the database and closes it, whatever doors are open.
    ///
    /// # Errors
    /// [`PostgresError::Statement`].
    pub async fn park(&self) -> Result<(), PostgresError> {
        let _turn = self.hinge.lock().await;
        self.allow_connections(false).await?;
        self.admin
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
                &[&self.name.as_str()],
            )
            .await
            .map_err(PostgresError::doing(format!(
                "ending the sessions in `{}`",
                self.name.as_str()
            )))?;
        Ok(())
    }

    /// Drops the database with whatever is connected to it.
    ///
    /// # Errors
    /// [`PostgresError::Statement`].
    pub async fn drop(self) -> Result<(), PostgresError> {
        super::recover::drop_database(&self.admin, &self.name).await
    }

    async fn allow_connections(&self, allowed: bool) -> Result<(), PostgresError> {
        let verb = if allowed { "opening" } else { "closing" };
        self.admin
            .batch_execute(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS {allowed}", self.name))
            .await
            .map_err(PostgresError::doing(format!("{verb} `{}`", self.name.as_str())))
    }

    fn comment(&self, state: State) -> String {
        let comment = Comment::default().marked(Marker::now(state, &self.run, &self.source));
        format!("COMMENT ON DATABASE {} IS {}", self.name, Literal(&comment.to_string()))
    }
}

/// An open door into an incoming database, for programs that log in as the restore role.
///
/// Close it when they are in: sessions that are in stay in. A door that is dropped without closing leaves logins
/// allowed until the next one closes or the database is parked; the seal stands either way.
#[derive(Debug)]
pub struct Door<'a> {
    incoming: &'a Incoming,
}

impl Door<'_> {
    /// Waits until at least `count` sessions whose `application_name` begins with `application` are in (`pg_restore`
    /// calls itself so; an empty text counts all of the restore role).
    ///
    /// # Errors
    /// [`PostgresError::NobodyCame`] after `limit`.
    pub async fn wait_for(&self, application: &str, count: u32, limit: Duration) -> Result<(), PostgresError> {
        let Incoming { admin, name, .. } = self.incoming;
        let begun = Instant::now();
        let mut look = tokio::time::interval(LOOK);
        loop {
            look.tick().await;
            let row = admin
                .query_one(
                    "SELECT count(*) FROM pg_stat_activity
                      WHERE datname = $1 AND usename = $2 AND starts_with(application_name, $3)",
                    &[&name.as_str(), &RESTORE, &application],
                )
                .await
                .map_err(PostgresError::doing(format!("looking who is in `{}`", name.as_str())))?;
            if row.get::<_, i64>(0) >= i64::from(count) {
                return Ok(());
            }
            if begun.elapsed() >= limit {
                return Err(PostgresError::NobodyCame {
                    database: name.clone(),
                    role: Identifier::ours(RESTORE),
                    waited: limit,
                });
            }
        }
    }

    /// Lets nobody else in, unless another door is open.
    ///
    /// # Errors
    /// [`PostgresError::Statement`].
    pub async fn close(self) -> Result<(), PostgresError> {
        let incoming = self.incoming;
        let _turn = incoming.hinge.lock().await;
        drop(self);
        if incoming.doors.load(Ordering::Relaxed) == 0 {
            incoming.allow_connections(false).await
        } else {
            Ok(())
        }
    }
}

impl Drop for Door<'_> {
    fn drop(&mut self) {
        self.incoming.doors.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Makes the database with the first locale that the server takes.
async fn create(admin: &Session, name: &Identifier, wanted: &Locale) -> Result<Locale, PostgresError> {
    let keeper = Identifier::ours(KEEPER);
    let mut refusal = None;
    for locale in wanted.attempts() {
        match admin.batch_execute(&create_statement(name, &keeper, &locale)).await {
            Ok(()) => return Ok(locale),
            Err(error) if Locale::refused(&error) => refusal = refusal.or(Some(error)),
            Err(error) => {
                return Err(PostgresError::doing(format!("making database `{}`", name.as_str()))(
                    error,
                ));
            }
        }
    }
    // The first refusal names the locale that was asked for.
    match refusal {
        Some(error) => Err(PostgresError::doing(format!("making database `{}`", name.as_str()))(
            error,
        )),
        None => Ok(wanted.clone()),
    }
}
