//! Modules' own `data/neutralize.sql`: they run, with no rights but to change data, and rules have the last word.

use opw_task::error::{ExitCode, Explain};
use opw_task::sanitise::{Facts, ModuleFile, Policy, SanitiseError, sanitise, verify};
use tokio_postgres::Client;

use crate::sanitise::odoo;
use crate::sanitise::promises::{everything, text};

const DOCK: &str = "
INSERT INTO ir_module_module (name, state) VALUES ('dock', 'installed');
CREATE TABLE dock_gate (id serial PRIMARY KEY, address varchar);
INSERT INTO dock_gate (address) VALUES ('gate.yard.example'), ('other.yard.example');
CREATE TABLE dock_call (id serial PRIMARY KEY);
INSERT INTO dock_call DEFAULT VALUES;
CREATE FUNCTION open_the_gate() RETURNS varchar LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DROP TABLE dock_call'; RETURN ''; END $$;";

async fn database(name: &str) -> Client {
    let client = odoo::database(name, 18).await;
    let role = "DO $$ BEGIN CREATE ROLE opw_task_neutralise NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
    client.batch_execute(role).await.unwrap();
    client.batch_execute(DOCK).await.unwrap();
    client
}

fn with(sql: &str) -> Facts {
    Facts {
        module_files: vec![ModuleFile {
            module: "dock".into(),
            path: "/volumes/addons/dock/data/neutralize.sql".into(),
            sql: sql.into(),
        }],
        ..odoo::stack()
    }
}

#[tokio::test]
async fn files_change_data_and_rules_have_the_last_word() {
    let mut client = database("files").await;
    let facts = with(
        "-- no gate opens\nUPDATE dock_gate SET address = 'gate.invalid' WHERE address <> 'gate.invalid';\nTRUNCATE dock_call;\n\
         UPDATE ir_cron SET active = true;",
    );
    let (rules, policy) = (odoo::rules(), odoo::policy());
    let report = sanitise(&mut client, &rules, &policy, &facts).await.unwrap();
    let dock = report.modules.iter().find(|module| module.module == "dock").unwrap();
    assert_eq!(dock.rules[0].rule, "data/neutralize.sql");
    assert!(
        report
            .to_markdown()
            .contains("/volumes/addons/dock/data/neutralize.sql")
    );
    let seen = "SELECT string_agg(address, ' ') || (SELECT count(*) FROM dock_call) || (SELECT count(*) FROM ir_cron WHERE active) FROM dock_gate";
    assert_eq!(text(&client, seen).await.unwrap(), "gate.invalid gate.invalid01");
    let rights = "SELECT bool_or(has_table_privilege('opw_task_neutralise', oid, 'SELECT, UPDATE'))::text FROM pg_class \
                  WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    assert_eq!(text(&client, rights).await.unwrap(), "false");
    assert!(verify(&mut client, (), &rules, &policy, &facts).await.is_ok());
}

#[tokio::test]
async fn a_file_that_does_more_is_refused_before_anything_runs() {
    let mut client = database("files_refused").await;
    let facts = with("UPDATE dock_gate SET address = NULL;\n\nDROP TABLE dock_call;");
    let before = everything(&client).await;
    let error = sanitise(&mut client, &odoo::rules(), &odoo::policy(), &facts)
        .await
        .unwrap_err();
    let told = error.explain();
    assert_eq!(told.exit, ExitCode::Refused);
    assert_eq!(
        told.title,
        "/volumes/addons/dock/data/neutralize.sql:3: DROP is refused in the neutralize.sql of module `dock`"
    );
    assert_eq!(everything(&client).await, before);

    let skipping = Policy {
        skip_module_files: vec!["dock".into()],
        ..odoo::policy()
    };
    sanitise(&mut client, &odoo::rules(), &skipping, &facts).await.unwrap();
}

#[tokio::test]
async fn a_file_cannot_do_more_by_a_function_either_and_leaves_nothing_when_it_fails() {
    let mut client = database("files_failed").await;
    let before = everything(&client).await;
    for (sql, line, said) in [
        (
            "DELETE FROM dock_call;\nUPDATE dock_gate SET address = open_the_gate();",
            2,
            "must be owner",
        ),
        ("UPDATE dock_gate SET port = 1", 1, "column \"port\""),
        (
            "WITH a AS (SELECT pg_read_file('/etc/hostname')) UPDATE dock_gate SET address = (TABLE a)",
            1,
            "permission denied",
        ),
    ] {
        let error = sanitise(&mut client, &odoo::rules(), &odoo::policy(), &with(sql))
            .await
            .unwrap_err();
        assert!(
            matches!(&error, SanitiseError::File { line: at, .. } if *at == line),
            "{error:?}"
        );
        assert!(error.explain().evidence[0].contains(said), "{:?}", error.explain());
        assert_eq!(everything(&client).await, before);
    }
}
