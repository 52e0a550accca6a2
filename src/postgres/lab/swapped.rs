//! The swap: all or nothing, under clients that do not give way.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::*;

#[tokio::test]
async fn a_swap_gets_through_four_clients_that_reconnect_at_once() {
    let lab = Lab::serving("lab_swap").await;
    let Restored { lock, role, incoming } = lab.restored("r1", "new").await;
    let stop = Arc::new(AtomicBool::new(false));
    let answers = Arc::new(AtomicU32::new(0));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (server, stop, answers) = (lab.server.clone(), stop.clone(), answers.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let Ok(session) = server.connect("lab_swap").await else {
                        continue;
                    };
                    while !stop.load(Ordering::Relaxed) && session.query("SELECT text FROM said", &[]).await.is_ok() {
                        answers.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    eventually("the clients are at work", async || {
        (answers.load(Ordering::Relaxed) >= 20).then_some(())
    })
    .await;
    // Spawned, because a run does the same: the future must be one that can be.
    let server = lab.server.clone();
    let swap = tokio::spawn(async move { activate(&server, &lock, Assumed(incoming), LIMIT).await });
    let activated = swap.await.unwrap().unwrap();
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    println!("{:?}", activated.cost);
    assert!(activated.cost.took < Duration::from_secs(5), "{:?}", activated.cost);
    assert!(activated.cost.ended >= 4, "{:?}", activated.cost);

    assert_eq!(lab.reads("lab_swap").await.unwrap(), "new");
    let live = lab.status("lab_swap").await.unwrap();
    assert_eq!(
        (live.owner.as_str(), live.template, live.allows_connections),
        ("odoo", false, true)
    );
    assert_eq!(live.comment.state(), Some(State::Live));
    let previous = lab.status("lab_swap__previous").await.unwrap();
    assert_eq!((previous.template, previous.allows_connections), (true, false));
    assert_eq!(previous.comment.state(), Some(State::Previous));
    let Err(error) = lab.reads("lab_swap__previous").await else {
        panic!("Odoo's superuser opened the previous one")
    };
    let told = crate::error::Explain::explain(&error).evidence.join("\n");
    assert!(told.contains("not currently accepting connections"), "{told}");
    assert!(!lab.odoo_lists().await.contains(&"lab_swap__previous".to_owned()));

    role.end().await.unwrap();
    let admin = lab.server.connect_maintenance().await.unwrap();
    let role = admin
        .query_one(
            "SELECT rolcanlogin, rolsuper, rolpassword IS NULL FROM pg_authid WHERE rolname = $1",
            &[&role::RESTORE],
        )
        .await
        .unwrap();
    assert_eq!((role.get(0), role.get(1), role.get(2)), (false, false, true));
}

#[tokio::test]
async fn nothing_belongs_to_the_restore_role_after_it() {
    let lab = Lab::serving("lab_owner").await;
    let Restored { lock, incoming, .. } = lab.filled("r1", "new").await;
    let inside = incoming.connect().await.unwrap();
    inside
        .batch_execute(
            "CREATE SCHEMA s; CREATE TABLE s.t (id serial PRIMARY KEY); CREATE VIEW v AS SELECT 1; CREATE SEQUENCE lone; CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;
             CREATE TABLE parted (id int GENERATED ALWAYS AS IDENTITY) PARTITION BY RANGE (id);
             CREATE TABLE s.\"Odd name\" PARTITION OF parted DEFAULT; CREATE TYPE e AS ENUM ('a');
             CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE EXTENSION IF NOT EXISTS pg_trgm",
        )
        .await
        .unwrap();
    incoming.reassign().await.unwrap();
    assert_eq!(
        lab.status(incoming.name().as_str()).await.unwrap().owner,
        role::KEEPER,
        "the database stays kept"
    );
    activate(&lab.server, &lock, Assumed(incoming), LIMIT).await.unwrap();
    let session = lab.server.connect("lab_owner").await.unwrap();
    let owner: String = session
        .query_one("SELECT tableowner::text FROM pg_tables WHERE tablename = 't'", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(owner, "odoo");
    let left: i64 = session
        .query_one(
            "SELECT count(*) FROM pg_shdepend d JOIN pg_database b ON b.oid = d.dbid OR (d.dbid = 0 AND d.objid = b.oid)
              WHERE d.refobjid IN (SELECT oid FROM pg_roles WHERE rolname IN ($1, $2)) AND b.datname = current_database()",
            &[&role::RESTORE, &role::KEEPER],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_client_killed_between_the_renames_leaves_the_old_names() {
    let lab = Lab::serving("lab_killed").await;
    let Restored { lock, incoming, .. } = lab.restored("r1", "new").await;
    let name = incoming.name().clone();
    let admin = lab.server.connect_maintenance().await.unwrap();
    // Somebody comments on the incoming database: the second rename waits for them.
    let blocker = lab.server.connect_maintenance().await.unwrap();
    let comment = format!("BEGIN; COMMENT ON DATABASE {name} IS 'hold on'");
    blocker.batch_execute(&comment).await.unwrap();
    let server = lab.server.clone();
    let swap = tokio::spawn(async move { activate(&server, &lock, Assumed(incoming), LIMIT).await });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
                      AND query LIKE 'ALTER DATABASE \"lab\\_killed\\_\\_incoming%RENAME TO \"lab\\_killed\"'";
    let waits = async || admin.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) > 0;
    eventually("the second rename waits", async || waits().await.then_some(())).await;
    swap.abort();
    assert!(swap.await.unwrap_err().is_cancelled());
    eventually("nobody waits any more", async || (!waits().await).then_some(())).await;
    drop(blocker);
    assert_eq!(lab.reads("lab_killed").await.unwrap(), "old");
    assert_eq!(lab.status("lab_killed__previous").await, None);
    assert!(lab.status(name.as_str()).await.unwrap().template);
}

#[tokio::test]
async fn a_swap_that_cannot_get_through_says_who_is_in_the_way() {
    let lab = Lab::serving("lab_blocked").await;
    let Restored { lock, incoming, .. } = lab.restored("r1", "new").await;
    let blocker = lab.server.connect_named("postgres", "the blocker").await.unwrap();
    blocker
        .batch_execute("BEGIN; COMMENT ON DATABASE lab_blocked IS 'hold on'")
        .await
        .unwrap();
    let error = activate(&lab.server, &lock, Assumed(incoming), Duration::from_secs(1))
        .await
        .unwrap_err();
    let PostgresError::SwapTimedOut { sessions, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(
        sessions.iter().any(|session| session.contains("the blocker")),
        "{sessions:?}"
    );
    drop(blocker);
    assert_eq!(lab.reads("lab_blocked").await.unwrap(), "old");
    assert_eq!(lab.status("lab_blocked__previous").await, None);
}

#[tokio::test]
async fn a_run_that_lost_its_lock_does_not_swap() {
    let lab = Lab::serving("lab_lost").await;
    let Restored { lock, incoming, .. } = lab.restored("r1", "new").await;
    lab.sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        .await;
    let error = activate(&lab.server, &lock, Assumed(incoming), LIMIT)
        .await
        .unwrap_err();
    assert!(matches!(error, PostgresError::LockLost { .. }), "{error:?}");
    assert!(matches!(lock.still_held().await, Err(PostgresError::LockLost { .. })));
    assert_eq!(lab.reads("lab_lost").await.unwrap(), "old");
}

#[tokio::test]
async fn the_first_restore_needs_no_live_database() {
    let lab = Lab::new("lab_first").await;
    let Restored { lock, incoming, .. } = lab.restored("r1", "new").await;
    let activated = activate(&lab.server, &lock, Assumed(incoming), LIMIT).await.unwrap();
    assert_eq!(activated.previous, None);
    assert_eq!(lab.reads("lab_first").await.unwrap(), "new");
    let error = rollback(&lab.server, &lock, LIMIT).await.unwrap_err();
    assert!(matches!(error, PostgresError::NoPrevious { .. }), "{error:?}");
}
