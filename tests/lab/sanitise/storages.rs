//! Files outside of the filestore: their storages become the copy's own, and they are counted until somebody allows it.

use opw_task::sanitise::{Policy, Refusal, Report, Verdict, audit, sanitise, verify};
use opw_task::secret::Secret;
use tokio_postgres::Client;

use crate::sanitise::look::{allow, assert_found, dump, found, no_canary};
use crate::sanitise::odoo;
use crate::sanitise::promises::text;

const ATTACHMENTS: &str = "
CREATE TABLE IF NOT EXISTS ir_attachment (id serial PRIMARY KEY, name varchar);
ALTER TABLE ir_attachment ADD COLUMN IF NOT EXISTS type varchar, ADD COLUMN IF NOT EXISTS store_fname varchar,
  ADD COLUMN IF NOT EXISTS db_datas bytea, ADD COLUMN IF NOT EXISTS url varchar, ADD COLUMN IF NOT EXISTS create_date timestamp;
INSERT INTO ir_attachment (name, type, store_fname, url, db_datas) VALUES
  ('here.pdf', 'binary', 'ab/abcdef0123456789abcdef0123456789abcdef01', NULL, NULL),
  ('in the database', 'binary', NULL, NULL, 'abc'), ('odd', 'own', NULL, NULL, 'abc'),
  ('style.css', 'url', NULL, '/web/assets/style.css', NULL), ('film', 'url', NULL, 'https://films.example/s3.amazonaws.com', NULL);";

async fn left(client: &mut Client, policy: &Policy) -> Report {
    let (rules, stack) = (odoo::rules(), odoo::stack());
    sanitise(client, &rules, policy, &stack).await.unwrap();
    match verify(client, (), &rules, policy, &stack).await {
        Ok(sanitised) => sanitised.report().clone(),
        Err(refused) => match refused.reason {
            Refusal::Verdict(report) => *report,
            other => unreachable!("{other:?}"),
        },
    }
}

fn elsewhere(report: &Report) -> Vec<String> {
    let lines = found(report).into_iter();
    lines.filter(|line| line.contains("outside of the filestore")).collect()
}

#[tokio::test]
async fn files_elsewhere_are_counted_by_storage_until_they_are_allowed() {
    let mut client = odoo::database("storages", 18).await;
    client.batch_execute(ATTACHMENTS).await.unwrap();
    assert_eq!(elsewhere(&left(&mut client, &odoo::policy()).await), [] as [String; 0]);
    client
        .batch_execute(
            "INSERT INTO ir_attachment (name, type, store_fname, url) VALUES
               ('a', 'binary', 's3://bucket/ab/cd', NULL), ('b', 'binary', 's3://bucket/ef', NULL), ('c', 'binary', 'gdrive:1a2b', NULL),
               ('d', 'cloud_storage', NULL, 'https://shop.blob.core.windows.net/odoo/1/x/d'),
               ('e', 'url', NULL, 'https://me@Shop.s3.eu-west-1.amazonaws.com:443/e?x=1'),
               ('f', 'url', NULL, 'https://storage.googleapis.com/shop/f')",
        )
        .await
        .unwrap();
    let report = left(&mut client, &odoo::policy()).await;
    assert_eq!(report.verdict, Some(Verdict::Partial));
    let why = "kept outside of the filestore: left, the files did not come with the copy";
    let expected = [
        ("cloud_storage", "1 row"),
        ("gdrive:", "1 row"),
        ("s3://", "2 rows"),
        ("shop.s3.eu-west-1.amazonaws.com", "1 row"),
        ("storage.googleapis.com", "1 row"),
    ];
    let lines = expected.map(|(storage, rows)| format!("ir_attachment.{storage}: {rows}, {why}"));
    assert_eq!(elsewhere(&report), lines);

    let mut allowing = Policy {
        allow: expected[1..]
            .iter()
            .map(|(storage, _)| allow("ir_attachment", storage))
            .collect(),
        ..odoo::policy()
    };
    assert_eq!(left(&mut client, &allowing).await.verdict, Some(Verdict::Partial));
    allowing.allow.push(allow("ir_attachment", "cloud_storage"));
    let report = left(&mut client, &allowing).await;
    assert_eq!(report.verdict, Some(Verdict::Sanitised));
    assert_found(
        &report,
        &["ir_attachment.s3://: 2 rows, kept outside of the filestore: allowed, a test"],
    );
}

#[tokio::test]
async fn oca_s_storages_become_the_copy_s_own() {
    let mut client = odoo::database("storages_oca", 17).await;
    client.batch_execute(ATTACHMENTS).await.unwrap();
    client
        .batch_execute(
            r#"
            CREATE TABLE fs_storage (id serial PRIMARY KEY, name varchar, code varchar, protocol varchar NOT NULL, options text NOT NULL,
              directory_path varchar, autovacuum_gc boolean);
            INSERT INTO fs_storage (name, code, protocol, options, directory_path, autovacuum_gc) VALUES
              ('a', 'far', 'sftp', '{"host": "CANARY.example", "ssh_kwargs": {"password": "CANARY"}}', 'CANARY', true),
              ('b', 'mount', 'file', '{"auto_mkdir": true}', '/mnt/CANARY', true), ('c', 'near', 'odoofs', '{}', 'kept', true);
            CREATE TABLE fs_file_gc (id serial PRIMARY KEY, store_fname varchar, fs_storage_code varchar, create_date timestamp);
            INSERT INTO fs_file_gc (store_fname, fs_storage_code) VALUES ('far://CANARY', 'far');
            CREATE TABLE storage_backend (id serial PRIMARY KEY, name varchar, backend_type varchar NOT NULL, directory_path varchar,
              sftp_server varchar, sftp_login varchar, sftp_password varchar, sftp_ssh_private_key text, aws_host varchar, aws_bucket varchar,
              served_by varchar NOT NULL, base_url varchar);
            INSERT INTO storage_backend (name, backend_type, directory_path, sftp_server, sftp_login, sftp_password, aws_bucket, served_by, base_url) VALUES
              ('images', 'sftp', 'CANARY', 'CANARY.example', 'CANARY', 'CANARY', NULL, 'external', 'https://CANARY.example'),
              ('here', 'filesystem', 'kept', NULL, NULL, NULL, NULL, 'odoo', NULL);
            CREATE TABLE storage_file (id serial PRIMARY KEY, name varchar, backend_id int, relative_path varchar, to_delete boolean);
            INSERT INTO storage_file (name, backend_id, to_delete) VALUES ('a', 1, true), ('b', 1, false), ('c', 2, true);
            CREATE TABLE db_backup (id serial PRIMARY KEY, folder varchar NOT NULL, method varchar, days_to_keep int NOT NULL, sftp_host varchar);
            INSERT INTO db_backup (folder, method, days_to_keep, sftp_host) VALUES ('/backups', 'sftp', 7, 'CANARY.example');
            INSERT INTO ir_attachment (name, type, store_fname) VALUES
              ('a', 'binary', 'far://a'), ('b', 'binary', 'mount://b'), ('c', 'binary', 'near://c');
            INSERT INTO ir_config_parameter (key, value) VALUES
              ('ir_attachment.location', 's3://CANARYKEY:CANARYSECRET@bucket'), ('ir_attachment.location.fs', 'CANARY'),
              ('cloud_storage_s3_bucket_name', 'CANARY');"#,
        )
        .await
        .unwrap();
    let allowing = Policy {
        allow: vec![
            allow("ir_attachment", "far://"),
            allow("ir_attachment", "mount://"),
            allow("storage_file", "images"),
        ],
        ..odoo::policy()
    };
    let report = left(&mut client, &allowing).await;
    assert_eq!(report.verdict, Some(Verdict::Sanitised), "{report:#?}");
    // What production keeps in its filestore came along.
    assert_eq!(
        elsewhere(&report),
        [
            "ir_attachment.far://: 1 row, kept outside of the filestore: allowed, a test",
            "ir_attachment.mount://: 1 row, kept outside of the filestore: allowed, a test",
            "storage_file.images: 2 rows, kept outside of the filestore: allowed, a test",
        ]
    );
    let dump = dump(&client).await;
    let dump: Vec<_> = dump
        .lines()
        .filter(|line| !line.starts_with("public.res_users:"))
        .collect();
    no_canary(&dump.join("\n"));
    for (select, expected) in [
        (
            "SELECT string_agg(concat_ws(' ', code, protocol, options, directory_path, autovacuum_gc), '; ' ORDER BY id) FROM fs_storage",
            "far odoofs  f; mount odoofs  f; near odoofs  kept t",
        ),
        ("SELECT count(*)::text FROM fs_file_gc", "0"),
        (
            "SELECT string_agg(concat_ws(' ', backend_type, directory_path, served_by), '; ' ORDER BY id) FROM storage_backend",
            "filesystem odoo; filesystem kept odoo",
        ),
        ("SELECT count(*)::text FROM storage_file WHERE to_delete", "0"),
        (
            "SELECT concat_ws(' ', method, days_to_keep, sftp_host) FROM db_backup",
            "local 0",
        ),
        (
            "SELECT string_agg(key || '=' || value, ' ' ORDER BY key) FROM ir_config_parameter WHERE key ~ '^(ir_attachment|cloud_storage)'",
            "ir_attachment.location=file",
        ),
    ] {
        assert_eq!(text(&client, select).await.unwrap(), expected, "{select}");
    }

    // It lives: what it puts into a storage lies in its own filestore. What it came with is still not there.
    client
        .batch_execute(
            "INSERT INTO ir_attachment (name, type, store_fname, create_date) VALUES
             ('new', 'binary', 'far://new', now() AT TIME ZONE 'UTC' + interval '1 minute')",
        )
        .await
        .unwrap();
    let (rules, stack) = (odoo::rules(), odoo::stack());
    let report = audit(&mut client, &rules, &allowing, &stack).await.unwrap();
    let outcomes = ["allowed, a test", "the copy's own"];
    for outcome in outcomes {
        assert_found(
            &report,
            &[&format!(
                "ir_attachment.far://: 1 row, kept outside of the filestore: {outcome}"
            )],
        );
    }
    assert_eq!(report.verdict, Some(Verdict::Sanitised), "{report:#?}");
    let report = audit(&mut client, &rules, &odoo::policy(), &stack).await.unwrap();
    assert_eq!(report.verdict, Some(Verdict::Partial));
}

#[tokio::test]
async fn storages_of_the_environment_become_the_copy_s_own() {
    let mut client = odoo::database("storages_env", 18).await;
    client.batch_execute(ATTACHMENTS).await.unwrap();
    client
        .batch_execute(
            r#"
            CREATE TABLE fs_storage (id serial PRIMARY KEY, name varchar, code varchar, server_env_defaults text, autovacuum_gc boolean);
            INSERT INTO fs_storage (name, code, server_env_defaults, autovacuum_gc) VALUES
              ('a', 'far', '{"x_protocol_env_default": "s3", "x_options_env_default": "{\"key\": \"CANARY\", \"secret\": \"CANARY\"}"}', true),
              ('b', 'near', '{"x_protocol_env_default": "odoofs", "x_directory_path_env_default": "kept"}', true),
              ('c', 'filed', NULL, true);
            CREATE TABLE storage_backend (id serial PRIMARY KEY, name varchar, server_env_defaults jsonb);
            INSERT INTO storage_backend (name, server_env_defaults) VALUES
              ('far', '{"x_backend_type_env_default": "sftp", "x_sftp_server_env_default": "CANARY", "x_sftp_password_env_default": "CANARY"}');
            INSERT INTO ir_attachment (name, type, store_fname) VALUES
              ('a', 'binary', 'far://a'), ('b', 'binary', 'near://b'), ('c', 'binary', 'filed://c');"#,
        )
        .await
        .unwrap();
    let report = left(&mut client, &odoo::policy()).await;
    assert_eq!(report.verdict, Some(Verdict::Partial));
    let kept = elsewhere(&report);
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept[0].starts_with("ir_attachment.far://: 1 row") && kept[1].starts_with("ir_attachment.filed://: 1 row"));
    for (select, expected) in [
        (
            "SELECT string_agg(concat_ws(' ', server_env_defaults, autovacuum_gc), '; ' ORDER BY id) FROM fs_storage",
            r#"{"x_protocol_env_default": "odoofs"} f; {"x_protocol_env_default": "odoofs", "x_directory_path_env_default": "kept"} t; {"x_protocol_env_default": "odoofs"} f"#,
        ),
        (
            "SELECT server_env_defaults::text FROM storage_backend",
            r#"{"x_backend_type_env_default": "filesystem"}"#,
        ),
    ] {
        assert_eq!(text(&client, select).await.unwrap(), expected, "{select}");
    }
}

#[tokio::test]
async fn what_the_project_says_of_a_parameter_comes_before_rules_about_the_table() {
    let mut client = odoo::database("storages_chosen", 18).await;
    client
        .batch_execute("INSERT INTO ir_config_parameter (key, value) VALUES ('ir_attachment.location', 'swift')")
        .await
        .unwrap();
    let choosing = Policy {
        parameters: [
            ("ir_attachment.location".to_owned(), Secret::new("test-bucket")),
            ("cloud_storage_provider".to_owned(), Secret::new("minio")),
        ]
        .into(),
        ..odoo::policy()
    };
    assert_eq!(left(&mut client, &choosing).await.verdict, Some(Verdict::Sanitised));
    let chosen = "SELECT string_agg(value, ' ' ORDER BY key) FROM ir_config_parameter
                  WHERE key IN ('ir_attachment.location', 'cloud_storage_provider')";
    assert_eq!(text(&client, chosen).await.unwrap(), "minio test-bucket");
}
