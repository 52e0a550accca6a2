//! What stands beside tables: materialised views, large objects, ways to other servers, credentials in the schema.

use opw_task::sanitise::{Clue, Policy, Refusal, Verdict, audit, sanitise, verify};

use crate::sanitise::look::{allow, assert_found, dump, no_canary};
use crate::sanitise::odoo;
use crate::sanitise::promises::text;

#[tokio::test]
async fn materialised_views_are_computed_anew_in_order_or_emptied() {
    let mut client = odoo::database("materialised", 18).await;
    client
        .batch_execute(
            "CREATE SCHEMA report;
             -- Named against the order in which they depend on each other.
             CREATE MATERIALIZED VIEW report.z_params AS SELECT key, value FROM ir_config_parameter;
             CREATE VIEW report.m_between AS SELECT * FROM report.z_params;
             CREATE MATERIALIZED VIEW a_params AS SELECT * FROM report.m_between;
             CREATE MATERIALIZED VIEW b_empty AS SELECT * FROM ir_config_parameter WITH NO DATA;
             CREATE MATERIALIZED VIEW c_counts AS SELECT count(*) AS n FROM res_users;
             CREATE MATERIALIZED VIEW d_secrets AS SELECT id, 'CANARY' || id AS api_token FROM res_users;
             CREATE TABLE stock (name varchar, amount int); INSERT INTO stock VALUES ('CANARY-stock', 1);
             CREATE MATERIALIZED VIEW e_fails AS SELECT name, 1 / amount AS n FROM stock;
             UPDATE stock SET amount = 0, name = 'new';",
        )
        .await
        .unwrap();
    let (rules, policy, stack) = (odoo::rules(), odoo::policy(), odoo::stack());
    let report = audit(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_found(&report, &["d_secrets.api_token: 4 rows, by its name: left"]);
    let report = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_found(
        &report,
        &[
            "d_secrets.api_token: 4 rows, by its name: cleared",
            "e_fails: 1 row, could not be computed anew: cleared",
        ],
    );
    let dump = dump(&client).await;
    no_canary(
        &dump
            .lines()
            .filter(|line| !line.starts_with("public.res_users:"))
            .collect::<Vec<_>>()
            .join("\n"),
    );
    assert!(
        dump.contains("public.a_params: (web.base.url,https://copy.example)"),
        "{dump}"
    );
    let filled =
        "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'm' AND relispopulated";
    assert_eq!(text(&client, filled).await.unwrap(), "a_params c_counts z_params");
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());

    // What an update changed on the copy does not linger in a view either.
    client
        .batch_execute("INSERT INTO ir_config_parameter (key, value) VALUES ('new.api_key', 'CANARY'); REFRESH MATERIALIZED VIEW report.z_params; REFRESH MATERIALIZED VIEW a_params")
        .await
        .unwrap();
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
    assert_eq!(
        text(&client, "SELECT count(*)::text FROM a_params WHERE value = 'CANARY'")
            .await
            .unwrap(),
        "0"
    );
}

#[tokio::test]
async fn large_objects_and_logins_elsewhere_go() {
    let mut client = odoo::database("objects", 18).await;
    client
        .batch_execute(
            "SELECT lo_from_bytea(0, 'CANARY'), lo_from_bytea(0, 'CANARY');
             CREATE FOREIGN DATA WRAPPER far;
             CREATE SERVER erp FOREIGN DATA WRAPPER far OPTIONS (host 'erp.shop.example', api_key 'CANARY', url 'https://shop:CANARYword@erp.example/');
             CREATE USER MAPPING FOR CURRENT_USER SERVER erp OPTIONS (user 'shop', password 'CANARY');
             CREATE USER MAPPING FOR PUBLIC SERVER erp;
             CREATE FOREIGN TABLE orders (id int, name text) SERVER erp OPTIONS (secret 'CANARY', table_name 'orders');
             CREATE VIEW open_orders AS SELECT * FROM orders;
             CREATE FUNCTION anything_goes() RETURNS language_handler AS '$libdir/plpgsql', 'plpgsql_call_handler' LANGUAGE c;
             CREATE LANGUAGE anything HANDLER anything_goes;
             CREATE FUNCTION reach() RETURNS void LANGUAGE anything AS 'BEGIN END';",
        )
        .await
        .unwrap();
    let (rules, policy, stack) = (odoo::rules(), odoo::policy(), odoo::stack());
    let expected = [
        "pg_largeobject.data: 2 rows, content that no rule can read: ",
        "pg_user_mapping.erp for odoo: 1 row, leads out of the database: ",
        "pg_user_mapping.erp for public: 1 row, leads out of the database: ",
        "pg_foreign_server.erp.api_key: 1 row, by its name: ",
        "pg_foreign_server.erp.url: 1 row, password in a URL: ",
        "pg_foreign_table.orders.secret: 1 row, by its name: ",
    ];
    let with = |outcome: &str| expected.map(|line| format!("{line}{outcome}"));
    let report = audit(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_found(&report, &with("left").each_ref().map(String::as_str));
    let report = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_found(&report, &with("cleared").each_ref().map(String::as_str));
    assert_found(
        &report,
        &[
            "pg_foreign_server.erp: 1 row, leads out of the database: reported",
            "pg_proc.reach(): 1 row, leads out of the database: reported",
        ],
    );
    let left = "SELECT concat_ws(' ', (SELECT count(*) FROM pg_largeobject), (SELECT count(*) FROM pg_user_mapping), (SELECT srvoptions FROM pg_foreign_server),
        (SELECT ftoptions FROM pg_foreign_table), (SELECT count(*) FROM pg_views WHERE viewname = 'open_orders'))";
    assert_eq!(
        text(&client, left).await.unwrap(),
        "0 0 {host=erp.shop.example} {table_name=orders} 1"
    );
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());

    // What is wanted can stay, with a reason.
    client.batch_execute("SELECT lo_from_bytea(0, 'wanted')").await.unwrap();
    let allowing = Policy {
        allow: vec![allow("pg_largeobject", "data")],
        ..policy
    };
    assert!(verify(&mut client, (), &rules, &allowing, &stack).await.is_ok());
    assert_eq!(
        text(&client, "SELECT count(*)::text FROM pg_largeobject_metadata")
            .await
            .unwrap(),
        "1"
    );
}

#[tokio::test]
async fn a_view_of_a_foreign_table_is_not_asked_for() {
    let mut client = odoo::database("elsewhere", 18).await;
    // A wrapper that would read a file: it is there, so a refresh would succeed.
    client
        .batch_execute(
            "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
             CREATE FOREIGN TABLE hosts (line text) SERVER files OPTIONS (filename '/etc/hostname');
             CREATE MATERIALIZED VIEW known AS SELECT line || ' CANARY' AS line FROM hosts;",
        )
        .await
        .unwrap();
    let report = sanitise(&mut client, &odoo::rules(), &odoo::policy(), &odoo::stack())
        .await
        .unwrap();
    assert_found(&report, &["known: 1 row, could not be computed anew: cleared"]);
}

#[tokio::test]
async fn a_subscription_keeps_the_copy_from_being_sanitised() {
    let mut client = odoo::database("subscription", 18).await;
    client
        .batch_execute("CREATE SUBSCRIPTION sanitise_test_pull CONNECTION 'host=192.0.2.1 password=CANARY' PUBLICATION all_of_it WITH (connect = false)")
        .await
        .unwrap();
    let (rules, policy, stack) = (odoo::rules(), odoo::policy(), odoo::stack());
    let refused = verify(&mut client, (), &rules, &policy, &stack).await.unwrap_err();
    // A database with a subscription cannot be dropped by the next run of this test.
    client
        .batch_execute("ALTER SUBSCRIPTION sanitise_test_pull SET (slot_name = NONE)")
        .await
        .unwrap();
    client
        .batch_execute("DROP SUBSCRIPTION sanitise_test_pull")
        .await
        .unwrap();
    let Refusal::Verdict(report) = refused.reason else {
        unreachable!("{:?}", refused.reason)
    };
    assert_eq!(report.verdict, Some(Verdict::Partial));
    assert_found(
        &report,
        &["pg_subscription.sanitise_test_pull: 1 row, leads out of the database: left"],
    );
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
}

#[tokio::test]
async fn credentials_in_the_schema_itself_are_told_and_can_be_allowed() {
    let mut client = odoo::database("schema_texts", 18).await;
    client
        .batch_execute(
            "CREATE FUNCTION pull(a int) RETURNS text LANGUAGE sql AS $$ SELECT 'host=erp.shop.example dbname=erp user=shop password=CANARY' $$;
             CREATE VIEW door AS SELECT 'https://shop:CANARYword@door.example/' AS address;
             COMMENT ON TABLE res_partner IS 'synced with ghp_CANARY0123456789abcdefghijABCDEFGHIJ';
             CREATE TABLE gate (id int, address text DEFAULT 'ftp://shop:CANARYword@gate.example');
             CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
             CREATE TRIGGER told AFTER INSERT ON gate FOR EACH ROW EXECUTE FUNCTION tell('sk_live_CANARY0123456789abcd');",
        )
        .await
        .unwrap();
    let (rules, policy, stack) = (odoo::rules(), odoo::policy(), odoo::stack());
    let refused = verify(&mut client, (), &rules, &policy, &stack).await.unwrap_err();
    let Refusal::Verdict(report) = refused.reason else {
        unreachable!("{:?}", refused.reason)
    };
    assert_eq!(report.verdict, Some(Verdict::Partial));
    let places = [
        ("pg_proc", "public.pull(integer)"),
        ("pg_class", "public.door"),
        ("pg_description", "public.res_partner"),
        ("pg_attrdef", "for public.gate.address"),
        ("pg_trigger", "told on public.gate"),
    ];
    let left: Vec<_> = report.findings.iter().filter(|one| one.is_left()).collect();
    for (table, column) in places {
        assert!(
            left.iter()
                .any(|one| (one.table.as_str(), one.column.as_str()) == (table, column)
                    && matches!(one.clue, Clue::Value(_))),
            "{table}.{column} in {left:#?}"
        );
    }
    assert_eq!(left.len(), places.len(), "{left:#?}");
    assert!(!report.to_markdown().contains("CANARY"));
    let allowing = Policy {
        allow: places.map(|(table, column)| allow(table, column)).into(),
        ..policy
    };
    assert!(verify(&mut client, (), &rules, &allowing, &stack).await.is_ok());
}
