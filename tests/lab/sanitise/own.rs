//! What a copy made since it was verified is its own, and nothing of production's passes for it.

use opw_task::sanitise::{Policy, Report, RuleSet, Verdict, audit, sanitise, verify};
use tokio_postgres::Client;

use crate::sanitise::look::found;
use crate::sanitise::{odoo, schema};

/// A day of ordinary acts, as Odoo 19 writes them: numbered by its sequences, dated by the transaction.
const DAY: [&str; 11] = [
    "INSERT INTO res_device_log (session_identifier, create_date, write_date) VALUES ('a session', now(), now())",
    // A contact is invited to the portal.
    "UPDATE res_partner SET signup_type = 'signup', write_date = now() WHERE id = 4",
    "INSERT INTO res_partner (name, type, signup_type, email, autopost_bills, group_on, group_rfq, create_date, write_date)
     VALUES ('Somebody', 'contact', 'signup', 'new@home.example', 'ask', 'default', 'default', now(), now());
     INSERT INTO res_users (login, partner_id, company_id, active, share, notification_type, password, create_date, write_date)
     VALUES ('new@home.example', lastval(), 1, true, false, 'email',
       '$pbkdf2-sha512$600000$abcdefghijklmnop$' || repeat('a', 86), now(), now());
     INSERT INTO res_users_settings (user_id, google_synchronization_stopped, microsoft_synchronization_stopped,
       calendar_default_privacy, create_date, write_date)
     VALUES (currval('res_users_id_seq'), false, false, 'public', now(), now())",
    // A browser that wants to be told.
    "INSERT INTO ir_config_parameter (key, value, create_date, write_date) VALUES
       ('mail.web_push_vapid_private_key', 'kW8Jz3Pq5Rt7Yx1Cv9Bn2Md4Fg6Hj8Kl0Za3Sd5Er7', now(), now()),
       ('mail.web_push_vapid_public_key', 'BLc4xRzKlKORKWlbdgFaBrrPK3ydWAHo4M0gs0i1oEKgPpWC5cW8OCzVrOQRv1npXRWk8udnW3oYhIO4475rds', now(), now());
     INSERT INTO mail_push_device (partner_id, endpoint, keys, create_date, write_date)
     VALUES (1, 'https://push.browser.example/1', '{\"auth\": \"x\"}', now(), now())",
    "INSERT INTO iap_account (service_id, account_token, create_date, write_date)
     VALUES (1, 'f3b9a6a2e5d04c1c+disabled', now(), now())",
    // The settings are saved.
    "INSERT INTO res_config_settings (company_id, default_picking_policy, google_places_api_key, create_date, write_date)
     VALUES (1, 'direct', 'dummy-of-the-settings', now(), now())",
    "INSERT INTO ir_mail_server (name, smtp_host, smtp_encryption, smtp_authentication, smtp_user, smtp_pass, active, create_date, write_date)
     VALUES ('test server', 'mail.test.example', 'none', 'login', 'tester', 'a password of the test', true, now(), now())",
    "INSERT INTO res_users_apikeys (name, user_id, index, key, create_date)
     VALUES ('my program', 1, '0a1b2c3d', '$pbkdf2-sha512$6000$abcdefghijklmnop$' || repeat('b', 86), now())",
    "UPDATE account_move SET access_token = gen_random_uuid()::text, write_date = now() WHERE id = 1",
    "INSERT INTO ir_attachment (name, type, res_model, res_id, create_date, write_date) VALUES ('id_rsa', 'binary', 'res.partner', 1, now(), now());
     INSERT INTO mail_message (message_type, body, create_date, write_date) VALUES ('comment', 'ghp_0123456789abcdefghijABCDEFGHIJ012345', now(), now())",
    // An action whose table has the numbers of another one.
    "INSERT INTO ir_act_server (name, type, usage, state, model_id, binding_type, webhook_url, create_date, write_date)
     VALUES ('{\"en_US\": \"post\"}', 'ir.actions.server', 'ir_actions_server', 'webhook', 1, 'action', 'https://hook.test.example', now(), now())",
];

/// What the copy's own acts are told as.
const OWN: [&str; 12] = [
    "res_device_log: 1 row, rule `device-log`: ",
    "res_partner: 2 rows, rule `sign-up-tokens`: ",
    "res_users_settings: 1 row, rule `google-calendars`: ",
    "res_users_settings: 1 row, rule `microsoft-calendars`: ",
    "ir_config_parameter: 2 rows, rule `push-keys`: ",
    "ir_config_parameter.mail.web_push_vapid_private_key: 1 row, by its name: ",
    "mail_push_device: 1 row, rule `push-devices`: ",
    "iap_account: 1 row, rule `iap-accounts`: ",
    "res_config_settings.google_places_api_key: 1 row, by its name: ",
    "ir_mail_server: 1 row, rule `mail-servers-off`: ",
    "ir_act_server: 1 row, rule `webhooks-off`: ",
    "mail_message.body: 1 row, GitHub token: ",
];

/// Values and rows of production that come back, each with how it goes again.
const PRODUCTION: [(&str, &str); 9] = [
    (
        "UPDATE ir_mail_server SET smtp_pass = 'production''s' WHERE id = 1",
        "UPDATE ir_mail_server SET smtp_pass = NULL WHERE id = 1",
    ),
    // Through Odoo, which dates it: the row was there.
    (
        "UPDATE payment_provider SET stripe_secret_key = 'production''s', write_date = now() WHERE id = 1",
        "UPDATE payment_provider SET stripe_secret_key = NULL WHERE id = 1",
    ),
    (
        "UPDATE ir_cron SET active = true, write_date = now() WHERE id = 2",
        "UPDATE ir_cron SET active = false WHERE id = 2",
    ),
    (
        "INSERT INTO res_device_log (session_identifier, create_date, write_date) VALUES ('production', '2026-01-01', now())",
        "DELETE FROM res_device_log WHERE session_identifier = 'production'",
    ),
    // The copy's sequence is not there yet.
    (
        "INSERT INTO iap_account (id, service_id, account_token, create_date) VALUES (5000, 1, 'production''s', now())",
        "DELETE FROM iap_account WHERE id = 5000",
    ),
    (
        "INSERT INTO ir_config_parameter (key, value) VALUES ('shop.api_key', 'production''s')",
        "DELETE FROM ir_config_parameter WHERE key = 'shop.api_key'",
    ),
    (
        "INSERT INTO mail_message (message_type, body, create_date) VALUES ('comment', 'ghp_9876543210abcdefghijABCDEFGHIJ012345', '2026-01-01')",
        "DELETE FROM mail_message WHERE create_date = '2026-01-01'",
    ),
    (
        "UPDATE res_partner SET signup_type = 'reset' WHERE id = 5",
        "UPDATE res_partner SET signup_type = NULL WHERE id = 5",
    ),
    (
        "CREATE TABLE brought AS SELECT 1 AS id, 'production''s'::text AS api_key, now()::timestamp AS create_date",
        "DROP TABLE brought",
    ),
];

async fn asked(client: &mut Client, rules: &RuleSet) -> Report {
    audit(client, rules, &Policy::default(), &odoo::stack()).await.unwrap()
}

async fn run(client: &Client, script: &str) {
    if let Err(error) = client.batch_execute(script).await {
        panic!("{script}: {:?}", error.as_db_error());
    }
}

#[tokio::test]
async fn a_day_of_ordinary_acts_is_the_copys_own_and_production_is_found() {
    let rules = odoo::rules();
    let mut client = schema::database("own", 19, &rules).await;
    run(
        &client,
        "CREATE SEQUENCE ir_actions_id_seq START 1000; ALTER TABLE ir_act_server ALTER id SET DEFAULT nextval('ir_actions_id_seq')",
    )
    .await;
    let (policy, stack) = (Policy::default(), odoo::stack());
    sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    verify(&mut client, (), &rules, &policy, &stack).await.unwrap();
    for act in DAY {
        run(&client, &format!("BEGIN; {act}; COMMIT")).await;
    }
    let report = asked(&mut client, &rules).await;
    assert_eq!(report.verdict, Some(Verdict::Sanitised), "{report:#?}");
    let told = found(&report);
    for own in OWN {
        let own = format!("{own}the copy's own, made since it was verified");
        assert!(told.contains(&own), "{own} in {told:#?}");
    }
    let lines = report.verdict_lines().join("\n");
    assert!(
        lines.contains("the copy's own, made since it was verified") && !lines.contains("a password of"),
        "{lines}"
    );

    for (back, away) in PRODUCTION {
        run(&client, back).await;
        let report = asked(&mut client, &rules).await;
        assert_ne!(report.verdict, Some(Verdict::Sanitised), "{back}: {report:#?}");
        run(&client, away).await;
        assert_eq!(
            asked(&mut client, &rules).await.verdict,
            Some(Verdict::Sanitised),
            "{away}"
        );
    }

    // What keeps a server tidy makes nobody's rows another's.
    run(&client, "VACUUM FREEZE").await;
    assert_eq!(asked(&mut client, &rules).await.verdict, Some(Verdict::Sanitised));
}

#[tokio::test]
async fn what_stood_when_a_copy_was_verified_is_never_its_own() {
    let mut client = odoo::database("own_future", 18).await;
    // Production's clock was ahead.
    run(
        &client,
        "CREATE TABLE res_device_log (id serial PRIMARY KEY, session_identifier varchar, create_date timestamp);
         INSERT INTO res_device_log (create_date) VALUES (now() + interval '1 year')",
    )
    .await;
    let (rules, policy, stack) = (odoo::rules(), odoo::policy(), odoo::stack());
    let skipping = Policy {
        skip_rules: [("device-log".to_owned(), "a test".to_owned())].into(),
        ..policy.clone()
    };
    verify(&mut client, (), &rules, &skipping, &stack).await.unwrap();
    let report = audit(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_eq!(report.verdict, Some(Verdict::NotSanitised), "{report:#?}");
}
