//! What goes wrong while the web is down for the swap: if nothing was swapped, or it could be undone, the old pair serves again
//! by itself.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::world::{Estate, Plan, Upstream, docker, eventually};

const SOON: Duration = Duration::from_secs(150);

fn marked(shop: &Estate) {
    shop.sql("INSERT INTO ir_config_parameter (key, value) VALUES ('test.generation', 'first')");
}

#[track_caller]
fn serves_the_first(shop: &Estate) {
    eventually("web is back", SOON, || {
        shop.get("/web/login").filter(|(status, _)| *status == 200)
    });
    let generation = shop.sql("SELECT value FROM ir_config_parameter WHERE key = 'test.generation'");
    assert_eq!(generation, "first");
}

#[test]
fn postgresql_killed_in_the_swap_and_back_the_old_pair_serves_again() {
    let shop = Plan::named("swap-killed").upstream(&Upstream::small()).make();
    shop.does(&["restore", "shop"]);
    marked(&shop);
    let database = shop.container("database").unwrap();

    // Somebody's transaction about the live database holds the swap, so that it can be met.
    let hold = "BEGIN; COMMENT ON DATABASE shop IS 'held'; SELECT pg_sleep(300)";
    let mut holder = Command::new("docker")
        .args([
            "exec", &database, "psql", "-XAt", "-U", "odoo", "-d", "postgres", "-c", hold,
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut run = Some(shop.start(&["restore", "shop"]));
    eventually("the swap waits", SOON, || {
        if run.as_mut().unwrap().is_over() {
            panic!("the run ended before the swap: {}", run.take().unwrap().end());
        }
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER DATABASE%RENAME%'";
        (shop.sql_in("postgres", waits) != "0").then_some(())
    });
    docker(&["kill", "--signal", "KILL", &database]);
    docker(&["start", &database]);
    holder.wait().unwrap();

    run.unwrap().end().code(1);
    serves_the_first(&shop);
    shop.does(&["restore", "shop"]);
    shop.serves();
    assert_eq!(shop.databases(), ["shop", "shop__previous"]);
    assert_eq!(shop.filestore_names(), ["shop", "shop__previous"]);
}

/// A folder that cannot be renamed, for as long as the value lives.
struct Fixed(std::path::PathBuf);

impl Fixed {
    fn new(path: std::path::PathBuf) -> Self {
        assert!(Command::new("chattr").arg("+i").arg(&path).status().unwrap().success());
        Self(path)
    }
}

impl Drop for Fixed {
    fn drop(&mut self) {
        let _ = Command::new("chattr").arg("-i").arg(&self.0).status();
    }
}

#[test]
fn files_that_cannot_follow_have_the_database_go_back() {
    let shop = Plan::named("swap-files").upstream(&Upstream::small()).make();
    shop.does(&["restore", "shop"]);
    marked(&shop);
    let fixed = Fixed::new(shop.filestores().join("shop"));
    shop.run(&["restore", "shop"]).code(1).says(&["the old pair serves on"]);
    serves_the_first(&shop);
    assert_eq!(shop.databases(), ["shop"]);
    drop(fixed);
    shop.does(&["restore", "shop"]);
    shop.serves();
    assert_eq!(shop.databases(), ["shop", "shop__previous"]);
    assert_eq!(shop.filestore_names(), ["shop", "shop__previous"]);
}
