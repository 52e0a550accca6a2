//! The first start of an empty stack: nothing is served before the administrator has a password that is not Odoo's own.

use std::time::Duration;

use opw_task::sanitise::matches_stored;
use opw_task::secret::Secret;
use rustix::process::Signal;

use crate::world::laptop::Laptop;
use crate::world::{Estate, Plan, Running, Sshd, block_on, eventually, odoo_image, words_in_files};

const STORED: &str = "SELECT u.password FROM res_users u JOIN ir_model_data d ON d.res_id = u.id
                       WHERE d.module = 'base' AND d.name = 'user_admin'";

/// The administrator's password as Odoo stores it, at the moment in which the first page is served.
fn stored_when_first_served(shop: &Estate, mut up: Running) -> (String, crate::world::Run) {
    let stored = eventually("a page is served", Duration::from_secs(120), || {
        assert!(
            !up.is_over() || shop.get("/web/login").is_some(),
            "it ended and serves nothing"
        );
        shop.get("/web/login").filter(|(status, _)| *status == 200)?;
        Some(shop.sql(STORED))
    });
    (stored, up.end().code(0))
}

#[track_caller]
fn is(stored: &str, password: &str) {
    let matches = block_on(matches_stored(&Secret::new(password), &Secret::new(stored)));
    assert!(matches && stored.starts_with("$pbkdf2-sha512$"), "{stored}");
}

fn the_administrator_has_the_chosen_password(version: &str) {
    let shop = Plan::named("first").make();
    shop.rewrite_manifest(&odoo_image("18.0"), &odoo_image(version));
    let (stored, run) = stored_when_first_served(&shop, shop.start(&["up", "shop"]));
    is(&stored, "keepout-admin-password-02");
    assert!(!run.words().contains("shown this once"), "{run}");
    let left: Vec<_> = shop
        .containers()
        .into_iter()
        .filter(|line| line.contains("first-start"))
        .collect();
    assert_eq!(left, Vec::<String>::new());

    // What somebody chose since is left as it is.
    shop.sql("UPDATE res_users SET password = 'chosen by hand' WHERE login = 'admin'");
    shop.does(&["up", "shop"]);
    assert_eq!(shop.sql(STORED), "chosen by hand");
}

#[test]
fn the_administrator_of_an_empty_18_has_the_chosen_password() {
    the_administrator_has_the_chosen_password("18.0");
}

#[test]
fn the_administrator_of_an_empty_19_has_the_chosen_password() {
    the_administrator_has_the_chosen_password("19.0");
}

#[test]
fn without_a_chosen_password_one_is_made_and_told_once() {
    let shop = Plan::named("firstmade").without("ODOO_ADMIN_PASSWORD").make();
    let up = shop.start(&["up", "shop", "--output", "json"]);
    let (stored, run) = stored_when_first_served(&shop, up);
    let told: Vec<serde_json::Value> = run
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|line| line["event"] == "password")
        .collect();
    assert_eq!(told.len(), 1, "{run}");
    let password = told[0]["password"].as_str().unwrap();
    is(&stored, password);
    let again = shop.does(&["up", "shop"]);
    assert!(!again.words().contains("shown this once"), "{again}");
    assert_eq!(shop.sql(STORED), stored);
    assert_eq!(words_in_files(&shop.path("."), &[password, &stored], &["postgres"]), []);
}

#[test]
fn a_run_that_is_killed_after_odoo_made_its_tables_leaves_nothing_that_serves() {
    let shop = Plan::named("firstkilled").make();
    let up = shop.start(&["up", "shop"]);
    eventually("Odoo is at work", Duration::from_secs(90), || {
        shop.containers()
            .iter()
            .any(|line| line.contains("first-start"))
            .then_some(())
    });
    up.signal(Signal::KILL);
    drop(up.end());
    // The container goes on without it, to Odoo's own password.
    let there = "SELECT count(*) FROM pg_database WHERE datname = 'shop'";
    eventually("the tables are there", Duration::from_secs(60), || {
        let made = shop.sql_in("postgres", there) == "1"
            && shop.sql("SELECT to_regclass('res_users') IS NOT NULL") == "t"
            && shop.sql(STORED) == "admin";
        made.then_some(())
    });
    assert!(shop.get("/web/login").is_none() && shop.container("web").is_none());

    let (stored, _) = stored_when_first_served(&shop, shop.start(&["up", "shop"]));
    is(&stored, "keepout-admin-password-02");
}

#[test]
fn a_database_that_somebody_has_logged_in_to_is_left_alone() {
    let shop = Plan::named("firstother").make();
    shop.does(&["up", "shop"]);
    shop.sql("UPDATE res_users SET password = 'admin' WHERE login = 'admin'; CREATE TABLE res_users_log (id serial)");
    shop.sql("INSERT INTO res_users_log DEFAULT VALUES");
    shop.does(&["up", "shop"]);
    assert_eq!(shop.sql(STORED), "admin", "somebody has logged in with it");
}

#[test]
fn the_first_start_on_another_machine_is_the_same() {
    let sshd = Sshd::start();
    let shop = Plan::named("firstfar").make();
    let laptop = Laptop::of(&shop, &sshd);
    let (stored, _) = stored_when_first_served(&shop, laptop.start(&["up", "shop"]));
    is(&stored, "keepout-admin-password-02");
    laptop.run(&["down", "shop"]).code(0);
}
