//! Eyes on a stack while something happens to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::estate::{Estate, block_on};
use super::machine::command_lines;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(40);

/// What was seen at one moment.
#[derive(Debug, Clone)]
pub struct Seen {
    pub at: Duration,
    /// The incoming database and what its mark says; none if there is none.
    pub incoming: Option<(String, String)>,
    /// What Odoo's role got when it logged in to the incoming database: the refusal, none for a login.
    pub refusal: Option<String>,
    /// Whether Odoo's own list of databases had it.
    pub listed: bool,
    /// What `/web/login` answered; none if nobody was there.
    pub login: Option<u16>,
}

/// A watch over a stack.
pub struct Watch {
    stop: Arc<AtomicBool>,
    stack: JoinHandle<Vec<Seen>>,
    lines: JoinHandle<Vec<String>>,
}

impl Watch {
    pub(super) fn begin(estate: &Estate) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (port, web) = (estate.database_port, estate.web);
        let stack = std::thread::spawn({
            let stop = stop.clone();
            move || block_on(look_at_the_stack(port, web, &stop))
        });
        let lines = std::thread::spawn({
            let stop = stop.clone();
            move || look_at_processes(&stop)
        });
        Self { stop, stack, lines }
    }

    /// Ends it: what was seen, and every command line that held a secret.
    pub fn end(self) -> (Vec<Seen>, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        (self.stack.join().unwrap(), self.lines.join().unwrap())
    }
}

async fn look_at_the_stack(port: u16, web: u16, stop: &AtomicBool) -> Vec<Seen> {
    let begun = Instant::now();
    let mut all = Vec::new();
    let http = reqwest::Client::builder()
        .timeout(Duration::from_secs(3))
        .build()
        .unwrap();
    let url = format!("http://127.0.0.1:{web}/web/login");
    let mut admin = None;
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(LOOK).await;
        if admin.as_ref().is_none_or(Client::is_closed) {
            admin = connect(port, "postgres").await.ok();
        }
        let Some(client) = &admin else { continue };
        let Ok(incoming) = incoming(client).await else { continue };
        let refusal = match &incoming {
            Some((name, _)) => connect(port, name).await.err(),
            None => None,
        };
        // The question that Odoo's cron workers and database manager ask.
        let list = "SELECT datname FROM pg_database WHERE datdba = (SELECT usesysid FROM pg_user WHERE usename = current_user) \
                    AND NOT datistemplate AND datallowconn AND datname <> 'postgres'";
        let Ok(listed) = rows(client, list).await else { continue };
        all.push(Seen {
            at: begun.elapsed(),
            incoming,
            refusal,
            listed: listed.iter().any(|row| row.contains("__incoming_")),
            login: http.get(&url).send().await.ok().map(|answer| answer.status().as_u16()),
        });
    }
    all
}

async fn connect(port: u16, database: &str) -> Result<Client, String> {
    let mut config = Config::new();
    config
        .host("127.0.0.1")
        .port(port)
        .user("odoo")
        .password(Estate::database_password())
        .dbname(database)
        .connect_timeout(Duration::from_secs(2));
    let (client, connection) = config.connect(NoTls).await.map_err(|error| {
        error
            .as_db_error()
            .map_or_else(|| error.to_string(), |error| error.message().to_owned())
    })?;
    tokio::spawn(connection);
    Ok(client)
}

async fn incoming(client: &Client) -> Result<Option<(String, String)>, tokio_postgres::Error> {
    let sql = "SELECT datname || ' ' || coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database \
               WHERE datname LIKE '%\\_\\_incoming\\_%'";
    let rows = rows(client, sql).await?;
    Ok(rows.first().and_then(|row| {
        let (name, comment) = row.split_once(' ')?;
        let state = comment
            .split_once("\"state\":\"")
            .map_or("", |(_, rest)| rest.split('"').next().unwrap_or(""));
        Some((name.to_owned(), state.to_owned()))
    }))
}

async fn rows(client: &Client, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
    let messages = client.simple_query(sql).await?;
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    Ok(messages.into_iter().filter_map(row).collect())
}

/// Command lines of this machine and all containers, as anybody can read them, that hold a secret.
fn look_at_processes(stop: &AtomicBool) -> Vec<String> {
    let secrets = Estate::secrets();
    let mut found = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        for (_, line) in command_lines() {
            if secrets.iter().any(|secret| line.contains(secret)) && !found.contains(&line) {
                found.push(line);
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    found
}
