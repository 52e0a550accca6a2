//! What Odoo writes into its log file is shown by `logs`, and when the stack does not come up; a container that dies again
//! and again is told within seconds.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::world::{Estate, Plan, docker, eventually, processes_with, words_in_files};

/// What Odoo says in its log file and nowhere else.
const TRACEBACK: &str = "ImportError: cannot import name 'tyre'";

fn write_log(shop: &Estate, line: &str) {
    let folder = shop.path("state/logs");
    fs::create_dir_all(&folder).unwrap();
    let mut log = OpenOptions::new()
        .append(true)
        .create(true)
        .open(folder.join("odoo.log"))
        .unwrap();
    writeln!(log, "{line}").unwrap();
}

/// The web as a shell command; the rest of the stack as it is.
fn web_runs(shop: &Estate, script: &str) {
    shop.write(
        "templates/compose/lab.yaml.j2",
        &format!(
            "services: {{ database: {{ healthcheck: {{ interval: 1s }} }}, web: {{ command: [sh, -c, '{script}'], healthcheck: {{ interval: 1s }} }} }}"
        ),
    );
}

#[test]
fn logs_show_the_log_file_of_odoo() {
    let shop = Plan::named("logs").make();
    shop.does(&["render", "shop"]);
    let run = shop.does(&["logs", "shop"]);
    assert!(!run.stdout.contains("odoo.log"), "there is none yet: {}", run.stdout);
    for number in 1..=300 {
        write_log(&shop, &format!("line {number} of the file"));
    }
    write_log(&shop, &format!("token {} of the file", Estate::database_password()));

    for words in [&["logs", "shop"][..], &["logs", "shop", "web"]] {
        let run = shop.does(words);
        let lines: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("odoo.log")).collect();
        assert_eq!(lines.len(), 200, "{words:?}");
        assert_eq!(lines[0], "odoo.log  | line 102 of the file");
        assert_eq!(*lines.last().unwrap(), "odoo.log  | token *** of the file");
    }
    let run = shop.does(&["logs", "shop", "database"]);
    assert!(!run.stdout.contains("of the file"), "{}", run.stdout);

    // A link that code in the container has put there shows nothing that its user may not read, followed or not.
    let log = shop.path("state/logs/odoo.log");
    chown(log.parent().unwrap(), Some(1000), Some(1000)).unwrap();
    let secret = shop.path("of-root");
    fs::write(&secret, "for root alone\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(&log).unwrap();
    symlink(&secret, &log).unwrap();
    let run = shop.run(&["logs", "shop"]);
    assert!(run.words().contains("odoo.log"), "it is looked at: {run}");
    assert!(!run.words().contains("for root alone"), "{run}");
    let written = words_in_files(&shop.path(".opw-task"), &["for root alone"], &[]);
    assert!(written.is_empty(), "{written:?}");
}

#[test]
fn the_log_file_of_odoo_is_followed() {
    let shop = Plan::named("follow").make();
    web_runs(&shop, "sleep 600");
    // It never answers, and is there to be followed.
    let up = shop.start(&["up", "shop"]);
    eventually("the web runs", Duration::from_secs(120), || {
        let name = format!("name={}-web-1", shop.project);
        let running = docker(&["ps", "--quiet", "--filter", "status=running", "--filter", &name]);
        (!running.trim().is_empty()).then_some(())
    });
    let followed = shop.start(&["logs", "shop", "web", "--follow"]);
    // Other tests follow nothing.
    let file = "-- odoo.log";
    eventually("it is followed", Duration::from_secs(20), || {
        (!processes_with(&["tail", "-F", file]).is_empty()).then_some(())
    });
    write_log(&shop, "written while it was followed");
    std::thread::sleep(Duration::from_secs(3));
    followed.signal(Signal::INT);
    up.signal(Signal::INT);
    let followed = followed.end().code(130);
    assert!(
        followed.stdout.contains("odoo.log  | written while it was followed\n"),
        "{}",
        followed.stdout
    );
    up.end();
    assert!(
        processes_with(&["tail", "-F", file]).is_empty(),
        "nothing is left behind"
    );
}

#[test]
fn a_web_that_dies_again_and_again_is_told_within_seconds_with_its_log_file() {
    for healthcheck in ["", ", healthcheck: { disable: true }"] {
        let shop = Plan::named("dies").make();
        let script = format!(
            "echo the tyre is flat; echo \"{}\" >> /volumes/logs/odoo.log; exit 7",
            TRACEBACK.replace('\'', "")
        );
        shop.write(
            "templates/compose/lab.yaml.j2",
            &format!("services: {{ web: {{ command: [sh, -c, '{script}']{healthcheck} }} }}"),
        );
        shop.does(&["render", "shop"]);
        let began = Instant::now();
        shop.run(&["up", "shop"]).code(1).says(&[
            "web of stack `shop`",
            "dying again and again",
            "the tyre is flat",
            "state/logs/odoo.log:",
            &TRACEBACK.replace('\'', ""),
        ]);
        assert!(began.elapsed() < Duration::from_secs(200), "{:?}", began.elapsed());
        // As it is found later, with a long pause between two deaths.
        let began = Instant::now();
        shop.run(&["health", "shop"]).code(1).says(&["dying again and again"]);
        assert!(began.elapsed() < Duration::from_secs(200), "{:?}", began.elapsed());
    }
}

#[test]
fn a_web_that_is_restarted_once_is_waited_for() {
    let shop = Plan::named("once").make();
    web_runs(
        &shop,
        "if [ ! -e /volumes/data/once ]; then touch /volumes/data/once; exit 1; fi; exec /odoo/odoo-bin",
    );
    shop.does(&["up", "shop"]);
    assert_eq!(shop.inspect("web", "{{.RestartCount}}"), "1");
    shop.serves();
}

#[test]
fn one_request_does_not_outlast_the_time_that_health_has() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/web/health", listener.local_addr().unwrap());
    let shop = Plan::named("silent")
        .variable("DEPLOY_HEALTHCHECK_URL", &url)
        .variable("DEPLOY_SERVICES", "database")
        .manifest("[tasks.begin]\nneeds = [\"start\"]\n[tasks.soon]\nrun = { health = { timeout = 5 } }\n")
        .make();
    shop.does(&["begin", "shop"]);
    let began = Instant::now();
    shop.run(&["soon", "shop"]).code(1).says(&["no answer yet"]);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    drop(listener);
}
