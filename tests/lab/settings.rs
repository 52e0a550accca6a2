//! What a stack decides reaches Odoo whichever way its version reads it: no stranger gets a list, let alone a copy, of databases.

use std::process::Command;

use crate::world::{Estate, Plan, docker, odoo_image};

const FORWARDED: &str =
    "-H 'X-Forwarded-Host: shop.example' -H 'X-Forwarded-Proto: https' -H 'X-Forwarded-For: 1.2.3.4'";

fn ask(shop: &Estate, request: &str) -> String {
    let line = format!("curl -s --max-time 20 http://127.0.0.1:{}{request}", shop.web);
    let output = Command::new("sh").args(["-c", &line]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn list(shop: &Estate) -> String {
    ask(shop, "/web/database/list -d '{}' -H 'Content-Type: application/json'")
}

/// The first two bytes of what the manager gives for this master password: `PK` begins an archive of the whole database.
fn backup(shop: &Estate, password: &str) -> String {
    let form = format!("/web/database/backup -d 'master_pwd={password}&name=shop&backup_format=zip' | head -c 2");
    ask(shop, &form)
}

fn the_manager_is_shut(version: &str) {
    let shop = Plan::named("settings").make();
    shop.rewrite_manifest(&odoo_image("18.0"), &odoo_image(version));
    let mut words = shop.does(&["up", "shop"]).words();
    shop.serves();
    assert!(list(&shop).contains("Access Denied"), "{version}: {}", list(&shop));
    assert!(ask(&shop, "/web/database/manager").contains("disabled"), "{version}");
    assert_ne!(backup(&shop, "admin"), "PK", "{version}");
    let robots = ask(&shop, &format!("/robots.txt {FORWARDED}"));
    assert!(
        robots.contains("https://shop.example/sitemap.xml"),
        "{version}: {robots}"
    );

    // Where a stack opens the manager, the master password is its own.
    shop.write_env(&[
        ("ODOO_LIST_DB", "True"),
        ("ODOO_DBFILTER", "^shop$"),
        ("ODOO_PROXY_MODE", "False"),
    ]);
    words += &shop.does(&["up", "shop"]).words();
    assert!(list(&shop).contains("[\"shop\"]"), "{version}: {}", list(&shop));
    let robots = ask(&shop, &format!("/robots.txt {FORWARDED}"));
    assert!(!robots.contains("shop.example"), "{version}: {robots}");
    assert_ne!(backup(&shop, "admin"), "PK", "{version}");
    let web = shop.container("web").unwrap();
    let own = docker(&["exec", &web, "printenv", "ODOO_ADMIN_PASSWD"]);
    assert!(own.len() >= 32, "{own}");
    assert_eq!(backup(&shop, &own), "PK", "{version}");
    let read = docker(&[
        "exec",
        &web,
        "sh",
        "-c",
        "grep -E '^(dbfilter|workers) ' $ODOO_RC; printenv ODOO_DBFILTER ODOO_WORKERS",
    ]);
    assert_eq!(read, "dbfilter = ^shop$\nworkers = 0\n^shop$\n0", "{version}");

    for file in ["state/compose/base.yaml", "state/config/odoo.conf"] {
        let text = std::fs::read_to_string(shop.path(file)).unwrap();
        assert!(!text.contains(&own), "{file} is for everybody to read");
    }
    words += &shop.run(&["env", "shop"]).words();
    assert!(!words.contains(&own), "{words}");
}

#[test]
fn nobody_lists_or_takes_databases_of_odoo_18() {
    the_manager_is_shut("18.0");
}

#[test]
fn nobody_lists_or_takes_databases_of_odoo_19() {
    the_manager_is_shut("19.0");
}
