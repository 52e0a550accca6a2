//! Waits until Odoo answers: the containers are healthy, `GET /web/health` says so, `GET /web/login` loads.
//!
//! `/web/health` never looks at Odoo's database; a login page that loads does. It changes nothing.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::compose::compose;
use super::{ActionError, Outline, Scene, Step};
use crate::process::{Command, Sink};
use crate::stack::Stack;

/// The services that must be well, if the stack does not name its own in `DEPLOY_SERVICES`.
const SERVICES: &str = "database,web";

/// An answer may take this long: Odoo loads its registry for the first one.
const ANSWER: Duration = Duration::from_secs(60);

/// Between two tries when Odoo does not answer yet although its container is healthy.
const RETRY: Duration = Duration::from_millis(250);

/// If Docker's events are lost, the state is looked at anyway this often.
const LOOK: Duration = Duration::from_secs(5);

/// How much of a service's log a failure shows.
const LOG_LINES: &str = "20";

/// Waits until Odoo answers.
#[derive(Debug, Clone)]
pub struct Health {
    /// After this it has failed.
    pub timeout: Duration,
}

/// What Docker says of a container.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    status: String,
    exit_code: i32,
    health: Option<HealthState>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HealthState {
    status: String,
}

enum Verdict {
    Well,
    Waiting(String),
    Lost(String),
}

impl State {
    fn verdict(&self) -> Verdict {
        match (
            self.status.as_str(),
            self.health.as_ref().map(|health| health.status.as_str()),
        ) {
            ("running", None | Some("healthy" | "none")) => Verdict::Well,
            ("running", Some("unhealthy")) => Verdict::Lost("unhealthy".into()),
            ("running", Some(other)) => Verdict::Waiting(other.to_owned()),
            ("exited" | "dead", _) => Verdict::Lost(format!("{} (exit {})", self.status, self.exit_code)),
            (other, _) => Verdict::Waiting(other.to_owned()),
        }
    }
}

impl Health {
    pub(super) fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let url = stack.health_url()?;
        let mut steps = Vec::new();
        for service in services(stack) {
            steps.push(Step::Command(
                stack.host.command(container(stack, &service))?.to_string(),
            ));
        }
        steps.push(Step::Command(format!("curl -fsS {url}/web/health")));
        steps.push(Step::Command(format!("curl -fsS -o /dev/null {url}/web/login")));
        Ok(steps)
    }

    pub(super) async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        let deadline = Instant::now() + self.timeout;
        let stack = scene.stack()?;
        for service in services(stack) {
            wait_for(scene, &service, deadline).await?;
        }
        let url = stack.health_url()?;
        answers(scene, &format!("{url}/web/health"), deadline).await?;
        answers(scene, &format!("{url}/web/login"), deadline).await?;
        scene.report.note(format!("Odoo answers at {url}"));
        Ok(())
    }
}

fn services(stack: &Stack) -> Vec<String> {
    let named = stack.variables.text("DEPLOY_SERVICES").unwrap_or(SERVICES);
    named
        .split([',', ' '])
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn container(stack: &Stack, service: &str) -> Command {
    compose(stack).args(["ps", "--all", "--quiet", service])
}

/// Waits until a service's container is well: woken by Docker's events, not by a clock.
async fn wait_for(scene: &Scene, service: &str, deadline: Instant) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    let id = scene.ask_there(container(stack, service)).await?;
    let Some(id) = id.split_whitespace().next() else {
        return Err(unhealthy(scene, service, "not there: no container was made".into()).await);
    };
    let changed = Arc::new(Notify::new());
    let events = Command::new("docker").args([
        "events",
        "--format",
        "{{.Status}}",
        "--filter",
        "type=container",
        "--filter",
        &format!("container={id}"),
    ]);
    let events = stack.host.command(events)?;
    let inspect = stack
        .host
        .command(Command::new("docker").args(["inspect", "--format", "{{json .State}}", id]))?;
    let waker = changed.clone();
    let wake: Sink = Arc::new(move |_, _| waker.notify_one());
    let watching = scene.processes.run(&events, &wake);
    let looking = async {
        loop {
            let state: State =
                serde_json::from_str(scene.processes.capture(&inspect).await?.trim()).map_err(ActionError::Answer)?;
            let now = match state.verdict() {
                Verdict::Well => return Ok(()),
                Verdict::Lost(state) => return Err(unhealthy(scene, service, state).await),
                Verdict::Waiting(now) => now,
            };
            let next = deadline.min(Instant::now() + LOOK);
            if timeout_at(next, changed.notified()).await.is_err() && Instant::now() >= deadline {
                return Err(unhealthy(scene, service, format!("still {now}")).await);
            }
        }
    };
    tokio::select! {
        result = looking => result,
        // docker events ends only with the daemon, or when the run is cancelled.
        ended = watching => Err(ended.err().map_or(ActionError::Interrupted, ActionError::from)),
    }
}

/// Waits until an address answers 200.
async fn answers(scene: &Scene, url: &str, deadline: Instant) -> Result<(), ActionError> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::limited(4))
        .timeout(ANSWER)
        .build()
        .map_err(|error| ActionError::NoAnswer {
            url: url.to_owned(),
            found: error.to_string(),
            log: Vec::new(),
        })?;
    let mut retry = tokio::time::interval(RETRY);
    loop {
        tokio::select! {
            () = scene.processes.cancellation().cancelled() => return Err(ActionError::Interrupted),
            _ = retry.tick() => {}
        }
        let found = match client.get(url).send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => format!("HTTP {}", answer.status()),
            Err(error) => innermost(&error),
        };
        if Instant::now() >= deadline {
            let log = log_of(scene, "web").await;
            return Err(ActionError::NoAnswer {
                url: url.to_owned(),
                found,
                log,
            });
        }
    }
}

/// reqwest's own text is only "error sending request"; the cause says what is wrong.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

async fn unhealthy(scene: &Scene, service: &str, state: String) -> ActionError {
    let name = scene.stack.as_ref().map(|stack| stack.name.clone());
    ActionError::Unhealthy {
        stack: name.unwrap_or_default(),
        service: service.to_owned(),
        container: container_name(scene, service).await,
        state,
        log: log_of(scene, service).await,
    }
}

/// The name of a service's container, as `docker ps` shows it.
async fn container_name(scene: &Scene, service: &str) -> Option<String> {
    let stack = scene.stack().ok()?;
    let names = compose(stack).args(["ps", "--all", "--format", "{{.Name}}", service]);
    let names = scene.processes.capture(&stack.host.command(names).ok()?).await.ok()?;
    names.lines().next().map(str::to_owned)
}

/// The last lines of a service's log, redacted; none if they cannot be had.
async fn log_of(scene: &Scene, service: &str) -> Vec<String> {
    let Ok(stack) = scene.stack() else { return Vec::new() };
    let logs = compose(stack).args(["logs", "--no-color", "--no-log-prefix", "--tail", LOG_LINES, service]);
    let Ok(logs) = stack.host.command(logs) else {
        return Vec::new();
    };
    let text = scene.processes.capture(&logs).await.unwrap_or_default();
    text.lines()
        .map(|line| scene.processes.redactor().redact(line).into_owned())
        .collect()
}
