//! Nobody but the restore role opens an incoming database.

use super::*;

/// What a login as some role says.
async fn refusal(lab: &Lab, database: &str, role: &str, password: &str) -> String {
    let attempt = lab
        .server
        .connect_as(database, role, &Secret::new(password), "a test")
        .await;
    let Err(PostgresError::Connect { source, .. }) = attempt else {
        return "let in".into();
    };
    source
        .as_db_error()
        .map(|error| error.message().to_owned())
        .unwrap_or_else(|| source.to_string())
}

const SEALED: &str = r#"could not access file "opw_task_this_database_is_closed": No such file or directory"#;

#[tokio::test]
async fn odoos_superuser_cannot_open_it_while_it_is_open_or_closed() {
    let lab = Lab::serving("lab_closed").await;
    let Restored { incoming, .. } = lab.restored("r1", "new").await;
    let (name, password) = (incoming.name().as_str(), lab.server.password.expose());

    let closed = format!("database \"{name}\" is not currently accepting connections");
    assert_eq!(refusal(&lab, name, "odoo", password).await, closed);
    let door = incoming.open().await.unwrap();
    assert_eq!(refusal(&lab, name, "odoo", password).await, SEALED);
    assert_eq!(
        lab.odoo_lists()
            .await
            .iter()
            .filter(|name| name.starts_with("lab_closed"))
            .count(),
        1
    );

    // Not even when its role has a list of libraries of its own, which weighs more than the database's.
    lab.sql("ALTER ROLE odoo SET session_preload_libraries = 'auto_explain'")
        .await;
    let with_own = refusal(&lab, name, "odoo", password).await;
    lab.sql("ALTER ROLE odoo RESET session_preload_libraries").await;
    assert_eq!(with_own, SEALED);
    door.close().await.unwrap();
    assert_eq!(refusal(&lab, name, "odoo", password).await, closed);
}

#[tokio::test]
async fn other_roles_cannot_open_it() {
    let lab = Lab::serving("lab_others").await;
    lab.sql("DROP ROLE IF EXISTS lab_boss, lab_clerk; CREATE ROLE lab_boss SUPERUSER LOGIN PASSWORD 'boss'")
        .await;
    lab.sql("ALTER ROLE lab_boss SET session_preload_libraries = 'auto_explain'")
        .await;
    lab.sql("CREATE ROLE lab_clerk LOGIN PASSWORD 'clerk'").await;
    let Restored { incoming, .. } = lab.restored("r1", "new").await;
    let _door = incoming.open().await.unwrap();
    let name = incoming.name().as_str();
    assert_eq!(refusal(&lab, name, "lab_boss", "boss").await, SEALED);
    assert_eq!(
        refusal(&lab, name, "lab_clerk", "clerk").await,
        format!("permission denied for database \"{name}\"")
    );
    lab.sql(&format!(
        "DROP ROLE lab_clerk; ALTER ROLE lab_boss IN DATABASE {} RESET ALL",
        incoming.name()
    ))
    .await;
    lab.sql("DROP ROLE lab_boss").await;
}

#[tokio::test]
async fn a_session_stays_in_when_the_door_closes_behind_it() {
    let lab = Lab::serving("lab_door").await;
    let Restored { role, incoming, .. } = lab.filled("r1", "new").await;
    let status = || async { lab.status(incoming.name().as_str()).await.unwrap() };
    let inside = incoming.connect().await.unwrap();
    assert!(!status().await.allows_connections);
    inside.query_one("SELECT text FROM said", &[]).await.unwrap();

    // Two doors: the first to close does not shut the other.
    let (one, other) = (incoming.open().await.unwrap(), incoming.open().await.unwrap());
    one.close().await.unwrap();
    assert!(status().await.allows_connections);
    let login = lab
        .server
        .connect_as(incoming.name().as_str(), role::RESTORE, role.password(), "pg_restore");
    let (login, came) = tokio::join!(login, other.wait_for("pg_restore", 1, LIMIT));
    came.unwrap();
    let early = other.wait_for("nobody", 1, Duration::from_millis(200)).await;
    assert!(matches!(early, Err(PostgresError::NobodyCame { .. })), "{early:?}");
    other.close().await.unwrap();
    assert!(!status().await.allows_connections);

    incoming.park().await.unwrap();
    drop(login);
    assert!(
        inside.query_one("SELECT 1", &[]).await.is_err(),
        "parking ends the sessions that are in"
    );
}

#[tokio::test]
async fn a_template_cannot_be_dropped_by_hand_and_is_marked() {
    let lab = Lab::serving("lab_mark").await;
    let Restored { incoming, .. } = lab.restored("r1", "new").await;
    let name = incoming.name().clone();
    let before = lab.status(name.as_str()).await.unwrap();
    assert_eq!(
        (before.owner.as_str(), before.template, before.allows_connections),
        (role::KEEPER, true, false)
    );
    assert_eq!(before.comment.state(), Some(State::Restoring));
    incoming.set_state(State::Verified).await.unwrap();
    let marker = lab.status(name.as_str()).await.unwrap().comment.marker.unwrap();
    assert_eq!(
        (marker.state, marker.run.as_str(), marker.source.as_str()),
        (State::Verified, "r1", "opw-prod")
    );

    let admin = lab.server.connect_maintenance().await.unwrap();
    let drop = admin.batch_execute(&format!("DROP DATABASE {name}")).await.unwrap_err();
    assert_eq!(drop.as_db_error().unwrap().message(), "cannot drop a template database");
    incoming.drop().await.unwrap();
    assert_eq!(lab.status(name.as_str()).await, None);
}

#[tokio::test]
async fn the_servers_log_never_sees_the_password() {
    let lab = Lab::new("lab_log").await;
    let Some(container) = lab.container() else { return };
    lab.sql("ALTER ROLE odoo SET log_statement = 'all'").await;
    let lock = lab.lock("r1").await;
    let role = RestoreRole::begin(&lab.server, &lock).await.unwrap();
    let another = ["exec", &container.0, "psql", "-XAtU", "odoo", "-d", "postgres"];
    let another = Command::new("docker")
        .args(another)
        .args(["-c", "SELECT 'another'"])
        .output();
    assert!(another.unwrap().status.success());
    lab.sql("ALTER ROLE odoo RESET log_statement").await;
    let output = Command::new("docker").args(["logs", &container.0]).output().unwrap();
    let log = [output.stdout, output.stderr].concat();
    let log = String::from_utf8_lossy(&log);
    assert!(log.contains("SELECT 'another'"), "the log has statements of others");
    assert!(!log.contains("SCRAM-SHA-256$"));
    assert!(!log.contains(role.password().expose()));
    role.end().await.unwrap();
}
