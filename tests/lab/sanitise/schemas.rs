//! Copies of Odoo's tables: in other schemas, under other names.

use opw_task::sanitise::{Policy, Verdict, audit, sanitise, verify};

use crate::sanitise::look::{allow, assert_found, dump, no_canary};
use crate::sanitise::odoo;
use crate::sanitise::promises::text;

const HASH: &str = "$pbkdf2-sha512$600000$CANARYsalt0123456789$CANARYchecksum0123456789abcdefghijklmnop";

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
    let session = text(&client, session).await.unwrap();
    assert!(session.len() == 6 && session != "CANARY", "{session}");
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
    assert_eq!(text(&client, seen).await.unwrap(), "6");
}
