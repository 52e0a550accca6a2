//! The swap as those see it who use the stack: the web goes down once, what serves afterwards is what was built and
//! configured, and where that cannot serve, what served before does.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::world::{Estate, Plan, Running, Upstream, docker, eventually, signal};
use rustix::process::Signal;

const SOON: Duration = Duration::from_secs(150);

/// What Docker did with the containers of a stack's web, as it says itself: `action id signal`.
struct Events {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Events {
    fn of(shop: &Estate) -> Self {
        let project = format!("label=com.docker.compose.project={}", shop.project);
        let filters = ["--filter", &project, "--filter", "label=com.docker.compose.service=web"];
        let format = r#"{{.Action}} {{.Actor.ID}} {{index .Actor.Attributes "signal"}}"#;
        let mut child = Command::new("docker")
            .args(["events", "--filter", "type=container", "--format", format])
            .args(filters)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (output, kept) = (child.stdout.take().unwrap(), lines.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                kept.lock().unwrap().push(line);
            }
        });
        Self { child, lines }
    }

    /// Those of some actions, by now.
    fn of_actions(&self, actions: &[&str]) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        let wanted = |line: &&String| actions.contains(&line.split(' ').next().unwrap());
        lines.iter().filter(wanted).map(|line| line.trim().to_owned()).collect()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stack that serves a copy, told by a parameter from any later one.
fn serving(name: &'static str, upstream: &Upstream) -> Estate {
    let shop = Plan::named(name).upstream(upstream).make();
    shop.does(&["restore", "shop"]);
    shop.sql("INSERT INTO ir_config_parameter (key, value) VALUES ('test.generation', 'first')");
    shop
}

fn generation(shop: &Estate) -> String {
    shop.sql("SELECT value FROM ir_config_parameter WHERE key = 'test.generation'")
}

/// The containers of the web, whatever their state.
fn webs(shop: &Estate) -> Vec<String> {
    let mut all = shop.containers();
    all.retain(|line| line.starts_with("web "));
    all
}

/// Starts a restore and holds it while the web is down: with the live database's `oid` and the web's container of before. The
/// `docker` that the run finds does not come back from the call that the moment is about.
fn held_at(shop: &Estate, moment: Moment) -> Held {
    let (oid, web) = (live_oid(shop), shop.container("web").unwrap());
    let real = which::which("docker").unwrap();
    // The web is stopped when `docker stop` has ended; what follows the swap first is `docker start`.
    let (call, first) = match moment {
        Moment::Stopped => ("stop", format!("{} \"$@\"", real.display())),
        Moment::Swapped => ("start", String::new()),
    };
    let marker = shop.path("held");
    let _ = std::fs::remove_file(&marker);
    let marker_text = marker.display();
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = {call} ]; then\n{first}\necho $$ >{marker_text}.new; mv {marker_text}.new {marker_text}; exec sleep 300\nfi\nexec {} \"$@\"\n",
        real.display()
    );
    shop.write("held-bin/docker", &script);
    std::fs::set_permissions(shop.path("held-bin/docker"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", shop.path("held-bin").display(), std::env::var("PATH").unwrap());
    let mut command = shop.command(&["restore", "shop"]);
    command.env("PATH", path);
    let mut run = Running::start(command, format!("opw-task restore shop, held at {moment:?}"));
    let docker_pid = eventually(&format!("{moment:?}"), SOON, || {
        assert!(!run.is_over(), "the run ended before {moment:?}");
        std::fs::read_to_string(&marker).ok()?.trim().parse().ok()
    });
    Held {
        run,
        docker_pid,
        oid,
        web,
    }
}

/// A restore that waits for a `docker` that does not come back.
struct Held {
    run: Running,
    docker_pid: u32,
    /// The live database of before.
    oid: String,
    /// The web's container of before.
    web: String,
}

impl Held {
    /// Kills the run, and what it waited for.
    fn kill(self) {
        self.run.signal(Signal::KILL);
        self.run.end();
        signal(self.docker_pid, Signal::KILL);
    }
}

fn live_oid(shop: &Estate) -> String {
    shop.sql_in("postgres", "SELECT oid FROM pg_database WHERE datname = 'shop'")
}

#[track_caller]
fn has_one_web(shop: &Estate) {
    assert_eq!(webs(shop), [format!("web running {}-web-1", shop.project)]);
}

#[test]
fn what_serves_afterwards_is_made_before_and_the_web_goes_down_once() {
    let shop = serving("once", &Upstream::small());
    let old = shop.container("web").unwrap();
    let volumes = |id: &str| {
        let format = r#"{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}"#;
        docker(&["inspect", "--format", format, id])
    };
    let old_volumes = volumes(&old);
    shop.write_env(&[("ODOO_LIMIT_REQUEST", "4096")]);

    let events = Events::of(&shop);
    let watch = shop.watch();
    let run = shop.does(&["restore", "shop"]);
    let (seen, _) = watch.end();
    shop.serves();
    let new = shop.container("web").unwrap();
    assert_ne!(new, old);
    assert!(
        shop.inspect("web", "{{.Config.Env}}")
            .contains("ODOO_LIMIT_REQUEST=4096")
    );
    // On a busy machine two signals may arrive as one, and a third one follows.
    let mut happened = events.of_actions(&["create", "start", "kill", "die", "destroy"]);
    let terms = happened
        .iter()
        .filter(|line| **line == format!("kill {old} 15"))
        .count();
    assert!(terms >= 2, "{happened:?}");
    happened.dedup();
    assert_eq!(
        happened,
        [
            format!("create {new}"),
            format!("kill {old} 15"),
            format!("die {old}"),
            format!("start {new}"),
            format!("destroy {old}"),
        ]
    );
    has_one_web(&shop);
    let left = docker(&["volume", "ls", "--quiet"]);
    let leaked: Vec<&str> = old_volumes.split(' ').filter(|name| left.contains(name)).collect();
    assert!(
        old_volumes.len() > 60 && leaked.is_empty(),
        "{leaked:?} of {old_volumes}"
    );

    // The time that is told is the time that was seen.
    let silent: Vec<_> = seen.iter().filter(|look| look.login != Some(200)).collect();
    let (first, last) = (silent.first().unwrap().at, silent.last().unwrap().at);
    let words = run.words();
    let told = words.split_once("web was down for ").expect("the run tells it").1;
    let told: f64 = told.split(' ').next().unwrap().parse().unwrap();
    let seen = (last - first).as_secs_f64();
    assert!((told - seen).abs() < 2.0 && told < 15.0, "told {told} s, seen {seen} s");
    assert!(words.contains("until /web/login answered"), "{run}");

    // Nothing has changed: the same container serves on, stopped and started once.
    let events = Events::of(&shop);
    shop.does(&["restore", "shop"]);
    assert_eq!(shop.container("web").unwrap(), new);
    let happened = events.of_actions(&["create", "start", "die", "destroy"]);
    assert_eq!(happened, [format!("die {new}"), format!("start {new}")]);
    shop.does(&["rollback", "shop"]);
    shop.serves();
    has_one_web(&shop);
}

#[test]
fn a_container_that_cannot_be_made_or_started_leaves_the_old_one_serving() {
    let shop = serving("unfit", &Upstream::small());
    let (old, started) = (
        shop.container("web").unwrap(),
        shop.inspect("web", "{{.State.StartedAt}}"),
    );
    let overlay = std::fs::read_to_string(shop.path("templates/compose/lab.yaml.j2")).unwrap();
    let unfit = |more: &str| {
        let web = format!("  web:\n    {more}\n");
        shop.write("templates/compose/lab.yaml.j2", &overlay.replace("  web:\n", &web));
    };

    unfit("image: opw-task-lab/absent:1");
    shop.run(&["restore", "shop"]).code(1).says(&["activate"]);
    assert_eq!(shop.inspect("web", "{{.State.StartedAt}}"), started, "web was stopped");
    assert_eq!(generation(&shop), "first");
    has_one_web(&shop);

    unfit("entrypoint: [/no/such/program]");
    shop.run(&["restore", "shop"])
        .code(1)
        .says(&["activate", "what served before comes back", "/no/such/program"]);
    shop.serves();
    assert_eq!(shop.container("web").unwrap(), old);
    assert_eq!(generation(&shop), "first");
    has_one_web(&shop);
    shop.write("templates/compose/lab.yaml.j2", &overlay);
    shop.does(&["restore", "shop"]);
    shop.serves();
    assert_eq!(generation(&shop), "");
    assert_eq!(shop.filestore_names(), ["shop", "shop__previous"]);
}

/// When a run is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// The web has been stopped.
    Stopped,
    /// The databases have changed places.
    Swapped,
}

#[test]
fn a_web_that_a_killed_run_left_down_comes_back_with_the_next_command() {
    let upstream = Upstream::small();
    let shop = serving("left-down", &upstream);
    for (turn, (moment, command)) in [
        (Moment::Stopped, &["status", "shop"][..]),
        (Moment::Swapped, &["ps", "shop"]),
        (Moment::Stopped, &["logs", "shop"]),
        (Moment::Swapped, &["render", "shop"]),
    ]
    .into_iter()
    .enumerate()
    {
        // In the first two turns the same container serves afterwards, in the others a new one.
        if turn > 1 {
            shop.write_env(&[("ODOO_LIMIT_REQUEST", &format!("4{turn}9"))]);
        }
        let held = held_at(&shop, moment);
        let (old, web) = (held.oid.clone(), held.web.clone());

        // A command that only looks leaves the web to the run that is at work.
        let before = webs(&shop);
        let looked = shop.run(&["status", "shop"]);
        assert_eq!(webs(&shop), before, "{moment:?}: {looked}");

        held.kill();
        shop.does(command).says(&["web was down: a run was ended"]);
        eventually("web is back", SOON, || {
            shop.get("/web/login").filter(|(status, _)| *status == 200)
        });
        has_one_web(&shop);
        let run = shop.sql_in("postgres", "SELECT substring(shobj_description(oid, 'pg_database') FROM '\"run\":\"([^\"]*)\"') FROM pg_database WHERE datname = 'shop'");
        assert_eq!(
            shop.run_of_filestore("shop"),
            run,
            "{moment:?}: the pair belongs together"
        );
        let is_new = live_oid(&shop) != old;
        assert_eq!(is_new, matches!(moment, Moment::Swapped), "{moment:?}");
        let same = shop.container("web").unwrap() == web;
        assert_eq!(
            same,
            turn < 2 || matches!(moment, Moment::Stopped),
            "{moment:?} {command:?}"
        );
        let again = shop.run(command);
        assert!(!again.words().contains("web was down"), "{again}");
    }
}
