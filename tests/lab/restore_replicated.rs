//! A stack whose live database is replicated from, and subscribes to another: restores go through, one after another.

use crate::world::{Plan, Upstream, docker, eventually};
use std::time::Duration;

#[test]
fn a_replicated_database_is_swapped_and_later_dropped() {
    let shop = Plan::named("replicated").upstream(&Upstream::small()).make();
    shop.does(&["restore", "shop"]);
    shop.sql_in("postgres", "ALTER SYSTEM SET wal_level = 'logical'");
    let database = shop.container("database").unwrap();
    docker(&["restart", &database]);
    eventually("PostgreSQL is back", Duration::from_secs(60), || {
        shop.get("/web/login").filter(|(status, _)| *status == 200)
    });

    shop.sql("CREATE PUBLICATION p FOR TABLE res_lang");
    shop.sql("SELECT pg_create_logical_replication_slot('reader', 'pgoutput')");
    // Another database of the same server stands for the publisher.
    shop.sql_in("postgres", "CREATE DATABASE publisher");
    shop.sql_in(
        "publisher",
        "CREATE TABLE res_lang (id int); CREATE PUBLICATION p FOR TABLE res_lang",
    );
    shop.sql_in(
        "publisher",
        "SELECT pg_create_logical_replication_slot('writer', 'pgoutput')",
    );
    shop.sql(
        "CREATE SUBSCRIPTION s CONNECTION 'dbname=publisher user=odoo' PUBLICATION p \
         WITH (create_slot = false, slot_name = 'writer', copy_data = false)",
    );
    let client = "while :; do pg_recvlogical -U odoo -d shop --slot reader --start -n -f /dev/null \
                  -o proto_version=1 -o publication_names=p; sleep 0.2; done";
    docker(&["exec", "-d", &database, "sh", "-c", client]);
    eventually("both replicate", Duration::from_secs(30), || {
        let active = "SELECT count(*) FROM pg_replication_slots WHERE active";
        (shop.sql_in("postgres", active) == "2").then_some(())
    });

    shop.does(&["restore", "shop"]).says(&[
        "replication slot `reader`",
        "stays with `shop__previous`",
        "subscription \"s\" stays",
    ]);
    shop.serves();
    shop.does(&["restore", "shop"])
        .says(&["pg_drop_replication_slot('writer')"]);
    shop.serves();
    assert_eq!(shop.databases(), ["publisher", "shop", "shop__previous"]);
    let slots = "SELECT string_agg(slot_name, ' ') FROM pg_replication_slots";
    assert_eq!(
        shop.sql_in("postgres", slots),
        "writer",
        "the publisher is not spoken to"
    );
}
