//! What the server said before it closed a connection is shown where the connection is missed.

use super::*;
use crate::error::Explain;

#[tokio::test]
async fn the_last_words_of_a_server_are_shown_when_its_connection_is_missed() {
    let lab = Lab::new("last_words").await;
    let session = lab.server.connect_maintenance().await.unwrap();
    let pid: i32 = session.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let admin = lab.server.connect_maintenance().await.unwrap();
    admin.execute("SELECT pg_terminate_backend($1)", &[&pid]).await.unwrap();
    let closed = async {
        while !session.is_closed() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, closed).await.expect("the server closes it");

    let asked = session.query_one("SELECT 1", &[]).await;
    let error = asked.map_err(PostgresError::doing("asking")).unwrap_err();
    let evidence = error.explain().evidence;
    assert!(
        evidence.contains(&"FATAL: terminating connection due to administrator command (57P01)".to_owned()),
        "{evidence:?}"
    );
}
