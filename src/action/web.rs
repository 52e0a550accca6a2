//! The web's containers around a swap: which serve, which will serve after it, and how they are stopped and started.
//!
//! Where the image or the configuration of the service has changed, the containers that will serve are made while the
//! others still do: as further ones of the same service, by compose itself. Those that served are kept until the new ones
//! have started, so that there is a way back, and then removed with their anonymous volumes.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::compose::compose;
use super::{ActionError, Scene, Step};
use crate::process::Command;
use crate::stack::Stack;

/// How long the web may take to end its requests before it is killed, in seconds.
const GRACE: &str = "10";

/// After this a second SIGTERM is sent. Odoo's main thread may sleep for up to a minute after the first one (measured: a
/// quarter of all stops); at the second it ends at once. On a busy machine two may arrive as one, so more of them follow.
const NEXT_SIGNAL: Duration = Duration::from_millis(500);

/// So many at most: for as long as the grace lasts.
const SIGNALS: usize = 20;

/// What compose calls the hash of the configuration that a container was made from.
const CONFIG_HASH: &str = "com.docker.compose.config-hash";

/// Containers of the web.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Web {
    /// Those that serve before the swap.
    serving: Vec<String>,
    /// Those that serve after it; none where it is the same ones.
    next: Vec<String>,
    /// Whether compose puts the next one in the old one's place once that is stopped: both cannot be there at once.
    #[serde(default)]
    in_place: bool,
}

impl Web {
    /// Looks which containers serve.
    pub(super) async fn look(scene: &Scene) -> Result<Self, ActionError> {
        let serving = ids(&scene.ask_there(running(scene.stack()?)).await?);
        Ok(Self {
            serving,
            ..Self::default()
        })
    }

    /// Whether there is anything to start again.
    pub(super) fn is_any(&self) -> bool {
        !self.serving.is_empty() || !self.next.is_empty()
    }

    /// Makes the containers that serve after the swap, where those that serve would be made anew by `docker compose up`.
    /// Nothing is stopped or started; what was made is removed again if it fails.
    pub(super) async fn make_next(&mut self, scene: &Scene) -> Result<(), ActionError> {
        if !self.is_any() || !self.is_outdated(scene).await? {
            return Ok(());
        }
        let stack = scene.stack()?;
        if has_name_of_its_own(scene).await? {
            self.in_place = true;
            return Ok(());
        }
        let before = ids(&scene.ask_there(all(stack)).await?);
        let made = scene
            .run_there(make_beside(stack, before.len() + self.serving.len()))
            .await;
        self.next = ids(&scene.ask_there(all(stack)).await?);
        self.next.retain(|id| !before.contains(id));
        if let Err(error) = made {
            self.drop_next(scene).await?;
            return Err(error);
        }
        Ok(())
    }

    /// Whether compose would make the containers anew: for another configuration, or another image of the same name.
    async fn is_outdated(&self, scene: &Scene) -> Result<bool, ActionError> {
        let stack = scene.stack()?;
        let hash = scene
            .ask_there(compose(stack).args(["config", "--hash", "web"]))
            .await?;
        let hash = hash.split_whitespace().last().unwrap_or_default().to_owned();
        let format = format!("{{{{index .Config.Labels {CONFIG_HASH:?}}}}} {{{{.Image}}}} {{{{.Config.Image}}}}");
        let inspect = Command::new("docker").args(["inspect", "--format", &format]);
        let facts = scene.ask_there(inspect.args(&self.serving)).await?;
        for line in facts.lines() {
            let [made_from, image, name] = line.split(' ').collect::<Vec<_>>()[..] else {
                return Ok(true);
            };
            let newest = Command::new("docker").args(["image", "inspect", "--format", "{{.Id}}", name]);
            // An image that is not there is built or pulled by compose, before anything is stopped.
            let newest = scene.ask_there(newest).await.unwrap_or_default();
            if made_from != hash || image != newest.trim() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Stops what serves. An interruption does not keep it from that.
    pub(super) async fn stop(&self, scene: &Scene) -> Result<(), ActionError> {
        if self.serving.is_empty() {
            return Ok(());
        }
        let stopping = to_its_end(scene, docker("stop", &["-t", GRACE], &self.serving));
        tokio::pin!(stopping);
        let again = docker("kill", &["--signal", "TERM"], &self.serving);
        let again = scene.stack()?.host.command(again)?;
        let processes = scene.processes.with_cancellation(CancellationToken::new());
        for _ in 1..SIGNALS {
            if let Ok(stopped) = timeout(NEXT_SIGNAL, &mut stopping).await {
                return stopped;
            }
            scene.report.command(&again);
            // One that has ended by now is no fault, and how the stop itself ended is told by that.
            let _ended_already = processes.capture(&again).await;
        }
        stopping.await
    }

    /// Starts what is to serve after the swap.
    pub(super) async fn start_next(&self, scene: &Scene) -> Result<(), ActionError> {
        if self.in_place {
            let stack = scene.stack()?;
            to_its_end(scene, replace(stack)).await?;
            let made = ids(&scene.ask_there(all(stack)).await?);
            return to_its_end(scene, docker("start", &[], &made)).await;
        }
        to_its_end(scene, docker("start", &[], self.heirs())).await
    }

    /// Starts what served before, and removes what was made to serve after it. Where the former is gone, the latter is all
    /// that there is.
    pub(super) async fn start_again(&self, scene: &Scene) -> Result<(), ActionError> {
        if self.serving.is_empty() {
            return self.start_next(scene).await;
        }
        to_its_end(scene, docker("start", &[], &self.serving)).await?;
        self.drop_next(scene).await
    }

    /// The containers that serve after the swap.
    fn heirs(&self) -> &[String] {
        match self.next.is_empty() {
            true => &self.serving,
            false => &self.next,
        }
    }

    /// Removes what was made to serve after the swap.
    async fn drop_next(&self, scene: &Scene) -> Result<(), ActionError> {
        remove(scene, &self.next).await
    }

    /// Removes what served before, where others serve now, and gives these the names of those.
    pub(super) async fn retire(&self, scene: &Scene) -> Result<(), ActionError> {
        if self.next.is_empty() || self.serving.is_empty() {
            return Ok(());
        }
        let inspect = docker("inspect", &["--format", "{{.Name}}"], &self.serving);
        let names = scene.ask_there(inspect).await?;
        remove(scene, &self.serving).await?;
        for (id, name) in self.next.iter().zip(names.lines()) {
            let name = name.trim_start_matches('/');
            to_its_end(scene, Command::new("docker").args(["rename", id, name])).await?;
        }
        Ok(())
    }

    /// The same without containers that are not there any more; where none of them is, all that are there.
    pub(super) async fn that_are_there(mut self, scene: &Scene) -> Result<Self, ActionError> {
        let there = ids(&scene.ask_there(all(scene.stack()?)).await?);
        self.serving.retain(|id| there.contains(id));
        self.next.retain(|id| there.contains(id));
        self.in_place = false;
        if !self.is_any() {
            self.next = there;
        }
        Ok(self)
    }
}

/// Whether the service says what its container is called: there can be only one of it.
async fn has_name_of_its_own(scene: &Scene) -> Result<bool, ActionError> {
    let config = compose(scene.stack()?).args(["config", "--format", "json", "web"]);
    let config: serde_json::Value =
        serde_json::from_str(&scene.ask_there(config).await?).map_err(ActionError::Answer)?;
    Ok(config.pointer("/services/web/container_name").is_some())
}

/// What is done before a swap, as a person could type it; `anew` where it may be other containers that serve afterwards.
pub(super) fn steps_before(stack: &Stack, anew: bool) -> Result<Vec<Step>, ActionError> {
    let line = |command: Command| Ok::<_, ActionError>(stack.host.command(command)?.to_string());
    let serving = line(running(stack))?;
    let mut steps = Vec::new();
    if anew {
        steps.push(Step::Note(
            "only where web's image or configuration has changed: its next container is made beside the one that serves".into(),
        ));
        steps.push(Step::Command(line(make_beside(stack, 2))?));
    }
    let stop = line(docker("stop", &["-t", GRACE], &[]))?;
    let again = line(docker("kill", &["--signal", "TERM"], &[]))?;
    steps.push(Step::Command(format!("{stop} $({serving})")));
    steps.push(Step::Note(format!(
        "each half second, while it still runs: {again} $({serving})"
    )));
    Ok(steps)
}

/// What is done after a swap.
pub(super) fn steps_after(stack: &Stack, anew: bool) -> Result<Vec<Step>, ActionError> {
    let line = |command: Command| Ok::<_, ActionError>(stack.host.command(command)?.to_string());
    let newest = line(all(stack).args(["--last", "1"]))?;
    let mut steps = vec![
        Step::Command(format!("{} $({newest})", line(docker("start", &[], &[]))?)),
        Step::Note("wait until /web/login answers".into()),
    ];
    if anew {
        steps.push(Step::Note(
            "where there is a new container, it gets the old one's name, and that is removed".into(),
        ));
    }
    Ok(steps)
}

/// Runs a command that an interruption must not cut short.
async fn to_its_end(scene: &Scene, command: Command) -> Result<(), ActionError> {
    let command = scene.stack()?.host.command(command)?;
    scene.report.command(&command);
    let processes = scene.processes.with_cancellation(CancellationToken::new());
    Ok(processes.run(&command, &scene.report.sink()).await?)
}

/// Removes containers with their anonymous volumes.
async fn remove(scene: &Scene, containers: &[String]) -> Result<(), ActionError> {
    if containers.is_empty() {
        return Ok(());
    }
    to_its_end(scene, docker("rm", &["--force", "--volumes"], containers)).await
}

fn docker(subcommand: &str, flags: &[&str], containers: &[String]) -> Command {
    Command::new("docker")
        .arg(subcommand)
        .args(flags.iter().copied())
        .args(containers)
}

fn ids(answer: &str) -> Vec<String> {
    answer.split_whitespace().map(str::to_owned).collect()
}

/// The containers that serve, or would if Docker let them.
fn running(stack: &Stack) -> Command {
    ["running", "restarting", "paused"]
        .iter()
        .fold(all(stack), |command, status| {
            command.args(["--filter", &format!("status={status}")])
        })
}

/// All containers of the web, those that do not run too.
fn all(stack: &Stack) -> Command {
    let labels = [
        ("project", stack.project.as_str()),
        ("service", "web"),
        ("oneoff", "False"),
    ];
    let command = Command::new("docker").args(["ps", "--all", "--quiet", "--no-trunc"]);
    labels.iter().fold(command, |command, (label, value)| {
        command.args(["--filter", &format!("label=com.docker.compose.{label}={value}")])
    })
}

/// Makes containers beside those that are there, which stay as they are. Not with `--no-deps`: compose would leave out of the
/// service what it depends on, and make the container anew at the next `up` because of that.
fn make_beside(stack: &Stack, count: usize) -> Command {
    compose(stack)
        .args(["up", "--no-start", "--no-recreate", "--scale"])
        .arg(format!("web={count}"))
        .arg("web")
}

/// Makes a container anew, in the old one's place, which is stopped.
fn replace(stack: &Stack) -> Command {
    compose(stack).args(["up", "--no-start", "--renew-anon-volumes", "web"])
}
