//! Logical replication from and into the live database blocks neither a swap nor the drop of what served two swaps ago.

use super::*;

impl Lab {
    /// Runs a program in the server's container, beside us.
    fn runs(&self, command: &str) {
        let container = self.container.as_ref().expect("a container of the tests' own");
        docker(&["exec", "-d", "-u", "postgres", &container.0, "sh", "-c", command]);
    }

    /// Waits until a question about the server is answered with true.
    async fn until(&self, what: &str, question: &str) {
        let session = self.server.connect_maintenance().await.unwrap();
        let deadline = tokio::time::Instant::now() + LIMIT;
        while !session.query_one(question, &[]).await.unwrap().get::<_, bool>(0) {
            assert!(tokio::time::Instant::now() < deadline, "not within the time: {what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn count(&self, of: &str) -> i64 {
        let session = self.server.connect_maintenance().await.unwrap();
        session
            .query_one(&format!("SELECT count(*) FROM {of}"), &[])
            .await
            .unwrap()
            .get(0)
    }
}

#[tokio::test]
async fn replication_from_and_into_what_served_blocks_no_restore() {
    let lab = Lab::serving("lab_repl").await;
    if lab.container().is_none() {
        return;
    }
    // A publisher, whose slot the live database's subscription reads.
    lab.sql("DROP DATABASE IF EXISTS repl_publisher WITH (FORCE)").await;
    lab.sql("CREATE DATABASE repl_publisher").await;
    let publisher = lab.server.connect("repl_publisher").await.unwrap();
    publisher
        .batch_execute("CREATE TABLE said (text text); CREATE PUBLICATION p FOR TABLE said")
        .await
        .unwrap();
    publisher
        .batch_execute("SELECT pg_create_logical_replication_slot('repl_out', 'pgoutput')")
        .await
        .unwrap();
    let live = lab.server.connect("lab_repl").await.unwrap();
    live.batch_execute(
        "CREATE SUBSCRIPTION repl_in CONNECTION 'dbname=repl_publisher user=odoo' PUBLICATION p
           WITH (create_slot = false, slot_name = 'repl_out', copy_data = false)",
    )
    .await
    .unwrap();
    live.batch_execute("SELECT pg_create_logical_replication_slot('repl_read', 'pgoutput')")
        .await
        .unwrap();
    live.batch_execute("CREATE PUBLICATION q FOR ALL TABLES").await.unwrap();
    drop((live, publisher));
    // A client that comes back whenever it is ended.
    lab.runs(
        "while :; do pg_recvlogical -U odoo -d lab_repl --slot repl_read --start -n -f /dev/null \
         -o proto_version=1 -o publication_names=q; sleep 0.2; done",
    );
    lab.until(
        "both replicate",
        "SELECT count(*) = 2 FROM pg_replication_slots WHERE active",
    )
    .await;

    let first = lab.restored("r1", "new").await;
    let told = staying_behind(&lab.server, &first.lock).await.unwrap();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].contains("`repl_read`") && told[1].contains("repl_in"),
        "{told:?}"
    );
    activate(&lab.server, &first.lock, Assumed(first.incoming), LIMIT)
        .await
        .unwrap();
    first.role.end().await.unwrap();
    drop(first.lock);
    assert_eq!(lab.reads("lab_repl").await.unwrap(), "new");
    assert_eq!(lab.count("pg_subscription").await, 1, "it stays for a rollback");

    // The next one drops what served first, with all that hangs on it; the publisher's slot is not touched.
    let second = lab.restored("r2", "newer").await;
    let activated = activate(&lab.server, &second.lock, Assumed(second.incoming), LIMIT)
        .await
        .unwrap();
    second.role.end().await.unwrap();
    assert!(activated.not_dropped.is_none(), "{activated:?}");
    assert_eq!(activated.dropped_too.len(), 2, "{activated:?}");
    assert!(
        activated.dropped_too[0].contains("pg_drop_replication_slot('repl_out')"),
        "{activated:?}"
    );
    assert_eq!(lab.reads("lab_repl").await.unwrap(), "newer");
    assert_eq!(
        lab.count("pg_database WHERE datname LIKE 'lab\\_repl\\_\\_retired%'")
            .await,
        0
    );
    assert_eq!(lab.count("pg_subscription").await, 0);
    assert_eq!(lab.count("pg_replication_slots WHERE slot_name = 'repl_read'").await, 0);
    assert_eq!(lab.count("pg_replication_slots WHERE slot_name = 'repl_out'").await, 1);
    lab.until(
        "nobody reads it any more",
        "SELECT count(*) = 0 FROM pg_replication_slots WHERE active",
    )
    .await;
    lab.sql("SELECT pg_drop_replication_slot('repl_out')").await;
    lab.sql("DROP DATABASE repl_publisher WITH (FORCE)").await;
}
