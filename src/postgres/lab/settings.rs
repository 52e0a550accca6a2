//! What server, database and role say of sessions does not reach a restore, and stays as it is.

use super::*;

/// Longer than the limits that are set.
const LONG: Duration = Duration::from_millis(900);

const HOSTILE: [&str; 9] = [
    "idle_session_timeout = '400ms'",
    "transaction_timeout = '600ms'",
    "statement_timeout = '600ms'",
    "default_transaction_read_only = on",
    "default_transaction_isolation = 'serializable'",
    "DateStyle = 'German, DMY'",
    "IntervalStyle = 'sql_standard'",
    "bytea_output = 'escape'",
    "search_path = 'nowhere'",
];

#[tokio::test]
async fn a_restore_goes_through_whatever_server_and_role_say() {
    let lab = Lab::serving("lab_settings").await;
    let before = lab.server.connect_maintenance().await.unwrap();
    for setting in HOSTILE {
        before
            .batch_execute(&format!("ALTER ROLE odoo SET {setting}"))
            .await
            .unwrap();
        before
            .batch_execute(&format!("ALTER SYSTEM SET {setting}"))
            .await
            .unwrap();
    }
    before
        .batch_execute("ALTER DATABASE postgres SET session_preload_libraries = 'opw_task_no_such_library'")
        .await
        .unwrap();
    before.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let said = "SELECT coalesce(string_agg(setconfig::text, ' ' ORDER BY setrole, setdatabase), '')
                  FROM pg_db_role_setting WHERE setrole::regrole::text <> 'opw_task_restore'
                   AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = 'postgres'))";
    let of_others: String = before.query_one(said, &[]).await.unwrap().get(0);

    let outcome = tokio::spawn({
        let server = lab.server.clone();
        async move { restore(&server).await }
    })
    .await;

    let after: String = before.query_one(said, &[]).await.unwrap().get(0);
    for statement in [
        "ALTER DATABASE postgres RESET ALL",
        "ALTER ROLE odoo RESET ALL",
        "ALTER SYSTEM RESET ALL",
        "SELECT pg_reload_conf()",
    ] {
        before.batch_execute(statement).await.unwrap();
    }
    outcome.unwrap().unwrap();
    assert_eq!(after, of_others, "what others set is as it was");
    assert_eq!(lab.reads("lab_settings").await.unwrap(), "new");
}

async fn restore(server: &Server) -> Result<(), PostgresError> {
    let lock = RestoreLock::take(server, "lab_settings", "r1").await?;
    let role = RestoreRole::begin(server, &lock).await?;
    let incoming = Incoming::create(server, &lock, &role, &spec()).await?;
    let inside = incoming.connect().await?;
    inside
        .batch_execute(&format!("BEGIN; {}; SELECT pg_sleep(0.9); COMMIT", says("new")))
        .await
        .unwrap();
    let row = inside
        .query_one(
            "SELECT '2026-02-01'::date::text || ' ' || '\\x00ff'::bytea::text || ' ' || '1 day'::interval",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "2026-02-01 \\x00ff 1 day");

    // A program that logs in by itself, as pg_restore does, finds the same.
    let door = incoming.open().await?;
    let mut config = Config::new();
    config
        .host(&server.host)
        .port(server.port)
        .user(RESTORE)
        .password(role.password().expose());
    let (program, connection) = config
        .dbname(incoming.name().as_str())
        .connect(tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    door.close().await?;
    tokio::time::sleep(LONG).await;
    program
        .batch_execute("CREATE TABLE public.by_itself AS SELECT pg_sleep(0.9)::text AS slept")
        .await
        .unwrap();

    incoming.set_state(State::Restored).await?;
    incoming.reassign().await?;
    lock.still_held().await?;
    activate(server, &lock, Assumed(incoming), LIMIT).await?;
    role.end().await
}
