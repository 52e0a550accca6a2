//! The promises of this room, kept against a real PostgreSQL server whose bootstrap superuser is Odoo's role.
//!
//! They stand inside the crate, not under `tests/`, because a swap takes only what is verified, and nothing outside of
//! the crate may pretend that.
//!
//! The server is the one that `OPW_TASK_TEST_POSTGRES` names (`postgres://odoo:password@127.0.0.1:5432/postgres`), with `wal_level = logical`, or
//! else a container of the lab's image, shared by the tests that run at the same time and removed after the last.

mod closed;
mod kept;
mod last_words;
mod left;
mod locked;
mod printed;
mod replicated;
mod settings;
mod swapped;
mod updated;

use std::io::Write as _;
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::sync::{Mutex as Turn, MutexGuard};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::swap::sealed::Sealed;
use super::*;
use crate::secret::Secret;

// The server is thrown away: its tests kill clients, never the machine.
const QUICK: [&str; 7] = [
    "postgres",
    "-c",
    "fsync=off",
    "-c",
    "full_page_writes=off",
    "-c",
    "wal_level=logical",
];
const PASSWORD: &str = "CANARY-odoo";
const LIMIT: Duration = Duration::from_secs(20);

/// There is one restore role per server, so restores take turns.
static TURN: Turn<()> = Turn::const_new(());
static RUNNING: Mutex<Weak<Container>> = Mutex::new(Weak::new());

struct Container(String);

impl Container {
    fn shared() -> Arc<Self> {
        let mut running = RUNNING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let container = Arc::new(Self::start());
            *running = Arc::downgrade(&container);
            container
        })
    }

    fn start() -> Self {
        let password = format!("POSTGRES_PASSWORD={PASSWORD}");
        let image = std::env::var("OPW_TASK_LAB_POSTGRES_IMAGE");
        let image = image.unwrap_or_else(|_| "opw-task-lab/postgres:17".into());
        let publish = "127.0.0.1:0:5432";
        // Removed by its guard; the label is for those whose test was killed.
        let args = [
            "run",
            "-d",
            "--rm",
            "--label",
            "opw-task-test",
            "-p",
            publish,
            "-e",
            "POSTGRES_USER=odoo",
        ];
        let args = [&args[..], &["-e", &password, &image], &QUICK].concat();
        Self(docker(&args))
    }

    fn port(&self) -> u16 {
        docker(&["port", &self.0, "5432/tcp"])
            .rsplit(':')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        docker(&["rm", "-f", "-v", &self.0]);
    }
}

fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().expect("docker is installed");
    assert!(
        output.status.success(),
        "docker {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A server, and a live database name that no other test uses.
struct Lab {
    server: Server,
    live: &'static str,
    container: Option<Arc<Container>>,
    _turn: MutexGuard<'static, ()>,
}

impl Lab {
    /// A server on which nothing of `live` or of any restore is left.
    async fn new(live: &'static str) -> Self {
        let (server, container) = match std::env::var("OPW_TASK_TEST_POSTGRES") {
            Ok(url) => (given(&url), None),
            Err(_) => {
                let container = Container::shared();
                (at(container.port()), Some(container))
            }
        };
        let turn = TURN.lock().await;
        let admin = server.wait_until_ready(Duration::from_secs(60)).await.unwrap();
        for row in admin
            .query(
                "SELECT datname FROM pg_database WHERE starts_with(datname, $1)",
                &[&live],
            )
            .await
            .unwrap()
        {
            recover::drop_database(&server, &admin, &Identifier::new(row.get::<_, String>(0)).unwrap())
                .await
                .unwrap();
        }
        Self {
            server,
            live,
            container,
            _turn: turn,
        }
    }

    /// The same with a live database that says `old` and belongs to Odoo.
    async fn serving(live: &'static str) -> Self {
        let lab = Self::new(live).await;
        lab.sql(&format!("CREATE DATABASE {live} OWNER odoo TEMPLATE template0"))
            .await;
        lab.server
            .connect(live)
            .await
            .unwrap()
            .batch_execute(&says("old"))
            .await
            .unwrap();
        lab
    }

    async fn sql(&self, statement: &str) {
        self.server
            .connect_maintenance()
            .await
            .unwrap()
            .batch_execute(statement)
            .await
            .unwrap();
    }

    async fn lock(&self, run: &str) -> RestoreLock {
        RestoreLock::take(&self.server, self.live, run).await.unwrap()
    }

    /// A restore that has come as far as it can before the swap.
    async fn restored(&self, run: &str, content: &str) -> Restored {
        let filled = self.filled(run, content).await;
        filled.incoming.reassign().await.unwrap();
        filled
    }

    /// A restore whose objects still are the restore role's.
    async fn filled(&self, run: &str, content: &str) -> Restored {
        let lock = self.lock(run).await;
        let role = RestoreRole::begin(&self.server, &lock).await.unwrap();
        let incoming = Incoming::create(&self.server, &lock, &role, &spec()).await.unwrap();
        incoming
            .connect()
            .await
            .unwrap()
            .batch_execute(&says(content))
            .await
            .unwrap();
        Restored { lock, role, incoming }
    }

    /// What the database of that name says, read as Odoo's role.
    async fn reads(&self, database: &str) -> Result<String, PostgresError> {
        let session = self.server.connect(database).await?;
        Ok(session.query_one("SELECT text FROM said", &[]).await.unwrap().get(0))
    }

    async fn status(&self, database: &str) -> Option<Status> {
        let session = self.server.connect_maintenance().await.unwrap();
        status(&session, &Identifier::new(database).unwrap()).await.unwrap()
    }

    /// The tests' own container. A server that was named has none that we know of: the test is skipped, and says so.
    fn container(&self) -> Option<Arc<Container>> {
        if self.container.is_none() {
            // Past the harness, which shows what a test prints only if it fails.
            let _ = std::io::stderr().write_all(b"skipped: it needs a server in the tests' own container\n");
        }
        self.container.clone()
    }

    async fn state(&self, database: &str) -> Option<State> {
        self.status(database).await.and_then(|status| status.comment.state())
    }

    /// The databases that Odoo finds, as its `list_dbs` does.
    async fn odoo_lists(&self) -> Vec<String> {
        let session = self.server.connect_maintenance().await.unwrap();
        let rows = session
            .query(
                "SELECT datname::text FROM pg_database
                  WHERE datdba = (SELECT usesysid FROM pg_user WHERE usename = current_user)
                    AND NOT datistemplate AND datallowconn AND datname <> 'postgres' ORDER BY datname",
                &[],
            )
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// A filled incoming database with what holds it.
struct Restored {
    lock: RestoreLock,
    role: RestoreRole,
    incoming: Incoming,
}

/// Stands for what only the verification can make.
struct Assumed(Incoming);

impl Sealed for Assumed {}

impl Verified for Assumed {
    fn into_incoming(self) -> Incoming {
        self.0
    }
}

/// Asks again and again until there is an answer. A test that asks in vain says for what.
async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + LIMIT;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(tokio::time::Instant::now() < deadline, "not within {LIMIT:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn says(content: &str) -> String {
    format!("CREATE TABLE said AS SELECT '{content}'::text AS text")
}

fn spec() -> IncomingSpec {
    IncomingSpec {
        odoo_role: "odoo".into(),
        source: "opw-prod".into(),
        locale: Locale::odoo(),
    }
}

fn at(port: u16) -> Server {
    Server {
        host: "127.0.0.1".into(),
        port,
        admin: "odoo".into(),
        password: Secret::new(PASSWORD),
        maintenance: "postgres".into(),
    }
}

fn given(url: &str) -> Server {
    let config: Config = url.parse().unwrap();
    let Some(Host::Tcp(host)) = config.get_hosts().first() else {
        panic!("{url} has no host")
    };
    assert_eq!(config.get_user(), Some("odoo"), "the tests log in as Odoo's role");
    let password = String::from_utf8(config.get_password().unwrap().to_vec()).unwrap();
    Server {
        host: host.clone(),
        password: Secret::new(password),
        ..at(config.get_ports()[0])
    }
}
