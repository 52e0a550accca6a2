//! Interrupted anywhere, nothing is half done: the line is cut before every statement there is, one after another.

use opw_task::sanitise::{Policy, Refusal, Verdict, audit, sanitise, verify};
use tokio::sync::oneshot;
use tokio_postgres::Client;

use crate::sanitise::line::{Break, Line};
use crate::sanitise::promises::{everything, text};
use crate::sanitise::{odoo, server};

/// What no rule names, so that hunting has something to clear.
const UNLISTED: &str = "
CREATE TABLE courier (id int PRIMARY KEY, api_token varchar);
INSERT INTO courier VALUES (1, 'CANARY-token'), (2, NULL);
INSERT INTO ir_config_parameter (id, key, value) VALUES (9001, 'courier.bearer', 'CANARY-bearer');";

/// How many statements it takes when nobody interrupts.
async fn count(name: &str, policy: &Policy) -> usize {
    let line = Line::with(Break::Never).await;
    let mut client = server::through(line.port, name).await;
    sanitise(&mut client, &odoo::rules(), policy, &odoo::stack())
        .await
        .unwrap();
    drop(client);
    line.ended().await
}

/// Runs it over a line that is cut, and waits until the server has noticed.
async fn cut(name: &str, moment: Break, policy: &Policy) -> bool {
    let line = Line::with(moment).await;
    let mut client = server::through(line.port, name).await;
    let done = sanitise(&mut client, &odoo::rules(), policy, &odoo::stack()).await;
    drop(client);
    line.ended().await;
    done.is_ok()
}

#[tokio::test]
async fn cut_off_before_any_statement_nothing_is_done() {
    let client = odoo::database("cut_whole", 18).await;
    client.batch_execute(UNLISTED).await.unwrap();
    drop(client);
    let (policy, stack) = (odoo::policy(), odoo::stack());
    let mut client = server::copy("cut_whole", "cut").await;
    let all = count("cut_whole", &policy).await;
    assert!(all > 100, "{all}");
    let before = everything(&client).await;
    for statement in 0..all {
        assert!(!cut("cut", Break::Before(statement), &policy).await, "{statement}");
        assert_eq!(
            everything(&client).await,
            before,
            "cut before statement {statement} of {all}"
        );
    }

    // The last one is the commit: sent, and its answer lost, everything is done.
    assert!(!cut("cut", Break::After(all - 1), &policy).await);
    assert_ne!(everything(&client).await, before);
    assert_eq!(
        odoo::canaries(&client)
            .await
            .iter()
            .filter(|row| !row.starts_with("res_users:"))
            .count(),
        0
    );
    let second = sanitise(&mut client, &odoo::rules(), &policy, &stack).await.unwrap();
    assert_eq!((second.rows(), second.findings.len()), (0, 0));
    let proof = verify(&mut client, (), &odoo::rules(), &policy, &stack).await.unwrap();
    assert_eq!(proof.report().verdict, Some(Verdict::Sanitised));
}

#[tokio::test]
async fn cut_off_while_passwords_are_made_nothing_is_done() {
    let client = odoo::database("cut_passwords_whole", 18).await;
    drop(client);
    let (policy, stack) = (Policy::default(), odoo::stack());
    let mut client = server::copy("cut_passwords_whole", "cut_passwords").await;
    let all = count("cut_passwords_whole", &policy).await;
    let before = everything(&client).await;
    for eighth in 1..8 {
        let statement = all * eighth / 8;
        assert!(!cut("cut_passwords", Break::Before(statement), &policy).await);
        assert_eq!(
            everything(&client).await,
            before,
            "cut before statement {statement} of {all}"
        );
    }
    let report = sanitise(&mut client, &odoo::rules(), &policy, &stack).await.unwrap();
    assert!(report.generated_password.is_some());
    assert!(verify(&mut client, (), &odoo::rules(), &policy, &stack).await.is_ok());
}

#[tokio::test]
async fn given_up_at_any_statement_nothing_is_done() {
    let client = odoo::database("dropped_whole", 18).await;
    client.batch_execute(UNLISTED).await.unwrap();
    drop(client);
    let (policy, stack) = (odoo::policy(), odoo::stack());
    let all = {
        let client = server::copy("dropped_whole", "dropped").await;
        drop(client);
        count("dropped_whole", &policy).await
    };
    let mut before = None;
    for statement in (0..all).step_by(7).chain([all - 1]) {
        let (held, is_held) = oneshot::channel();
        let (let_go, go) = oneshot::channel();
        let line = Line::with(Break::Hold { statement, held, go }).await;
        let mut client = server::through(line.port, "dropped").await;
        let rules = odoo::rules();
        tokio::select! {
            _ = sanitise(&mut client, &rules, &policy, &stack) => unreachable!("statement {statement} was held"),
            held = is_held => held.unwrap(),
        }
        let_go.send(()).unwrap();
        // What the given-up one had begun is rolled back before the same session answers anything else.
        let now = everything(&client).await;
        // The commit was on its way: it is carried out, and then nothing is left to do.
        if statement + 1 == all {
            assert_ne!(Some(&now), before.as_ref());
            let again = sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
            assert_eq!((again.rows(), again.findings.len()), (0, 0));
            assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
        } else {
            assert_eq!(
                &now,
                before.get_or_insert_with(|| now.clone()),
                "given up at {statement} of {all}"
            );
        }
        drop(client);
        line.ended().await;
    }
}

/// What a module's update brings back, and a credential that came with it.
const UPDATE: &str = "
UPDATE ir_cron SET active = true;
INSERT INTO ir_config_parameter (id, key, value) VALUES (9002, 'update.api_key', 'CANARY-update') ON CONFLICT DO NOTHING;";

/// Every row but the copy's own note of having been sanitised, which says what was verified when.
async fn all_but_the_stamp(client: &Client) -> Vec<String> {
    let mut all = everything(client).await;
    all.retain(|row| !row.contains("opw_task.sanitise"));
    all
}

async fn is_stamped(client: &Client) -> bool {
    let stamp = "SELECT value FROM ir_config_parameter WHERE key = 'opw_task.sanitise'";
    text(client, stamp)
        .await
        .is_some_and(|stamp| stamp.contains("\"verdict\":\"SANITISED\""))
}

/// Every third statement: verifying is longer than sanitising, and a cut before its neighbour is much the same.
const STEP: usize = 3;

/// Between its passes, verifying leaves whole passes behind and no verdict: what it did is right as far as it went, and
/// the next one begins from there.
#[tokio::test]
async fn cut_off_while_verifying_whole_passes_are_left_and_no_verdict() {
    let mut client = odoo::database("cut_verify", 18).await;
    client.batch_execute(UNLISTED).await.unwrap();
    let (rules, policy, stack) = (odoo::rules(), odoo::policy(), odoo::stack());
    sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    let unverified = "SELECT value FROM ir_config_parameter WHERE key = 'opw_task.sanitise'";
    let unverified = text(&client, unverified).await.unwrap();
    let cleared = all_but_the_stamp(&client).await;
    client.batch_execute(UPDATE).await.unwrap();
    let brought = all_but_the_stamp(&client).await;
    client
        .batch_execute("UPDATE ir_cron SET active = (cron_name = 'Base: auto-vacuum')")
        .await
        .unwrap();
    let ruled = all_but_the_stamp(&client).await;
    let states = [brought, ruled, cleared];

    let mut reached = 0;
    let mut statement = 0;
    loop {
        client.batch_execute(UPDATE).await.unwrap();
        client
            .execute(
                "UPDATE ir_config_parameter SET value = $1 WHERE key = 'opw_task.sanitise'",
                &[&unverified],
            )
            .await
            .unwrap();
        let line = Line::with(Break::Before(statement)).await;
        let mut cut = server::through(line.port, "cut_verify").await;
        let verified = verify(&mut cut, "the copy", &rules, &policy, &stack).await;
        drop(cut);
        let seen = line.ended().await;
        let now = all_but_the_stamp(&client).await;
        let Err(refused) = verified else {
            assert!(seen > 200 && seen <= statement, "{seen} statements");
            assert_eq!((&now, is_stamped(&client).await), (&states[2], true));
            break;
        };
        assert_eq!(refused.database, "the copy");
        assert!(matches!(refused.reason, Refusal::Failed(_)), "{:?}", refused.reason);
        let state = states.iter().position(|state| *state == now);
        let state = state.unwrap_or_else(|| unreachable!("half done when cut before statement {statement}: {now:#?}"));
        assert!(state >= reached, "statement {statement}");
        reached = state;
        assert!(!is_stamped(&client).await, "statement {statement}");
        statement += STEP;
        assert!(statement < 20_000, "it is cut however late the cut is");
    }
    assert_eq!(reached, 2);
    let audited = audit(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_eq!(audited.verdict, Some(Verdict::Sanitised));
}
