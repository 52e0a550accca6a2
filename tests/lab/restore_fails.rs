//! A restore that fails leaves the live stack as it was, tells what went wrong, and leaves nothing open.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::world::{Estate, Plan, Upstream, eventually, processes_with, signal};
use rustix::process::Signal;

/// A credential that no rule knows, where the policy wants people to decide themselves.
#[test]
fn a_credential_that_no_rule_knows_stops_a_restore_where_the_policy_says_so() {
    let upstream = Upstream::own("unknown");
    upstream.sql("INSERT INTO ir_config_parameter (key, value) VALUES ('erp_bridge.password', 'CANARY-bridge')");
    let shop = Plan::named("unknown").upstream(&upstream).make();
    shop.does(&["restore", "shop"]);
    shop.sql("INSERT INTO ir_config_parameter (key, value) VALUES ('test.generation', 'first')");
    let web = shop.inspect("web", "{{.State.StartedAt}}");
    for policy in ["fail", "report"] {
        let planted = format!("[stacks.shop.sanitise]\nunknown-secrets = \"{policy}\"\n");
        let manifest = std::fs::read_to_string(shop.path("tasks.toml")).unwrap();
        shop.write("tasks.toml", &format!("{manifest}\n{planted}"));
        shop.run(&["restore", "shop"]).code(3).says(&["erp_bridge.password"]);
        shop.write("tasks.toml", &manifest);
        the_old_pair_serves(&shop, &web);
    }
}

#[test]
fn whatever_fails_the_old_pair_serves_on() {
    // Not the one that others copy from: dumps of this one are ended.
    let upstream = Upstream::slow_own("fails");
    let shop = Plan::named("fails").upstream(&upstream).with_addons().make();
    shop.does(&["restore", "shop"]);
    shop.sql("INSERT INTO ir_config_parameter (key, value) VALUES ('test.generation', 'first')");
    let web = shop.inspect("web", "{{.State.StartedAt}}");

    // A module whose update fails.
    shop.run(&["restore", "shop", "--set", "ODOO_UPDATE_MODULES=lab_broken"])
        .code(1)
        .says(&["modules", "lab_broken fails, as its manifest says"]);
    the_old_pair_serves(&shop, &web);

    // The upstream's connection dies while the database comes.
    let run = shop.start(&["restore", "shop"]);
    let dump = eventually("pg_dump runs", Duration::from_secs(30), || {
        let dumps = processes_with(&["pg_dump", &upstream.database]);
        dumps
            .into_iter()
            .find(|(_, line)| line.starts_with("sshd") || line.contains("pg_dump -"))
    });
    eventually("pg_restore is in", Duration::from_secs(30), || {
        let inside = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_restore'";
        (shop.sql_in("postgres", inside) != "0").then_some(())
    });
    signal(dump.0, Signal::STOP);
    for (pid, _) in processes_with(&["ssh ", "pg_dump", &upstream.database]) {
        signal(pid, Signal::KILL);
    }
    let run = run.end();
    for (pid, _) in processes_with(&["pg_dump", &upstream.database]) {
        signal(pid, Signal::KILL);
    }
    run.code(1).says(&["copy-database"]);
    the_old_pair_serves(&shop, &web);

    // A rule of the project that the database refuses.
    let manifest = std::fs::read_to_string(shop.path("tasks.toml")).unwrap();
    shop.write(
        "rules.toml",
        "[[rule]]\nname = 'no-partner-names'\nwhy = 'a test'\nmodule = 'base'\ntable = 'res_lang'\nset = { code = 'xx' }\n",
    );
    shop.write(
        "tasks.toml",
        &format!("{manifest}\n[stacks.shop.sanitise]\nrules = ['rules.toml']\n"),
    );
    shop.run(&["restore", "shop"]).code(1).says(&[
        "sanitise rule `no-partner-names` failed on table `res_lang`",
        "ERROR: duplicate key value violates unique constraint",
        "UPDATE \"res_lang\"",
        "everything ran in one transaction",
    ]);
    shop.write("tasks.toml", &manifest);
    the_old_pair_serves(&shop, &web);

    // And after all that, one that works.
    shop.does(&["restore", "shop"]);
    shop.serves();
    assert_eq!(shop.databases(), ["shop", "shop__previous"]);
    assert_eq!(shop.filestore_names(), ["shop", "shop__previous"]);
}

#[test]
fn a_disk_that_is_too_small_refuses_the_copy_and_the_stack_serves_on() {
    let other = Upstream::own("full");
    let shop = Plan::named("full").upstream(&other).make();
    let disk = SmallDisk::mounted_on(&shop.path("state/filestore"));
    shop.does(&["up", "shop"]);
    shop.sql("INSERT INTO ir_config_parameter (key, value) VALUES ('test.generation', 'first')");
    let web = shop.inspect("web", "{{.State.StartedAt}}");
    shop.run(&["restore", "shop"])
        .code(3)
        .says(&["no room", "the filestore"]);
    the_old_pair_serves(&shop, &web);
    drop(shop);
    drop(disk);
    other.drop();
}

/// A disk of 256 KB.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mounted_on(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
            .arg(folder)
            .status();
        assert!(mount.unwrap().success(), "this test needs root");
        Self(folder.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: in a failed test containers may still look at it.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// The live pair is untouched, the web was not even restarted, and what is left of the copy opens to nobody.
#[track_caller]
fn the_old_pair_serves(shop: &Estate, web: &str) {
    shop.serves();
    assert_eq!(shop.inspect("web", "{{.State.StartedAt}}"), web, "web was restarted");
    assert_eq!(
        shop.sql("SELECT value FROM ir_config_parameter WHERE key = 'test.generation'"),
        "first"
    );
    shop.nothing_is_open("a restore failed");
}
