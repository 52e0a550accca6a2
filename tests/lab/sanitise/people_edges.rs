//! Personal data where a stand-in has no room, no number to count by, or a constraint against it.

use opw_task::sanitise::{Anonymise, Policy, Verdict, audit, sanitise};
use tokio_postgres::Client;

use crate::sanitise::odoo;
use crate::sanitise::people::{estate, everybody, one, sanitised};

async fn with(name: &str, script: &str) -> Client {
    let mut client = estate(name).await;
    client.batch_execute(script).await.unwrap();
    sanitised(&mut client, &everybody(Anonymise::everything())).await;
    client
}

#[tokio::test]
async fn two_rows_of_one_partner_break_no_unique_index() {
    let client = with(
        "twins",
        "ALTER TABLE res_users ADD UNIQUE (login);
         INSERT INTO res_users (id, partner_id, login, active, share) VALUES
           (20, 19, 'rumpel-two@shop.example', true, false), (21, 19, 'rumpel-three@shop.example', false, false),
           (22, 1, 'beside-admin@shop.example', true, false);
         INSERT INTO mail_blacklist (email) VALUES ('ZAPHOD@home.example'), ('Zaphod <zaphod@home.example>'), ('');
         CREATE TABLE phone_blacklist (id serial PRIMARY KEY, number varchar NOT NULL UNIQUE);
         INSERT INTO phone_blacklist (number) VALUES (''), ('0171 555'), ('+49 171 555');
         INSERT INTO hr_employee (name, user_id, work_contact_id, resource_id) VALUES ('Rumpel', 19, 19, 3), ('Rumpel', 20, 19, 4)",
    )
    .await;
    let logins = "SELECT string_agg(split_part(login, '@', 2), ' ' ORDER BY id) FROM res_users WHERE id >= 19";
    let (partner, own) = ("people.invalid", "res-users.invalid");
    assert_eq!(one(&client, logins).await, format!("{partner} {own} {own} {own}"));
    let blocked = "SELECT string_agg(split_part(email, '@', 2), ' ' ORDER BY id) FROM mail_blacklist WHERE email <> ''";
    let own = "mail-blacklist.invalid";
    assert_eq!(one(&client, blocked).await, format!("{partner} {own} {own} {own}"));
    assert_eq!(
        one(&client, "SELECT (count(DISTINCT name))::text FROM hr_employee").await,
        "1"
    );
}

#[tokio::test]
async fn a_stand_in_is_cut_to_the_room_that_there_is() {
    let client = with(
        "room",
        "ALTER TABLE res_partner ALTER street TYPE varchar(5) USING left(street, 5),
           ALTER city TYPE char(4) USING left(city, 4), ALTER phone TYPE varchar(8), ALTER zip TYPE varchar(5) USING left(zip, 5),
           ALTER email TYPE varchar(24) USING left(email, 24);
         ALTER TABLE crm_lead ALTER name TYPE varchar(4) USING left(name, 4), ALTER contact_name TYPE varchar(7) USING left(contact_name, 7);
         UPDATE crm_lead SET contact_name = 'Öäü';
         UPDATE res_partner SET street = 'Ößÿ', city = 'Łódź' WHERE id > 10",
    )
    .await;
    assert_eq!(one(&client, "SELECT name FROM crm_lead WHERE id = 1").await, "Lead");
    let plain = "SELECT count(*)::text FROM res_partner WHERE id > 10 AND concat(street, city) ~ '[^ -~]'";
    assert_eq!(one(&client, plain).await, "0");
    // What is left of an address that was cut might be somebody's.
    let reach = "SELECT count(*)::text FROM res_partner WHERE id > 10 AND email NOT LIKE '%.invalid' AND email <> ''";
    assert_eq!(one(&client, reach).await, "0");
}

#[tokio::test]
async fn ids_may_be_missing_negative_or_long() {
    let client = with(
        "counting",
        "ALTER TABLE res_partner ALTER id TYPE bigint; ALTER TABLE hr_employee ALTER work_contact_id TYPE bigint;
         INSERT INTO res_partner (id, name, email, email_normalized, street, city) VALUES
           (-7, 'Zaphod', 'zaphod@far.example', 'zaphod@far.example', 'Kirchgasse 1', 'Hinterwald'),
           (4000000000000000000, 'Müßigmann', 'quentin@far.example', 'quentin@far.example', 'Kirchgasse 1', 'Hinterwald');
         INSERT INTO hr_employee (name, birthday, work_contact_id) VALUES ('Zaphod', 'infinity', -7), ('Zaphod', '0044-03-15 BC', -7),
           (NULL, '2000-02-29', NULL);
         UPDATE hr_employee SET id = -id WHERE birthday = '2000-02-29';
         CREATE TABLE sms_sms (number varchar, body text);
         INSERT INTO sms_sms VALUES ('0171 555', 'Quentin whispered');
         CREATE TABLE calendar_attendee (id varchar PRIMARY KEY, partner_id varchar, common_name varchar);
         INSERT INTO calendar_attendee VALUES ('one', 'Quentin', 'Quentin');
         CREATE TABLE mail_gateway_allowed (email varchar, email_normalized varchar NOT NULL);
         INSERT INTO mail_gateway_allowed VALUES ('zaphod@home.example', 'zaphod@home.example');
         CREATE VIEW mail_guest AS SELECT 1 AS id, 'Quentin' AS name",
    )
    .await;
    for empty in [
        "SELECT concat(number, body) FROM sms_sms",
        "SELECT concat(email, email_normalized) FROM mail_gateway_allowed",
        "SELECT concat(common_name) FROM calendar_attendee",
    ] {
        assert_eq!(one(&client, empty).await, "", "{empty}");
    }
    let names = "SELECT count(*)::text FROM res_partner WHERE id IN (-7, 4000000000000000000) AND name <> '' AND street <> '' AND city <> ''";
    assert_eq!(one(&client, names).await, "2");
    let years =
        "SELECT string_agg(birthday::text, ' ' ORDER BY birthday) FROM hr_employee WHERE birthday < '0001-01-01'";
    assert!(one(&client, years).await.starts_with("0044-"));
}

#[tokio::test]
async fn odd_values_stay_odd_and_fail_nothing() {
    let client = with(
        "odd",
        "INSERT INTO res_partner (id, name, email, email_normalized, zip, vat) VALUES
           (30, '', '', '', '', ''), (31, '1234', 'a@b@c, d@e', '', '-', '-'), (32, '?!', 'x', NULL, '12345-678', 'x'),
           (33, 'Ивано Smith 张', NULL, NULL, 'ÄÖ', 'ДД1'), (34, repeat('Quentin', 2000), NULL, NULL, NULL, NULL);
         INSERT INTO res_partner_bank (partner_id, acc_number) VALUES
           (30, ' DE89 3704 0044 0532 0130 00'), (30, 'D-E89'), (30, '---'), (31, 'no93 8601 1117 947'), (NULL, 'ß');
         INSERT INTO resource_resource (id, name) VALUES (9, 'Quentin');
         ALTER TABLE resource_resource ALTER name SET NOT NULL;
         INSERT INTO hr_employee (name, resource_id) VALUES (NULL, 9);
         INSERT INTO crm_lead (name, email_from) VALUES ('', '<<>>@'), ('x', ' ZAPHOD@home.example, b@c.de')",
    )
    .await;
    assert_eq!(
        one(&client, "SELECT name FROM resource_resource WHERE id = 9").await,
        "Employee 9"
    );
    let iban = "SELECT left(acc_number, 2) || length(acc_number) FROM res_partner_bank WHERE id = 4";
    assert_eq!(one(&client, iban).await, "DE22");
    assert_eq!(
        one(
            &client,
            "SELECT count(*)::text FROM res_partner WHERE id = 30 AND name = '' AND email = ''"
        )
        .await,
        "1"
    );
}

#[tokio::test]
async fn who_keeps_an_address_lends_it_to_nobody() {
    let mut client = estate("lender").await;
    client
        .batch_execute(
            "INSERT INTO res_partner (id, name, email, email_normalized) VALUES (40, 'Bot', 'bot@shop.example', 'bot@shop.example');
             INSERT INTO res_users (id, partner_id, login, active, share) VALUES (40, 40, 'bot', true, false);
             INSERT INTO crm_lead (name, email_from) VALUES ('From the bot', 'bot@shop.example')",
        )
        .await
        .unwrap();
    let policy: Policy = toml::from_str(
        "passwords = \"keep\"\nanonymise = true\n[[service-users]]\nlogin = \"bot\"\nname = \"The bot\"\napi-key = \"0f1e2d3c4b5a69788796a5b4\"",
    )
    .unwrap();
    sanitised(&mut client, &policy).await;
    let lead = "SELECT (email_from LIKE '%@crm-lead.invalid')::text FROM crm_lead WHERE id = 4";
    assert_eq!(one(&client, lead).await, "true");
}

#[tokio::test]
async fn printed_documents_and_payments_name_nobody() {
    let client = with(
        "printed",
        "INSERT INTO ir_attachment (id, name, res_model, res_field, res_id, mimetype, store_fname) VALUES
           (50, 'INV1.pdf', 'account.move', 'invoice_pdf_report_file', 1, 'application/pdf', 'bb/1'),
           (51, 'signature', 'sale.order', 'signature', 1, 'image/png', 'bb/2'),
           (52, 'Quentin.pdf', 'mail.compose.message', NULL, 0, 'application/pdf', 'bb/3'),
           (53, 'logo', 'product.template', 'image_1920', 1, 'image/png', 'bb/4'),
           (54, 'Quentin.pdf', 'production.batch', NULL, 1, 'application/pdf', 'bb/5');
         CREATE TABLE account_move (id serial PRIMARY KEY, ref varchar);
         CREATE TABLE account_payment (id serial PRIMARY KEY, move_id int);
         CREATE TABLE account_move_line (id serial PRIMARY KEY, move_id int, name varchar, ref varchar);
         INSERT INTO account_move (ref) VALUES ('for Quentin'), ('BILL/7');
         INSERT INTO account_payment (move_id) VALUES (1), (NULL);
         INSERT INTO account_move_line (move_id, name, ref) VALUES (1, 'Customer payment - Quentin', 'for Quentin'), (2, 'Shirt', 'BILL/7');
         CREATE TABLE resource_calendar_leaves (id serial PRIMARY KEY, name varchar, resource_id int);
         INSERT INTO resource_calendar_leaves (name, resource_id) VALUES ('Quentin: sick', 1), ('Christmas', NULL)",
    )
    .await;
    let files =
        "SELECT string_agg(id || coalesce(store_fname, '-'), ' ' ORDER BY id) FROM ir_attachment WHERE id >= 50";
    assert_eq!(one(&client, files).await, "50- 51- 52- 53bb/4 54-");
    let books = "SELECT string_agg(concat_ws('|', name, ref), ' ' ORDER BY id) FROM account_move_line";
    assert_eq!(one(&client, books).await, "Line 1 Shirt|BILL/7");
    let away = "SELECT string_agg(name, ' ' ORDER BY id) FROM resource_calendar_leaves";
    assert_eq!(one(&client, away).await, "Leaves 1 Christmas");
}

#[tokio::test]
async fn nothing_of_the_dump_stands_in_for_the_servers_own_functions() {
    let mut client = estate("shadows").await;
    client
        .batch_execute(
            "CREATE SCHEMA shadow;
             CREATE FUNCTION shadow.lpad(text, int, text) RETURNS text LANGUAGE sql AS 'SELECT ''Quentin''';
             CREATE FUNCTION shadow.lower(text) RETURNS text LANGUAGE sql AS 'SELECT ''quentin@''';
             DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = shadow, pg_catalog, public', current_database()); END $$;
             SET search_path = shadow, pg_catalog, public",
        )
        .await
        .unwrap();
    let (rules, stack) = (odoo::rules(), odoo::stack());
    let policy = everybody(Anonymise::everything());
    sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    let seen = "SELECT string_agg(concat(email, phone), ' ') FROM public.res_partner";
    assert!(!one(&client, seen).await.to_lowercase().contains("quentin"));
    // An audit makes its functions before it may only read.
    let report = audit(&mut client, &rules, &policy, &stack).await.unwrap();
    let held: Vec<_> = report.remainders.iter().map(|left| left.rule.as_str()).collect();
    assert!(held.is_empty(), "{held:?}");
    assert_ne!(report.verdict, Some(Verdict::NotSanitised));
}
