//! `restore` of what stands beside Odoo's tables: what comes along is sanitised, what leads back to production does not
//! come along or leads nowhere.

use crate::world::{Plan, Upstream, docker};

const AS_SUPERUSER: &str = "
CREATE EXTENSION postgres_fdw;
CREATE SERVER erp FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'erp.shop.example');
GRANT USAGE ON FOREIGN SERVER erp TO odoo;
CREATE USER MAPPING FOR odoo SERVER erp OPTIONS (user 'shop', password 'CANARY');
CREATE SUBSCRIPTION t_own_beyond CONNECTION 'host=192.0.2.1 password=CANARY' PUBLICATION everything WITH (connect = false);";

const AS_ODOO: &str = "
CREATE SCHEMA backup;
CREATE TABLE backup.res_users AS SELECT * FROM res_users;
CREATE TABLE params_2024 AS SELECT * FROM ir_config_parameter;
CREATE MATERIALIZED VIEW backup.logins AS SELECT login, totp_secret AS code FROM res_users;
CREATE FOREIGN TABLE backup.orders (id int, name text) SERVER erp;
CREATE VIEW open_orders AS SELECT * FROM backup.orders;
CREATE PUBLICATION everything FOR TABLE res_partner;
SELECT lo_from_bytea(0, 'CANARY');";

const BEFORE_IT_GOES: &str = "ALTER SUBSCRIPTION t_own_beyond SET (slot_name = NONE); DROP SUBSCRIPTION t_own_beyond;";

#[test]
fn what_stands_beside_odoos_tables_is_sanitised_too() {
    let upstream = Upstream::own("beyond");
    for sql in AS_SUPERUSER.split(';').filter(|sql| !sql.trim().is_empty()) {
        upstream.sql_as("postgres", sql);
    }
    upstream.sql(AS_ODOO);
    let shop = Plan::named("beyond").upstream(&upstream).make();
    let run = shop.run(&["restore", "shop", "--report", "report.md"]);
    for sql in BEFORE_IT_GOES.split(';').filter(|sql| !sql.trim().is_empty()) {
        upstream.sql_as("postgres", sql);
    }
    run.code(0);
    upstream.drop();

    let report = std::fs::read_to_string(shop.path("report.md")).unwrap();
    for found in [
        "backup.res_users.password: ",
        "params_2024.database.secret: ",
        "pg_user_mapping.erp for odoo: 1 row, leads out of the database: cleared",
        "pg_foreign_server.erp: 1 row, leads out of the database: reported",
    ] {
        assert!(report.contains(found), "{found} in {report}");
    }
    let beside = "SELECT concat_ws(' ', (SELECT count(*) FROM pg_user_mapping), (SELECT count(*) FROM pg_largeobject_metadata),
        (SELECT count(*) FROM pg_publication), (SELECT count(*) FROM pg_subscription), (SELECT count(*) FROM pg_foreign_server),
        (SELECT count(*) FROM pg_views WHERE viewname = 'open_orders'), (SELECT count(*) > 0 FROM backup.logins WHERE code IS NULL),
        (SELECT count(*) FROM backup.logins WHERE code <> ''))";
    assert_eq!(shop.sql(beside), "0 0 0 0 1 1 t 0");
    let database = shop.container("database").unwrap();
    let dump = docker(&[
        "exec",
        &database,
        "pg_dump",
        "-U",
        "odoo",
        "--table=backup.*",
        "--table=params_2024",
        "shop",
    ]);
    assert!(dump.contains("COPY backup.res_users"), "{dump}");
    // Under which name a user is known to an OAuth provider is no credential.
    let secrets = dump.replace("CANARY-oauth-uid", "");
    assert!(!secrets.contains("CANARY"), "{secrets}");
    // All of it is Odoo's, whatever its schema.
    let others = "SELECT c.relname FROM pg_class c WHERE c.oid >= 16384 AND c.relowner <> 'odoo'::regrole";
    assert_eq!(shop.sql(others), "");
}
