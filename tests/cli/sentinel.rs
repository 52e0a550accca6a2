//! Every command of the tool, with planted secrets: none of them is in what it prints, in what it keeps, or in any argument
//! list of the machine while it runs.
//!
//! The commands are those that the tool itself lists, of the repository's own manifest, so that new ones are tried too.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::project::{Project, Ran, files_below, repository};

/// Stands in every planted secret, and nowhere else.
const PLANTED: &str = "pl4nted";

/// In a variable of the shell that no stack names.
const STRAY: &str = "str4y";

/// Marks the arguments of the test that watches itself.
const OTHER_TEST: &str = "-in-a-list";

/// A run that waits for what does not come is interrupted after so long.
const LONGEST: Duration = Duration::from_secs(10);

const ENV: &str = "\
ODOO_DB_PASSWORD='pl4nted db $p'
ODOO_ADMIN_PASSWORD=pl4nted-admin
ODOO_KEY=pl4nted-key-of-gpt-0123456789
ODOO_ADMIN_KEY=pl4nted-key-of-admin-0123456789
SHOPIFY_API_TOKEN=shpat_pl4nted
SHOPIFY_WEBHOOK_KEY=pl4nted-webhook
SHOPIFY_STORE_URL_KEY=opw-local
MAIL_PASS=pl4nted-mail
DATABASE_URL=postgres://odoo:${ODOO_DB_PASSWORD}@database/opw
COPY_OF_IT=\"x ${MAIL_PASS} y\"
SMTP_URL=smtp://me:pl4nted-smtp@mail.example
FROM_SHELL=${STRAY_TOKEN:-}
PRIVATE_KEY=\"-----BEGIN PRIVATE KEY-----
pl4ntedline1pl4ntedline1
-----END PRIVATE KEY-----\"
";

/// Tasks beside the repository's own: what a project may add.
const TASKS: &str = r#"
[tasks.planted-env]
env = { HEADER = "Bearer {{ env.ODOO_KEY }}", TARGET = "{{ env.DATABASE_URL }}", API_TOKEN = "pl4nted-of-a-task" }
run = { shell = "echo \"$HEADER $TARGET $API_TOKEN\"; echo \"$TARGET\" >&2; sleep 0.2; exit 3" }
[tasks.planted-argument]
run = { command = "echo {{ env.DATABASE_URL }}" }
[tasks.planted-compose]
env = { COPY = "{{ env.COPY_OF_IT }}" }
run = { compose = ["run", "-e", "COPY", "web", "true"] }
[tasks.planted-literal]
run = { command = "echo https://me:pl4nted-literal@host.example" }
"#;

/// Stands for every program of others: tells all that it was given, as a talkative one does, and fails.
const TALKATIVE: &str = r#"
echo "$0 $*"
printf '%s\n' "$GITHUB_TOKEN" "$HEADER" "$TARGET" "$COPY" >&2
while [ $# -gt 0 ]; do
  case $1 in --env-file) cat "$2"; cat "$2" >&2;; esac
  shift
done
sleep 0.1
exit 1
"#;

fn project() -> Project {
    let copy = |path: &str| fs::read_to_string(repository().join(path)).unwrap();
    let manifest = copy("tasks.toml").replace(
        "state-root = \"/opt/odoo-ai/data/",
        "state-root = \"{{ project.root }}/state-",
    );
    let mut project = Project::empty()
        .with("tasks.toml", &format!("{manifest}{TASKS}"))
        .with(".env", ENV)
        .with("docker/config/base.env", &copy("docker/config/base.env"))
        .with("docker/sanitise/shopify.toml", &copy("docker/sanitise/shopify.toml"))
        .with_variable("GITHUB_TOKEN", "ghp_pl4nted0123456789")
        .with_variable("STRAY_TOKEN", STRAY);
    for program in [
        "docker",
        "ssh",
        "rsync",
        "git",
        "ruff",
        "psql",
        "pg_dump",
        "pg_restore",
        "sudo",
    ] {
        project = project.with_program(program, TALKATIVE);
    }
    project
}

/// The commands that the tool lists, each with whether it wants a stack.
fn commands(project: &Project) -> Vec<(String, bool)> {
    let help = project.run(&["--help"]).ended(0).out;
    let fixed = help
        .lines()
        .skip_while(|line| *line != "Tasks and commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned));
    let mut commands: BTreeSet<(String, bool)> = fixed.map(|name| (name, true)).collect();
    let listed = project.run(&["list", "--all", "-o", "json"]).ended(0).out;
    for line in listed.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(usage) = row["task"].as_str() {
            let name = usage.split(' ').next().unwrap().to_owned();
            let wants_a_stack = usage.contains(' ');
            commands.remove(&(name.clone(), true));
            commands.insert((name, wants_a_stack));
        }
    }
    for alone in ["help", "list"] {
        if commands.remove(&(alone.to_owned(), true)) {
            commands.insert((alone.to_owned(), false));
        }
    }
    assert!(commands.len() > 25, "{commands:?}");
    commands.into_iter().collect()
}

/// Looks at all argument lists of the machine until it is ended.
struct Watch {
    over: Arc<AtomicBool>,
    found: thread::JoinHandle<BTreeSet<String>>,
}

impl Watch {
    fn start() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let is_over = over.clone();
        let found = thread::spawn(move || {
            let mut found = BTreeSet::new();
            while !is_over.load(Ordering::Relaxed) {
                for process in fs::read_dir("/proc").unwrap().flatten() {
                    let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
                    let line = String::from_utf8_lossy(&line).replace('\0', " ");
                    if line.contains(PLANTED) || line.contains(STRAY) {
                        found.insert(line);
                    }
                }
                thread::sleep(Duration::from_millis(5));
            }
            found
        });
        Self { over, found }
    }

    fn end(self) -> BTreeSet<String> {
        self.over.store(true, Ordering::Relaxed);
        self.found.join().unwrap()
    }
}

/// Runs a command to its end, or interrupts it.
fn run(project: &Project, args: &[&str]) -> Ran {
    let child = project.command(args).spawn().unwrap();
    let id = child.id().to_string();
    let ended = Arc::new(AtomicBool::new(false));
    let has_ended = ended.clone();
    let guard = thread::spawn(move || {
        let begun = Instant::now();
        while !has_ended.load(Ordering::Relaxed) {
            if begun.elapsed() > LONGEST {
                let _ = Command::new("kill").args(["-INT", &id]).status();
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    });
    let output = child.wait_with_output().unwrap();
    ended.store(true, Ordering::Relaxed);
    guard.join().unwrap();
    project.ran(output)
}

#[test]
fn the_watch_sees_arguments() {
    let watch = Watch::start();
    let mut child = Command::new("sh")
        .args(["-c", "sleep 1; :", "--", &format!("{PLANTED}{OTHER_TEST}")])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    child.wait().unwrap();
    assert!(watch.end().iter().any(|line| line.contains(OTHER_TEST)));
}

#[test]
fn no_command_shows_keeps_or_passes_on_a_planted_secret() {
    let project = project();
    let commands = commands(&project);
    let watch = Watch::start();
    let mut wrong = Vec::new();
    let mut masked = 0;
    for (command, wants_a_stack) in &commands {
        let stacks: &[&[&str]] = match wants_a_stack {
            true => &[&["opw-local"], &["opw-testing"], &["coolify"]],
            false => &[&[]],
        };
        for (at, stack) in stacks.iter().enumerate() {
            let modes: &[&[&str]] = match at {
                0 => &[&["--verbose"], &["-o", "json"], &["--dry-run"]],
                1 => &[&["--verbose"]],
                // Others run its containers: little can be asked of it.
                _ if ["env", "render"].contains(&command.as_str()) => &[&["--verbose"]],
                _ => &[],
            };
            for mode in modes {
                let args = [&[command.as_str()], *stack, *mode].concat();
                let ran = run(&project, &args);
                let all = ran.whole();
                masked += all.matches("***").count();
                if all.contains(PLANTED) || all.contains(STRAY) {
                    wrong.push(format!("{args:?}\n{all}"));
                }
            }
        }
    }
    let lines: Vec<String> = watch
        .end()
        .into_iter()
        .filter(|line| !line.contains(OTHER_TEST))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(masked > 100, "the planted secrets were hardly met: {masked}");
    assert!(lines.is_empty(), "{lines:?}");
    let mut kept = 0;
    for path in files_below(&project.at("")) {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        assert!(!text.contains(STRAY), "{}", path.display());
        if text.contains(PLANTED) {
            assert!(may_hold_secrets(&project, &path), "{}", path.display());
            kept += 1;
        }
    }
    assert!(kept >= 3, "nothing was rendered: {kept}");
}

/// What was planted there, and the variables for compose, which only their owner can read.
fn may_hold_secrets(project: &Project, path: &Path) -> bool {
    let is_owners = fs::metadata(path).unwrap().permissions().mode() & 0o077 == 0;
    path == project.at(".env") || path == project.at("tasks.toml") || (is_owners && path.ends_with(".compose.env"))
}
