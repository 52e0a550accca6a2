//! `restore` with a module update: it happens in the copy, behind the same locks, and what it brings back goes again.

use crate::world::{Estate, Plan, Upstream, docker, words_in_files};

/// As long as it takes to look at the copy from all sides while Odoo is in it.
const SLOW_UPDATE: &str = "SELECT pg_sleep(3);\n";

#[test]
fn modules_are_updated_in_the_copy_and_their_jobs_are_off_again() {
    let upstream = Upstream::small();
    let shop = Plan::named("modules")
        .upstream(&upstream)
        .variable("HUNTER", "yes")
        // The older of the two names.
        .variable("ODOO_UPDATE", "lab_shop,lab_extra")
        .with_addons()
        .make();
    let quick = std::fs::read_to_string(shop.path("addons/lab_shop/migrate.sql")).unwrap();
    shop.write("addons/lab_shop/migrate.sql", &format!("{SLOW_UPDATE}{quick}"));
    shop.does(&["up", "shop"]);

    let watch = shop.watch();
    shop.does(&["restore", "shop"]);
    let (seen, lines) = watch.end();
    assert_eq!(lines, Vec::<String>::new(), "secrets in command lines");
    let during: Vec<_> = seen
        .iter()
        .filter(|seen| seen.incoming.as_ref().is_some_and(|(_, state)| state == "sanitised"))
        .collect();
    assert!(
        during.len() > 10,
        "the update was too quick to be watched: {} looks",
        during.len()
    );
    for look in during {
        assert!(
            look.refusal.is_some() && !look.listed && look.login == Some(200),
            "{look:?}"
        );
    }
    lab_modules_are_updated_and_quiet(&shop, "lab_extra,lab_shop");
    let log = docker(&["logs", &shop.container("hunter").unwrap()]);
    assert!(!log.contains("__incoming_"), "{log}");

    // AUTO: what is installed of the project's own, and nothing else. lab_broken would fail, and is not installed.
    shop.write("addons/lab_shop/migrate.sql", &quick);
    let run = shop.does(&[
        "restore",
        "shop",
        "--output",
        "json",
        "--set",
        "ODOO_UPDATE_MODULES=AUTO",
    ]);
    lab_modules_are_updated_and_quiet(&shop, "lab_shop");
    shop.serves();

    // An update that fails leaves no password behind.
    shop.start(&["restore", "shop", "--set", "ODOO_UPDATE_MODULES=lab_shop,lab_nowhere"])
        .end()
        .code(1)
        .says(&["lab_nowhere is not on the addons path"]);
    assert!(!shop.path("state/compose/.modules.yaml").exists());
    shop.serves();

    // The password is shown to machines too, and kept nowhere.
    let password = run
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find(|line| line["event"] == "password")
        .unwrap_or_else(|| panic!("{run}"));
    let password = password["password"].as_str().unwrap();
    assert_eq!(words_in_files(&shop.path(".opw-task"), &[password], &[]), []);
}

fn lab_modules_are_updated_and_quiet(shop: &Estate, names: &str) {
    let updated = "SELECT string_agg(name, ',' ORDER BY name) FROM ir_module_module
                    WHERE name LIKE 'lab%' AND state = 'installed' AND latest_version = '18.0.1.0'";
    assert_eq!(shop.sql(updated), names);
    assert_eq!(
        shop.sql("SELECT count(*) FROM lab_shop_update"),
        "1",
        "updated once, in the copy"
    );
    let on = "SELECT string_agg(cron_name, ',') FROM ir_cron WHERE active AND cron_name NOT ILIKE '%vacuum%'";
    assert_eq!(shop.sql(on), "");
    let ran = "SELECT count(*) FROM lab_cron_log WHERE cron NOT ILIKE '%vacuum%' OR database <> 'shop'";
    assert_eq!(shop.sql(ran), "0", "{}", shop.sql("SELECT * FROM lab_cron_log"));
    let others =
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relowner <> 'odoo'::regrole";
    assert_eq!(shop.sql(others), "0", "what the update made is Odoo's too");
    assert_eq!(
        shop.sql("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'opw_task%' AND rolcanlogin"),
        "0"
    );
}
