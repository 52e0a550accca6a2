//! A stack on this machine must meet this machine's Docker: the `docker` command goes wherever `DOCKER_HOST`,
//! `DOCKER_CONTEXT` or its current context say, and that may be production.

use super::{Stack, StackError};
use crate::host::Host;
use crate::manifest::CHOOSES_DOCKER;
use crate::process::{Command, ProcessError, Processes};

impl Stack {
    /// Refuses a `DOCKER_HOST` that leads away from this machine, for a stack that is on it. So are, for any stack,
    /// variables of its own that choose an engine: what they would do differs from one version of compose to the next.
    /// Nothing is asked; [`Stack::guard_docker`] does that.
    ///
    /// # Errors
    /// [`StackError::OtherDocker`], [`StackError::ChoosesDocker`].
    pub fn guard_docker_host(&self, environment: &dyn Fn(&str) -> Option<String>) -> Result<(), StackError> {
        for name in CHOOSES_DOCKER {
            if let Some(origin) = self.variables.origin(name) {
                return Err(StackError::ChoosesDocker {
                    stack: self.name.clone(),
                    name,
                    origin: origin.to_string(),
                });
            }
        }
        match environment("DOCKER_HOST") {
            Some(endpoint) if !endpoint.is_empty() => self.guard_endpoint(&endpoint),
            _ => Ok(()),
        }
    }

    /// Refuses, for a stack on this machine, a `docker` command whose context leads elsewhere. The command says itself
    /// which engine it would speak to; the engine is not asked.
    ///
    /// # Errors
    /// [`StackError::OtherDocker`]; a `docker` command that cannot say it.
    pub async fn guard_docker(&self, processes: &Processes) -> Result<(), StackError> {
        if self.host != Host::Local {
            return Ok(());
        }
        let question = Command::new("docker").args(["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]);
        match processes.capture(&question).await {
            Ok(endpoint) => self.guard_endpoint(endpoint.trim()),
            // Then nothing is done to any engine; the first task that needs it tells how to get it.
            Err(ProcessError::MissingProgram { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn guard_endpoint(&self, endpoint: &str) -> Result<(), StackError> {
        let here = ["unix://", "npipe://"]
            .iter()
            .any(|scheme| endpoint.starts_with(scheme));
        if self.host != Host::Local || here {
            return Ok(());
        }
        Err(StackError::OtherDocker {
            stack: self.name.clone(),
            endpoint: endpoint.to_owned(),
        })
    }
}
