//! A PostgreSQL server that we administer.

use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, NoTls};

use crate::secret::Secret;

use super::error::PostgresError;
use super::session::Session;
use super::settings;

/// How our sessions begin their `application_name`, which is what `pg_stat_activity` shows of us.
pub const APPLICATION: &str = "opw-task";

/// How long a server may take to come back that ended our session, for what must be put in order at a run's end.
pub(crate) const COME_BACK: Duration = Duration::from_secs(20);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A server and the role that may administer it. Usually the stack's `postgres` container on its published loopback
/// port, where Odoo's own role is the bootstrap superuser.
#[derive(Debug, Clone)]
pub struct Server {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The role we log in as; a superuser, or a restore is refused.
    pub admin: String,
    /// Its password.
    pub password: Secret,
    /// The database in which we stand while we work on others: locks, renames, `CREATE DATABASE`. Usually `postgres`.
    pub maintenance: String,
}

impl Server {
    /// Logs in to a database as the admin. It is tried once; see [`Server::wait_until_ready`].
    ///
    /// # Errors
    /// [`PostgresError::Connect`].
    pub async fn connect(&self, database: &str) -> Result<Session, PostgresError> {
        self.connect_named(database, APPLICATION).await
    }

    /// Logs in to the maintenance database as the admin.
    ///
    /// # Errors
    /// [`PostgresError::Connect`].
    pub async fn connect_maintenance(&self) -> Result<Session, PostgresError> {
        self.connect(&self.maintenance).await
    }

    /// The same with an `application_name`, which says in `pg_stat_activity` what the session is for.
    ///
    /// # Errors
    /// [`PostgresError::Connect`].
    pub async fn connect_named(&self, database: &str, application: &str) -> Result<Session, PostgresError> {
        self.connect_as(database, &self.admin, &self.password, application)
            .await
    }

    /// Logs in as another role.
    ///
    /// # Errors
    /// [`PostgresError::Connect`].
    pub(crate) async fn connect_as(
        &self,
        database: &str,
        role: &str,
        password: &Secret,
        application: &str,
    ) -> Result<Session, PostgresError> {
        // Only who administers the server is in the maintenance database, and needs no library there.
        let bare = database == self.maintenance;
        self.try_connect(database, role, password, application, bare)
            .await
            .map_err(|source| PostgresError::Connect {
                server: self.to_string(),
                database: database.to_owned(),
                role: role.to_owned(),
                source,
            })
    }

    /// Logs in to a database that is about to be dropped, as the admin and without the libraries that it asks for.
    ///
    /// # Errors
    /// [`PostgresError::Connect`].
    pub(super) async fn connect_bare(&self, database: &str) -> Result<Session, PostgresError> {
        self.try_connect(database, &self.admin, &self.password, APPLICATION, true)
            .await
            .map_err(|source| PostgresError::Connect {
                server: self.to_string(),
                database: database.to_owned(),
                role: self.admin.clone(),
                source,
            })
    }

    /// Waits until the server lets us into the maintenance database: a container that was just started, or a server
    /// that replays its log. What does not heal with time (a wrong password, a missing database) is told at once.
    ///
    /// # Errors
    /// [`PostgresError::NotReady`] after `limit`, [`PostgresError::Connect`] for what does not heal.
    pub async fn wait_until_ready(&self, limit: Duration) -> Result<Session, PostgresError> {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let source = match self
                .try_connect(&self.maintenance, &self.admin, &self.password, APPLICATION, true)
                .await
            {
                Ok(session) => return Ok(session),
                Err(source) => source,
            };
            if !heals(&source) {
                return Err(PostgresError::Connect {
                    server: self.to_string(),
                    database: self.maintenance.clone(),
                    role: self.admin.clone(),
                    source,
                });
            }
            let waited = begun.elapsed();
            if waited + pause > limit {
                return Err(PostgresError::NotReady {
                    server: self.to_string(),
                    waited,
                    source,
                });
            }
            // A server gives no sign to those outside when it is ready: asking is all there is.
            tokio::time::sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    async fn try_connect(
        &self,
        database: &str,
        role: &str,
        password: &Secret,
        application: &str,
        bare: bool,
    ) -> Result<Session, tokio_postgres::Error> {
        let connected = match self
            .config(database, role, password, application, bare)
            .connect(NoTls)
            .await
        {
            // Not a superuser, and so not one who may leave libraries out.
            Err(error) if bare && error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                let config = self.config(database, role, password, application, false);
                config.connect(NoTls).await
            }
            connected => connected,
        };
        let (client, connection) = connected?;
        Session::begin(client, connection).await
    }

    fn config(&self, database: &str, role: &str, password: &Secret, application: &str, bare: bool) -> Config {
        // Filled by hand: tokio-postgres reads no PG* variable and no password file, and a conninfo text would put the
        // password through a parser that may quote it in an error.
        let mut config = Config::new();
        config
            .host(&self.host)
            .port(self.port)
            .user(role)
            .dbname(database)
            .password(password.expose())
            .application_name(application)
            // Loopback, or a port forwarded through ssh.
            .ssl_mode(SslMode::Disable)
            .connect_timeout(CONNECT_TIMEOUT)
            .keepalives_idle(Duration::from_secs(30))
            .keepalives_interval(Duration::from_secs(10))
            .keepalives_retries(3)
            .options(settings::login_options(bare));
        config
    }
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Whether waiting can mend it: nobody listens yet, or the server says that it is not there yet.
fn heals(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        None => true,
        Some(code) => matches!(
            *code,
            SqlState::CANNOT_CONNECT_NOW
                | SqlState::TOO_MANY_CONNECTIONS
                | SqlState::ADMIN_SHUTDOWN
                | SqlState::CRASH_SHUTDOWN
        ),
    }
}
