//! What the stack's server says of sessions (limits of time, read-only transactions, ways of writing dates) ends no restore,
//! and is as it was after it.

use crate::world::{Plan, Upstream};

/// The last one is set last, for nothing more can be set after it.
const SETTINGS: [(&str, &str); 5] = [
    ("idle_session_timeout", "2s"),
    ("transaction_timeout", "3s"),
    ("DateStyle", "German, DMY"),
    ("bytea_output", "escape"),
    ("default_transaction_read_only", "on"),
];

#[test]
fn limits_of_the_server_and_its_roles_end_no_restore() {
    let shop = Plan::named("settings")
        .upstream(&Upstream::small())
        .with_addons()
        .make();
    // Longer than the limits, in the container that updates modules.
    shop.write("addons/lab_shop/migrate.sql", "SELECT pg_sleep(4);");
    shop.does(&["up", "shop"]);
    for (name, value) in SETTINGS {
        shop.sql_in("postgres", &format!("ALTER SYSTEM SET {name} = '{value}'"));
        shop.sql_in("postgres", &format!("ALTER ROLE odoo SET {name} = '{value}'"));
    }
    shop.sql_in("postgres", "SELECT pg_reload_conf()");
    shop.does(&["restore", "shop", "--set", "ODOO_UPDATE_MODULES=lab_shop"]);
    shop.serves();
    for (name, value) in SETTINGS {
        assert_eq!(shop.sql_in("postgres", &format!("SHOW {name}")), value, "{name}");
    }
}
