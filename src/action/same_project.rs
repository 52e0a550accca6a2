//! Whether the containers that carry a stack's project name are the stack's. `docker compose` knows a project by its name
//! alone: from another checkout with another state root it would take the containers over, and start them on other data.

use camino::{Utf8Path, Utf8PathBuf};

use super::{ActionError, Scene};
use crate::error::{Diagnostic, ExitCode, Explain};
use crate::host::Host;
use crate::process::Command;
use crate::stack::Stack;

/// What is asked of each container, separated by tabs: the labels are compose's own.
const FACTS: &str = "{{.Names}}\t{{.State}}\t{{.Label \"com.docker.compose.project.config_files\"}}\t\
                     {{.Label \"com.docker.compose.project.working_dir\"}}";

/// Containers of the stack's project that were made from another state root.
#[derive(Debug, thiserror::Error)]
#[error("the compose project `{project}` on {host} belongs to another state root than that of stack `{stack}`")]
pub struct OtherProject {
    stack: String,
    project: String,
    host: String,
    /// Where this stack's compose files are.
    own: Utf8PathBuf,
    containers: Vec<Container>,
}

/// A container as Docker tells it.
#[derive(Debug, Clone)]
struct Container {
    name: String,
    state: String,
    /// The compose files that it was made from.
    files: Vec<Utf8PathBuf>,
}

impl Container {
    fn parse(line: &str) -> Option<Self> {
        let mut facts = line.split('\t');
        let (name, state, files) = (facts.next()?, facts.next()?, facts.next()?);
        // Older versions of compose told relative ones.
        let folder = Utf8Path::new(facts.next()?);
        let files = files.split(',').filter(|file| !file.is_empty());
        Some(Self {
            name: name.to_owned(),
            state: state.to_owned(),
            files: files.map(|file| folder.join(file)).collect(),
        })
    }
}

impl Explain for OtherProject {
    fn explain(&self) -> Diagnostic {
        let from = |container: &Container| match container.files.first() {
            Some(file) => format!("made from {file}"),
            None => "made without a compose file".to_owned(),
        };
        let line = |container: &Container| format!("{} ({}), {}", container.name, container.state, from(container));
        let told = Diagnostic::new(ExitCode::Refused, self.to_string())
            .evidence(self.containers.iter().map(line))
            .note(format!("this stack's files are in {}", self.own))
            .note("compose knows a project by its name: it would take these containers over, and start them on other data");
        let root = self.containers.iter().find_map(|container| {
            let folder = container.files.first()?.parent()?;
            (folder.file_name() == Some("compose"))
                .then(|| folder.parent())
                .flatten()
        });
        let told = match root {
            Some(root) => told.hint(format!(
                "if that is the same stack, give it that state root: `state-root = \"{root}\"` in [stacks.{}]",
                self.stack
            )),
            None => told,
        };
        told.hint("if it is another one, give this stack a `project` of its own").hint(format!(
            "to put this one in its place, first remove those containers on {}: `docker compose --project-name {} down`; \
             their data stays where it is",
            self.host, self.project
        ))
    }
}

/// Refuses to change a project whose containers were made from another state root.
///
/// # Errors
/// [`OtherProject`]; a Docker that does not answer.
pub(super) async fn require_same_project(scene: &Scene) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    let project = format!("label=com.docker.compose.project={}", stack.project);
    let ask = Command::new("docker").args(["ps", "--all", "--filter", &project, "--format", FACTS]);
    let answer = scene.ask_there(ask).await?;
    let mut others: Vec<Container> = answer.lines().filter_map(Container::parse).collect();
    others.retain(|container| !is_own(stack, container, &|path| path.to_owned()));
    if others.is_empty() {
        return Ok(());
    }
    // The same folder may have two names, by a link above it.
    let own = stack.compose_files();
    let folders = others.iter().flat_map(|container| &container.files).chain(&own);
    let folders = folders.filter_map(|file| file.parent());
    let folders: Vec<Utf8PathBuf> = folders.map(Utf8Path::to_owned).collect();
    let real = real(scene, &folders).await?;
    let known = |path: &Utf8Path| {
        let real = folders.iter().zip(&real).find(|(folder, _)| *folder == path);
        real.map_or_else(|| path.to_owned(), |(_, real)| real.clone())
    };
    others.retain(|container| !is_own(stack, container, &known));
    if others.is_empty() {
        return Ok(());
    }
    Err(ActionError::OtherProject(Box::new(OtherProject {
        stack: stack.name.clone(),
        project: stack.project.clone(),
        host: match &stack.host {
            Host::Local => "this machine".to_owned(),
            Host::Ssh(target) => target.to_string(),
        },
        own: stack.paths.compose(),
        containers: others,
    })))
}

/// Whether a container was made from this stack's files: the rendered ones, which lie in the state root; a stack that has
/// none is known by those that `DEPLOY_COMPOSE_FILES` names.
fn is_own(stack: &Stack, container: &Container, real: &dyn Fn(&Utf8Path) -> Utf8PathBuf) -> bool {
    let real_file = |file: &Utf8Path| match (file.parent(), file.file_name()) {
        (Some(folder), Some(name)) => real(folder).join(name),
        _ => file.to_owned(),
    };
    let mut files = container.files.iter().map(|file| real_file(file));
    if stack.overlays.is_empty() {
        let own: Vec<Utf8PathBuf> = stack.compose_files().iter().map(|file| real_file(file)).collect();
        return files.any(|file| own.contains(&file));
    }
    let folder = real(&stack.paths.compose());
    files.any(|file| file.parent() == Some(&folder))
}

/// Folders of the host with all links followed; one that is not there stays as it is written.
async fn real(scene: &Scene, folders: &[Utf8PathBuf]) -> Result<Vec<Utf8PathBuf>, ActionError> {
    const REAL: &str = r#"for folder; do (cd -P -- "$folder" 2> /dev/null && pwd) || printf '%s\n' "$folder"; done"#;
    let ask = Command::new("sh")
        .args(["-c", REAL, "sh"])
        .args(folders.iter().map(|folder| folder.as_str()));
    let answer = scene.ask_there(ask).await?;
    Ok(answer.lines().map(Utf8PathBuf::from).collect())
}
