//! From the manifest's words to a [`Stack`].

use camino::Utf8PathBuf;
use minijinja::context;

use super::places::absolute;
use super::policy::policy;
use super::{MissingModules, Paths, Ports, Secrecy, Stack, StackError, Tolerance, Unset, Value, Variables};
use super::{context_of_variables, context_that_notes};
use crate::manifest::{Deploy, Manifest, Sourced, StackDef, Text};
use crate::postgres::is_reserved;
use crate::template::Strings;

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
            hint: crate::suggest::hint(name, manifest.stacks.keys().map(String::as_str)),
        });
    };
    let mut resolver = Resolver {
        manifest,
        name,
        layers: std::iter::once(own).chain(&manifest.stack_defaults).collect(),
        own,
        strings: Strings::default(),
        environment,
        variables: Variables::new(Secrecy::of(manifest)),
        stated: None,
        env_files: Vec::new(),
        unset: Vec::new(),
    };
    resolver.lay_variables(set)?;
    resolver.finish()
}

/// A stack on its way from words to values.
pub(super) struct Resolver<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) name: &'a str,
    /// The stack's own definition, then the defaults: the first that says something wins.
    pub(super) layers: Vec<&'a Sourced<StackDef>>,
    own: &'a Sourced<StackDef>,
    strings: Strings,
    pub(super) environment: &'a dyn Fn(&str) -> Option<String>,
    pub(super) variables: Variables,
    pub(super) stated: Option<Variables>,
    pub(super) env_files: Vec<(Utf8PathBuf, bool)>,
    pub(super) unset: Vec<Unset>,
}

impl Resolver<'_> {
    fn finish(self) -> Result<Stack, StackError> {
        self.database_name()?;
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
        let mounts_outside = match self.first(|def| def.mounts_outside.as_ref()) {
            Some((layer, texts)) => texts
                .iter()
                .map(|text| Ok(self.path(&self.render(layer, text)?)))
                .collect::<Result<_, StackError>>()?,
            None => Vec::new(),
        };
        let files = self.own.def.files.iter();
        let files = files.map(|(path, template)| Ok((path.into(), self.render(self.own, template)?)));
        let (sanitise, policy_parts) = policy(self.manifest, self.own, self.name, &self.variables)?;
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
            production: self.production()?,
            protected: self
                .first(|def| def.protected.as_ref())
                .is_some_and(|(_, protected)| *protected),
            sanitise,
            policy_parts,
            mounts_outside,
            take_over: Vec::new(),
            missing_files: self.missing_files()?,
            missing_modules: self.missing_modules()?,
            name: self.name.to_owned(),
            variables: self.variables,
            stated: self.stated,
            env_files: self.env_files,
            unset: self.unset,
        })
    }

    /// Refuses the names of databases that no stack may call its own.
    fn database_name(&self) -> Result<(), StackError> {
        let name = "ODOO_DB_NAME";
        match self.variables.value(name).map(Value::expose) {
            Some(database) if is_reserved(database) => Err(StackError::Invalid {
                stack: self.name.to_owned(),
                name: name.to_owned(),
                value: database.to_owned(),
                origin: self.variables.origin(name).map(ToString::to_string).unwrap_or_default(),
                why: "PostgreSQL and restores have databases of that name for themselves".into(),
            }),
            _ => Ok(()),
        }
    }

    fn missing_files(&self) -> Result<Tolerance, StackError> {
        let Some((layer, text)) = self.first(|def| def.missing_files.as_ref()) else {
            return Ok(Tolerance::DEFAULT);
        };
        let value = self.render(layer, text)?;
        value.parse().map_err(|why: &str| StackError::Invalid {
            stack: self.name.to_owned(),
            name: "missing-files".into(),
            value,
            origin: layer.place(text).to_string(),
            why: why.into(),
        })
    }

    fn missing_modules(&self) -> Result<MissingModules, StackError> {
        Ok(match self.first(|def| def.missing_modules.as_ref()) {
            Some((layer, text)) => self.render(layer, text)?.as_str().into(),
            None => MissingModules::default(),
        })
    }

    pub(super) fn deploy(&self) -> Deploy {
        self.first(|def| def.deploy.as_ref())
            .map_or(Deploy::Compose, |(_, deploy)| *deploy)
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
    pub(super) fn first<T>(&self, field: impl Fn(&StackDef) -> Option<&T>) -> Option<(&Sourced<StackDef>, &T)> {
        self.layers
            .iter()
            .find_map(|layer| field(&layer.def).map(|value| (*layer, value)))
    }

    /// A path of the manifest or of an env file.
    pub(super) fn path(&self, path: &str) -> Utf8PathBuf {
        absolute(path, &self.manifest.root, (self.environment)("HOME").as_deref())
    }

    /// A string of the manifest; it may speak of `project`, `stack.name`, `env` and `home`.
    pub(super) fn render<T>(&self, layer: &Sourced<T>, text: &Text) -> Result<String, StackError> {
        let context = self.context(context_of_variables(&self.variables));
        Ok(self.strings.render(text.get_ref(), &layer.place(text), &context)?)
    }

    /// A string of the manifest that becomes the value of a variable: it may speak of secrets, and whether it does is said
    /// too.
    pub(super) fn render_variable<T>(&self, layer: &Sourced<T>, text: &Text) -> Result<(String, bool), StackError> {
        let (env, composed) = context_that_notes(&self.variables);
        let value = self
            .strings
            .render(text.get_ref(), &layer.place(text), &self.context(env))?;
        Ok((value, composed.is_of_secrets()))
    }

    fn context(&self, env: minijinja::Value) -> minijinja::Value {
        context! {
            project => context! { name => self.manifest.project.def.name.get_ref(), root => self.manifest.root.as_str() },
            stack => context! { name => self.name },
            env => env,
            home => (self.environment)("HOME"),
        }
    }
}
