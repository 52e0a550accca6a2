//! One restore at a time, and whoever is refused is told why.

use super::*;
use crate::error::{ExitCode, Explain};

#[tokio::test]
async fn a_second_restore_is_refused_and_told_who_runs() {
    let lab = Lab::new("lab_lock").await;
    let first = lab.lock("20261122-134509-ab12cd34").await;
    let error = RestoreLock::take(&lab.server, "lab_lock", "r2").await.unwrap_err();
    let told = error.explain();
    assert_eq!(
        (told.exit, told.title.as_str()),
        (ExitCode::Refused, "a restore of database `lab_lock` is already running")
    );
    assert!(
        told.evidence[0].contains("opw-task run 20261122-134509-ab12cd34"),
        "{told:?}"
    );
    assert!(told.hints[0].contains("pg_terminate_backend("), "{told:?}");
    first.still_held().await.unwrap();
    let _another_database = RestoreLock::take(&lab.server, "lab_lock2", "r2").await.unwrap();

    drop(first);
    eventually("the server notices that the holder is gone", async || {
        RestoreLock::take(&lab.server, "lab_lock", "r2").await.ok()
    })
    .await;
}

#[tokio::test]
async fn the_restore_role_serves_one_run_at_a_time() {
    let lab = Lab::new("lab_roles").await;
    let one = lab.lock("r1").await;
    let other = RestoreLock::take(&lab.server, "lab_roles2", "r2").await.unwrap();
    let role = RestoreRole::begin(&lab.server, &one).await.unwrap();
    let error = RestoreRole::begin(&lab.server, &other).await.unwrap_err();
    assert!(error.explain().evidence[0].contains("opw-task run r1"), "{error:?}");
    role.end().await.unwrap();
}

#[tokio::test]
async fn a_login_without_superuser_rights_is_told_what_is_missing() {
    let lab = Lab::new("lab_plain").await;
    lab.sql("DROP ROLE IF EXISTS lab_plain_role; CREATE ROLE lab_plain_role LOGIN PASSWORD 'plain'")
        .await;
    let plain = Server {
        admin: "lab_plain_role".into(),
        password: Secret::new("plain"),
        ..lab.server.clone()
    };
    let lock = RestoreLock::take(&plain, "lab_plain", "r1").await.unwrap();
    let error = RestoreRole::begin(&plain, &lock).await.unwrap_err();
    assert!(matches!(error, PostgresError::NotSuperuser { .. }), "{error:?}");
    drop(lock);
    lab.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'lab_plain_role'")
        .await;
    lab.sql("DROP ROLE lab_plain_role").await;
}

#[tokio::test]
async fn a_wrong_password_is_told_at_once_and_a_missing_server_in_time() {
    let lab = Lab::new("lab_login").await;
    let wrong = Server {
        password: Secret::new("CANARY-wrong"),
        ..lab.server.clone()
    };
    let error = wrong.wait_until_ready(LIMIT).await.unwrap_err();
    let told = error.explain();
    assert!(
        told.evidence[0].contains("password authentication failed") && told.hints[0].contains("ALTER ROLE"),
        "{told:?}"
    );
    assert!(!format!("{error:?} {told:?}").contains("CANARY"));
    // A port on which nobody listens any more.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let nobody = at(port).wait_until_ready(Duration::from_millis(300)).await.unwrap_err();
    assert!(matches!(nobody, PostgresError::NotReady { .. }), "{nobody:?}");
}
