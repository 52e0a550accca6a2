//! What `tasks.toml` may say, as it is written: one type a table, every unknown key an error.
//!
//! Nothing is resolved here: strings are still templates, names may still be misspelt. [`super::check`] looks at names,
//! [`crate::stack`] and [`crate::plan`] resolve.

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::{RunDef, Sourced};

/// A string with its place in the file.
pub type Text = Spanned<String>;

/// A manifest but for its definitions, which are read one by one. Their keys stand here so that they are known.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ManifestFile {
    /// Other manifests, relative to this one, that are read first. What this file says wins.
    #[serde(default, rename = "include")]
    _include: Vec<String>,
    /// The project.
    pub project: Option<ProjectDef>,
    /// Production systems to copy from.
    #[serde(default, rename = "upstreams")]
    _upstreams: toml::Table,
    /// Machines that run Docker, other than this one.
    #[serde(default, rename = "hosts")]
    _hosts: toml::Table,
    /// Stacks; the entry `defaults` holds what all of them share.
    #[serde(default, rename = "stacks")]
    _stacks: toml::Table,
    /// Tasks.
    #[serde(default, rename = "tasks")]
    _tasks: toml::Table,
    /// How copies of production are sanitised.
    #[serde(default, rename = "sanitise", deserialize_with = "read_apart")]
    _sanitise: (),
}

/// `[project]`. The folder of the file that holds it is the project's root: all paths are relative to it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ProjectDef {
    /// The project's name.
    pub name: Text,
    /// The folder of the project's own templates, which win over the built-in ones. Default `templates`.
    pub templates: Option<Text>,
    /// Further names of environment variables whose values are secrets (`*` matches any run of characters).
    #[serde(default)]
    pub secrets: Vec<Text>,
    /// Names that look like secrets and are none, such as the file name of a key.
    #[serde(default)]
    pub not_secrets: Vec<Text>,
}

/// `[upstreams.NAME]`: a production system. Read-only, always.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct UpstreamDef {
    /// What it is, one line.
    pub about: Option<String>,
    /// `user@host` or `ssh://user@host:port`.
    pub host: Text,
    /// The database that is copied.
    pub database: Text,
    /// The system user there under which pg_dump and psql run.
    pub database_user: Text,
    /// The folder there that holds the database's filestore.
    pub filestore: Text,
    /// The private key file for ssh. Default: what ssh itself would use.
    pub identity: Option<Text>,
    /// The known_hosts file for ssh. Default: what ssh itself would use.
    pub known_hosts: Option<Text>,
}

/// `[hosts.NAME]`: a machine that runs Docker and is reached by ssh.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HostDef {
    /// What it is, one line.
    pub about: Option<String>,
    /// `user@host` or `ssh://user@host:port`.
    pub ssh: Text,
    /// The private key file for ssh.
    pub identity: Option<Text>,
    /// The known_hosts file for ssh.
    pub known_hosts: Option<Text>,
}

/// `[stacks.NAME]`: one copy of the application on one host.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StackDef {
    /// What it is for, one line.
    pub about: Option<String>,
    /// A host of `[hosts]`; default: this machine.
    pub host: Option<Text>,
    /// The checkout on that host; default: the project's root.
    pub path: Option<Text>,
    /// The compose project's name; default `ODOO_PROJECT_NAME`, else the stack's name.
    pub project: Option<Text>,
    /// Who runs the stack's containers. Default `compose`.
    pub deploy: Option<Deploy>,
    /// Env files, later wins; a file that does not exist is passed over.
    pub env: Option<Vec<Text>>,
    /// Variables taken from the environment of `opw-task` itself, where they are set there.
    pub inherit: Option<Vec<Text>>,
    /// Variables given here.
    #[serde(default)]
    pub vars: IndexMap<Text, Text>,
    /// The folder on the host that holds the stack's data.
    pub state_root: Option<Text>,
    /// The address under which people reach the stack.
    pub base_url: Option<Text>,
    /// Published ports.
    pub ports: Option<PortsDef>,
    /// Compose files, rendered from `compose/NAME.yaml.j2`, in order.
    pub overlays: Option<Vec<Text>>,
    /// Folders outside of the checkout that `LOCAL_ADDONS_DIRS` may name.
    pub mounts_outside: Option<Vec<Text>>,
    /// Files rendered into the checkout: path to template.
    #[serde(default)]
    pub files: IndexMap<String, Text>,
    /// The upstream that `restore` copies from.
    pub upstream: Option<Text>,
    /// The database's name; default `ODOO_DB_NAME`.
    pub database: Option<Text>,
    /// Refuse everything that would change this stack's data.
    pub protected: Option<bool>,
    /// How many of the files that a copy's attachments name may be missing: a share such as `1%`, or a number.
    pub missing_files: Option<Text>,
    /// Which of the upstream's installed modules the stack's image may lack: `refuse` (none), `continue` (any), or names.
    pub missing_modules: Option<Text>,
    /// What `[sanitise]` says otherwise for this stack, in every file, the one that wins last. It is read apart.
    #[serde(default, deserialize_with = "read_apart")]
    pub sanitise: Vec<Sourced<Spanned<toml::Table>>>,
}

/// Who runs a stack's containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deploy {
    /// opw-task, by `docker compose` on the stack's host.
    Compose,
    /// Coolify; opw-task renders what Coolify needs.
    Coolify,
}

/// `ports = { … }`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PortsDef {
    /// The address on which `web` and `longpoll` are published; default 127.0.0.1. The database is always on 127.0.0.1.
    pub bind: Option<Text>,
    /// Odoo's HTTP port.
    pub web: Option<Spanned<u16>>,
    /// Odoo's longpolling or websocket port.
    pub longpoll: Option<Spanned<u16>>,
    /// PostgreSQL's port.
    pub database: Option<Spanned<u16>>,
}

/// `[tasks.NAME]`: a node of the graph.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TaskDef {
    /// What it does, one line.
    pub about: Option<String>,
    /// Tasks that must be done before it, and are pulled into the plan.
    #[serde(default)]
    pub needs: Vec<Text>,
    /// Tasks that come before it where both are in a plan.
    #[serde(default)]
    pub after: Vec<Text>,
    /// An expression; where it is false the task is skipped.
    pub when: Option<Text>,
    /// What the command line may say.
    #[serde(default)]
    pub params: IndexMap<Text, ParamDef>,
    /// The one action; a task without it only gathers others. It is read apart, by `run::read`.
    #[serde(default, deserialize_with = "read_apart")]
    pub run: Option<RunDef>,
    /// Variables for the command that `run` names.
    #[serde(default)]
    pub env: IndexMap<Text, Text>,
    /// Not to be asked for by name; only through `needs`.
    #[serde(default)]
    pub private: bool,
}

/// `params = { NAME = { … } }`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ParamDef {
    /// What it is for, one line.
    pub help: Option<String>,
    /// A switch: `--name`, true or false.
    #[serde(default)]
    pub flag: bool,
    /// The value if the command line says nothing. An option without a default must be given.
    pub default: Option<String>,
    /// The values that are taken; empty: any.
    #[serde(default)]
    pub choices: Vec<String>,
    /// All remaining words of the command line; a list.
    #[serde(default)]
    pub rest: bool,
}

/// Reads nothing: this key was taken out of the table before.
fn read_apart<'de, D: Deserializer<'de>, T: Default>(_: D) -> Result<T, D::Error> {
    Ok(T::default())
}
