//! What templates see of a stack.

use indexmap::IndexMap;
use minijinja::context;

use super::Stack;
use crate::host::Host;

impl Stack {
    /// What templates see under `stack`.
    #[must_use]
    pub fn facts(&self) -> minijinja::Value {
        let port = |port: Option<u16>| port.map(u32::from);
        let files: IndexMap<&str, &str> = self
            .files
            .iter()
            .map(|(path, name)| (path.as_str(), name.as_str()))
            .collect();
        let mounts = self.addon_mounts().into_iter().map(|mount| {
            context! { source => mount.source.into_string(), target => mount.target.into_string() }
        });
        let mounts: Vec<minijinja::Value> = mounts.collect();
        context! {
            name => self.name,
            project => self.project,
            checkout => self.checkout.as_str(),
            state_root => self.paths.root.as_str(),
            data => self.paths.data.as_str(),
            postgres => self.paths.database.as_str(),
            logs => self.paths.logs.as_str(),
            odoo_conf => self.paths.odoo_conf().as_str(),
            env_file => self.paths.env_file().as_str(),
            bind => self.ports.bind,
            ports => context! {
                web => port(self.ports.web),
                longpoll => port(self.ports.longpoll),
                database => port(self.ports.database),
            },
            overlays => self.overlays,
            addon_mounts => mounts,
            files => files,
            protected => self.protected,
            remote => matches!(self.host, Host::Ssh(_)),
            upstream => self.upstream.as_ref().map(|upstream| upstream.name().to_owned()),
        }
    }
}
