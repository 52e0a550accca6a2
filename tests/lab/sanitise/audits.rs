//! What an audit says of databases that are there already, and what the report of a run holds.

use opw_task::sanitise::{Facts, Verdict, audit, sanitise, verify};

use crate::sanitise::odoo;
use crate::sanitise::promises::everything;

#[tokio::test]
async fn a_database_that_nobody_sanitised_is_told_so_and_left_alone() {
    let mut client = odoo::database("untouched", 17).await;
    let before = everything(&client).await;
    let report = audit(&mut client, &odoo::rules(), &odoo::policy(), &odoo::stack())
        .await
        .unwrap();
    assert_eq!(everything(&client).await, before);
    assert_eq!(report.verdict, Some(Verdict::NotSanitised));
    let shown = report.verdict_lines().join("\n");
    for line in [
        "verdict    NOT SANITISED",
        "sanitised  never, here",
        "this database was never sanitised here",
        "jobs-off ",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    assert!(!shown.contains("CANARY") && !report.to_markdown().contains("CANARY"));
}

#[tokio::test]
async fn what_a_copy_made_itself_since_it_was_verified_is_its_own() {
    let mut client = odoo::database("lived", 18).await;
    client
        .batch_execute(
            "CREATE TABLE account_move (id serial PRIMARY KEY, access_token varchar, write_date timestamp);
             INSERT INTO account_move (access_token, write_date) VALUES ('CANARY', '2024-01-01');
             CREATE TABLE mail_mail (id serial PRIMARY KEY, state varchar, create_date timestamp);
             INSERT INTO mail_mail (state, create_date) VALUES ('outgoing', '2024-01-01');",
        )
        .await
        .unwrap();
    let (rules, policy) = (odoo::rules(), odoo::policy());
    let stack = Facts {
        source: "opw-prod".to_owned(),
        ..odoo::stack()
    };
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
    client
        .batch_execute(
            "INSERT INTO account_move (access_token, write_date) VALUES ('made here', now() + interval '1 day');
             INSERT INTO mail_mail (state, create_date) VALUES ('outgoing', now() + interval '1 day');",
        )
        .await
        .unwrap();
    let report = audit(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_eq!(report.verdict, Some(Verdict::Sanitised), "{report:#?}");
    assert_eq!(report.source, "opw-prod");

    client
        .batch_execute("UPDATE account_move SET access_token = 'production''s' WHERE write_date < now()")
        .await
        .unwrap();
    let report = audit(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_eq!(report.verdict, Some(Verdict::NotSanitised));
}

#[tokio::test]
async fn the_report_of_a_run_counts_what_both_passes_changed() {
    let mut client = odoo::database("report", 18).await;
    let (rules, policy, stack) = (odoo::rules(), odoo::policy(), odoo::stack());
    let first = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    client.batch_execute("UPDATE ir_cron SET active = true").await.unwrap();
    let proof = verify(&mut client, (), &rules, &policy, &stack).await.unwrap();
    let rows = first.rows();
    let whole = proof.report().clone().following(first);
    assert_eq!(whole.rows(), rows + 1);
    let jobs = whole.modules.iter().flat_map(|module| &module.rules);
    assert_eq!(
        jobs.filter(|rule| rule.rule == "jobs-off")
            .map(|rule| rule.rows)
            .sum::<u64>(),
        2
    );
    let markdown = whole.to_markdown();
    assert!(
        markdown.starts_with("# Sanitising: SANITISED\n") && markdown.contains("| jobs-off | `ir_cron` | 2 |"),
        "{markdown}"
    );
    assert!(whole.changed_lines().iter().any(|line| line.starts_with("base ")));
}
