//! Looking at a report and at a database: what was found, and whether a canary is left.

use opw_task::sanitise::{Allowance, Report};
use tokio_postgres::Client;

/// The findings of a report, as people read them.
pub(crate) fn found(report: &Report) -> Vec<String> {
    report.findings.iter().map(ToString::to_string).collect()
}

#[track_caller]
pub(crate) fn assert_found(report: &Report, beginnings: &[&str]) {
    let found = found(report);
    for beginning in beginnings {
        assert!(
            found.iter().any(|line| line.starts_with(beginning)),
            "{beginning} in {found:#?}"
        );
    }
    assert!(!report.to_markdown().contains("CANARY"));
}

pub(crate) fn allow(table: &str, column: &str) -> Allowance {
    Allowance {
        table: table.to_owned(),
        column: column.to_owned(),
        reason: "a test".to_owned(),
    }
}

/// All text of all relations that hold rows, whatever their schema.
pub(crate) async fn dump(client: &Client) -> String {
    let relations = "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'm') AND (c.relkind = 'r' OR c.relispopulated) AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'";
    let mut all = String::new();
    for relation in client.query(relations, &[]).await.unwrap() {
        let relation: String = relation.get(0);
        let rows = client
            .query(&format!("SELECT t::text FROM {relation} t"), &[])
            .await
            .unwrap();
        for row in rows {
            all.push_str(&format!("{relation}: {}\n", row.get::<_, String>(0)));
        }
    }
    all
}

#[track_caller]
pub(crate) fn no_canary(dump: &str) {
    let left: Vec<_> = dump.lines().filter(|line| line.contains("CANARY")).collect();
    assert!(left.is_empty(), "{left:#?}");
}
