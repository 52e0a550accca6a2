//! What may not be done to a stack, whatever the command line says.

use super::{Production, Stack, StackError};
use crate::host::{Host, is_this_machine, same_machine, same_name};
use crate::manifest::Deploy;
use crate::process::Processes;

/// What an action does to a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It looks, or changes nothing of the stack.
    Nothing,
    /// It changes containers, rendered files or folders, but no data.
    Containers,
    /// It changes the stack's database or filestore.
    Data,
}

impl Stack {
    /// Refuses what may not be done: data changes on a protected stack, any change on the machine of any upstream, a
    /// database there.
    ///
    /// This looks at names only and needs no host in reach; what names cannot tell is looked at again when the hosts
    /// are (`ssh -G`, `database.uuid`).
    ///
    /// # Errors
    /// [`StackError::Protected`], [`StackError::IsUpstream`], [`StackError::OtherDatabase`].
    pub fn guard(&self, change: Change, act: &str) -> Result<(), StackError> {
        if change == Change::Nothing {
            return Ok(());
        }
        if let Host::Ssh(host) = &self.host {
            for production in &self.production {
                if same_name(host, &production.machine) {
                    return Err(self.is_upstream(production));
                }
            }
        }
        if change == Change::Data && self.protected {
            return Err(StackError::Protected {
                stack: self.name.clone(),
                act: act.to_owned(),
            });
        }
        self.guard_addons()?;
        self.guard_database(change)
    }

    /// Refuses any change on the machine of any upstream, whatever name of it is written: aliases of ssh's configuration
    /// are resolved, and this machine knows its own name and addresses. No host is asked.
    ///
    /// # Errors
    /// [`StackError::IsUpstream`], [`StackError::OtherDatabase`]; the run's cancellation.
    pub async fn guard_machine(&self, change: Change, processes: &Processes) -> Result<(), StackError> {
        if change == Change::Nothing {
            return Ok(());
        }
        for production in &self.production {
            let is_upstream = match &self.host {
                Host::Ssh(host) => same_machine(host, &production.machine, processes).await?,
                Host::Local => is_this_machine(&production.machine, processes).await?,
            };
            if is_upstream {
                return Err(self.is_upstream(production));
            }
        }
        self.guard_database_machine(processes).await
    }

    fn is_upstream(&self, production: &Production) -> StackError {
        StackError::IsUpstream {
            stack: self.name.clone(),
            upstream: production.upstream.clone(),
            host: self.host.to_string(),
        }
    }

    /// Refuses to run containers that Coolify runs.
    ///
    /// # Errors
    /// [`StackError::Unfit`].
    pub fn guard_deploy(&self) -> Result<(), StackError> {
        match self.deploy {
            Deploy::Compose => Ok(()),
            Deploy::Coolify => Err(StackError::Unfit {
                stack: self.name.clone(),
                why: "is run by Coolify, not by docker compose on a host".into(),
                hint: format!("`opw-task render {}` writes what Coolify deploys", self.name),
            }),
        }
    }
}
