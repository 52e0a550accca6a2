//! `audit` on databases that opw-task did not make: it says what they are and leaves them as they are.

use std::fs;
use std::process::Command;

use crate::world::{Estate, Plan, Upstream, docker};

/// What Odoo 18's own `neutralize` does to the tables of the lab, in its own words.
const ODOOS_WAY: &str = "
UPDATE ir_cron SET active = false WHERE id NOT IN (
  SELECT res_id FROM ir_model_data WHERE model = 'ir.cron' AND module = 'base' AND name = 'autovacuum_job');
UPDATE ir_mail_server SET active = false;
INSERT INTO ir_mail_server (name, smtp_port, smtp_host, smtp_encryption, active, smtp_authentication)
  VALUES ('neutralization - disable emails', 1025, 'invalid', 'none', true, 'login');
INSERT INTO ir_config_parameter (key, value) VALUES ('database.is_neutralized', 'true') ON CONFLICT (key) DO UPDATE SET value = 'true';
UPDATE ir_act_server SET webhook_url = 'neutralization - disable webhook' WHERE state = 'webhook';
UPDATE mail_template SET mail_server_id = NULL;
UPDATE fetchmail_server SET active = false;
DELETE FROM ir_config_parameter WHERE key IN ('mail.web_push_vapid_private_key', 'mail.web_push_vapid_public_key', 'mail.sfu_server_key');
UPDATE payment_provider SET state = 'disabled' WHERE state NOT IN ('test', 'disabled');
UPDATE payment_provider SET stripe_secret_key = NULL, stripe_publishable_key = NULL, stripe_webhook_secret = NULL;";

#[test]
fn a_database_restored_by_hand_is_told_what_it_is_and_left_as_it_is() {
    let upstream = Upstream::small();
    let shop = Plan::named("audit").upstream(&upstream).make();
    shop.does(&["up", "shop"]);
    // Odoo would run production's jobs, and write of it.
    docker(&["stop", &shop.container("web").unwrap()]);
    restore_by_hand(&shop, &upstream);
    let before = everything(&shop);

    let run = shop.run(&["audit", "shop", "--report", "audit.md"]).code(1).says(&[
        "NOT SANITISED",
        "this database was never sanitised here",
        "jobs-off",
        "mail-servers-off",
    ]);
    let report = fs::read_to_string(shop.path("audit.md")).unwrap();
    assert!(report.starts_with("# Sanitising: NOT SANITISED\n"), "{report}");
    assert!(report.contains("`jobs-off`"), "{report}");
    assert!(
        !report.contains("CANARY") && !run.words().contains("CANARY"),
        "{report}"
    );
    assert_eq!(everything(&shop), before, "the audit changed something");

    shop.sql(ODOOS_WAY);
    let before = everything(&shop);
    let run = shop.run(&["audit", "shop", "--report", "audit.md"]).code(1);
    assert_eq!(everything(&shop), before, "the audit changed something");
    let report = fs::read_to_string(shop.path("audit.md")).unwrap();
    // What Odoo does is known to be done, and what it leaves is told.
    assert!(
        !report.contains("`jobs-off`") && !report.contains("`webhooks-off`"),
        "{report}"
    );
    for left in [
        "`base-url`",
        "`incoming-mail-off`",
        "`database-secret`",
        "`links-account-move`",
        "`parameter shopify.api_token`",
        "ir_config_parameter.google_gmail_client_secret",
        "ir_mail_server.smtp_pass",
        "`user-passwords`",
        "`api-keys`",
        "`second-factors`",
    ] {
        assert!(report.contains(left), "{left} in {report}");
    }
    assert!(
        !report.contains("CANARY") && !run.words().contains("CANARY"),
        "{report}"
    );
}

/// As people do it who have no tool for it.
fn restore_by_hand(shop: &Estate, upstream: &Upstream) {
    for sql in [
        "DROP DATABASE IF EXISTS shop WITH (FORCE)",
        "CREATE DATABASE shop TEMPLATE template0",
    ] {
        shop.sql_in("postgres", sql);
    }
    shop.sql("CREATE EXTENSION pg_trgm; CREATE EXTENSION unaccent; ALTER FUNCTION unaccent(text) IMMUTABLE");
    let database = shop.container("database").unwrap();
    let pipe = format!(
        "set -o pipefail; docker exec --user odoo opw-task-lab-upstream pg_dump -Fc {} | \
         docker exec -i {database} pg_restore --no-owner --no-privileges -U odoo -d shop",
        upstream.database
    );
    let output = Command::new("bash").args(["-c", &pipe]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The database as a dump, and what stands on it as a whole.
fn everything(shop: &Estate) -> String {
    let database = shop.container("database").unwrap();
    // A dump begins and ends with a word made up for it.
    let dump = format!(
        "set -o pipefail; docker exec {database} pg_dump -U odoo shop | grep -v '^.\\(un\\)\\?restrict ' | sha256sum"
    );
    let output = Command::new("bash").args(["-c", &dump]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let whole = shop.sql_in(
        "postgres",
        "SELECT shobj_description(oid, 'pg_database'), datacl, datdba, datistemplate, datallowconn FROM pg_database ORDER BY datname;
         SELECT rolname, rolsuper, rolcanlogin FROM pg_roles ORDER BY 1",
    );
    format!("{}{whole}", String::from_utf8_lossy(&output.stdout))
}
