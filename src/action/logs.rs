//! What a stack's services have logged: what their containers print, which `docker compose logs` knows, and Odoo's own log
//! file, which it does not.
//!
//! It changes nothing.

use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use tokio::time::timeout;

use super::compose::of_project;
use super::{ActionError, Scene};
use crate::process::{Command, Sink};
use crate::stack::Stack;

/// The services in which Odoo runs.
const ODOO: [&str; 2] = ["web", "script-runner"];

/// Flags of `docker compose logs` that take a value.
const WITH_VALUE: [&str; 5] = ["--tail", "-n", "--since", "--until", "--index"];

/// Shows the end of a log file; it says why it is no plain `tail`.
const TAIL: &str = include_str!("log_file.sh");

/// How much of a service's log a failure shows, in lines of each source.
const EVIDENCE: &str = "20";

/// How long the lines of a failure are waited for: a host that does not answer must not hide the failure.
const PATIENCE: Duration = Duration::from_secs(10);

/// Odoo's log file on the stack's host.
struct LogFile {
    /// One of the stack's folders.
    folder: Utf8PathBuf,
    /// The file in it, which Odoo's user may have put anything in the place of.
    file: Utf8PathBuf,
}

/// Returns Odoo's log file. None where Odoo logs to its container's output, or outside of the stack's folders.
fn odoo_log(stack: &Stack) -> Option<LogFile> {
    let file = Utf8Path::new(stack.variables.text("ODOO_LOGFILE")?);
    let folders = [
        ("/volumes/logs", &stack.paths.logs),
        ("/volumes/data", &stack.paths.data),
    ];
    folders.iter().find_map(|(inside, folder)| {
        let rest = file.strip_prefix(inside).ok()?;
        let is_plain = rest.components().all(|part| matches!(part, Utf8Component::Normal(_)));
        (is_plain && !rest.as_str().is_empty()).then(|| LogFile {
            folder: folder.to_path_buf(),
            file: rest.to_path_buf(),
        })
    })
}

/// What `docker compose logs` is asked for, as far as it concerns a file.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    /// As `tail -n` takes it.
    lines: String,
    follow: bool,
    prefix: bool,
}

impl Wanted {
    /// None where the services that are named are all without Odoo.
    fn of(flags: &[String]) -> Option<Self> {
        let mut wanted = Self {
            lines: "+1".into(),
            follow: false,
            prefix: true,
        };
        let mut services = Vec::new();
        let mut rest = flags.iter();
        while let Some(word) = rest.next() {
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None if word.len() > 2 && word.starts_with("-n") => ("-n", Some(word[2..].to_owned())),
                None if WITH_VALUE.contains(&word.as_str()) => (word.as_str(), rest.next().cloned()),
                None => (word.as_str(), None),
            };
            match (flag, value) {
                ("--tail" | "-n", Some(count)) if count.parse::<u64>().is_ok() => wanted.lines = count,
                ("--follow" | "-f", value) => wanted.follow = value.is_none_or(|value| value != "false"),
                ("--no-log-prefix", _) => wanted.prefix = false,
                (service, _) if !service.starts_with('-') => services.push(service.to_owned()),
                _ => {}
            }
        }
        let concerns = services.is_empty() || services.iter().any(|service| ODOO.contains(&service.as_str()));
        concerns.then_some(wanted)
    }

    fn command(&self, log: &LogFile) -> Command {
        tail(log, &self.lines, if self.follow { "follow" } else { "once" })
    }
}

fn tail(log: &LogFile, lines: &str, how: &str) -> Command {
    Command::new("sh").args(["-c", TAIL, "sh", log.folder.as_str(), log.file.as_str(), lines, how])
}

/// The command that shows Odoo's log file beside `docker compose logs` with these flags.
pub(super) fn beside(stack: &Stack, flags: &[String]) -> Result<Option<Command>, ActionError> {
    let (Some(wanted), Some(file)) = (Wanted::of(flags), odoo_log(stack)) else {
        return Ok(None);
    };
    Ok(Some(stack.host.command(wanted.command(&file))?))
}

/// Shows what the containers have logged, then Odoo's log file; beside each other where they are followed.
pub(super) async fn show(scene: &Scene, containers: Command, flags: &[String]) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    let Some(wanted) = Wanted::of(flags) else {
        return scene.run_there(containers).await;
    };
    let (Some(file), Some(command)) = (odoo_log(stack), beside(stack, flags)?) else {
        return scene.run_there(containers).await;
    };
    let sink = prefixed(scene, wanted.prefix.then(|| file.file.file_name().unwrap_or("odoo")));
    if !wanted.follow {
        scene.run_there(containers).await?;
        scene.report.command(&command);
        return Ok(scene.processes.run(&command, &sink).await?);
    }
    scene.report.command(&command);
    // It is followed for as long as there are containers to follow.
    let followed = scene.processes.cancellation().child_token();
    let processes = scene.processes.with_cancellation(followed.clone());
    let containers = async {
        let shown = scene.run_there(containers).await;
        followed.cancel();
        shown
    };
    let file = async {
        match processes.run(&command, &sink).await {
            Err(error) if !error.is_cancelled() => scene.report.warn(format!("Odoo's log file is not shown: {error}")),
            _ => {}
        }
    };
    tokio::join!(containers, file).0
}

/// Puts the name of its source before each line, as compose does.
fn prefixed(scene: &Scene, name: Option<&str>) -> Sink {
    let sink = scene.report.sink();
    let Some(name) = name.map(str::to_owned) else {
        return sink;
    };
    Arc::new(move |stream, line| sink(stream, &format!("{name}  | {line}")))
}

/// The last lines of a service's log, redacted: what its container printed, then Odoo's log file; none if they cannot be
/// had.
pub(super) async fn last_words(scene: &Scene, service: &str) -> Vec<String> {
    let Ok(stack) = scene.stack() else { return Vec::new() };
    let printed = of_project(stack).args(["logs", "--no-color", "--no-log-prefix", "--tail", EVIDENCE, service]);
    let file = odoo_log(stack).filter(|_| ODOO.contains(&service));
    let written = async {
        match &file {
            Some(file) => lines_of(scene, tail(file, EVIDENCE, "once")).await,
            None => Vec::new(),
        }
    };
    let (mut lines, written) = tokio::join!(lines_of(scene, printed), written);
    if let Some(file) = &file
        && !written.is_empty()
    {
        lines.push(format!("{}:", file.folder.join(&file.file)));
        lines.extend(written);
    }
    lines
}

async fn lines_of(scene: &Scene, command: Command) -> Vec<String> {
    let asked = timeout(PATIENCE, scene.ask_there(command)).await;
    let Ok(Ok(text)) = asked else { return Vec::new() };
    let redact = |line| scene.processes.redactor().redact(line).into_owned();
    text.lines().map(redact).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(line: &str) -> Option<(String, bool, bool)> {
        let flags: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Wanted::of(&flags).map(|wanted| (wanted.lines, wanted.follow, wanted.prefix))
    }

    #[test]
    fn flags_are_read_as_compose_reads_them() {
        let is = |lines: &str, follow, prefix| Some((lines.to_owned(), follow, prefix));
        for line in ["--tail 5", "--tail=5", "-n 5", "-n5", "-n=5"] {
            assert_eq!(wanted(line), is("5", false, true), "{line}");
        }
        assert_eq!(wanted(""), is("+1", false, true));
        assert_eq!(wanted("--tail all web"), is("+1", false, true));
        assert_eq!(wanted("-f --no-log-prefix --since 5m web"), is("+1", true, false));
        assert_eq!(wanted("--follow=false script-runner"), is("+1", false, true));
        assert_eq!(wanted("--since web database"), None, "`web` is when, not which");
        assert_eq!(wanted("database"), None);
    }
}
