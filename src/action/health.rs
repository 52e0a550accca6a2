//! Waits until Odoo answers: the containers are healthy, `GET /web/health` says so, `GET /web/login` loads.
//!
//! `/web/health` never looks at Odoo's database; a login page that loads does. It changes nothing.

mod container;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use container::{FORMAT, Look, Verdict, Watch};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};

use super::compose::compose;
use super::logs::last_words;
use super::{Action, ActionError, Kind, Outline, Scene, Step};
use crate::manifest::{ActionGrammar, ArgumentGrammar, OptionGrammar, OptionKind};
use crate::process::{Command, Sink};
use crate::stack::Stack;

/// The services that must be well, if the stack does not name its own in `DEPLOY_SERVICES`.
const SERVICES: &str = "database,web";

/// An answer may take this long: Odoo loads its registry for the first one.
const ANSWER: Duration = Duration::from_secs(60);

/// Between two tries when Odoo does not answer yet although its container is healthy.
const RETRY: Duration = Duration::from_millis(250);

/// If Docker's events are lost, the state is looked at anyway this often; and while Odoo does not answer.
const LOOK: Duration = Duration::from_secs(2);

/// How long the name of a container is waited for when it has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until Odoo answers.
#[derive(Debug, Clone)]
pub(super) struct Health {
    /// After this it has failed.
    pub timeout: Duration,
}

/// Why the stack does not serve, or not yet.
#[derive(Debug, Clone)]
enum Trouble {
    /// A service is not well.
    Service { service: String, state: String },
    /// An address does not answer.
    Address { url: String, found: String },
}

/// Why waiting ended.
enum End {
    Lost(Trouble),
    Error(ActionError),
}

impl<E: Into<ActionError>> From<E> for End {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// What is waited for at the moment, told when the time is over.
#[derive(Debug)]
struct Waiting(Mutex<Trouble>);

impl Waiting {
    fn is_for(&self, trouble: Trouble) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    fn trouble(self) -> Trouble {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A container that was well, to be looked at while Odoo does not answer.
struct Watched {
    service: String,
    inspect: Command,
    watch: Watch,
}

/// `run = { health = … }`
pub(super) static KIND: Kind = Kind {
    grammar: ActionGrammar {
        key: "health",
        about: "Waits until Odoo answers.",
        argument: ArgumentGrammar::Options(&[OptionGrammar {
            key: "timeout",
            about: "Give up after so many seconds.",
            kind: OptionKind::Seconds { default: 300 },
        }]),
        on_stack: true,
    },
    make: |given| {
        Arc::new(Health {
            timeout: given.duration("timeout"),
        })
    },
};

#[async_trait]
impl Action for Health {
    fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
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

    async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        // One deadline for all there is to wait for, an answer that does not come among it.
        let deadline = Instant::now() + self.timeout;
        let waiting = Waiting(Mutex::new(Trouble::Service {
            service: "docker".into(),
            state: "not answering".into(),
        }));
        let trouble = match timeout_at(deadline, wait(scene, &waiting)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(End::Error(error))) => return Err(error),
            Ok(Err(End::Lost(trouble))) => trouble,
            Err(_) => match waiting.trouble() {
                Trouble::Service { service, state } => Trouble::Service {
                    service,
                    state: format!("still {state}"),
                },
                address @ Trouble::Address { .. } => address,
            },
        };
        Err(told(scene, trouble).await)
    }
}

async fn wait(scene: &Scene, waiting: &Waiting) -> Result<(), End> {
    let stack = scene.stack()?;
    let mut watched = Vec::new();
    for service in services(stack) {
        watched.push(wait_for(scene, &service, waiting).await?);
    }
    let url = stack.health_url()?;
    let answering = async {
        answers(scene, &format!("{url}/web/health"), waiting).await?;
        answers(scene, &format!("{url}/web/login"), waiting).await
    };
    tokio::select! {
        answered = answering => answered?,
        lost = look_after(scene, watched) => return Err(lost),
    }
    scene.report.note(format!("Odoo answers at {url}"));
    Ok(())
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
async fn wait_for(scene: &Scene, service: &str, waiting: &Waiting) -> Result<Watched, End> {
    let stack = scene.stack()?;
    let trouble = |state: String| Trouble::Service {
        service: service.to_owned(),
        state,
    };
    waiting.is_for(trouble("looked for".into()));
    let id = scene.ask_there(container(stack, service)).await?;
    let Some(id) = id.split_whitespace().next() else {
        return Err(End::Lost(trouble("not there: no container was made".into())));
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
        .command(Command::new("docker").args(["inspect", "--format", FORMAT, id]))?;
    let waker = changed.clone();
    let wake: Sink = Arc::new(move |_, _| waker.notify_one());
    let watching = scene.processes.run(&events, &wake);
    let mut watch = Watch::default();
    let looking = async {
        loop {
            match watch.judge(&look(scene, &inspect).await?) {
                Verdict::Well => return Ok(()),
                Verdict::Lost(state) => return Err(End::Lost(trouble(state))),
                Verdict::Waiting(now) => waiting.is_for(trouble(now)),
            }
            // Either way it is looked at again.
            let _ = timeout(LOOK, changed.notified()).await;
        }
    };
    tokio::select! {
        result = looking => result?,
        // docker events ends only with the daemon, or when the run is cancelled.
        ended = watching => return Err(End::Error(ended.err().map_or(ActionError::Interrupted, ActionError::from))),
    }
    Ok(Watched {
        service: service.to_owned(),
        inspect,
        watch,
    })
}

async fn look(scene: &Scene, inspect: &Command) -> Result<Look, ActionError> {
    let answer = scene.processes.capture(inspect).await?;
    serde_json::from_str(answer.trim()).map_err(ActionError::Answer)
}

/// Ends when one of the containers that were well is lost: one without a health check is well whenever it runs.
async fn look_after(scene: &Scene, mut watched: Vec<Watched>) -> End {
    loop {
        tokio::time::sleep(LOOK).await;
        for Watched {
            service,
            inspect,
            watch,
        } in &mut watched
        {
            match look(scene, inspect).await {
                Ok(look) => {
                    if let Verdict::Lost(state) = watch.judge(&look) {
                        let service = service.clone();
                        return End::Lost(Trouble::Service { service, state });
                    }
                }
                Err(error) => return End::Error(error),
            }
        }
    }
}

/// Waits until an address answers 200.
async fn answers(scene: &Scene, url: &str, waiting: &Waiting) -> Result<(), End> {
    let trouble = |found: String| Trouble::Address {
        url: url.to_owned(),
        found,
    };
    waiting.is_for(trouble("no answer yet".into()));
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::limited(4))
        .timeout(ANSWER)
        .build()
        .map_err(|error| End::Lost(trouble(error.to_string())))?;
    let mut retry = tokio::time::interval(RETRY);
    loop {
        tokio::select! {
            () = scene.processes.cancellation().cancelled() => return Err(ActionError::Interrupted.into()),
            _ = retry.tick() => {}
        }
        let asked = tokio::select! {
            () = scene.processes.cancellation().cancelled() => return Err(ActionError::Interrupted.into()),
            asked = client.get(url).send() => asked,
        };
        match asked {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => waiting.is_for(trouble(format!("HTTP {}", answer.status()))),
            Err(error) => waiting.is_for(trouble(innermost(&error))),
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

fn name_of(scene: &Scene) -> String {
    scene.stack.as_ref().map(|stack| stack.name.clone()).unwrap_or_default()
}

/// The error that a trouble is, with what the service itself says.
async fn told(scene: &Scene, trouble: Trouble) -> ActionError {
    match trouble {
        Trouble::Service { service, state } => {
            let (container, log) = tokio::join!(container_name(scene, &service), last_words(scene, &service));
            ActionError::Unhealthy {
                stack: name_of(scene),
                service,
                container,
                state,
                log,
            }
        }
        Trouble::Address { url, found } => ActionError::NoAnswer {
            stack: name_of(scene),
            url,
            found,
            log: last_words(scene, "web").await,
        },
    }
}

/// The name of a service's container, as `docker ps` shows it.
async fn container_name(scene: &Scene, service: &str) -> Option<String> {
    let stack = scene.stack().ok()?;
    let names = compose(stack).args(["ps", "--all", "--format", "{{.Name}}", service]);
    let names = stack.host.command(names).ok()?;
    let names = timeout(PATIENCE, scene.processes.capture(&names)).await.ok()?.ok()?;
    names.lines().next().map(str::to_owned)
}
