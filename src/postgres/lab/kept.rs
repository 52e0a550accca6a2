//! What people set on the live database stays with its name, and the previous one can come back.

use super::*;

#[tokio::test]
async fn grants_settings_limit_and_comment_stay_with_the_live_name() {
    let lab = Lab::serving("lab_kept").await;
    lab.sql("DROP ROLE IF EXISTS lab_reader; CREATE ROLE lab_reader").await;
    lab.sql(
        "REVOKE CONNECT, TEMPORARY ON DATABASE lab_kept FROM PUBLIC;
         GRANT CONNECT ON DATABASE lab_kept TO lab_reader WITH GRANT OPTION;
         ALTER DATABASE lab_kept CONNECTION LIMIT 50;
         ALTER DATABASE lab_kept SET search_path = \"$user\", public, 'a b';
         ALTER DATABASE lab_kept SET work_mem = '7MB';
         ALTER ROLE odoo IN DATABASE lab_kept SET statement_timeout = '9min';
         COMMENT ON DATABASE lab_kept IS 'the boss''s own'",
    )
    .await;
    let told = "SELECT d.datacl::text, d.datconnlimit, (SELECT array_agg(s.setconfig::text ORDER BY s.setrole)
                       FROM pg_db_role_setting s WHERE s.setdatabase = d.oid)::text
                  FROM pg_database d WHERE datname = 'lab_kept'";
    let admin = lab.server.connect_maintenance().await.unwrap();
    let row = admin.query_one(told, &[]).await.unwrap();
    let before: (String, i32, String) = (row.get(0), row.get(1), row.get(2));
    let Restored { lock, incoming, .. } = lab.restored("r1", "new").await;
    activate(&lab.server, &lock, Assumed(incoming), LIMIT).await.unwrap();
    let row = admin.query_one(told, &[]).await.unwrap();
    let mut after: (String, i32, String) = (row.get(0), row.get(1), row.get(2));
    assert!(
        before.0.contains("odoo=CTc/odoo") && before.0.contains("lab_reader=c*/odoo"),
        "{before:?}"
    );
    // The order of the entries is the server's own affair.
    for entry in ["odoo=CTc/odoo", "lab_reader=c*/odoo"] {
        assert!(after.0.contains(entry), "{after:?}");
    }
    assert!(
        !after.0.contains("=Tc/") && !after.0.contains("{=") && !after.0.contains("opw_task"),
        "{after:?}"
    );
    after.0.clone_from(&before.0);
    assert_eq!(before, after);
    for name in ["lab_kept", "lab_kept__previous"] {
        assert_eq!(
            lab.status(name).await.unwrap().comment.text.as_deref(),
            Some("the boss's own")
        );
    }
    lab.sql(
        "REVOKE ALL ON DATABASE lab_kept FROM lab_reader CASCADE;
         REVOKE ALL ON DATABASE lab_kept__previous FROM lab_reader CASCADE; DROP ROLE lab_reader",
    )
    .await;
}

#[tokio::test]
async fn a_rollback_goes_back_and_forth() {
    let lab = Lab::serving("lab_back").await;
    let Restored { lock, incoming, .. } = lab.restored("r1", "new").await;
    activate(&lab.server, &lock, Assumed(incoming), LIMIT).await.unwrap();
    for (live, run) in [("old", ""), ("new", "r1")] {
        rollback(&lab.server, &lock, LIMIT).await.unwrap();
        assert_eq!(lab.reads("lab_back").await.unwrap(), live);
        assert!(lab.reads("lab_back__previous").await.is_err());
        let marker = lab.status("lab_back").await.unwrap().comment.marker.unwrap();
        assert_eq!((marker.state, marker.run.as_str()), (State::Live, run));
        assert_eq!(lab.state("lab_back__previous").await, Some(State::Previous));
    }
}

#[tokio::test]
async fn the_next_swap_drops_the_older_previous_one() {
    let lab = Lab::serving("lab_twice").await;
    for (run, content) in [("r1", "new"), ("r2", "newer")] {
        let Restored { lock, incoming, role } = lab.restored(run, content).await;
        let activated = activate(&lab.server, &lock, Assumed(incoming), LIMIT).await.unwrap();
        assert!(activated.not_dropped.is_none(), "{activated:?}");
        role.end().await.unwrap();
    }
    let admin = lab.server.connect_maintenance().await.unwrap();
    let rows = admin
        .query(
            "SELECT datname::text FROM pg_database WHERE starts_with(datname, 'lab_twice') ORDER BY 1",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(
        rows.iter().map(|row| row.get(0)).collect::<Vec<String>>(),
        ["lab_twice", "lab_twice__previous"]
    );
    rollback(&lab.server, &lab.lock("r3").await, LIMIT).await.unwrap();
    assert_eq!(lab.reads("lab_twice").await.unwrap(), "new");
}

#[tokio::test]
async fn a_database_that_we_did_not_mark_is_never_replaced() {
    let lab = Lab::serving("lab_theirs").await;
    lab.sql("CREATE DATABASE lab_theirs__previous").await;
    lab.sql("COMMENT ON DATABASE lab_theirs__previous IS 'opw-task? no, mine'")
        .await;
    let Restored { lock, incoming, .. } = lab.restored("r1", "new").await;
    let error = activate(&lab.server, &lock, Assumed(incoming), LIMIT)
        .await
        .unwrap_err();
    let PostgresError::NotOurs { comment, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(comment.as_deref(), Some("opw-task? no, mine"));
    assert!(matches!(
        rollback(&lab.server, &lock, LIMIT).await,
        Err(PostgresError::NotOurs { .. })
    ));
    assert_eq!(lab.reads("lab_theirs").await.unwrap(), "old");
}

#[tokio::test]
async fn an_index_on_unaccent_can_be_restored() {
    let lab = Lab::new("lab_unaccent").await;
    let Restored { incoming, .. } = lab.filled("r1", "new").await;
    let extension = |name: &str, schema: &str| Extension {
        name: name.into(),
        schema: schema.into(),
        version: None,
    };
    let extensions = [
        extension("plpgsql", "pg_catalog"),
        extension("unaccent", "public"),
        extension("pg_trgm", "not there yet"),
    ];
    incoming.prepare_extensions(&extensions, true).await.unwrap();
    let inside = incoming.connect().await.unwrap();
    inside
        .batch_execute("CREATE INDEX ON said (unaccent(text)); CREATE EXTENSION IF NOT EXISTS unaccent")
        .await
        .unwrap();
    assert!(DatabaseFacts::of(&inside).await.unwrap().unaccent_immutable);
    let lacking = incoming
        .prepare_extensions(&[extension("postgis", "public"), extension("vector", "public")], false)
        .await;
    let Err(PostgresError::ExtensionsMissing { names }) = lacking else {
        panic!("{lacking:?}")
    };
    assert_eq!(names, ["postgis", "vector"]);
}

#[tokio::test]
async fn a_locale_that_the_server_lacks_is_replaced_and_told() {
    let lab = Lab::new("lab_locale").await;
    let lock = lab.lock("r1").await;
    let role = RestoreRole::begin(&lab.server, &lock).await.unwrap();
    let locale = Locale {
        collate: "xx_XX.utf8".into(),
        ctype: "xx_XX.utf8".into(),
        ..Locale::odoo()
    };
    let incoming = Incoming::create(&lab.server, &lock, &role, &IncomingSpec { locale, ..spec() })
        .await
        .unwrap();
    assert_eq!(*incoming.locale(), Locale::odoo());
    let facts = DatabaseFacts::of(&incoming.connect().await.unwrap()).await.unwrap();
    assert_eq!((facts.locale, facts.odoo, facts.uuid), (Locale::odoo(), false, None));
}

#[tokio::test]
async fn the_facts_of_an_odoo_database_are_read() {
    let lab = Lab::serving("lab_facts").await;
    let session = lab.server.connect("lab_facts").await.unwrap();
    session
        .batch_execute(
            "CREATE TABLE ir_config_parameter (key text, value text);
             CREATE TABLE ir_module_module (name text, latest_version text);
             INSERT INTO ir_config_parameter VALUES ('database.uuid', '6f1c-11ef');
             INSERT INTO ir_module_module VALUES ('base', '18.0.1.3')",
        )
        .await
        .unwrap();
    let facts = DatabaseFacts::of(&session).await.unwrap();
    assert_eq!(
        (facts.odoo, facts.odoo_version.as_deref(), facts.uuid.as_deref()),
        (true, Some("18.0.1.3"), Some("6f1c-11ef"))
    );
    assert_eq!(
        (facts.owner.as_str(), facts.extensions[0].name.as_str()),
        ("odoo", "plpgsql")
    );
}

#[tokio::test]
async fn progress_is_seen_from_beside() {
    let lab = Lab::new("lab_watch").await;
    let Restored { incoming, .. } = lab.filled("r1", "new").await;
    let loader = incoming.connect().await.unwrap();
    let observer = incoming.observe().await.unwrap();
    let sink: tokio_postgres::CopyInSink<std::io::Cursor<Vec<u8>>> =
        loader.copy_in("COPY said FROM STDIN").await.unwrap();
    let mut sink = std::pin::pin!(sink);
    futures_util::SinkExt::send(&mut sink, std::io::Cursor::new(b"one\ntwo\n".repeat(10_000)))
        .await
        .unwrap();
    let copies = eventually("rows that were copied", async || {
        let copies = observer.copies().await.unwrap();
        copies.iter().any(|copy| copy.rows > 0).then_some(copies)
    })
    .await;
    assert_eq!(copies[0].relation, "said");
    assert!(copies[0].bytes > 0);
    sink.as_mut().finish().await.unwrap();
    assert!(observer.size().await.unwrap() > 1_000_000);
    assert_eq!(observer.index_builds().await.unwrap(), []);
}

#[tokio::test]
async fn pg_restore_in_the_container_comes_through_the_door() {
    let lab = Lab::serving("lab_archive").await;
    let Some(container) = lab.container() else { return };
    let Restored { lock, role, incoming } = lab.filled("r1", "new").await;
    let filled =
        "DROP TABLE said; CREATE EXTENSION pg_trgm; CREATE TABLE big AS SELECT generate_series(1, 1000000) AS id";
    lab.server
        .connect("lab_archive")
        .await
        .unwrap()
        .batch_execute(filled)
        .await
        .unwrap();
    let copy = "set -o pipefail; pg_dump -U odoo -Fc lab_archive |
                pg_restore -U opw_task_restore --no-owner --exit-on-error -d lab_archive__incoming_r1";
    let door = incoming.open().await.unwrap();
    let running = tokio::process::Command::new("docker")
        .args(["exec", &container.0, "bash", "-c", copy])
        .output();
    let (output, came) = tokio::join!(running, door.wait_for("pg_restore", 1, LIMIT));
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    came.unwrap();
    door.close().await.unwrap();
    incoming.reassign().await.unwrap();
    activate(&lab.server, &lock, Assumed(incoming), LIMIT).await.unwrap();
    role.end().await.unwrap();
    let live = lab.server.connect("lab_archive").await.unwrap();
    let row = live
        .query_one("SELECT count(*), (SELECT text FROM said) FROM big", &[])
        .await
        .unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, &str>(1)), (1_000_000, "new"));
}
