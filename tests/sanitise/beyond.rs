//! What stands beside Odoo's own tables: other schemas, materialised views, files, and objects that are no tables.

use opw_task::sanitise::{Allowance, Clue, Facts, Outcome, Policy, Refusal, Report, Verdict, audit, sanitise, verify};
use tokio_postgres::Client;

use crate::odoo;
use crate::promises::text;

const HASH: &str = "$pbkdf2-sha512$600000$CANARYsalt0123456789$CANARYchecksum0123456789abcdefghijklmnop";

/// The findings of a report, as people read them.
fn found(report: &Report) -> Vec<String> {
    report.findings.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_found(report: &Report, beginnings: &[&str]) {
    let found = found(report);
    for beginning in beginnings {
        assert!(
            found.iter().any(|line| line.starts_with(beginning)),
            "{beginning} in {found:#?}"
        );
    }
    assert!(!report.to_markdown().contains("CANARY"));
}

fn allow(table: &str, column: &str) -> Allowance {
    Allowance {
        table: table.to_owned(),
        column: column.to_owned(),
        reason: "a test".to_owned(),
    }
}

/// All text of all relations that hold rows, whatever their schema.
async fn dump(client: &Client) -> String {
    let relations = "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'm') AND (c.relkind = 'r' OR c.relispopulated) AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'";
    let mut all = String::new();
    for relation in client.query(relations, &[]).await.unwrap() {
        let relation: String = relation.get(0);
        let rows = client
            .query(&format!("SELECT t::text FROM {relation} t"), &[])
            .await
            .unwrap();
        for row in rows {
            all.push_str(&format!("{relation}: {}\n", row.get::<_, String>(0)));
        }
    }
    all
}

#[track_caller]
fn no_canary(dump: &str) {
    let left: Vec<_> = dump.lines().filter(|line| line.contains("CANARY")).collect();
    assert!(left.is_empty(), "{left:#?}");
}

#[tokio::test]
async fn copies_of_tables_in_other_schemas_and_under_other_names_keep_no_credential() {
    let mut client = odoo::database("schemas", 18).await;
    client
        .batch_execute(&format!(
            "UPDATE res_users SET password = '{HASH}';
             CREATE TABLE res_users_backup AS SELECT * FROM res_users;
             CREATE SCHEMA backup; CREATE TABLE backup.res_users AS SELECT * FROM res_users;
             CREATE SCHEMA \"Audit log\";
             CREATE TABLE \"Audit log\".\"Line\" (id serial PRIMARY KEY, old text, \"Api token\" varchar, api_token varchar NOT NULL UNIQUE);
             INSERT INTO \"Audit log\".\"Line\" (old, api_token)
               VALUES ('password: {HASH} before', 'CANARY-unique'), ('nothing of interest', 'CANARY-other');
             CREATE TABLE \"Audit log\".parts (year int, body text) PARTITION BY LIST (year);
             CREATE TABLE backup.parts_2024 PARTITION OF \"Audit log\".parts FOR VALUES IN (2024);
             INSERT INTO \"Audit log\".parts VALUES (2024, 'use ghp_CANARY0123456789abcdefghijABCDEFGHIJ');
             CREATE SCHEMA kept; CREATE TABLE kept.gate (api_token varchar); INSERT INTO kept.gate VALUES ('stays');"
        ))
        .await
        .unwrap();
    let policy = Policy {
        allow: vec![allow("kept.gate", "api_token")],
        ..Policy::default()
    };
    let (rules, stack) = (odoo::rules(), odoo::stack());
    let report = audit(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_found(&report, &["backup.res_users.password: 4 rows, by its name: left"]);

    let report = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_found(
        &report,
        &[
            "res_users_backup.password: 4 rows, by its name: cleared",
            "backup.res_users.password: 4 rows, by its name: cleared",
            "Audit log.Line.old: 1 row, password hash: cleared",
            "Audit log.Line.api_token: 2 rows, by its name: cleared",
            "Audit log.parts.body: 1 row, GitHub token: cleared",
            "kept.gate.api_token: 1 row, by its name: allowed, a test",
        ],
    );
    let dump = dump(&client).await;
    no_canary(&dump);
    assert!(dump.contains("kept.gate: (stays)") && dump.contains("nothing of interest"));
    let proof = verify(&mut client, (), &rules, &policy, &stack).await.unwrap();
    assert_eq!(proof.report().rows(), 0);
    assert_eq!(
        audit(&mut client, &rules, &policy, &stack).await.unwrap().verdict,
        Some(Verdict::Sanitised)
    );
    // The copy's own hashes are where Odoo looks for them.
    let own = "SELECT count(*)::text FROM res_users WHERE password LIKE '$pbkdf2-sha512$%'";
    assert_eq!(text(&client, own).await.unwrap(), "2");
}

#[tokio::test]
async fn copies_of_the_system_parameters_keep_no_credential() {
    let mut client = odoo::database("pairs", 18).await;
    client
        .batch_execute(
            "INSERT INTO ir_config_parameter (key, value) VALUES ('database.enterprise_code', 'CANARY'), ('dock.api_key', 'CANARY'),
               ('dock.blob', 'CANARYx9Kq2vB7nM4tR8wZ1cY5'), ('dock.depots', 'north,south');
             CREATE TABLE params_2024 AS SELECT * FROM ir_config_parameter;
             INSERT INTO params_2024 (key, value) VALUES ('dock.api_key', 'CANARY');
             CREATE TABLE dock_setting (id serial PRIMARY KEY, setting varchar, value varchar NOT NULL);
             INSERT INTO dock_setting (setting, value) VALUES ('gate password', 'CANARY'), ('gate colour', 'red');",
        )
        .await
        .unwrap();
    let report = sanitise(&mut client, &odoo::rules(), &odoo::policy(), &odoo::stack())
        .await
        .unwrap();
    assert_found(
        &report,
        &[
            "params_2024.database.enterprise_code: 1 row, by its name: cleared",
            "params_2024.dock.api_key: 2 rows, by its name: cleared",
            "params_2024.dock.blob: 1 row, a random-looking value: cleared",
            "dock_setting.gate password: 1 row, by its name: cleared",
        ],
    );
    let seen = "SELECT string_agg(value, ' ' ORDER BY value) FROM params_2024 WHERE key LIKE 'dock.%' AND value <> ''";
    assert_eq!(text(&client, seen).await.unwrap(), "north,south");
    let seen = "SELECT string_agg(value, '|' ORDER BY id) FROM dock_setting";
    assert_eq!(text(&client, seen).await.unwrap(), "|red");
}

#[tokio::test]
async fn the_audit_log_of_the_community_tells_no_credential() {
    let mut client = odoo::database("audit_log", 18).await;
    client
        .batch_execute(
            "CREATE TABLE ir_model (id serial PRIMARY KEY, model varchar);
             INSERT INTO ir_model (model) VALUES ('ir.config_parameter'), ('res.partner');
             CREATE TABLE ir_model_fields (id serial PRIMARY KEY, model varchar, name varchar, ttype varchar, store boolean);
             INSERT INTO ir_model_fields (model, name, ttype) VALUES ('ir.mail_server', 'smtp_pass', 'char'), ('res.partner', 'street', 'char'), ('ir.config_parameter', 'value', 'text');
             CREATE TABLE auditlog_log (id serial PRIMARY KEY, model_id int);
             INSERT INTO auditlog_log (model_id) VALUES (1), (2);
             CREATE TABLE auditlog_log_line (id serial PRIMARY KEY, log_id int, field_id int, field_name varchar, old_value text, new_value text, create_date timestamp);
             INSERT INTO auditlog_log_line (log_id, field_id, field_name, old_value, new_value) VALUES
               (2, 1, 'smtp_pass', 'CANARY', 'CANARY'), (2, NULL, 'api_key', NULL, 'CANARY'), (1, 3, 'value', 'CANARY', NULL), (2, 2, 'street', 'here', 'there');
             CREATE TABLE auditlog_http_session (id serial PRIMARY KEY, name varchar, write_date timestamp);
             INSERT INTO auditlog_http_session (name) VALUES ('CANARY');",
        )
        .await
        .unwrap();
    let (rules, policy, stack) = (odoo::rules(), odoo::policy(), odoo::stack());
    sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    let seen = "SELECT string_agg(field_name || ' ' || new_value, ',') FROM auditlog_log_line";
    assert_eq!(text(&client, seen).await.unwrap(), "street there");
    let session = "SELECT name FROM auditlog_http_session";
    assert_eq!(text(&client, session).await.unwrap().len(), 64);
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
}

#[tokio::test]
async fn a_rule_of_the_projects_own_can_name_a_table_of_another_schema() {
    let mut client = odoo::database("schema_rule", 18).await;
    client
        .batch_execute("CREATE SCHEMA report; CREATE TABLE report.sale (id int, customer text, link text); INSERT INTO report.sale VALUES (1, 'CANARY', 'CANARY')")
        .await
        .unwrap();
    let mut rules = odoo::rules();
    let own = "[[rule]]\nname = 'report'\nwhy = 'A test'\nmodule = 'report'\ntable = 'report.sale'\nclear = ['customer']\nrenew = ['link']\n";
    rules.extend_from("own.toml".into(), own).unwrap();
    sanitise(&mut client, &rules, &odoo::policy(), &odoo::stack())
        .await
        .unwrap();
    let seen = "SELECT concat_ws(' ', customer, length(link)) FROM report.sale";
    assert_eq!(text(&client, seen).await.unwrap(), "64");
}

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

const FILES: &str = "
CREATE TABLE ir_attachment (id serial PRIMARY KEY, name varchar NOT NULL, res_model varchar, res_field varchar, res_id int,
  store_fname varchar, index_content text, create_date timestamp);
INSERT INTO ir_attachment (name, res_model, res_field, store_fname, index_content) VALUES
  ('content', 'certificate.key', 'content', 'aa/CANARY1', NULL),
  ('pem_certificate', 'certificate.certificate', 'pem_certificate', 'aa/CANARY2', NULL),
  ('client_p12', 'bank.link', 'client_p12', 'aa/CANARY3', NULL),
  ('content', 'l10n_es_edi.certificate', 'content', 'aa/CANARY4', NULL),
  ('id_rsa', 'project.task', NULL, 'aa/CANARY5', NULL),
  ('server.pem', NULL, NULL, 'aa/CANARY6', NULL),
  ('notes.txt', 'project.task', NULL, 'aa/CANARY7', 'the token is ghp_CANARY0123456789abcdefghijABCDEFGHIJ'),
  ('image_128', 'res.partner', 'image_128', 'aa/picture', NULL),
  ('keynote.pdf', 'project.task', NULL, 'aa/letter', 'how the key was found');";

#[tokio::test]
async fn files_that_are_keys_are_named_by_no_attachment() {
    let mut client = odoo::database("attachments", 18).await;
    client.batch_execute(FILES).await.unwrap();
    let (rules, policy, stack) = (odoo::rules(), odoo::policy(), odoo::stack());
    let report = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_found(
        &report,
        &[
            "ir_attachment.bank.link.client_p12: 1 row, by its name: cleared",
            "ir_attachment.l10n_es_edi.certificate.content: 1 row, by its name: cleared",
            "ir_attachment.name: 2 rows, by its name: cleared",
            "ir_attachment.index_content: 1 row, GitHub token: cleared",
        ],
    );
    let left = "SELECT string_agg(store_fname, ' ' ORDER BY id) FROM ir_attachment";
    assert_eq!(text(&client, left).await.unwrap(), "aa/picture aa/letter");
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
    // A copy that lives may be given keys of its own.
    client
        .batch_execute("INSERT INTO ir_attachment (name, create_date) VALUES ('test.pem', now() + interval '1 day')")
        .await
        .unwrap();
    let verdict = audit(&mut client, &rules, &policy, &stack).await.unwrap().verdict;
    assert_eq!(verdict, Some(Verdict::Sanitised));
}

#[tokio::test]
async fn keys_set_up_by_hand_are_told_from_keys_of_data() {
    let mut client = odoo::database("some_keys", 18).await;
    client
        .batch_execute(
            "DELETE FROM delivery_carrier;
             ALTER TABLE delivery_carrier ADD COLUMN fedex_developer_key varchar, ADD COLUMN snail_key varchar, ADD COLUMN sort_key varchar;
             INSERT INTO delivery_carrier (fedex_developer_key, snail_key, sort_key) VALUES ('CANARY', 'CANARY', 'a');
             CREATE TABLE sale_order_line (id serial PRIMARY KEY, merge_key varchar);
             INSERT INTO sale_order_line (merge_key) SELECT 'line-' || i FROM generate_series(1, 200) i;",
        )
        .await
        .unwrap();
    let report = sanitise(&mut client, &odoo::rules(), &odoo::policy(), &odoo::stack())
        .await
        .unwrap();
    assert_found(&report, &["delivery_carrier.snail_key: 1 row, by its name: cleared"]);
    assert!(
        report
            .findings
            .iter()
            .all(|one| one.table != "sale_order_line" || one.outcome == Outcome::Reported)
    );
    let seen = "SELECT concat_ws(' ', fedex_developer_key, snail_key, sort_key, (SELECT count(*) FROM sale_order_line WHERE merge_key <> '')) FROM delivery_carrier";
    assert_eq!(text(&client, seen).await.unwrap(), "a 200");
}

#[tokio::test]
async fn tables_that_modules_fill_at_installation_are_looked_through_too() {
    let mut client = odoo::database("nothing_skipped", 18).await;
    client
        .batch_execute(
            "ALTER TABLE ir_module_module ADD COLUMN description text;
             UPDATE ir_module_module SET description = 'fetched with ghp_CANARY0123456789abcdefghijABCDEFGHIJ' WHERE name = 'base';
             INSERT INTO ir_model_data (module, name) VALUES ('dock', 'from https://shop:CANARYword@git.example');",
        )
        .await
        .unwrap();
    let report = sanitise(&mut client, &odoo::rules(), &odoo::policy(), &odoo::stack())
        .await
        .unwrap();
    assert_found(
        &report,
        &[
            "ir_module_module.description: 1 row, GitHub token: cleared",
            "ir_model_data.name: 1 row, password in a URL: cleared",
        ],
    );
}

#[tokio::test]
async fn what_still_speaks_of_production_is_told() {
    let mut client = odoo::database("names", 18).await;
    client
        .batch_execute(
            "ALTER TABLE res_company ADD COLUMN email varchar;
             UPDATE res_company SET email = 'Info@mail.shop.example';
             ALTER TABLE ir_mail_server ADD COLUMN from_filter varchar;
             UPDATE ir_mail_server SET from_filter = 'news.example, bot@bots.example', smtp_user = 'someone@gmail.com';
             INSERT INTO ir_config_parameter (key, value) VALUES ('dock.endpoint', 'https://API.odoo.shop.example/dock'),
               ('dock.own', 'https://copy.odoo.shop.example/dock'), ('dock.mail', 'nobody@gmail.com'), ('dock.shop', 'LIVE-shop-7');
             CREATE TABLE dock_gate (id serial PRIMARY KEY, address varchar, note jsonb);
             INSERT INTO dock_gate (address, note) VALUES ('gate.bots.example', '{\"en_US\": \"ask news.example\"}'), ('copy.odoo.shop.example', NULL);
             CREATE SCHEMA report; CREATE TABLE report.sender AS SELECT 'x@mail.shop.example' AS sender;
             CREATE TABLE sale_order (id serial PRIMARY KEY, note text);
             INSERT INTO sale_order (note) SELECT 'see odoo.shop.example ' || repeat('x', 100) FROM generate_series(1, 10000);",
        )
        .await
        .unwrap();
    let policy = Policy {
        production_indicators: vec!["live-shop".to_owned()],
        ..odoo::policy()
    };
    let stack = Facts {
        base_url: "https://copy.odoo.shop.example".to_owned(),
        ..odoo::stack()
    };
    let report = sanitise(&mut client, &odoo::rules(), &policy, &stack).await.unwrap();
    let told = report.findings.iter().filter(|one| one.clue == Clue::Production);
    let told: Vec<_> = told.map(|one| format!("{} {}", one.place(), one.count)).collect();
    let company = text(&client, "SELECT count(*)::text FROM res_company").await.unwrap();
    let servers = "SELECT count(*)::text FROM ir_mail_server WHERE from_filter IS NOT NULL";
    let servers = text(&client, servers).await.unwrap();
    assert_eq!(
        told,
        [
            "dock_gate.address 1".to_owned(),
            "dock_gate.note 1".to_owned(),
            "ir_config_parameter.dock.endpoint 1".to_owned(),
            "ir_config_parameter.dock.shop 1".to_owned(),
            format!("ir_mail_server.from_filter {servers}"),
            "report.sender.sender 1".to_owned(),
            format!("res_company.email {company}"),
        ],
        "{:?}",
        report.production_names
    );
}
