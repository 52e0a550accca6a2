//! A PostgreSQL for the tests: the one of `OPW_TASK_TEST_POSTGRES`, or a container of the lab's image.

use std::io::Write as _;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tokio_postgres::{Client, Config, NoTls};

use crate::world::postgres_image;

static SERVER: OnceLock<Config> = OnceLock::new();

const PASSWORD: &str = "lab";
const CONTAINER: &str = "opw-task-test-sanitise";

/// The server, with its maintenance database.
fn server() -> Config {
    SERVER
        .get_or_init(|| match std::env::var("OPW_TASK_TEST_POSTGRES") {
            Ok(url) => url.parse().unwrap(),
            Err(_) => container(),
        })
        .clone()
}

/// The container of these tests: started once, found again by the next run, removed with whatever else bears the label.
fn container() -> Config {
    let password = format!("POSTGRES_PASSWORD={PASSWORD}");
    let running = docker(&["ps", "-q", "--filter", &format!("name=^{CONTAINER}$")]);
    if running.is_empty() {
        let run = [
            "run",
            "--rm",
            "-d",
            "--name",
            CONTAINER,
            "--label",
            "opw-task.lab=tests",
            "-p",
            "127.0.0.1:0:5432",
        ];
        let image = ["-e", "POSTGRES_USER=odoo", "-e", &password, &postgres_image()];
        docker(&[&run[..], &image[..]].concat());
    }
    let address = docker(&["port", CONTAINER, "5432/tcp"]);
    let port = address
        .lines()
        .next()
        .unwrap()
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let mut config = Config::new();
    config
        .host("127.0.0.1")
        .port(port)
        .user("odoo")
        .password(PASSWORD)
        .dbname("postgres");
    config
}

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "docker {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

async fn open(config: &Config) -> Client {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match config.connect(NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                return client;
            }
            Err(error) if Instant::now() > deadline => unreachable!("no server: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

/// An empty database of this name.
pub(crate) async fn database(name: &str) -> Client {
    let name = format!("sanitise_test_{name}");
    let client = open(&server()).await;
    client
        .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        .await
        .unwrap();
    client
        .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
        .await
        .unwrap();
    open(server().dbname(&name)).await
}

/// A copy of one of the tests' databases, made by the server.
pub(crate) async fn copy(from: &str, to: &str) -> Client {
    let (from, to) = (format!("sanitise_test_{from}"), format!("sanitise_test_{to}"));
    let client = open(&server()).await;
    client
        .batch_execute(&format!("DROP DATABASE IF EXISTS {to} WITH (FORCE)"))
        .await
        .unwrap();
    client
        .batch_execute(&format!("CREATE DATABASE {to} TEMPLATE {from}"))
        .await
        .unwrap();
    open(server().dbname(&to)).await
}

/// What the server logged so far, where it is the container of these tests.
pub(crate) fn log() -> Option<String> {
    if std::env::var("OPW_TASK_TEST_POSTGRES").is_ok() {
        // Past the harness, which shows what a test prints only if it fails.
        let _ = std::io::stderr().write_all(b"skipped: the log of a server that is not the tests' own\n");
        return None;
    }
    let output = Command::new("docker").args(["logs", CONTAINER]).output().unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

/// The server as a restore knows it.
pub(crate) fn as_admin() -> opw_task::postgres::Server {
    let config = server();
    let (host, port) = address();
    opw_task::postgres::Server {
        host,
        port,
        admin: config.get_user().unwrap().to_owned(),
        password: opw_task::secret::Secret::new(String::from_utf8_lossy(config.get_password().unwrap())),
        maintenance: "postgres".to_owned(),
    }
}

/// Where the server listens.
pub(crate) fn address() -> (String, u16) {
    let config = server();
    let tokio_postgres::config::Host::Tcp(host) = &config.get_hosts()[0] else {
        unreachable!("the tests' server is reached by TCP")
    };
    (host.clone(), config.get_ports()[0])
}

/// One of the tests' databases, reached through a port of this machine.
pub(crate) async fn through(port: u16, name: &str) -> Client {
    let own = server();
    let mut config = Config::new();
    config
        .host("127.0.0.1")
        .port(port)
        .user(own.get_user().unwrap())
        .password(own.get_password().unwrap())
        .dbname(format!("sanitise_test_{name}"));
    open(&config).await
}
