//! The machines of a stack: where it runs, and what it copies from.

use super::StackError;
use super::resolve::Resolver;
use crate::host::{Host, SshTarget};
use crate::manifest::{Sourced, Text, UpstreamDef};
use crate::upstream::Upstream;

/// A machine of production.
#[derive(Debug, Clone)]
pub struct Production {
    /// The upstream's name in the manifest.
    pub upstream: String,
    /// How ssh reaches it.
    pub machine: SshTarget,
}

impl Resolver<'_> {
    /// The host that the manifest names, else the one that `DEPLOY_REMOTE_*` name, else this machine.
    pub(super) fn host(&self) -> Result<Host, StackError> {
        if let Some((_, name)) = self.first(|def| def.host.as_ref())
            && let Some(host) = self.manifest.hosts.get(name.get_ref())
        {
            let target = self.ssh(
                host,
                &host.def.ssh,
                host.def.identity.as_ref(),
                host.def.known_hosts.as_ref(),
            )?;
            return Ok(Host::Ssh(target));
        }
        let Some(remote) = self.variables.text("DEPLOY_REMOTE_HOST") else {
            return Ok(Host::Local);
        };
        let user = self
            .variables
            .text("DEPLOY_REMOTE_USER")
            .map(|user| format!("{user}@"))
            .unwrap_or_default();
        let port = self
            .variables
            .text("DEPLOY_REMOTE_PORT")
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        let target = format!("ssh://{user}{remote}{port}").parse();
        target
            .map(Host::Ssh)
            .map_err(|source| StackError::Address { source, place: None })
    }

    /// The upstream that the manifest names for the stack.
    pub(super) fn upstream(&self) -> Result<Option<Upstream>, StackError> {
        let Some((_, name)) = self.first(|def| def.upstream.as_ref()) else {
            return Ok(None);
        };
        let Some(upstream) = self.manifest.upstreams.get(name.get_ref()) else {
            return Ok(None);
        };
        let def = &upstream.def;
        let mut target = self.ssh(upstream, &def.host, def.identity.as_ref(), def.known_hosts.as_ref())?;
        if def.identity.is_none()
            && let Some(key) = self.variables.text("RESTORE_SSH_KEY")
            && let Some(folder) = self.variables.text("RESTORE_SSH_DIR")
        {
            let wrong = |source| StackError::Address {
                source,
                place: Some(Box::new(upstream.place(&def.host))),
            };
            target = target.with_identity(self.path(folder).join(key)).map_err(wrong)?;
        }
        let render = |text| self.render(upstream, text);
        let built = Upstream::new(
            name.get_ref().as_str(),
            target,
            &render(&def.database)?,
            &render(&def.database_user)?,
            render(&def.filestore)?,
        );
        built.map(Some).map_err(|source| StackError::Upstream {
            source,
            place: Box::new(upstream.place(&def.host)),
        })
    }

    /// The machines of all upstreams, whichever of them the stack copies from. An address that cannot be known is an
    /// error: nobody could say that the stack is elsewhere.
    pub(super) fn production(&self) -> Result<Vec<Production>, StackError> {
        let machine = |(name, upstream): (&String, &Sourced<UpstreamDef>)| {
            Ok(Production {
                upstream: name.clone(),
                machine: self.ssh(upstream, &upstream.def.host, None, None)?,
            })
        };
        self.manifest.upstreams.iter().map(machine).collect()
    }

    fn ssh<T>(
        &self,
        layer: &Sourced<T>,
        address: &Text,
        identity: Option<&Text>,
        known_hosts: Option<&Text>,
    ) -> Result<SshTarget, StackError> {
        let wrong = |text: &Text| {
            let place = layer.place(text);
            move |source| StackError::Address {
                source,
                place: Some(Box::new(place)),
            }
        };
        let mut target: SshTarget = self.render(layer, address)?.parse().map_err(wrong(address))?;
        if let Some(text) = identity {
            target = target
                .with_identity(self.path(&self.render(layer, text)?))
                .map_err(wrong(text))?;
        }
        if let Some(text) = known_hosts {
            target = target
                .with_known_hosts(self.path(&self.render(layer, text)?))
                .map_err(wrong(text))?;
        }
        Ok(target)
    }
}
