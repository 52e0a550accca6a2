//! Triggers, rules and row security of the copy take no part in what we do to it, and are afterwards as they were.

use opw_task::sanitise::{Policy, sanitise, verify};
use tokio_postgres::Client;

use crate::sanitise::promises::text;
use crate::sanitise::{odoo, server};

/// Production's own code, of every kind that could see or change a row as it is written: each writes into `seen`.
const CODE: &str = "
CREATE SCHEMA audit;
CREATE TABLE audit.seen (what text, row_data jsonb);
CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO audit.seen VALUES (TG_NAME, CASE WHEN TG_LEVEL = 'ROW' AND TG_OP <> 'INSERT' THEN to_jsonb(OLD) END);
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER origin AFTER UPDATE OR DELETE ON ir_mail_server FOR EACH ROW EXECUTE FUNCTION audit.note();
CREATE TRIGGER \"Al ways\" BEFORE UPDATE OR DELETE ON ir_mail_server FOR EACH ROW EXECUTE FUNCTION audit.note();
ALTER TABLE ir_mail_server ENABLE ALWAYS TRIGGER \"Al ways\";
CREATE TRIGGER replica AFTER UPDATE ON ir_mail_server FOR EACH ROW EXECUTE FUNCTION audit.note();
ALTER TABLE ir_mail_server ENABLE REPLICA TRIGGER replica;
CREATE TRIGGER off AFTER UPDATE ON ir_mail_server FOR EACH ROW EXECUTE FUNCTION audit.note();
ALTER TABLE ir_mail_server DISABLE TRIGGER off;
CREATE TRIGGER every AFTER INSERT OR UPDATE OR DELETE ON ir_config_parameter FOR EACH STATEMENT EXECUTE FUNCTION audit.note();
CREATE CONSTRAINT TRIGGER late AFTER UPDATE OR DELETE ON res_users DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION audit.note();
CREATE RULE keep AS ON UPDATE TO res_users DO INSTEAD NOTHING;
CREATE RULE \"also\" AS ON UPDATE TO ir_mail_server DO ALSO INSERT INTO audit.seen VALUES ('rule', to_jsonb(OLD));
ALTER TABLE ir_mail_server ENABLE ALWAYS RULE \"also\";
CREATE TABLE courier (id int, year int, api_token varchar) PARTITION BY LIST (year);
CREATE TABLE courier_1 PARTITION OF courier FOR VALUES IN (1) PARTITION BY LIST (id);
CREATE TABLE courier_1_1 PARTITION OF courier_1 FOR VALUES IN (1);
CREATE TRIGGER parted AFTER UPDATE ON courier FOR EACH ROW EXECUTE FUNCTION audit.note();
ALTER TABLE courier_1_1 ENABLE ALWAYS TRIGGER parted;
CREATE TRIGGER own BEFORE UPDATE ON courier_1_1 FOR EACH ROW EXECUTE FUNCTION audit.note();
INSERT INTO courier VALUES (1, 1, 'CANARY-courier');
CREATE TABLE hub (id int PRIMARY KEY, api_token varchar);
INSERT INTO hub VALUES (1, 'CANARY-hub'), (2, 'CANARY-hidden');
ALTER TABLE hub ENABLE ROW LEVEL SECURITY;
ALTER TABLE hub FORCE ROW LEVEL SECURITY;
CREATE POLICY first ON hub USING (id = 1);
CREATE FUNCTION audit.ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO audit.seen VALUES ('ddl ' || tg_tag, NULL); END $$;
CREATE EVENT TRIGGER triggers_test_ddl ON ddl_command_start EXECUTE FUNCTION audit.ddl();
CREATE EVENT TRIGGER triggers_test_always ON ddl_command_end EXECUTE FUNCTION audit.ddl();
ALTER EVENT TRIGGER triggers_test_always ENABLE ALWAYS;
TRUNCATE audit.seen;";

/// How everything of that kind stands, the server's own triggers too.
const STATES: &str = "
SELECT string_agg(line, E'\\n' ORDER BY line COLLATE \"C\") FROM (
  SELECT concat_ws(' ', 't', tgrelid::regclass, CASE WHEN tgisinternal THEN tgfoid::regproc::text ELSE tgname END, tgenabled, tgtype) FROM pg_trigger
  UNION ALL SELECT concat_ws(' ', 'r', ev_class::regclass, rulename, ev_enabled) FROM pg_rewrite WHERE ev_class >= 16384
  UNION ALL SELECT concat_ws(' ', 'e', evtname, evtenabled) FROM pg_event_trigger
  UNION ALL SELECT concat_ws(' ', 'c', oid::regclass, relrowsecurity, relforcerowsecurity, relhastriggers, relhasrules)
    FROM pg_class WHERE relkind IN ('r', 'p') AND oid >= 16384) s (line)";

async fn seen(client: &Client) -> Option<String> {
    text(client, "SELECT string_agg(DISTINCT what, ', ') FROM audit.seen").await
}

#[tokio::test]
async fn no_code_of_the_copy_sees_or_changes_what_we_write() {
    let mut client = odoo::database("triggers", 18).await;
    client.batch_execute(CODE).await.unwrap();
    let before = text(&client, STATES).await.unwrap();
    // They do see what anybody else writes.
    client
        .batch_execute("BEGIN; UPDATE ir_mail_server SET id = id; CREATE TABLE other (); UPDATE courier SET id = 1")
        .await
        .unwrap();
    let others = seen(&client).await.unwrap();
    assert!(
        ["Al ways", "origin", "rule", "parted", "ddl CREATE TABLE"]
            .iter()
            .all(|one| others.contains(one)),
        "{others}"
    );
    client.batch_execute("ROLLBACK").await.unwrap();

    let (rules, stack) = (odoo::rules(), odoo::stack());
    let policy = Policy::default();
    sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_eq!(seen(&client).await, None);
    let verified = verify(&mut client, (), &rules, &policy, &stack).await;
    assert!(verified.is_ok(), "{:?}", verified.err().map(|refused| refused.reason));
    assert_eq!(seen(&client).await, None);
    assert_eq!(text(&client, STATES).await.unwrap(), before);
    let left = "SELECT concat_ws(' ', (SELECT count(*) FROM hub WHERE api_token LIKE 'CANARY%'),
                (SELECT count(*) FROM courier WHERE api_token LIKE 'CANARY%'),
                (SELECT count(*) FROM ir_mail_server WHERE smtp_pass LIKE 'CANARY%'))";
    assert_eq!(text(&client, left).await.unwrap(), "0 0 0");
    client
        .batch_execute("DROP EVENT TRIGGER triggers_test_ddl, triggers_test_always")
        .await
        .ok();
}

#[tokio::test]
async fn a_failure_leaves_them_as_they_were() {
    let mut client = odoo::database("triggers_fail", 18).await;
    client.batch_execute(CODE).await.unwrap();
    client
        .batch_execute("CREATE TABLE stubborn (id int REFERENCES ir_mail_server DEFERRABLE INITIALLY DEFERRED, n int)")
        .await
        .unwrap();
    client
        .batch_execute("INSERT INTO stubborn SELECT min(id) FROM ir_mail_server; TRUNCATE audit.seen")
        .await
        .unwrap();
    let before = text(&client, STATES).await.unwrap();
    let mut rules = odoo::rules();
    let breaks =
        "[[rule]]\nname = 'breaks'\nwhy = 'a test'\nmodule = 'base'\ntable = 'stubborn'\nset = { id = 987654 }\n";
    rules.extend_from(camino::Utf8Path::new("own.toml"), breaks).unwrap();
    // The foreign key is looked at in the end, though triggers were disabled.
    let error = sanitise(&mut client, &rules, &odoo::policy(), &odoo::stack())
        .await
        .unwrap_err();
    assert!(format!("{error:?}").contains("stubborn_id_fkey"), "{error:?}");
    assert_eq!(text(&client, STATES).await.unwrap(), before);
    assert_eq!(seen(&client).await, None);
    // Nothing of the session's own is left either.
    let again = server::as_admin().connect("sanitise_test_triggers_fail").await.unwrap();
    assert_eq!(text(&again, "SHOW session_replication_role").await.unwrap(), "origin");
}
