//! A run that is killed while logins are allowed: what it left open ends by the clock, and at the next command of any kind.

use std::time::Duration;

use crate::world::{Estate, Plan, Upstream, block_on, eventually};
use rustix::process::Signal;
use tokio_postgres::{Config, NoTls};

const SOON: Duration = Duration::from_secs(150);

/// Is met by a signal, and would go on for long.
const SLOW_UPDATE: &str = "SELECT pg_sleep(240);";

#[test]
fn what_a_run_that_was_killed_in_its_update_of_modules_left_open_is_shut_by_the_next_command() {
    let shop = Plan::named("leftopen")
        .upstream(&Upstream::small())
        .with_addons()
        .make();
    shop.write("addons/lab_shop/migrate.sql", SLOW_UPDATE);
    shop.does(&["up", "shop"]);
    for next in ["up", "ps"] {
        let password = killed_in_modules(&shop);
        // Nothing but the clock keeps it out now.
        assert!(logs_in(&shop, &password), "the password in the file is the role's");
        let lives = "SELECT rolvaliduntil - now() BETWEEN interval '1 minute' AND interval '10 minutes'
                       FROM pg_roles WHERE rolname = 'opw_task_restore'";
        assert_eq!(shop.sql_in("postgres", lives), "t", "{next}");

        shop.does(&[next, "shop"]).says(&["nobody can log in any more"]);
        assert!(!logs_in(&shop, &password), "{next}");
        let role = "SELECT rolcanlogin OR rolsuper OR rolpassword IS NOT NULL FROM pg_authid WHERE rolname = 'opw_task_restore'";
        assert_eq!(shop.sql_in("postgres", role), "f", "{next}");
        let incoming =
            "SELECT count(*), bool_or(datallowconn) FROM pg_database WHERE datname LIKE 'shop\\_\\_incoming%'";
        assert_eq!(shop.sql_in("postgres", incoming), "1|f", "{next}");
        assert!(!shop.path("state/compose/.modules.yaml").exists(), "{next}");
        let containers = shop.containers();
        assert!(
            !containers.iter().any(|line| line.contains("-modules-")),
            "{containers:?}"
        );
        // Once is enough.
        let again = shop.does(&["ps", "shop"]);
        assert!(!again.words().contains("nobody can log in any more"), "{again}");
    }
    shop.write("addons/lab_shop/migrate.sql", "SELECT 1;");
    shop.does(&["restore", "shop", "--set", "ODOO_UPDATE_MODULES=lab_shop"]);
    shop.serves();
    shop.nothing_is_open("the end");
    assert!(!shop.path("state/.opw-task.role").exists());
}

/// Kills a restore while Odoo updates modules in the copy, and returns the password that the update logged in with.
fn killed_in_modules(shop: &Estate) -> String {
    let mut run = shop.start(&["restore", "shop", "--set", "ODOO_UPDATE_MODULES=lab_shop"]);
    let update = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(240)%' AND pid <> pg_backend_pid()";
    let over = eventually("the update of modules", SOON, || {
        let over = run.is_over();
        (over || shop.sql_in("postgres", update) != "0").then_some(over)
    });
    if over {
        panic!("the run ended before its update of modules: {}", run.end());
    }
    run.signal(Signal::KILL);
    assert_eq!(run.end().code, None);
    let overlay = std::fs::read_to_string(shop.path("state/compose/.modules.yaml")).unwrap();
    let overlay: serde_json::Value = serde_json::from_str(&overlay).unwrap();
    let password = &overlay["services"]["script-runner"]["environment"]["ODOO_DB_PASSWORD"];
    password.as_str().unwrap().to_owned()
}

/// Whether the restore role gets in with the password, anywhere on the server.
fn logs_in(shop: &Estate, password: &str) -> bool {
    let mut config = Config::new();
    config
        .host("127.0.0.1")
        .port(shop.database_port)
        .user("opw_task_restore")
        .dbname("postgres")
        .password(password);
    block_on(async move { config.connect(NoTls).await.is_ok() })
}
