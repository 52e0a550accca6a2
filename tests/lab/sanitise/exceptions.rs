//! Rules that a policy skips or changes.

use opw_task::sanitise::{Policy, SanitiseError, Verdict, audit, sanitise, verify};

use crate::sanitise::look::allow;
use crate::sanitise::odoo;
use crate::sanitise::promises::text;

fn policy(text: &str) -> Policy {
    let read: Policy = toml::from_str(text).unwrap();
    Policy {
        passwords: odoo::policy().passwords,
        ..read
    }
}

const CARRIERS: &str = "
CREATE TABLE delivery_carrier (id serial PRIMARY KEY, active boolean, delivery_type varchar, prod_environment boolean, dhl_api_key varchar);
INSERT INTO delivery_carrier (active, delivery_type, prod_environment, dhl_api_key) VALUES
  (true, 'dhl', true, 'CANARY'), (true, 'depot', true, NULL), (true, 'fixed', true, NULL);";

const SEEN: &str = "SELECT string_agg(concat_ws(' ', delivery_type, active, prod_environment, dhl_api_key), ', ' ORDER BY id) FROM delivery_carrier";

#[tokio::test]
async fn a_rule_is_skipped_or_changed_and_the_verdict_says_so() {
    let mut client = odoo::database("exceptions", 19).await;
    client
        .batch_execute(&format!("DROP TABLE IF EXISTS delivery_carrier; {CARRIERS}"))
        .await
        .unwrap();
    let (rules, stack) = (odoo::rules(), odoo::stack());
    let policy = policy(
        "[skip-rules]\ncarriers-test = 'the sandbox is asked'\ncarrier-credentials = 'a test'\n\
         [change-rules.carriers-off]\nreason = 'the depot is tried out'\n\
         where = { delivery_type = { not-in = ['fixed', 'base_on_rule', 'depot'] } }\n",
    );
    sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    let verified = verify(&mut client, (), &rules, &policy, &stack).await.unwrap();
    // Without its rule, a credential is hunted by its name.
    assert_eq!(text(&client, SEEN).await.unwrap(), "dhl f t, depot t t, fixed t t");
    let report = audit(&mut client, &rules, &policy, &stack).await.unwrap();
    assert_eq!(report.verdict, Some(Verdict::Sanitised));
    for report in [&report, verified.report()] {
        assert_eq!(report.verdict_text().unwrap(), "SANITISED, but for 3 rules");
        let (lines, paper) = (report.verdict_lines().join("\n"), report.to_markdown());
        for reason in ["the sandbox is asked", "a test", "the depot is tried out"] {
            assert!(lines.contains(reason) && paper.contains(reason), "{lines}\n{paper}");
        }
    }
    // Whoever asks without the exceptions is told what they left.
    let strict = audit(&mut client, &rules, &odoo::policy(), &stack).await.unwrap();
    let left: Vec<_> = strict
        .remainders
        .iter()
        .map(|left| (left.rule.as_str(), left.rows))
        .collect();
    assert_eq!(left, [("carriers-test", 3), ("carriers-off", 1)]);
}

#[tokio::test]
async fn a_credential_stays_where_its_rule_is_skipped_and_it_is_allowed() {
    let mut client = odoo::database("exceptions_allowed", 19).await;
    client
        .batch_execute(&format!("DROP TABLE IF EXISTS delivery_carrier; {CARRIERS}"))
        .await
        .unwrap();
    let (rules, stack) = (odoo::rules(), odoo::stack());
    let policy = Policy {
        allow: vec![allow("delivery_carrier", "dhl_api_key")],
        ..policy("skip-rules = { carrier-credentials = 'a sandbox key' }")
    };
    sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
    assert!(text(&client, SEEN).await.unwrap().contains("CANARY"));
}

#[tokio::test]
async fn nothing_is_changed_under_a_policy_that_names_no_rule() {
    let mut client = odoo::database("exceptions_unknown", 19).await;
    let policy = policy("skip-rules = { carrier-credential = 'x' }");
    let refused = sanitise(&mut client, &odoo::rules(), &policy, &odoo::stack())
        .await
        .unwrap_err();
    assert!(matches!(refused, SanitiseError::Policy(_)), "{refused}");
    let jobs = "SELECT count(*)::text FROM ir_cron WHERE active";
    assert_eq!(text(&client, jobs).await.unwrap(), "2");
}
