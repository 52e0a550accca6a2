//! `up`, `down`, `health`: a stack comes up as its manifest says, stays as it is, and keeps its data.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc::{Receiver, channel};

use crate::world::{Plan, docker};

#[test]
fn a_stack_comes_up_stays_and_keeps_its_data() {
    let shop = Plan::named("up").make();
    shop.does(&["up", "shop"]);
    shop.serves();

    for service in ["web", "database"] {
        assert_eq!(
            shop.inspect(service, "{{.State.Health.Status}}"),
            "healthy",
            "{service}"
        );
    }
    for (service, port) in [("web", "8069/tcp"), ("web", "8072/tcp"), ("database", "5432/tcp")] {
        let bound = shop.inspect(
            service,
            &format!(r#"{{{{range index .NetworkSettings.Ports "{port}"}}}}{{{{.HostIp}}}} {{{{end}}}}"#),
        );
        assert_eq!(bound, "127.0.0.1", "{service} {port}");
    }
    for (path, mode) in [
        ("state", 0o711),
        ("state/.compose.env", 0o600),
        ("state/config/odoo.conf", 0o644),
    ] {
        let found = shop.path(path).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{path}: {found:o}");
    }

    let ids =
        || ["database", "web", "script-runner"].map(|service| shop.inspect(service, "{{.Id}} {{.State.StartedAt}}"));
    let before = ids();
    shop.does(&["up", "shop"]);
    assert_eq!(ids(), before, "a second `up` leaves the containers as they are");
    shop.does(&["health", "shop"]);

    shop.sql("INSERT INTO ir_config_parameter (key, value) VALUES ('test.kept', 'yes')");
    shop.does(&["down", "shop"]);
    assert!(shop.containers().is_empty(), "{:?}", shop.containers());
    shop.does(&["up", "shop"]);
    assert_eq!(
        shop.sql("SELECT value FROM ir_config_parameter WHERE key = 'test.kept'"),
        "yes"
    );
}

#[test]
fn a_web_that_dies_is_named_with_its_state_and_its_last_words() {
    let shop = Plan::named("broken").make();
    shop.write(
        "templates/compose/lab.yaml.j2",
        "services: { web: { command: [sh, -c, 'echo the tyre is flat; exit 7'], restart: 'no' } }",
    );
    shop.run(&["up", "shop"])
        .code(1)
        .says(&["web", "exited (exit 7)", "the tyre is flat"])
        .says(&[&format!("{}-web-1", shop.project)]);
}

#[test]
fn without_the_databases_password_nothing_is_started() {
    let shop = Plan::named("nopass").without("ODOO_DB_PASSWORD").make();
    shop.run(&["up", "shop"])
        .code(2)
        .says(&["ODOO_DB_PASSWORD", ".env", "secrets.env"]);
    assert!(shop.containers().is_empty());
    let networks = docker(&["network", "ls", "--filter", &format!("name={}", shop.project), "-q"]);
    assert_eq!(networks, "");
}

#[test]
fn what_older_env_files_say_still_counts() {
    let (url, asked) = somebody_who_answers();
    let shop = Plan::named("older")
        .variable("DEPLOY_COMPOSE_FILES", "more.yaml,and-more.yaml")
        .variable("DEPLOY_HEALTHCHECK_URL", &format!("{url}/web/health"))
        .variable("DEPLOY_SERVICES", "database")
        .make();
    shop.write("more.yaml", "services: { database: { labels: { test.more: 'yes' } } }");
    shop.write(
        "and-more.yaml",
        "services: { web: { command: ['true'], restart: 'no' } }",
    );
    // The web of this stack never answers: only the named service and the named address are asked.
    shop.does(&["up", "shop"]);
    assert_eq!(
        shop.inspect("database", r#"{{index .Config.Labels "test.more"}}"#),
        "yes"
    );
    let asked: Vec<String> = asked.try_iter().collect();
    assert_eq!(asked, ["GET /web/health HTTP/1.1", "GET /web/login HTTP/1.1"]);
}

/// An HTTP server that says yes to everything: its address, and what it was asked.
fn somebody_who_answers() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, asked) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let first = lines.next().unwrap_or_default();
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let _ = (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            if tell.send(first).is_err() {
                return;
            }
        }
    });
    (url, asked)
}
