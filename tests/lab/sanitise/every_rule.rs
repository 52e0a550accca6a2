//! Every built-in rule, on the tables of real Odoo 18 and 19 with their constraints: one that cannot be applied makes every
//! restore of such a database fail.

use std::collections::BTreeSet;

use opw_task::sanitise::{Anonymise, Facts, Mail, Policy, Verdict, audit, preview, sanitise, verify};
use opw_task::secret::Secret;
use tokio_postgres::Client;

use crate::sanitise::promises::text;
use crate::sanitise::{odoo, schema};

fn policies() -> [(&'static str, Policy); 3] {
    let drop: Anonymise = toml::from_str::<toml::Table>("free-text = \"drop\"")
        .unwrap()
        .try_into()
        .unwrap();
    [
        ("as it is built in", Policy::default()),
        (
            "anonymise",
            Policy {
                anonymise: Anonymise::everything(),
                ..Policy::default()
            },
        ),
        (
            "anonymise, texts dropped, mail caught",
            Policy {
                anonymise: drop,
                mail: Mail::Catcher {
                    host: "mailpit".to_owned(),
                    port: 1025,
                },
                ..Policy::default()
            },
        ),
    ]
}

fn facts() -> Facts {
    Facts {
        admin_password: Some(Secret::new("administrator's")),
        ..odoo::stack()
    }
}

/// Rules that find nothing to do in these databases: the administrator's partner is the company's, others were there before
/// them, and the functions that make stand-ins are no rule.
const WITHOUT_EFFECT: [&str; 7] = [
    "anonymise-administrator",
    "anonymise-payment-entries",
    "anonymise-payment-moves",
    "anonymise-scheduled-messages",
    "mail-catcher",
    "payment-razorpay-oauth",
    "stand-ins",
];

/// What came of statements.
#[derive(Default)]
struct Applied {
    failed: Vec<String>,
    planned: BTreeSet<String>,
    effective: BTreeSet<String>,
}

/// Runs the statements of a policy, each in a savepoint; tells which failed, and which rules changed anything.
async fn one_by_one(client: &mut Client, policy: &Policy) -> Applied {
    let statements = preview(client, &odoo::rules(), policy, &facts()).await.unwrap();
    assert!(statements.len() > 100, "{}", statements.len());
    let mut applied = Applied::default();
    let mut whole = client.transaction().await.unwrap();
    for statement in &statements {
        applied.planned.insert(statement.rule.clone());
        let one = whole.transaction().await.unwrap();
        // What the preview shows is what runs, but for secrets, which it masks.
        let sql = statement.sql.shown();
        let done = if statement.rule == "stand-ins" {
            one.batch_execute(&sql).await.map(|()| 0)
        } else {
            one.execute(&sql, &[]).await
        };
        match done {
            Ok(rows) => {
                if rows > 0 {
                    applied.effective.insert(statement.rule.clone());
                }
                one.commit().await.unwrap();
            }
            Err(error) => {
                applied.failed.push(format!(
                    "{}: {:?}",
                    statement.rule,
                    error.as_db_error().map(|said| said.message())
                ));
                one.rollback().await.unwrap();
            }
        }
    }
    whole.rollback().await.unwrap();
    applied
}

async fn all_can_be_applied(version: u16) {
    let rules = odoo::rules();
    let (mut planned, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for (at, (about, policy)) in policies().into_iter().enumerate() {
        let mut client = schema::database(&format!("every_rule_{version}_{at}"), version, &rules).await;
        let applied = one_by_one(&mut client, &policy).await;
        assert!(applied.failed.is_empty(), "{version}, {about}: {:#?}", applied.failed);
        planned.extend(applied.planned);
        seen.extend(applied.effective);

        sanitise(&mut client, &rules, &policy, &facts()).await.unwrap();
        let verified = verify(&mut client, (), &rules, &policy, &facts()).await;
        let verified = verified.unwrap_or_else(|refused| panic!("{version}, {about}: {:?}", refused.reason));
        assert_eq!(
            verified.report().rows(),
            0,
            "{version}, {about}: a second pass changes something"
        );
        let report = audit(&mut client, &rules, &policy, &facts()).await.unwrap();
        assert_eq!(
            report.verdict,
            Some(Verdict::Sanitised),
            "{version}, {about}: {report:#?}"
        );
        constraints_hold(&client).await;
    }
    let without_effect: Vec<_> = planned.difference(&seen).collect();
    assert_eq!(without_effect, WITHOUT_EFFECT, "{version}");
}

/// What Odoo itself demands of rows, beyond the table's constraints.
async fn constraints_hold(client: &Client) {
    let answers = "SELECT count(*)::text FROM survey_user_input_line WHERE coalesce(value_char_box, '') = ''";
    assert_eq!(text(client, answers).await.unwrap(), "0");
    let proxies = "SELECT count(*)::text FROM account_edi_proxy_client_user WHERE active OR refresh_token <> '' OR edi_mode = 'prod'";
    assert_eq!(text(client, proxies).await.unwrap(), "0");
    let quotations = "SELECT store_fname FROM ir_attachment WHERE res_model = 'quotation.document'";
    assert_eq!(text(client, quotations).await.unwrap(), "aa/header");
}

#[tokio::test]
async fn odoo_18() {
    all_can_be_applied(18).await;
}

#[tokio::test]
async fn odoo_19() {
    all_can_be_applied(19).await;
}
