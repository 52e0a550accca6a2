//! The other lock on production: the forced command of docs/restore-only, with the list that `opw-task upstream` prints.
//! With it in sshd, a restore works and nothing else does.

use std::fs;
use std::process::{Command, Output};

use crate::world::{Estate, Plan, Upstream, docker};

const CONTAINER: &str = "opw-task-lab-upstream";
const KEYS: &str = "/run/lab-ssh/authorized_keys";

/// A key of this test's own in the upstream, with the forced command; gone when it goes.
struct Locked {
    estate: Estate,
    database: String,
}

impl Locked {
    fn new() -> Self {
        let upstream = Upstream::small();
        let estate = Plan::named("locked").upstream(&upstream).make();
        let database = upstream.database.clone();
        let locked = Self { estate, database };
        locked.install();
        locked
    }

    fn install(&self) {
        let key = self.estate.path("id");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "locked", "-f"])
            .arg(&key)
            .status();
        assert!(made.unwrap().success());
        let key = fs::read_to_string(self.estate.path("id.pub")).unwrap();
        let repository = env!("CARGO_MANIFEST_DIR");
        self.estate.rewrite_manifest(
            &format!("{repository}/.lab/ssh/id_lab"),
            self.estate.path("id").to_str().unwrap(),
        );

        let list = self.estate.does(&["upstream", "shop"]).stdout;
        self.estate.write("allowed", &list);
        let into = |path: &str| format!("{CONTAINER}:{path}");
        docker(&[
            "cp",
            self.estate.path("allowed").to_str().unwrap(),
            &into("/etc/t_locked.allowed"),
        ]);
        docker(&[
            "cp",
            &format!("{repository}/docs/restore-only"),
            &into("/usr/local/bin/restore-only"),
        ]);
        let line = format!(
            "restrict,command=\"/usr/local/bin/restore-only /etc/t_locked.allowed /opt/odoo/local_data/filestore/{}\" {}",
            self.database,
            key.trim()
        );
        docker(&["exec", CONTAINER, "sh", "-c", &format!("echo '{line}' >>{KEYS}")]);
    }

    fn rsh(&self) -> String {
        let port = std::env::var("OPW_TASK_LAB_SSH_PORT").unwrap_or_else(|_| "22722".to_owned());
        let hosts = concat!(env!("CARGO_MANIFEST_DIR"), "/.lab/ssh/known_hosts");
        let key = self.estate.path("id");
        format!(
            "ssh -i {} -o IdentitiesOnly=yes -o BatchMode=yes -o UserKnownHostsFile={hosts} -p {port}",
            key.display()
        )
    }

    fn ssh(&self, line: &str) -> Output {
        let rsh = self.rsh();
        let mut words = rsh.split(' ');
        Command::new(words.next().unwrap())
            .args(words)
            .args(["root@127.0.0.1", line])
            .output()
            .unwrap()
    }

    fn rsync(&self, args: &[&str]) -> Output {
        Command::new("rsync")
            .arg("--rsh")
            .arg(self.rsh())
            .args(args)
            .output()
            .unwrap()
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        docker(&[
            "exec",
            CONTAINER,
            "sh",
            "-c",
            &format!("sed -i '/t_locked.allowed/d' {KEYS}; rm /etc/t_locked.allowed"),
        ]);
    }
}

#[test]
fn the_forced_command_lets_a_restore_through_and_nothing_else() {
    let locked = Locked::new();
    locked.estate.does(&["restore", "shop"]);
    locked.estate.serves();

    let filestore = format!("/opt/odoo/local_data/filestore/{}", locked.database);
    let allowed = fs::read_to_string(locked.estate.path("allowed")).unwrap();
    let dump = allowed.lines().last().unwrap();
    for line in [
        "id",
        "",
        &format!("{dump}\nid"),
        &format!("{dump}; id"),
        &dump.replace("pg_dump", "psql"),
        &format!("rsync --server . {filestore}/"),
        "rsync --server --sender -r . /etc/",
    ] {
        let answer = locked.ssh(line);
        assert_eq!(
            answer.status.code(),
            Some(126),
            "{line}: {}",
            String::from_utf8_lossy(&answer.stderr)
        );
        assert!(answer.stdout.is_empty(), "{line}");
    }

    let there = format!("root@127.0.0.1:{filestore}/");
    let here = locked.estate.path("pulled");
    fs::create_dir(&here).unwrap();
    let into = format!("{}/", here.display());
    assert!(locked.rsync(&["-r", &there, &into]).status.success());
    assert!(
        !locked
            .rsync(&["-r", "--remove-source-files", &there, &into])
            .status
            .success()
    );
    assert!(!locked.rsync(&["-r", &into, &there]).status.success());
    assert!(!locked.rsync(&["-r", "root@127.0.0.1:/etc/", &into]).status.success());
    let mut forward = Command::new("sh");
    forward.arg("-c").arg(format!(
        "{} -N -o ExitOnForwardFailure=yes -R 0:127.0.0.1:1 root@127.0.0.1",
        locked.rsh()
    ));
    assert!(!forward.output().unwrap().status.success());
}
