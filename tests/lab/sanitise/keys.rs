//! Keys in files, keys by name, what modules fill, and what speaks of production.

use opw_task::sanitise::{Clue, Facts, Outcome, Policy, Verdict, audit, sanitise, verify};

use crate::sanitise::look::assert_found;
use crate::sanitise::odoo;
use crate::sanitise::promises::text;

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
