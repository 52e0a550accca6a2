//! Credentials under keys of JSON, where a column or its table is known to hold credentials.

use opw_task::sanitise::{Outcome, Verdict, audit, sanitise, verify};

use crate::sanitise::look::{allow, assert_found, dump, no_canary};
use crate::sanitise::odoo;
use crate::sanitise::promises::{everything, text};

const JOBS: &str = r#"
CREATE TABLE queue_job (id serial PRIMARY KEY, uuid varchar, name varchar, func_string varchar, args text, kwargs text, records text,
  result text, exc_info text, exc_message varchar, state varchar);
INSERT INTO queue_job (name, func_string, args, kwargs, exc_info, exc_message, state) VALUES
  ('export', 'shop.backend(1,).export(2, password=''CANARY'')', '[7, {"auth": {"api_key": "CANARY", "shop": 7}}, "2024-01-01"]',
   '{"token": "CANARY", "with": {"deep": [{"clientSecret": "CANARY \"quoted\" \\", "page": 1.50}]},
     "body": "{\"password\": \"CANARY\", \"lines\": [1]}", "record": {"_type": "odoo_recordset", "model": "shop.backend", "ids": [1]}}',
   E'Traceback (most recent call last):\n  File "x.py", line 3, in call\n    session.post(url, auth_token=''CANARY'', timeout=3)\nrequests.HTTPError: 401 for https://shop.example/x?access_token=CANARY&page=2 with {''secret'': "CANARY", ''n'': 1}',
   'refused: {"refresh_token": "CANARY"}', 'failed'),
  ('plain', NULL, '[]', '{"a": null}', NULL, NULL, 'done');"#;

#[tokio::test]
async fn jobs_of_the_queue_stay_loadable_and_tell_no_credential() {
    let mut client = odoo::database("jobs", 18).await;
    client.batch_execute(JOBS).await.unwrap();
    let (rules, policy, stack) = (odoo::rules(), odoo::policy(), odoo::stack());
    let report = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    let job = text(&client, "SELECT t::text FROM queue_job t WHERE id = 1")
        .await
        .unwrap();
    assert!(!job.contains("CANARY"), "{job}");
    let told = report.to_markdown();
    assert!(
        told.contains("queued-job-arguments") && !told.contains("CANARY"),
        "{told}"
    );
    let args: serde_json::Value =
        serde_json::from_str(&text(&client, "SELECT args FROM queue_job WHERE id = 1").await.unwrap()).unwrap();
    assert_eq!(
        args,
        serde_json::json!([7, {"auth": {"api_key": "", "shop": 7}}, "2024-01-01"])
    );
    let kwargs = text(&client, "SELECT kwargs FROM queue_job WHERE id = 1")
        .await
        .unwrap();
    assert!(
        kwargs.contains("\"page\": 1.50}") && kwargs.contains("\n     \"body\""),
        "{kwargs}"
    );
    let kwargs: serde_json::Value = serde_json::from_str(&kwargs).unwrap();
    assert_eq!(
        kwargs,
        serde_json::json!({"token": "", "with": {"deep": [{"clientSecret": "", "page": 1.5}]},
            "body": "{\"password\": \"\", \"lines\": [1]}",
            "record": {"_type": "odoo_recordset", "model": "shop.backend", "ids": [1]}})
    );
    let trace = text(&client, "SELECT exc_info FROM queue_job WHERE id = 1")
        .await
        .unwrap();
    assert!(
        trace.contains("auth_token='', timeout=3")
            && trace.contains("?access_token=&page=2 with {'secret': \"\", 'n': 1}"),
        "{trace}"
    );
    assert_eq!(
        text(&client, "SELECT kwargs FROM queue_job WHERE id = 2")
            .await
            .unwrap(),
        "{\"a\": null}"
    );

    let before = everything(&client).await;
    let second = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_eq!((second.rows(), second.findings.len()), (0, 0));
    assert_eq!(everything(&client).await, before);
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
    // A job of production that comes back is seen; reading it changes nothing.
    client
        .batch_execute("UPDATE queue_job SET kwargs = '{\"token\": \"CANARY\"}' WHERE id = 2")
        .await
        .unwrap();
    let report = audit(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_eq!(report.verdict, Some(Verdict::NotSanitised));
    assert!(
        report
            .remainders
            .iter()
            .any(|one| one.rule == "queued-job-arguments" && one.rows == 1),
        "{report:#?}"
    );
}

#[tokio::test]
async fn settings_in_json_lose_their_credentials_and_nothing_else() {
    let mut client = odoo::database("json_settings", 18).await;
    client
        .batch_execute(
            r#"CREATE EXTENSION hstore;
             ALTER TABLE ir_mail_server ADD COLUMN server_env_defaults text;
             UPDATE ir_mail_server SET server_env_defaults = '{"x_smtp_host_env_default": "relay", "x_smtp_pass_env_default": "CANARY"}';
             CREATE TABLE depot_backend (id serial PRIMARY KEY, api_token varchar, state jsonb, extra json, facts hstore, provider_settings text, note text);
             INSERT INTO depot_backend (state, extra, facts, provider_settings, note) VALUES (
               '{"oauth": {"refresh_token": "CANARY", "expires": 3600}, "password": "CANARY"}', '{"b": 1, "a": {"pin": 1234, "x": "CANARY"}, "secret": ["CANARY"]}',
               '"password"=>"CANARY", "colour"=>"red"', '{"headers": [{"name": "X-Api-Key", "value": "CANARY"}, {"name": "Accept", "value": "text"}]}', 'a note');
             UPDATE depot_backend SET extra = '{"b": 1, "a": {"pin": 1234, "x": "stays"}, "secret": ["CANARY"]}';
             CREATE TABLE depot_page (id serial PRIMARY KEY, visibility_password varchar, arch jsonb);
             INSERT INTO depot_page (arch) VALUES ('{"en_US": "<field name=\"pin\" password=\"True\"/> {''token'': ''x''}"}');
             CREATE TABLE depot_log (id serial PRIMARY KEY, line jsonb);
             INSERT INTO depot_log (line) VALUES ('{"password": "of a table that holds no credential"}');
             INSERT INTO ir_config_parameter (key, value) VALUES ('depot.gateway', '{"url": "https://gate.example", "client": {"secret": "CANARY"}}'),
               ('depot.hook', 'https://gate.example/in?api_key=CANARY&lane=2'), ('depot.lanes', '{"north": 1}');
             CREATE TABLE depot_part (id int, options text) PARTITION BY LIST (id);
             CREATE TABLE depot_part_1 PARTITION OF depot_part FOR VALUES IN (1); CREATE TABLE depot_part_2 PARTITION OF depot_part FOR VALUES IN (2);
             INSERT INTO depot_part VALUES (1, '{"secret": "CANARY", "n": 1}'), (2, '{"secret": "CANARY", "n": 2}');"#,
        )
        .await
        .unwrap();
    let (rules, policy, stack) = (odoo::rules(), odoo::policy(), odoo::stack());
    let report = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_found(
        &report,
        &[
            "depot_backend.state: 1 row, by a key in its text: cleared",
            "depot_backend.extra: 1 row, by a key in its text: cleared",
            "depot_backend.facts: 1 row, by a key in its text: cleared",
            "depot_backend.provider_settings: 1 row, by a key in its text: cleared",
            "depot_part.options: 2 rows, by a key in its text: cleared",
            "ir_config_parameter.depot.gateway: 1 row, by a key in its text: cleared",
            "ir_config_parameter.depot.hook: 1 row, by a key in its text: cleared",
        ],
    );
    let rows = dump(&client).await;
    no_canary(
        &rows
            .lines()
            .filter(|line| line.contains("depot") || line.contains("ir_mail_server"))
            .collect::<Vec<_>>()
            .join("\n"),
    );
    for (select, expected) in [
        (
            "SELECT server_env_defaults FROM ir_mail_server WHERE server_env_defaults IS NOT NULL ORDER BY id LIMIT 1",
            r#"{"x_smtp_host_env_default": "relay", "x_smtp_pass_env_default": ""}"#,
        ),
        (
            "SELECT state::text FROM depot_backend",
            r#"{"oauth": {"expires": 3600, "refresh_token": ""}, "password": ""}"#,
        ),
        (
            "SELECT extra::text FROM depot_backend",
            r#"{"b": 1, "a": {"pin": null, "x": "stays"}, "secret": [""]}"#,
        ),
        ("SELECT facts -> 'colour' FROM depot_backend", "red"),
        (
            "SELECT provider_settings FROM depot_backend",
            r#"{"headers": [{"name": "X-Api-Key", "value": ""}, {"name": "Accept", "value": "text"}]}"#,
        ),
        (
            "SELECT string_agg(options, ' ' ORDER BY id) FROM depot_part",
            r#"{"secret": "", "n": 1} {"secret": "", "n": 2}"#,
        ),
        (
            "SELECT value FROM ir_config_parameter WHERE key = 'depot.gateway'",
            r#"{"url": "https://gate.example", "client": {"secret": ""}}"#,
        ),
        (
            "SELECT value FROM ir_config_parameter WHERE key = 'depot.hook'",
            "https://gate.example/in?api_key=&lane=2",
        ),
        (
            "SELECT value FROM ir_config_parameter WHERE key = 'depot.lanes'",
            r#"{"north": 1}"#,
        ),
        (
            "SELECT arch ->> 'en_US' FROM depot_page",
            r#"<field name="pin" password="True"/> {'token': 'x'}"#,
        ),
        (
            "SELECT line ->> 'password' FROM depot_log",
            "of a table that holds no credential",
        ),
    ] {
        assert_eq!(text(&client, select).await.unwrap(), expected, "{select}");
    }
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
    let second = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_eq!((second.rows(), second.findings.len()), (0, 0), "{:#?}", second.findings);
}

#[tokio::test]
async fn rules_of_a_project_name_columns_with_json_and_more_keys() {
    let mut client = odoo::database("json_rules", 18).await;
    client
        .batch_execute(
            r#"CREATE TABLE bucket (id serial PRIMARY KEY, kind varchar, body text, plan jsonb);
               INSERT INTO bucket (kind, body, plan) VALUES ('s3', '{"key": "CANARY", "secret": "CANARY", "endpoint_url": "x"}', '{"password": "CANARY"}'),
                 ('local', '{"key": "stays"}', NULL);
               INSERT INTO bucket (kind, body) SELECT 's3', '{"key": "CANARY"}' FROM generate_series(1, 1200);"#,
        )
        .await
        .unwrap();
    let mut rules = odoo::rules();
    let own = "[[rule]]\nname = 'buckets'\nwhy = 'A test'\nmodule = 'bucket'\ntable = 'bucket'\njson = { body = ['key'], plan = [] }\nwhere = { kind = 's3' }\n";
    rules.extend_from("own.toml".into(), own).unwrap();
    let mut policy = odoo::policy();
    policy.allow = vec![allow("bucket", "body")];
    let stack = odoo::stack();
    let report = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    let rows: u64 = report
        .modules
        .iter()
        .filter(|one| one.module == "bucket")
        .flat_map(|one| &one.rules)
        .map(|one| one.rows)
        .sum();
    assert_eq!(rows, 1201);
    assert!(
        report
            .findings
            .iter()
            .all(|one| one.table != "bucket" || one.outcome == Outcome::Cleared),
        "{:#?}",
        report.findings
    );
    let seen = "SELECT string_agg(body || coalesce(plan::text, ''), ' ' ORDER BY id) FROM bucket WHERE id < 3";
    let expected = r#"{"key": "", "secret": "", "endpoint_url": "x"}{"password": ""} {"key": "stays"}"#;
    assert_eq!(text(&client, seen).await.unwrap(), expected);
    let left = "SELECT count(*)::text FROM bucket WHERE body LIKE '%CANARY%'";
    assert_eq!(text(&client, left).await.unwrap(), "0");
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
    let error = rules.extend_from(
        "own.toml".into(),
        "[[rule]]\nname = 'b'\nwhy = 'A test'\nmodule = 'b'\ntable = 'b'\njson = ['c']\nclear = ['d']\n",
    );
    assert!(error.unwrap_err().to_string().contains("several things"));
}
