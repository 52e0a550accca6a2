//! Who holds a lock: what another run is told that meets it.

use std::fmt;

use jiff::Timestamp;

/// Who takes a lock, from where, since when, for what.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The run.
    pub run: String,
    /// What it does; a line without secrets.
    pub title: String,
    since: Timestamp,
}

impl Holder {
    /// This process, from now on.
    #[must_use]
    pub fn new(run: &str, title: &str) -> Self {
        Self {
            run: run.to_owned(),
            title: title.replace(char::is_control, " "),
            since: Timestamp::now(),
        }
    }
}

/// Three lines. The second begins with the word `run` and the run: what a run begins on another machine looks there whether
/// the lock still is its own.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "opw-task {}", self.title)?;
        let since = self.since.strftime("%Y-%m-%d %H:%M:%S UTC");
        writeln!(f, "run {} since {since}", self.run)?;
        let machine = rustix::system::uname();
        let machine = machine.nodename().to_string_lossy();
        writeln!(f, "user {} on {machine}, process {}", user(), std::process::id())
    }
}

/// The user by name where the environment tells it, and from where they logged in.
fn user() -> String {
    let said = |name: &str| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
        Some(value.replace(char::is_control, " "))
    };
    let id = rustix::process::getuid().as_raw();
    let mut user = said("USER")
        .or_else(|| said("LOGNAME"))
        .unwrap_or_else(|| format!("{id}"));
    if let Some(behind) = said("SUDO_USER") {
        user = format!("{user} (sudo of {behind})");
    }
    // The client's address is its first word.
    if let Some(from) = said("SSH_CONNECTION").and_then(|words| Some(words.split(' ').next()?.to_owned())) {
        user = format!("{user} (logged in from {from})");
    }
    user
}
