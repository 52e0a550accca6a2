//! The lab's Odoo behaves as Odoo does where that is seen from outside: without that, other tests would prove nothing.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::world::{docker, eventually, odoo_image, postgres_image};

const SOON: Duration = Duration::from_secs(60);
const PASSWORD: &str = "lab-only";

/// A database server and an Odoo beside it, which go with the test.
struct Pair {
    name: String,
}

impl Pair {
    fn named(name: &str) -> Self {
        let pair = Self {
            name: format!("opw-task-test-stand-in-{name}-{}", std::process::id()),
        };
        docker(&["network", "create", &pair.name]);
        let password = format!("POSTGRES_PASSWORD={PASSWORD}");
        let variables = ["--env", "POSTGRES_USER=odoo", "--env", &password];
        let server = [
            "run",
            "--detach",
            "--network",
            &pair.name,
            "--network-alias",
            "database",
        ];
        let named = format!("{}-database", pair.name);
        docker(&[&server[..], &["--name", &named], &variables, &[&postgres_image()]].concat());
        pair
    }

    /// Starts Odoo and waits until it serves.
    fn odoo(&self, version: &str, variables: &[&str], arguments: &[&str]) -> String {
        let password = format!("ODOO_DB_PASSWORD={PASSWORD}");
        let all = [
            "ODOO_DB_HOST=database",
            "ODOO_DB_USER=odoo",
            "ODOO_DB_NAME=shop",
            &password,
        ];
        let all: Vec<&str> = [&all[..], variables]
            .concat()
            .iter()
            .flat_map(|text| ["--env", text])
            .collect();
        let container = self.name.clone();
        let _ = Command::new("docker")
            .args(["rm", "--force", "--volumes", &container])
            .output();
        let run = ["run", "--detach", "--network", &self.name, "--name", &container];
        docker(&[&run[..], &all, &[&odoo_image(version), "odoo"], arguments].concat());
        eventually("Odoo serves", SOON, || {
            ask(&container, "/web/login").contains("oe_login_form").then_some(())
        });
        container
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for container in [self.name.clone(), format!("{}-database", self.name)] {
            let _ = Command::new("docker")
                .args(["rm", "--force", "--volumes", &container])
                .output();
        }
        let _ = Command::new("docker").args(["network", "rm", &self.name]).output();
    }
}

/// What the server answers in its own container; nothing where it does not.
fn ask(container: &str, request: &str) -> String {
    let url = format!("curl -s --max-time 20 http://localhost:8069{request}");
    let output = Command::new("docker")
        .args(["exec", container, "sh", "-c", &url])
        .output();
    String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
}

fn logs(container: &str) -> String {
    let output = Command::new("docker").args(["logs", container]).output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn it_logs_to_its_file_and_needs_a_second_signal() {
    let pair = Pair::named("signals");
    let web = pair.odoo(
        "18.0",
        &["ODOO_LOGFILE=/tmp/odoo.log"],
        &["--logfile=/tmp/odoo.log", "--update=missing"],
    );
    let log = docker(&["exec", &web, "cat", "/tmp/odoo.log"]);
    assert!(
        log.contains("HTTP service running") && log.contains("module missing is not on the addons path"),
        "{log}"
    );
    assert!(
        !logs(&web).contains("HTTP service") && !logs(&web).contains("Traceback"),
        "{}",
        logs(&web)
    );

    docker(&["kill", "--signal", "TERM", &web]);
    std::thread::sleep(Duration::from_secs(3));
    assert!(
        ask(&web, "/web/login").contains("oe_login_form"),
        "it serves on after one signal"
    );
    let begun = Instant::now();
    docker(&["kill", "--signal", "TERM", &web]);
    assert_eq!(docker(&["wait", &web]), "0");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());

    let web = pair.odoo("19.0", &["LAB_ODOO_SLEEPS_ON=0"], &[]);
    docker(&["kill", "--signal", "TERM", &web]);
    let begun = Instant::now();
    assert_eq!(docker(&["wait", &web]), "0");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[test]
fn its_settings_come_from_where_the_version_reads_them() {
    let pair = Pair::named("settings");
    // A file of the stack's own, as it is mounted over the image's.
    let edit = "sed -i '/proxy_mode/d; $ a list_db = False\\nproxy_mode = True' /volumes/config/odoo.conf";

    for (version, by_environment) in [("18.0", false), ("19.0", true)] {
        let forwarded = "-H 'X-Forwarded-Host: shop.example' -H 'X-Forwarded-Proto: https'";
        let backup = "/web/database/backup -d 'master_pwd=admin&name=shop&backup_format=zip' | head -c 2";
        let list = "/web/database/list -d '{}' -H 'Content-Type: application/json'";
        let robots = format!("/robots.txt {forwarded}");

        let web = pair.odoo(version, &[], &[]);
        assert!(
            ask(&web, &robots).contains("http://localhost:8069/sitemap.xml"),
            "{version}"
        );
        assert_eq!(
            ask(&web, backup),
            "PK",
            "{version}: a zip archive of the whole database"
        );
        assert!(ask(&web, list).contains("[\"shop\"]"), "{version}");

        // What the file says counts on 18 alone: the entry point exports a default for each option, and 19 prefers that.
        docker(&["exec", &web, "sh", "-c", edit]);
        docker(&["restart", "--time", "0", &web]);
        eventually("Odoo serves", SOON, || {
            ask(&web, "/web/login").contains("oe_login_form").then_some(())
        });
        let closed =
            ask(&web, list).contains("Access Denied") && ask(&web, "/web/database/manager").contains("disabled");
        let heeds = ask(&web, &robots).contains("https://shop.example/sitemap.xml");
        assert_eq!((closed, heeds), (!by_environment, !by_environment), "{version}");
        assert_eq!(ask(&web, backup) == "PK", by_environment, "{version}");

        let web = pair.odoo(
            version,
            &["ODOO_LIST_DB=False", "ODOO_PROXY_MODE=True"],
            &["--logfile="],
        );
        assert_eq!(
            ask(&web, list).contains("Access Denied"),
            by_environment,
            "{version}: {}",
            logs(&web)
        );
        assert!(
            logs(&web).contains("HTTP service"),
            "without a file it logs to its output"
        );
    }
}

#[test]
fn its_generated_configuration_lies_in_a_volume() {
    for version in ["18.0", "19.0"] {
        let volumes = docker(&[
            "image",
            "inspect",
            "--format",
            "{{json .Config.Volumes}}",
            &odoo_image(version),
        ]);
        for folder in ["addons", "config", "data", "enterprise"] {
            assert!(
                volumes.contains(&format!("\"/volumes/{folder}\"")),
                "{version}: {volumes}"
            );
        }
        let read = "cat $ODOO_RC; stat -c %a $ODOO_RC; cat /proc/1/comm";
        let image = odoo_image(version);
        let said = docker(&[
            "run",
            "--rm",
            "--env",
            "ODOO_DB_PASSWORD=seen",
            &image,
            "sh",
            "-c",
            read,
        ]);
        assert!(said.contains("db_password = seen") && said.contains("644"), "{said}");
        assert_eq!(said.ends_with("tini"), version == "19.0", "process 1: {said}");
    }
}
