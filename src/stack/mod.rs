//! A stack resolved: its variables with their origins, and what follows from them.
//!
//! Layers of variables, later wins: built in, `[stacks.defaults]`, `.env`, the stack's env files in their order,
//! `[stacks.NAME]`, the environment of opw-task for what `inherit` names, `--set`. `[stacks.NAME]` stands above the
//! files because files are shared between stacks, and two stacks must never end in one compose project by accident.

mod addon_mounts;
mod common;
mod database_host;
mod docker;
mod error;
mod facts;
mod folders;
mod guard;
mod layers;
mod machines;
mod master_password;
mod missing_modules;
mod neighbours;
mod origin;
mod places;
mod policy;
mod policy_layers;
mod project;
mod resolve;
mod secrecy;
mod template_context;
mod tolerance;
mod unset;
mod variables;

use camino::Utf8PathBuf;

pub use addon_mounts::AddonMount;
pub use error::StackError;
pub use folders::FoldersError;
pub use guard::Change;
pub use machines::Production;
pub use missing_modules::MissingModules;
pub use origin::Origin;
pub use places::{Paths, Ports, plain};
pub use project::Project;
pub use resolve::resolve;
pub use secrecy::{Secrecy, keys};
pub(crate) use template_context::context_in_clear;
pub use template_context::{Composed, context_of_variables, context_that_notes};
pub use tolerance::Tolerance;
pub use unset::Unset;
pub use variables::{Value, Variable, Variables};

use crate::host::Host;
use crate::manifest::Deploy;
use crate::sanitise::{Policy, PolicyPart};
use crate::upstream::Upstream;

/// The overlay that every stack of Odoo begins with.
const BASE: &str = "base";

/// One copy of the application on one host, everything about it known.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Its name in the manifest.
    pub name: String,
    /// What it is for; may be empty.
    pub about: String,
    /// Who runs its containers.
    pub deploy: Deploy,
    /// Where they run.
    pub host: Host,
    /// The checkout on that host: compose's project directory.
    pub checkout: Utf8PathBuf,
    /// The compose project's name.
    pub project: String,
    /// Its variables.
    pub variables: Variables,
    /// For Coolify: the variables that the manifest alone states. What is rendered then lies in git, and must not depend on
    /// env files and shells of whoever renders it.
    pub stated: Option<Variables>,
    /// The env files that the variables were looked for in, and whether each was there.
    pub env_files: Vec<(Utf8PathBuf, bool)>,
    /// What those files speak of and nothing sets.
    pub unset: Vec<Unset>,
    /// Its folders on the host.
    pub paths: Paths,
    /// Its published ports.
    pub ports: Ports,
    /// Its compose files, rendered from `compose/NAME.yaml.j2`.
    pub overlays: Vec<String>,
    /// Files rendered into the checkout: path to template.
    pub files: Vec<(Utf8PathBuf, String)>,
    /// Where `restore` copies from.
    pub upstream: Option<Upstream>,
    /// The machines of all upstreams of the manifest: no stack may be on one of them.
    pub production: Vec<Production>,
    /// Whether its data may not be changed.
    pub protected: bool,
    /// Folders outside of the checkout that may be mounted in its containers.
    pub mounts_outside: Vec<Utf8PathBuf>,
    /// Files and folders that opw-task did not make and may take over, because the command line says so.
    pub take_over: Vec<Utf8PathBuf>,
    /// How copies of production are sanitised for it.
    pub sanitise: Policy,
    /// Where each part of that stands.
    pub policy_parts: Vec<PolicyPart>,
    /// How many files a copy's attachments may miss.
    pub missing_files: Tolerance,
    /// Which of the upstream's modules its image may lack.
    pub missing_modules: MissingModules,
}

impl Stack {
    /// The name of the live database.
    ///
    /// # Errors
    /// [`StackError::Missing`] if no layer names it.
    pub fn database(&self) -> Result<&str, StackError> {
        self.need("ODOO_DB_NAME")
    }

    /// The role that Odoo uses, which the database's image makes a superuser.
    ///
    /// # Errors
    /// [`StackError::Missing`] if no layer names it.
    pub fn database_role(&self) -> Result<&str, StackError> {
        self.need("ODOO_DB_USER")
    }

    /// That role's password.
    ///
    /// # Errors
    /// [`StackError::Missing`] if no layer has it.
    pub fn database_password(&self) -> Result<crate::secret::Secret, StackError> {
        self.variables
            .secret("ODOO_DB_PASSWORD")
            .ok_or_else(|| self.missing("ODOO_DB_PASSWORD"))
    }

    /// Looks for what `compose/base.yaml.j2` cannot do without.
    ///
    /// # Errors
    /// [`StackError::Missing`] for the first that no layer has.
    pub fn require_variables(&self) -> Result<(), StackError> {
        if self.has_base() {
            self.database()?;
            self.database_password()?;
        }
        Ok(())
    }

    /// Whether it has the services of Odoo.
    #[must_use]
    pub fn has_base(&self) -> bool {
        self.overlays.iter().any(|overlay| overlay == BASE)
    }

    /// The address under which people reach the stack.
    ///
    /// # Errors
    /// [`StackError::Missing`] if no layer has it.
    pub fn base_url(&self) -> Result<&str, StackError> {
        self.need("ODOO_BASE_URL")
    }

    /// The upstream.
    ///
    /// # Errors
    /// [`StackError::NoUpstream`] if the manifest names none.
    pub fn upstream(&self) -> Result<&Upstream, StackError> {
        self.upstream.as_ref().ok_or_else(|| StackError::NoUpstream {
            stack: self.name.clone(),
        })
    }

    /// A variable that must be there.
    ///
    /// # Errors
    /// [`StackError::Missing`] if no layer has it, [`StackError::Shown`] if it is a secret.
    pub fn need(&self, name: &str) -> Result<&str, StackError> {
        match self.variables.value(name) {
            Some(Value::Plain(text)) => Ok(text),
            Some(Value::Secret(_)) => Err(self.is_shown(name)),
            None => Err(self.missing(name)),
        }
    }

    /// What must never be shown of it: see [`Variables::secrets`].
    #[must_use]
    pub fn secrets(&self) -> Vec<crate::secret::Secret> {
        let stated = self.stated.iter().flat_map(Variables::secrets);
        self.variables.secrets().into_iter().chain(stated).collect()
    }

    /// Refuses a secret where everybody sees it: in a path, a name or an address.
    ///
    /// # Errors
    /// [`StackError::Shown`].
    pub fn guard_secrets(&self) -> Result<(), StackError> {
        match self.variables.secret_that_is_shown() {
            Some((name, _)) => Err(self.is_shown(name)),
            None => Ok(()),
        }
    }

    fn is_shown(&self, name: &str) -> StackError {
        let origin = self.variables.origin(name);
        StackError::Shown {
            stack: self.name.clone(),
            name: name.to_owned(),
            origin: origin.map(ToString::to_string).unwrap_or_default(),
        }
    }

    fn missing(&self, name: &str) -> StackError {
        let file = |(path, there): &(Utf8PathBuf, bool)| match there {
            true => path.to_string(),
            false => format!("{path} (not there)"),
        };
        StackError::Missing {
            stack: self.name.clone(),
            name: name.to_owned(),
            files: self.env_files.iter().map(file).collect(),
        }
    }

    /// Everything compose reads for this stack, in order: rendered overlays, then the files that
    /// `DEPLOY_COMPOSE_FILES` names (a `:` or `,` list, relative to the checkout).
    #[must_use]
    pub fn compose_files(&self) -> Vec<Utf8PathBuf> {
        let rendered = self.overlays.iter().map(|overlay| self.overlay_path(overlay));
        let named = self.variables.text("DEPLOY_COMPOSE_FILES").unwrap_or_default();
        let named = named.split([':', ',']).map(str::trim).filter(|path| !path.is_empty());
        rendered.chain(named.map(|path| self.checkout.join(path))).collect()
    }

    /// Where an overlay is rendered to.
    #[must_use]
    pub fn overlay_path(&self, overlay: &str) -> Utf8PathBuf {
        self.paths.compose().join(format!("{overlay}.yaml"))
    }

    /// The health check's address, as this machine reaches it: `DEPLOY_HEALTHCHECK_URL`, else the published web port,
    /// else the base URL.
    ///
    /// # Errors
    /// [`StackError::Missing`] if there is none of them.
    pub fn health_url(&self) -> Result<String, StackError> {
        // It may hold a password, and is asked by this process itself.
        if let Some(url) = self.variables.value("DEPLOY_HEALTHCHECK_URL").map(Value::expose) {
            return Ok(url.trim_end_matches("/web/health").to_owned());
        }
        match (&self.host, self.ports.web) {
            (Host::Local, Some(port)) => Ok(format!("http://127.0.0.1:{port}")),
            _ => self.base_url().map(|url| url.trim_end_matches('/').to_owned()),
        }
    }
}
