//! What killed runs leave is found, told and cleaned; what is not ours is left alone.

use super::*;

#[tokio::test]
async fn leftovers_of_killed_runs_are_found_and_cleaned() {
    let lab = Lab::serving("lab_left").await;
    // Killed while it filled its database: the door open, somebody still in.
    let killed = lab.restored("r1", "half").await;
    std::mem::forget(killed.incoming.open().await.unwrap());
    let worker = killed.incoming.connect().await.unwrap();
    drop(killed);
    // Killed right after CREATE DATABASE, before the mark.
    lab.sql(&format!(
        "CREATE DATABASE lab_left__incoming_r2 OWNER {} IS_TEMPLATE true ALLOW_CONNECTIONS false",
        role::KEEPER
    ))
    .await;
    // Killed while it dropped its database.
    lab.sql(&format!("CREATE DATABASE lab_left__incoming_r3 OWNER {}", role::KEEPER))
        .await;
    lab.sql("UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'lab_left__incoming_r3'")
        .await;
    // Somebody's own, by chance with such a name; and another stack's.
    lab.sql("CREATE DATABASE lab_left__incoming_mine").await;
    lab.sql(&format!(
        "CREATE DATABASE lab_left_other__incoming_r1 OWNER {}",
        role::KEEPER
    ))
    .await;

    let lock = eventually("the dead run's session ends, and its lock with it", async || {
        RestoreLock::take(&lab.server, "lab_left", "r9").await.ok()
    })
    .await;
    let leftovers = eventually("its role is found", async || {
        let leftovers = scan(&lab.server, &lock).await.unwrap();
        let role = leftovers.iter().any(|leftover| leftover.database().is_none());
        role.then_some(leftovers)
    })
    .await;
    let told: Vec<String> = leftovers.iter().map(ToString::to_string).collect();
    assert!(
        told[0].starts_with("database lab_left__incoming_r1 (restoring since "),
        "{told:?}"
    );
    assert_eq!(
        told[1..],
        [
            "database lab_left__incoming_r2 (just made)",
            "half dropped database lab_left__incoming_r3",
            "role opw_task_restore that can still log in"
        ]
    );
    for leftover in leftovers {
        clean(&lab.server, &lock, leftover).await.unwrap();
    }
    assert!(worker.query_one("SELECT 1", &[]).await.is_err());
    assert_eq!(scan(&lab.server, &lock).await.unwrap(), []);
    for theirs in ["lab_left", "lab_left__incoming_mine", "lab_left_other__incoming_r1"] {
        assert!(lab.status(theirs).await.is_some(), "{theirs} is not ours to drop");
    }
}

#[tokio::test]
async fn a_run_does_not_find_itself() {
    let lab = Lab::serving("lab_self").await;
    let Restored { lock, role, incoming } = lab.restored("r1", "new").await;
    assert_eq!(scan(&lab.server, &lock).await.unwrap(), []);
    incoming.drop().await.unwrap();
    role.end().await.unwrap();
    assert_eq!(scan(&lab.server, &lock).await.unwrap(), []);
}

#[tokio::test]
async fn a_swap_killed_before_the_drop_leaves_a_retired_database_that_is_cleaned() {
    let lab = Lab::serving("lab_retired").await;
    let Restored { lock, incoming, role } = lab.restored("r1", "new").await;
    activate(&lab.server, &lock, Assumed(incoming), LIMIT).await.unwrap();
    role.end().await.unwrap();
    let previous = lab.status("lab_retired__previous").await.unwrap();
    let mark = previous.comment.marked(previous.marker_now(State::Retired)).to_string();
    lab.sql("ALTER DATABASE lab_retired__previous RENAME TO lab_retired__retired_r2")
        .await;
    lab.sql(&format!("COMMENT ON DATABASE lab_retired__retired_r2 IS '{mark}'"))
        .await;
    let leftovers = scan(&lab.server, &lock).await.unwrap();
    assert_eq!(leftovers.len(), 1, "{leftovers:?}");
    for leftover in leftovers {
        clean(&lab.server, &lock, leftover).await.unwrap();
    }
    assert_eq!(lab.status("lab_retired__retired_r2").await, None);
}

#[tokio::test]
async fn a_run_whose_sessions_the_server_ended_still_shuts_the_role_out() {
    let lab = Lab::serving("lab_ended").await;
    let Restored { lock, role, incoming } = lab.restored("r1", "half").await;
    let door = incoming.open().await.unwrap();
    lab.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
    )
    .await;
    drop(door);
    incoming.park().await.unwrap();
    role.end().await.unwrap();
    drop(lock);
    let closed = lab.status("lab_ended__incoming_r1").await.unwrap();
    assert!(closed.template && !closed.allows_connections, "{closed:?}");
    let admin = lab.server.connect_maintenance().await.unwrap();
    let can = "SELECT count(*) FROM pg_roles WHERE rolname = 'opw_task_restore' AND (rolcanlogin OR rolsuper)";
    assert_eq!(admin.query_one(can, &[]).await.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_role_that_another_run_uses_meanwhile_is_left_to_it() {
    let lab = Lab::serving("lab_taken").await;
    let Restored { lock, role, incoming } = lab.restored("r1", "half").await;
    lab.sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        .await;
    let other = RestoreLock::take(&lab.server, "lab_taken_other", "r2").await.unwrap();
    let theirs = RestoreRole::begin(&lab.server, &other).await.unwrap();
    role.end().await.unwrap();
    let session = lab
        .server
        .connect_as("postgres", RESTORE, theirs.password(), "r2")
        .await;
    drop(session.unwrap());
    theirs.end().await.unwrap();
    drop((lock, incoming));
}
