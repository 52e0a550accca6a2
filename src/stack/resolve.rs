//! From the manifest's words to a [`Stack`].

use camino::Utf8PathBuf;
use indexmap::IndexMap;
use minijinja::context;
use toml::Spanned;

use super::policy::policy;
use super::{Origin, Paths, Ports, Secrecy, Stack, StackError, Variables, absolute};
use crate::error::Place;
use crate::host::{Host, SshTarget};
use crate::manifest::{Deploy, Manifest, Sourced, StackDef, Text, hint};
use crate::render::{Strings, context_of_variables};
use crate::upstream::Upstream;

/// Overlays of a stack that names none.
const DEFAULT_OVERLAYS: [&str; 2] = ["base", "ports"];

/// Resolves a stack: reads its env files, lays all layers over each other, derives paths and ports.
///
/// `set` is what the command line says (`--set NAME=value`), `environment` looks into the environment of opw-task.
/// No host is asked anything.
///
/// # Errors
/// A name that nothing bears, an env file that cannot be read, a string that cannot be rendered, a value that cannot
/// be.
pub fn resolve(
    manifest: &Manifest,
    name: &str,
    set: &[(String, String)],
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Stack, StackError> {
    let Some(own) = manifest.stacks.get(name) else {
        return Err(StackError::Unknown {
            name: name.to_owned(),
            hint: hint(name, manifest.stacks.keys().map(String::as_str)),
        });
    };
    let mut resolver = Resolver {
        manifest,
        name,
        layers: std::iter::once(own).chain(&manifest.stack_defaults).collect(),
        own,
        strings: Strings::default(),
        environment,
        variables: Variables::new(secrecy(manifest)),
        env_files: Vec::new(),
    };
    resolver.lay_variables(set)?;
    resolver.finish()
}

/// Which variables of this project are secrets.
fn secrecy(manifest: &Manifest) -> Secrecy {
    let names = |texts: &[Text]| texts.iter().map(|text| text.get_ref().clone()).collect();
    let project = &manifest.project.def;
    Secrecy::new(names(&project.secrets), names(&project.not_secrets))
}

struct Resolver<'a> {
    manifest: &'a Manifest,
    name: &'a str,
    /// The stack's own definition, then the defaults: the first that says something wins.
    layers: Vec<&'a Sourced<StackDef>>,
    own: &'a Sourced<StackDef>,
    strings: Strings,
    environment: &'a dyn Fn(&str) -> Option<String>,
    variables: Variables,
    env_files: Vec<(Utf8PathBuf, bool)>,
}

/// A fact of a stack that is a variable too, so that env files may state it and compose may use it.
type Fact = (&'static str, fn(&StackDef) -> Option<Said<'_>>);

enum Said<'a> {
    Text(&'a Text),
    Number(&'a Spanned<u16>),
}

const FACTS: [Fact; 8] = [
    ("ODOO_PROJECT_NAME", |def| def.project.as_ref().map(Said::Text)),
    ("ODOO_DB_NAME", |def| def.database.as_ref().map(Said::Text)),
    ("ODOO_BASE_URL", |def| def.base_url.as_ref().map(Said::Text)),
    ("ODOO_STATE_ROOT", |def| def.state_root.as_ref().map(Said::Text)),
    ("ODOO_BIND_ADDRESS", |def| {
        def.ports.as_ref()?.bind.as_ref().map(Said::Text)
    }),
    ("ODOO_WEB_HOST_PORT", |def| {
        def.ports.as_ref()?.web.as_ref().map(Said::Number)
    }),
    ("ODOO_LONGPOLL_HOST_PORT", |def| {
        def.ports.as_ref()?.longpoll.as_ref().map(Said::Number)
    }),
    ("ODOO_DB_HOST_PORT", |def| {
        def.ports.as_ref()?.database.as_ref().map(Said::Number)
    }),
];

impl Resolver<'_> {
    /// Lays the layers in order. Strings of the manifest may speak of `env`: they see the env files, what is
    /// inherited and what the command line sets.
    fn lay_variables(&mut self, set: &[(String, String)]) -> Result<(), StackError> {
        let mut files = Variables::new(secrecy(self.manifest));
        for path in self.env_file_names()? {
            let there = files.lay_file(&self.manifest.root, &path)?;
            self.env_files.push((path, there));
        }
        let mut last = Variables::new(secrecy(self.manifest));
        for name in self
            .first(|def| def.inherit.as_ref())
            .map_or(&[][..], |(_, names)| names)
        {
            if let Some(value) = (self.environment)(name.get_ref()) {
                last.set(name.get_ref(), value, Origin::Environment);
            }
        }
        for (name, value) in set {
            last.set(name, value, Origin::CommandLine);
        }
        self.variables.lay_over(&files);
        self.variables.lay_over(&last);
        let defaults = self.said(&self.layers[1..], Origin::Defaults)?;
        let own = self.said(&self.layers[..1], Origin::Manifest)?;
        self.variables = Variables::new(secrecy(self.manifest));
        self.variables.lay_over(&defaults);
        self.variables.lay_over(&files);
        self.variables.lay_over(&own);
        self.variables.lay_over(&last);
        self.derive();
        Ok(())
    }

    /// `.env` and the stack's own list.
    fn env_file_names(&self) -> Result<Vec<Utf8PathBuf>, StackError> {
        let mut names = vec![Utf8PathBuf::from(".env")];
        if let Some((layer, texts)) = self.first(|def| def.env.as_ref()) {
            for text in texts {
                names.push(self.render(layer, text)?.into());
            }
        }
        Ok(names)
    }

    /// The variables that layers of the manifest state, outermost first.
    fn said(&self, layers: &[&Sourced<StackDef>], origin: fn(String) -> Origin) -> Result<Variables, StackError> {
        let mut said = Variables::new(secrecy(self.manifest));
        for layer in layers.iter().rev() {
            for (name, fact) in FACTS {
                match fact(&layer.def) {
                    Some(Said::Text(text)) => {
                        said.set(name, self.render(layer, text)?, origin(layer.place(text).to_string()));
                    }
                    Some(Said::Number(number)) => {
                        said.set(
                            name,
                            number.get_ref().to_string(),
                            origin(layer.place(number).to_string()),
                        );
                    }
                    None => {}
                }
            }
            for (name, text) in &layer.def.vars {
                said.set(
                    name.get_ref(),
                    self.render(layer, text)?,
                    origin(layer.place(text).to_string()),
                );
            }
        }
        Ok(said)
    }

    /// What follows where nobody says anything.
    fn derive(&mut self) {
        let remote =
            self.first(|def| def.host.as_ref()).is_some() || self.variables.text("DEPLOY_REMOTE_HOST").is_some();
        let variables = &mut self.variables;
        // Set and empty means that nothing is built.
        if variables.origin("COMPOSE_BUILD_TARGET").is_none() {
            let target = if remote { "production" } else { "development" };
            variables.set("COMPOSE_BUILD_TARGET", target, Origin::BuiltIn);
        }
        let mut built_in = |name: &str, text: String| variables.default(name, text, Origin::BuiltIn);
        built_in("ODOO_PROJECT_NAME", self.name.to_owned());
        built_in("ODOO_DB_HOST", "database".into());
        built_in("ODOO_DB_PORT", "5432".into());
        built_in("ODOO_DB_USER", "odoo".into());
        built_in("ODOO_BIND_ADDRESS", "127.0.0.1".into());
        built_in("ODOO_LOGFILE", "/volumes/logs/odoo.log".into());
        built_in("ODOO_FILESTORE_PATH", "/volumes/data/filestore".into());
        let project = variables.text("ODOO_PROJECT_NAME").unwrap_or(self.name).to_owned();
        let home = (self.environment)("HOME");
        let root = match (remote, &home) {
            (true, _) | (false, None) => format!("/opt/odoo-ai/data/{}", self.name),
            (false, Some(home)) => format!("{home}/odoo-ai/{project}"),
        };
        variables.default("ODOO_STATE_ROOT", root, Origin::BuiltIn);
        let ssh = if remote {
            "/root/.ssh".to_owned()
        } else {
            format!("{}/.ssh", home.unwrap_or_default())
        };
        variables.default("RESTORE_SSH_DIR", ssh, Origin::BuiltIn);
    }

    fn finish(self) -> Result<Stack, StackError> {
        let host = self.host()?;
        let checkout = match self.first(|def| def.path.as_ref()) {
            Some((layer, text)) => self.path(&self.render(layer, text)?),
            None => match self.variables.text("DEPLOY_REMOTE_STACK_PATH") {
                Some(path) => path.into(),
                None => self.manifest.root.clone(),
            },
        };
        let paths = self.paths();
        let ports = self.ports()?;
        let overlays = match self.first(|def| def.overlays.as_ref()) {
            // What Coolify deploys is one file of its own.
            _ if self.deploy() == Deploy::Coolify => Vec::new(),
            Some((layer, texts)) => texts
                .iter()
                .map(|text| self.render(layer, text))
                .collect::<Result<_, _>>()?,
            None => DEFAULT_OVERLAYS.map(str::to_owned).to_vec(),
        };
        let files = self.own.def.files.iter();
        let files = files.map(|(path, template)| Ok((path.into(), self.render(self.own, template)?)));
        Ok(Stack {
            about: self.own.def.about.clone().unwrap_or_default(),
            deploy: self.deploy(),
            host,
            checkout,
            project: self.variables.text("ODOO_PROJECT_NAME").unwrap_or(self.name).to_owned(),
            paths,
            ports,
            overlays,
            files: files.collect::<Result<_, StackError>>()?,
            upstream: self.upstream()?,
            protected: self
                .first(|def| def.protected.as_ref())
                .is_some_and(|(_, protected)| *protected),
            sanitise: policy(self.manifest, self.own, &self.variables)?,
            name: self.name.to_owned(),
            variables: self.variables,
            env_files: self.env_files,
        })
    }

    fn deploy(&self) -> Deploy {
        self.first(|def| def.deploy.as_ref())
            .map_or(Deploy::Compose, |(_, deploy)| *deploy)
    }

    /// The host that the manifest names, else the one that `DEPLOY_REMOTE_*` name, else this machine.
    fn host(&self) -> Result<Host, StackError> {
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

    fn upstream(&self) -> Result<Option<Upstream>, StackError> {
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

    fn paths(&self) -> Paths {
        let root = self.path(self.variables.text("ODOO_STATE_ROOT").unwrap_or_default());
        // Older env files name the host's folders without HOST; inside the container the names mean something else.
        let folder = |names: [&str; 2], name: &str| {
            let said = names.into_iter().find_map(|name| self.variables.text(name));
            said.map_or_else(|| root.join(name), |path| self.path(path))
        };
        Paths {
            data: folder(["ODOO_DATA_HOST_DIR", "ODOO_DATA_DIR"], "filestore"),
            database: folder(["ODOO_DB_HOST_DIR", "ODOO_DB_DIR"], "postgres"),
            logs: folder(["ODOO_LOG_HOST_DIR", "ODOO_LOG_DIR"], "logs"),
            root,
        }
    }

    fn ports(&self) -> Result<Ports, StackError> {
        let port = |name: &str| -> Result<Option<u16>, StackError> {
            let Some(text) = self.variables.text(name) else {
                return Ok(None);
            };
            let invalid = |_| StackError::Invalid {
                stack: self.name.to_owned(),
                name: name.to_owned(),
                value: text.to_owned(),
                origin: self.variables.origin(name).map(ToString::to_string).unwrap_or_default(),
                why: "a port is a number from 1 to 65535".into(),
            };
            text.parse().map(Some).map_err(invalid)
        };
        Ok(Ports {
            bind: self
                .variables
                .text("ODOO_BIND_ADDRESS")
                .unwrap_or("127.0.0.1")
                .to_owned(),
            web: port("ODOO_WEB_HOST_PORT")?,
            longpoll: port("ODOO_LONGPOLL_HOST_PORT")?,
            database: port("ODOO_DB_HOST_PORT")?,
        })
    }

    /// The first layer that says something.
    fn first<T>(&self, field: impl Fn(&StackDef) -> Option<&T>) -> Option<(&Sourced<StackDef>, &T)> {
        self.layers
            .iter()
            .find_map(|layer| field(&layer.def).map(|value| (*layer, value)))
    }

    fn path(&self, path: &str) -> Utf8PathBuf {
        absolute(path, &self.manifest.root, (self.environment)("HOME").as_deref())
    }

    fn render<T>(&self, layer: &Sourced<T>, text: &Text) -> Result<String, StackError> {
        let place: Place = layer.place(text);
        let context = context! {
            project => context! { name => self.manifest.project.def.name.get_ref(), root => self.manifest.root.as_str() },
            stack => context! { name => self.name },
            env => context_of_variables(&self.variables),
            home => (self.environment)("HOME"),
        };
        Ok(self.strings.render(text.get_ref(), &place, &context)?)
    }
}

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
            files => files,
            protected => self.protected,
            remote => matches!(self.host, Host::Ssh(_)),
            upstream => self.upstream.as_ref().map(|upstream| upstream.name().to_owned()),
        }
    }
}
