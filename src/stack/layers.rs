//! The layers of a stack's variables, laid over each other; see the module's text for their order.

use camino::Utf8PathBuf;
use toml::Spanned;

use super::common::{machines, said_of_a_stack};
use super::master_password::{MASTER_PASSWORD, master_password};
use super::resolve::Resolver;
use super::{Origin, Secrecy, StackError, Variables};
use crate::manifest::{Deploy, Sourced, StackDef, Text};

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
    pub(super) fn lay_variables(&mut self, set: &[(String, String)]) -> Result<(), StackError> {
        if self.deploy() == Deploy::Coolify {
            self.stated = self.stated_alone();
        }
        let mut last = Variables::new(Secrecy::of(self.manifest));
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
        // Paths of files begin with it, and it names no secret. Nothing else of the environment is seen by a file.
        let mut outer = last.clone();
        if let Some(home) = (self.environment)("HOME") {
            outer.default("HOME", home, Origin::Environment);
        }
        let mut files = Variables::new(Secrecy::of(self.manifest));
        for path in self.env_file_names()? {
            let unset = files.lay_file(&self.manifest.root, &path, &outer)?;
            self.env_files.push((path, unset.is_some()));
            self.unset.extend(unset.into_iter().flatten());
        }
        self.variables.lay_over(&files);
        self.variables.lay_over(&last);
        self.variables.hide_composed(self.public());
        let defaults = self.said(&self.layers[1..], Origin::Defaults)?;
        let own = self.said(&self.layers[..1], Origin::Manifest)?;
        self.variables = Variables::new(Secrecy::of(self.manifest));
        self.variables.lay_over(&defaults);
        self.variables.lay_over(&files);
        self.variables.lay_over(&own);
        self.variables.lay_over(&last);
        self.derive();
        self.variables.hide_composed(self.public());
        if self.deploy() == Deploy::Coolify && self.stated.is_none() {
            self.stated = Some(self.variables.of_manifest());
        }
        if let Some(stated) = &mut self.stated {
            stated.common_as_in(&self.variables);
        }
        Ok(())
    }

    /// What the manifest states, as if there were no env file; none where a string of it cannot do without one.
    fn stated_alone(&mut self) -> Option<Variables> {
        let defaults = self.said(&self.layers[1..], Origin::Defaults).ok()?;
        let own = self.said(&self.layers[..1], Origin::Manifest).ok()?;
        let mut stated = Variables::new(Secrecy::of(self.manifest));
        stated.lay_over(&defaults);
        stated.lay_over(&own);
        let before = std::mem::replace(&mut self.variables, stated);
        self.derive();
        Some(std::mem::replace(&mut self.variables, before))
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
        let mut said = Variables::new(Secrecy::of(self.manifest));
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
                let (value, is_composed) = self.render_variable(layer, text)?;
                let origin = origin(layer.place(text).to_string());
                match is_composed {
                    true => said.set_composed(name.get_ref(), value, origin),
                    false => said.set(name.get_ref(), value, origin),
                }
            }
        }
        Ok(said)
    }

    /// Names and paths that everybody sees: a variable that is equal to one, or to the name of any stack, tells no secret.
    fn public(&self) -> Vec<String> {
        let mut public = machines(self.manifest);
        public.push(self.name.to_owned());
        public.extend((self.environment)("HOME"));
        let values = self.variables.iter().map(|(_, variable)| variable.value.expose());
        let names = values.filter(|value| self.manifest.stacks.contains_key(*value));
        public.extend(names.map(str::to_owned));
        for layer in &self.layers {
            public.extend(said_of_a_stack(&layer.def));
        }
        public
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
        if variables.value(MASTER_PASSWORD).is_none()
            && let Some(password) = variables.secret("ODOO_DB_PASSWORD")
        {
            variables.set(MASTER_PASSWORD, master_password(&project, &password), Origin::BuiltIn);
        }
    }
}
