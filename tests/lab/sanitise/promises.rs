//! What sanitising promises beside the rules themselves.

use camino::Utf8Path;
use opw_task::error::Explain;
use opw_task::sanitise::{
    Allowance, Catalogue, Facts, Mail, Outcome, Policy, Refusal, RuleSet, SanitiseError, UnknownSecrets, Verdict,
    audit, preview, projection, sanitise, verify,
};
use opw_task::secret::Secret;
use pbkdf2::Pbkdf2;
use pbkdf2::mcf::PasswordHash;
use pbkdf2::password_hash::PasswordVerifier as _;
use tokio_postgres::Client;

use crate::sanitise::{odoo, server};

/// Every row of every table, to be compared.
pub(crate) async fn everything(client: &Client) -> Vec<String> {
    let tables =
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1";
    let tables = client.query(tables, &[]).await.unwrap();
    let rows = tables.iter().map(|table| table.get::<_, String>(0));
    let rows: Vec<_> = rows
        .map(|table| format!("SELECT '{table}: ' || t::text COLLATE \"C\" FROM \"{table}\" t"))
        .collect();
    let all = format!("{} ORDER BY 1", rows.join(" UNION ALL "));
    let all = client.query(&all, &[]).await.unwrap();
    all.iter().map(|row| row.get(0)).collect()
}

pub(crate) async fn text(client: &Client, select: &str) -> Option<String> {
    client.query_opt(select, &[]).await.unwrap().and_then(|row| row.get(0))
}

fn own(text: &str) -> RuleSet {
    let mut rules = odoo::rules();
    rules.extend_from(Utf8Path::new("own.toml"), text).unwrap();
    rules
}

const LINKS: &str = "
CREATE TABLE account_move (id serial PRIMARY KEY, access_token varchar);
INSERT INTO account_move (access_token) VALUES ('CANARY-link'), (NULL), ('CANARY-other');
CREATE TABLE mail_guest (id serial PRIMARY KEY, access_token varchar NOT NULL UNIQUE);
INSERT INTO mail_guest (access_token) VALUES ('CANARY-one'), ('CANARY-two');";

#[tokio::test]
async fn sanitising_twice_changes_nothing_the_second_time() {
    let mut client = odoo::database("twice", 18).await;
    client.batch_execute(LINKS).await.unwrap();
    let (rules, policy) = (odoo::rules(), Policy::default());
    let stack = Facts {
        admin_password: Some(Secret::new("for-the-admin")),
        ..odoo::stack()
    };
    let first = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    assert!(first.rows() > 100);
    assert!(first.generated_password.is_some());
    let before = everything(&client).await;
    let second = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_eq!((second.rows(), second.findings.len()), (0, 0));
    assert!(second.generated_password.is_none());
    assert_eq!(everything(&client).await, before);

    // Passwords: the administrator's is the stack's, the other's the generated one, nobody has production's.
    for (login, password) in [
        ("admin", Secret::new("for-the-admin")),
        ("ann", first.generated_password.unwrap()),
    ] {
        let hash = hash_of(&client, login).await;
        assert!(
            opens(&hash, &password) && hash.starts_with("$pbkdf2-sha512$600000$"),
            "{hash}"
        );
    }
    assert_eq!(odoo::canaries(&client).await, Vec::<String>::new());
    // What the run has hashed already need not be hashed again; a hash of another copy is none of this one's.
    for admin_hash in [
        first.admin_hash,
        Some(Secret::new("$pbkdf2-sha512$600000$c2FsdA$c3Vt")),
        None,
    ] {
        let stack = Facts {
            admin_hash,
            ..stack.clone()
        };
        assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
        assert!(opens(&hash_of(&client, "admin").await, &Secret::new("for-the-admin")));
    }
    assert_eq!(
        audit(&mut client, &rules, &policy, &stack).await.unwrap().verdict,
        Some(Verdict::Sanitised)
    );
}

async fn hash_of(client: &Client, login: &str) -> String {
    let select = format!("SELECT password FROM res_users WHERE login = '{login}'");
    text(client, &select).await.unwrap()
}

/// Whether Odoo would let this password in.
fn opens(hash: &str, password: &Secret) -> bool {
    let hash = PasswordHash::new(hash).unwrap();
    Pbkdf2::SHA512
        .verify_password(password.expose().as_bytes(), &hash)
        .is_ok()
}

#[tokio::test]
async fn a_copy_of_a_copy_gets_tokens_of_its_own() {
    let mut client = odoo::database("first_copy", 18).await;
    client.batch_execute(LINKS).await.unwrap();
    let (rules, policy, stack) = (odoo::rules(), odoo::policy(), odoo::stack());
    sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    let tokens = "SELECT string_agg(access_token, ' ' ORDER BY id) FROM account_move";
    let ours = text(&client, tokens).await.unwrap();
    drop(client);
    let mut copy = server::copy("first_copy", "second_copy").await;
    assert_eq!(text(&copy, tokens).await.unwrap(), ours);
    sanitise(&mut copy, &rules, &policy, &stack).await.unwrap();
    assert_ne!(text(&copy, tokens).await.unwrap(), ours);
}

#[tokio::test]
async fn a_failing_rule_names_itself_and_leaves_nothing_changed() {
    let mut client = odoo::database("failing", 18).await;
    client
        .batch_execute("CREATE TABLE bay (id serial PRIMARY KEY, size int CONSTRAINT bay_size CHECK (size > 0)); INSERT INTO bay (size) VALUES (4)")
        .await
        .unwrap();
    let rules =
        own("[[rule]]\nname = \"bays\"\nwhy = \"A test\"\nmodule = \"dock\"\ntable = \"bay\"\nset = { size = 0 }\n");
    let before = everything(&client).await;
    let error = sanitise(&mut client, &rules, &odoo::policy(), &odoo::stack())
        .await
        .unwrap_err();
    assert_eq!(everything(&client).await, before);
    let told = error.explain();
    assert_eq!(told.title, "sanitise rule `bays` failed on table `bay`");
    assert!(told.evidence.iter().any(|line| line.contains("bay_size")), "{told:?}");
}

const UNLISTED: &str = r#"
CREATE TABLE courier (id serial PRIMARY KEY, api_token varchar, secret_box jsonb, key_pair_secret bytea,
  partner_secret varchar NOT NULL UNIQUE, webhook_type varchar, notes text, settings jsonb);
INSERT INTO courier (api_token, secret_box, key_pair_secret, partner_secret, webhook_type, notes, settings) VALUES
  ('CANARY-a', '{"k": "CANARY-b"}', 'CANARY-c', 'CANARY-d', 'push',
   'call us, or use https://shop:CANARYpassword@ftp.courier.example/in every day',
   '{"auth": "sk_live_CANARY0123456789abcdefg", "lang": "en"}'),
  (NULL, NULL, NULL, 'CANARY-e', 'pull', 'nothing of interest', '{}');
INSERT INTO ir_config_parameter (key, value) VALUES
  ('courier.bearer', 'CANARY-f'), ('courier.blob', 'CANARYx9Kq2vB7nM4tR8wZ1cY5'), ('courier.depots', 'north,south');
"#;

#[tokio::test]
async fn credentials_that_no_rule_names_are_cleared_and_listed() {
    let mut client = odoo::database("unlisted", 18).await;
    client.batch_execute(UNLISTED).await.unwrap();
    let (rules, policy, stack) = (odoo::rules(), odoo::policy(), odoo::stack());
    let report = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    let found: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
    for (at, what) in [
        ("courier.api_token", 1),
        ("courier.secret_box", 1),
        ("courier.key_pair_secret", 1),
        ("courier.partner_secret", 2),
        ("courier.notes", 1),
        ("courier.settings", 1),
        ("ir_config_parameter.courier.bearer", 1),
        ("ir_config_parameter.courier.blob", 1),
    ] {
        assert!(
            found.iter().any(|line| line.starts_with(&format!("{at}: {what} "))),
            "{at} in {found:#?}"
        );
    }
    assert!(!report.to_markdown().contains("CANARY"));
    let left: Vec<_> = odoo::canaries(&client)
        .await
        .into_iter()
        .filter(|row| !row.starts_with("res_users:"))
        .collect();
    assert!(left.is_empty(), "{left:#?}");
    let kept = "SELECT webhook_type || (settings ->> 'lang') || (notes LIKE 'call us, or use [removed%every day')::text FROM courier WHERE id = 1";
    assert_eq!(text(&client, kept).await.unwrap(), "pushentrue");
    assert_eq!(
        text(
            &client,
            "SELECT value FROM ir_config_parameter WHERE key = 'courier.depots'"
        )
        .await
        .unwrap(),
        "north,south"
    );
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
}

#[tokio::test]
async fn unknown_credentials_can_fail_be_reported_or_be_allowed() {
    let mut client = odoo::database("choices", 18).await;
    client.batch_execute(UNLISTED).await.unwrap();
    let (rules, stack) = (odoo::rules(), odoo::stack());
    let before = everything(&client).await;
    let fail = Policy {
        unknown_secrets: UnknownSecrets::Fail,
        ..odoo::policy()
    };
    let error = sanitise(&mut client, &rules, &fail, &stack).await.unwrap_err();
    assert!(
        matches!(&error, SanitiseError::Unknown { findings } if findings.len() == 8),
        "{error:?}"
    );
    assert_eq!(everything(&client).await, before);

    let only_report = Policy {
        unknown_secrets: UnknownSecrets::Report,
        ..odoo::policy()
    };
    let refused = verify(&mut client, "the copy", &rules, &only_report, &stack)
        .await
        .unwrap_err();
    assert_eq!(refused.database, "the copy");
    let Refusal::Verdict(report) = refused.reason else {
        unreachable!()
    };
    assert_eq!(report.verdict, Some(Verdict::Partial));

    let reason = "a sandbox's";
    let allow = Allowance {
        table: "courier".to_owned(),
        column: "api_token".to_owned(),
        reason: reason.to_owned(),
    };
    let allowing = Policy {
        allow: vec![allow],
        ..odoo::policy()
    };
    let proof = verify(&mut client, (), &rules, &allowing, &stack).await.unwrap();
    assert!(
        proof
            .report()
            .findings
            .iter()
            .any(|finding| finding.outcome == Outcome::Allowed(reason.to_owned()))
    );
    assert_eq!(
        text(&client, "SELECT api_token FROM courier WHERE id = 1")
            .await
            .unwrap(),
        "CANARY-a"
    );
}

#[tokio::test]
async fn every_known_format_is_found() {
    let mut client = odoo::database("formats", 18).await;
    client
        .batch_execute("CREATE TABLE note (id serial PRIMARY KEY, body text)")
        .await
        .unwrap();
    let formats: toml::Table = toml::from_str(include_str!("../../../src/sanitise/formats.toml")).unwrap();
    let mut samples = 0;
    for format in formats["format"].as_array().unwrap() {
        for sample in format["samples"].as_array().unwrap() {
            let body = format!("before {} after", sample.as_str().unwrap());
            client
                .execute("INSERT INTO note (body) VALUES ($1)", &[&body])
                .await
                .unwrap();
            samples += 1;
        }
    }
    sanitise(&mut client, &odoo::rules(), &odoo::policy(), &odoo::stack())
        .await
        .unwrap();
    let cleaned = "SELECT count(*)::text FROM note WHERE body ~ '^before .*\\[removed: '";
    let missed = "SELECT string_agg(body, E'\\n') FROM note WHERE body !~ 'removed'";
    assert_eq!(
        text(&client, cleaned).await.unwrap(),
        samples.to_string(),
        "{:?}",
        text(&client, missed).await
    );
}

#[tokio::test]
async fn canaries_are_found_in_partitions_and_in_more_rows_than_can_be_named() {
    let mut client = odoo::database("many", 18).await;
    client
        .batch_execute(
            "CREATE TABLE note_log (id serial, year int, body text) PARTITION BY LIST (year);
             CREATE TABLE note_log_2024 PARTITION OF note_log FOR VALUES IN (2024);
             CREATE TABLE note_log_2025 PARTITION OF note_log FOR VALUES IN (2025);
             INSERT INTO note_log (year, body) VALUES (2024, 'nothing'), (2025, 'use ghp_CANARY0123456789abcdefghijABCDEFGHIJ');
             CREATE TABLE note (id serial PRIMARY KEY, body jsonb);
             INSERT INTO note (body) SELECT jsonb_build_object('en_US', 'use ghp_CANARY0123456789abcdefghijABCDEFGHIJ ' || i)
               FROM generate_series(1, 6000) AS i",
        )
        .await
        .unwrap();
    let report = sanitise(&mut client, &odoo::rules(), &odoo::policy(), &odoo::stack())
        .await
        .unwrap();
    let found = |table: &str| {
        report
            .findings
            .iter()
            .filter(|one| one.table == table)
            .map(|one| one.count)
            .sum::<i64>()
    };
    assert_eq!((found("note_log"), found("note")), (1, 6000));
    let left = "SELECT ((SELECT count(*) FROM note WHERE body::text LIKE '%CANARY%') + (SELECT count(*) FROM note_log WHERE body LIKE '%CANARY%'))::text";
    assert_eq!(text(&client, left).await.unwrap(), "0");
}

#[tokio::test]
async fn parameters_of_the_project_are_bound_and_guarded() {
    let mut client = odoo::database("parameters", 19).await;
    // Odoo 19.1 and later: typed, and the value may be NULL.
    client
        .batch_execute(
            "ALTER TABLE ir_config_parameter ADD COLUMN type varchar NOT NULL DEFAULT 'str';
             ALTER TABLE ir_config_parameter ALTER COLUMN type DROP DEFAULT, ALTER COLUMN value DROP NOT NULL;
             INSERT INTO ir_config_parameter (key, value, type) VALUES
               ('shop.token', 'CANARY-token', 'str'), ('shop.version', '3', 'int'), ('web.base.url.freeze', 'False', 'bool');",
        )
        .await
        .unwrap();
    let with = |token: &str| Policy {
        parameters: [
            ("shop.token", token),
            ("shop.version", "2025-07"),
            ("shop.key", "it's; DROP TABLE res_users"),
        ]
        .map(|(key, value)| (key.to_owned(), Secret::new(value)))
        .into(),
        production_indicators: vec!["live-shop".to_owned()],
        ..odoo::policy()
    };
    let (rules, stack) = (odoo::rules(), odoo::stack());
    let before = everything(&client).await;
    let error = sanitise(&mut client, &rules, &with("my-LIVE-shop-token"), &stack)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, SanitiseError::Production { key, .. } if key == "shop.token"),
        "{error:?}"
    );
    assert_eq!(everything(&client).await, before);

    let script: String = preview(&mut client, &rules, &with("test-token"), &stack)
        .await
        .unwrap()
        .iter()
        .map(|one| one.to_script())
        .collect();
    assert!(
        script.contains("-- jobs-off (base): A scheduled job")
            && !script.contains("test-token")
            && !script.contains("$1")
    );

    sanitise(&mut client, &rules, &with("test-token"), &stack)
        .await
        .unwrap();
    let all = "SELECT string_agg(key || '=' || value || ':' || type, ' ' ORDER BY key) FROM ir_config_parameter WHERE key LIKE 'shop.%' OR key LIKE '%freeze'";
    let expected = "shop.key=it's; DROP TABLE res_users:str shop.token=test-token:str shop.version=2025-07:str web.base.url.freeze=True:bool";
    assert_eq!(text(&client, all).await.unwrap(), expected);

    // No test account in this environment: production's must not stay.
    sanitise(&mut client, &rules, &with(""), &stack).await.unwrap();
    assert_eq!(
        text(
            &client,
            "SELECT value FROM ir_config_parameter WHERE key = 'shop.token'"
        )
        .await,
        None
    );
}

#[tokio::test]
async fn what_a_module_update_brings_back_is_treated_again() {
    let mut client = odoo::database("update", 18).await;
    let (rules, stack) = (odoo::rules(), odoo::stack());
    let policy = Policy {
        mail: Mail::Catcher {
            host: "mailpit".to_owned(),
            port: 1025,
        },
        ..odoo::policy()
    };
    sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    client
        .batch_execute("UPDATE ir_cron SET active = true; INSERT INTO ir_config_parameter (key, value) VALUES ('new.api_key', 'CANARY')")
        .await
        .unwrap();
    assert_eq!(
        audit(&mut client, &rules, &policy, &stack).await.unwrap().verdict,
        Some(Verdict::NotSanitised)
    );
    let proof = verify(&mut client, 7, &rules, &policy, &stack).await.unwrap();
    assert_eq!(proof.into_database(), 7);
    let crons = "SELECT string_agg(cron_name, ', ') FROM ir_cron WHERE active";
    assert_eq!(text(&client, crons).await.unwrap(), "Base: auto-vacuum");
    let servers = "SELECT string_agg(smtp_host || ':' || smtp_port, ', ') FROM ir_mail_server WHERE active";
    assert_eq!(text(&client, servers).await.unwrap(), "mailpit:1025");
}

#[tokio::test]
async fn a_surface_that_does_not_hold_is_named() {
    let mut client = odoo::database("stubborn", 18).await;
    client.batch_execute("DELETE FROM res_lang").await.unwrap();
    // Its statement finds nothing to do: only reading again sees the row.
    let rules = own(
        "[[rule]]\nname = 'blind'\nwhy = 'a test'\nmodule = 'base'\ntable = 'ir_cron'\nset = { active = false }\n\
         where-sql = \"current_setting('transaction_read_only') = 'on'\"\n",
    );
    let refused = verify(&mut client, (), &rules, &odoo::policy(), &odoo::stack())
        .await
        .unwrap_err();
    let told = refused.reason.explain();
    assert_eq!(told.title, "the copy is NOT SANITISED");
    assert!(
        told.evidence
            .contains(&"rule `blind` does not hold for 1 rows of `ir_cron`".to_owned()),
        "{told:?}"
    );
    assert!(told.evidence.contains(&"there is no language".to_owned()), "{told:?}");
}

#[tokio::test]
async fn a_database_without_odoo_is_refused() {
    let mut client = server::database("empty").await;
    let error = sanitise(&mut client, &odoo::rules(), &odoo::policy(), &odoo::stack())
        .await
        .unwrap_err();
    assert!(matches!(error, SanitiseError::NotOdoo { .. }));
}

#[tokio::test]
async fn what_a_copier_selects_is_what_sanitising_would_have_written() {
    let client = odoo::database("projection", 18).await;
    let (rules, policy) = (odoo::rules(), odoo::policy());
    let catalogue = Catalogue::read(&client).await.unwrap();
    let select = |table: &str| {
        let projection = projection(&catalogue, &rules, &policy, table).unwrap();
        let columns = catalogue.table(table).unwrap().columns.keys();
        let columns: Vec<_> = columns
            .map(|name| {
                projection
                    .columns
                    .get(name)
                    .map_or_else(|| name.clone(), |expression| format!("{expression} AS {name}"))
            })
            .collect();
        let skip: String = projection
            .skip
            .iter()
            .map(|condition| format!(" AND NOT ({condition})"))
            .collect();
        format!("SELECT {} FROM {table} WHERE true{skip}", columns.join(", "))
    };
    let mut expected = Vec::new();
    for table in [
        "payment_provider",
        "res_company",
        "website",
        "delivery_carrier",
        "mail_push",
    ] {
        let copied = client
            .query(&format!("SELECT t::text FROM ({}) t ORDER BY 1", select(table)), &[])
            .await
            .unwrap();
        expected.push((
            table,
            copied.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>(),
        ));
    }
    let mut client = client;
    sanitise(&mut client, &rules, &policy, &odoo::stack()).await.unwrap();
    for (table, copied) in expected {
        let columns: Vec<_> = catalogue.table(table).unwrap().columns.keys().cloned().collect();
        let select = format!(
            "SELECT t::text FROM (SELECT {} FROM {table}) t ORDER BY 1",
            columns.join(", ")
        );
        let written = client.query(&select, &[]).await.unwrap();
        assert_eq!(
            copied,
            written.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>(),
            "{table}"
        );
    }
}
