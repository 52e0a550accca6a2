//! A project of a test's own: a manifest that includes the repository's, one stack, its secrets, its state root.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::images::{odoo_image, postgres_image};
use super::machine::docker;
use super::run::{Run, Running};
use super::upstream::Upstream;
use super::watch::Watch;

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

/// Secrets of every kind: from an env file, and from the environment that the binary is started in.
const ENV_FILE: [(&str, &str); 6] = [
    ("ODOO_DB_PASSWORD", "keepout-Db$Password-01"),
    ("ODOO_ADMIN_PASSWORD", "keepout-admin-password-02"),
    ("ODOO_KEY", "keepout-odoo-key-03"),
    ("SHOPIFY_API_TOKEN", "keepout-shopify-token-04"),
    ("SHOPIFY_WEBHOOK_KEY", "keepout-shopify-webhook-05"),
    ("COOLIFY_TOKEN", "keepout-coolify-token-06"),
];
const INHERITED: (&str, &str) = ("GITHUB_TOKEN", "ghs_keepoutGithubToken07");

/// Docker looks at a container's health each few seconds, and tests would spend their time waiting for that.
///
/// The hunter is an Odoo without a database of its own: its cron workers look into every database that their role owns,
/// each second. What it can find, Odoo would have found.
const OVERLAY: &str = r#"
services:
  database:
    healthcheck: { interval: 1s }
  web:
    healthcheck: { interval: 1s }
{% if env.HUNTER is defined %}
  hunter:
    image: {{ env.DOCKER_IMAGE | yaml }}
    command: ["/odoo/odoo-bin", "--no-http"]
    environment:
      ODOO_DB_HOST: database
      ODOO_DB_NAME: ""
      ODOO_DB_USER: ${ODOO_DB_USER:-odoo}
      ODOO_DB_PASSWORD: ${ODOO_DB_PASSWORD}
    healthcheck: { disable: true }
    depends_on:
      database: { condition: service_healthy }
{% endif %}
"#;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// What an estate is to be like.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    name: &'static str,
    upstream: Option<Upstream>,
    variables: Vec<(String, String)>,
    stack: String,
    manifest: String,
    addons: bool,
    without: Vec<&'static str>,
}

impl Plan {
    pub fn named(name: &'static str) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    /// Where `restore` copies from.
    pub fn upstream(mut self, upstream: &Upstream) -> Self {
        self.upstream = Some(upstream.clone());
        self
    }

    /// A line of the env file.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Lines for `[stacks.shop]`.
    pub fn stack(mut self, lines: &str) -> Self {
        self.stack += lines;
        self.stack.push('\n');
        self
    }

    /// Tables of the manifest.
    pub fn manifest(mut self, lines: &str) -> Self {
        self.manifest += lines;
        self
    }

    /// The lab's addons in the project, mounted into its containers.
    pub fn with_addons(mut self) -> Self {
        self.addons = true;
        self
    }

    /// The env file lacks this one.
    pub fn without(mut self, name: &'static str) -> Self {
        self.without.push(name);
        self
    }

    pub fn make(self) -> Estate {
        Estate::make(self)
    }
}

/// A project with one stack, `shop`. What it made goes when it goes.
pub struct Estate {
    folder: tempfile::TempDir,
    pub project: String,
    pub web: u16,
    pub database_port: u16,
    plan: Plan,
}

impl Estate {
    fn make(plan: Plan) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = tempfile::Builder::new().prefix("opw-task-lab-").tempdir().unwrap();
        let [web, longpoll, database_port] = free_ports();
        let project = format!("opw-task-test-{}-{}-{number}", plan.name, std::process::id());
        let estate = Self {
            folder,
            project,
            web,
            database_port,
            plan,
        };
        estate.write("templates/compose/lab.yaml.j2", OVERLAY);
        if estate.plan.addons {
            copy(&Path::new(REPOSITORY).join("docker/lab/addons"), &estate.path("addons"));
        }
        // The repository's policy names it, beside the manifest that includes that one.
        let rules = "docker/sanitise/shopify.toml";
        estate.write(rules, &fs::read_to_string(Path::new(REPOSITORY).join(rules)).unwrap());
        estate.write_env(&[]);
        estate.write_manifest(longpoll);
        estate
    }

    fn write_manifest(&self, longpoll: u16) {
        let port = std::env::var("OPW_TASK_LAB_SSH_PORT").unwrap_or_else(|_| "22722".to_owned());
        let source = self
            .plan
            .upstream
            .as_ref()
            .map_or("none", |upstream| &upstream.database);
        let overlays = match self.plan.addons {
            true => r#"["base", "ports", "dev-mounts", "lab"]"#,
            false => r#"["base", "ports", "lab"]"#,
        };
        let Self {
            project,
            web,
            database_port,
            plan,
            ..
        } = self;
        // The stand-in's image has a few of the modules that the lab's upstream has installed.
        let modules = match plan.stack.contains("missing-modules") {
            true => "",
            false => "missing-modules = \"continue\"",
        };
        let upstream = if plan.stack.contains("upstream") {
            ""
        } else {
            "upstream = \"lab\""
        };
        self.write(
            "tasks.toml",
            &format!(
                r#"
include = ["{REPOSITORY}/tasks.toml"]

[project]
name = "test"

[upstreams.lab]
host          = "ssh://root@127.0.0.1:{port}"
database      = "{source}"
database-user = "odoo"
filestore     = "/opt/odoo/local_data/filestore/{source}"
identity      = "{REPOSITORY}/.lab/ssh/id_lab"
known-hosts   = "{REPOSITORY}/.lab/ssh/known_hosts"

# The rows that arrive are counted: the included policy's programs are not among them.
[stacks.defaults.sanitise]
service-users = []

{manifest}

[stacks.shop]
project    = "{project}"
env        = ["secrets.env"]
database   = "shop"
state-root = "state"
base-url   = "http://localhost:{web}"
ports      = {{ web = {web}, longpoll = {longpoll}, database = {database_port} }}
overlays   = {overlays}
vars       = {{ COMPOSE_BUILD_TARGET = "", DOCKER_IMAGE = "{odoo}", POSTGRES_IMAGE = "{postgres}" }}
{upstream}
{modules}
{stack}
"#,
                manifest = plan.manifest,
                stack = plan.stack,
                odoo = odoo_image("18.0"),
                postgres = postgres_image(),
            ),
        );
    }

    /// Writes the env file, with these lines beyond the plan's.
    pub fn write_env(&self, more: &[(&str, &str)]) {
        let secrets = ENV_FILE.iter().filter(|(name, _)| !self.plan.without.contains(name));
        let secrets = secrets.map(|(name, value)| format!("{name}='{value}'\n"));
        let planned = self
            .plan
            .variables
            .iter()
            .map(|(name, value)| format!("{name}='{value}'\n"));
        let more = more.iter().map(|(name, value)| format!("{name}='{value}'\n"));
        let text: String = secrets.chain(planned).chain(more).collect();
        self.write("secrets.env", &format!("ODOO_DB_USER=odoo\n{text}"));
    }

    /// A file of the project.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces words in the manifest.
    #[track_caller]
    pub fn rewrite_manifest(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.path("tasks.toml")).unwrap();
        assert!(text.contains(from), "`{from}` in\n{text}");
        self.write("tasks.toml", &text.replace(from, to));
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The folder of the stack's filestores.
    pub fn filestores(&self) -> PathBuf {
        self.path("state/filestore/filestore")
    }

    /// The secrets that must show nowhere.
    pub fn secrets() -> Vec<&'static str> {
        ENV_FILE.iter().chain([&INHERITED]).map(|(_, value)| *value).collect()
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opw-task"));
        command
            .args(words)
            .current_dir(self.folder.path())
            .env(INHERITED.0, INHERITED.1);
        command
    }

    /// Starts `opw-task` in the project's folder.
    pub fn start(&self, words: &[&str]) -> Running {
        Running::start(self.command(words), format!("opw-task {}", words.join(" ")))
    }

    /// Runs `opw-task` in the project's folder.
    pub fn run(&self, words: &[&str]) -> Run {
        self.start(words).end()
    }

    /// Runs it; it must end well.
    #[track_caller]
    pub fn does(&self, words: &[&str]) -> Run {
        self.run(words).code(0)
    }

    /// Begins to watch the stack.
    pub fn watch(&self) -> Watch {
        Watch::begin(self)
    }

    /// The id of a service's container; none if there is none.
    pub fn container(&self, service: &str) -> Option<String> {
        let project = format!("label=com.docker.compose.project={}", self.project);
        let service = format!("label=com.docker.compose.service={service}");
        let ids = docker(&[
            "ps",
            "--all",
            "--quiet",
            "--no-trunc",
            "--filter",
            &project,
            "--filter",
            &service,
            "--filter",
            "label=com.docker.compose.oneoff=False",
        ]);
        ids.lines().next().map(str::to_owned)
    }

    /// Every container of the project, one-off ones too: `service state`.
    pub fn containers(&self) -> Vec<String> {
        let project = format!("label=com.docker.compose.project={}", self.project);
        let format = r#"{{.Label "com.docker.compose.service"}} {{.State}} {{.Names}}"#;
        let containers = docker(&["ps", "--all", "--filter", &project, "--format", format]);
        let mut containers: Vec<String> = containers.lines().map(str::to_owned).collect();
        containers.sort();
        containers
    }

    /// A fact of a service's container, as `docker inspect --format` gives it.
    #[track_caller]
    pub fn inspect(&self, service: &str, format: &str) -> String {
        let id = self
            .container(service)
            .unwrap_or_else(|| panic!("no container of {service}"));
        docker(&["inspect", "--format", format, &id])
    }

    /// Rows of a database of the stack, as its superuser, as `psql -At` prints them.
    #[track_caller]
    pub fn sql_in(&self, database: &str, sql: &str) -> String {
        let container = self.container("database").expect("the database's container");
        docker(&[
            "exec",
            &container,
            "psql",
            "-XAt",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "odoo",
            "-d",
            database,
            "-c",
            sql,
        ])
    }

    /// Rows of the live database.
    #[track_caller]
    pub fn sql(&self, sql: &str) -> String {
        self.sql_in("shop", sql)
    }

    /// All databases of the stack that are not PostgreSQL's own.
    pub fn databases(&self) -> Vec<String> {
        let names = self.sql_in(
            "postgres",
            "SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1') ORDER BY 1",
        );
        names.lines().map(str::to_owned).collect()
    }

    /// The run that brought a filestore, as it is noted under the folder's inode.
    #[track_caller]
    pub fn run_of_filestore(&self, name: &str) -> String {
        let inode = fs::metadata(self.filestores().join(name)).unwrap().ino();
        let runs = fs::read_dir(self.path("state/.opw-task/filestore/shop/runs")).unwrap();
        let noted = runs.flatten().find(|entry| {
            let noted = entry.file_name().into_string().unwrap();
            noted.split('-').next() == Some(inode.to_string().as_str())
        });
        let text = fs::read_to_string(noted.expect("a note of this filestore").path()).unwrap();
        text.lines().next().unwrap_or_default().to_owned()
    }

    /// The folders beside the live filestore, and it.
    pub fn filestore_names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.filestores())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The status and body that an address of the stack's web gives.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        let url = format!("http://127.0.0.1:{}{path}", self.web);
        block_on(async move {
            let client = reqwest::Client::builder()
                .timeout(Duration::from_secs(5))
                .build()
                .unwrap();
            let answer = client.get(url).send().await.ok()?;
            let status = answer.status().as_u16();
            Some((status, answer.text().await.ok()?))
        })
    }

    /// The stack serves, with this base URL in its database.
    #[track_caller]
    pub fn serves(&self) {
        let (status, body) = self.get("/web/login").expect("web answers");
        assert_eq!(status, 200, "{body}");
    }

    /// The password of the database's role.
    pub fn database_password() -> &'static str {
        ENV_FILE[0].1
    }
}

impl Drop for Estate {
    fn drop(&mut self) {
        if std::env::var_os("OPW_TASK_TEST_KEEP").is_some() {
            self.folder.disable_cleanup(true);
            return;
        }
        let project = format!("label=com.docker.compose.project={}", self.project);
        let quiet = |arguments: &[&str]| {
            let output = Command::new("docker").args(arguments).output().unwrap();
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        for (list, remove) in [
            (&["ps", "-aq", "--filter"][..], &["rm", "--force", "--volumes"][..]),
            (&["network", "ls", "-q", "--filter"], &["network", "rm"]),
            (&["volume", "ls", "-q", "--filter"], &["volume", "rm", "--force"]),
        ] {
            let ids = quiet(&[list, &[project.as_str()]].concat());
            let ids: Vec<&str> = ids.split_whitespace().collect();
            if !ids.is_empty() {
                quiet(&[remove, &ids].concat());
            }
        }
    }
}

/// Runs a future to its end.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// Ports that are free now; held all three before one is let go, so that they differ.
fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
