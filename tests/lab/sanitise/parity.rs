//! Everything that Odoo's own neutralisation changes is changed, row by row, in the versions 16 to 19.

use opw_task::sanitise::{sanitise, verify};

use crate::sanitise::odoo::{self, Fact};

async fn keeps_up_with(version: u16) {
    let mut client = odoo::database(&format!("parity_{version}"), version).await;
    let (rules, policy, stack) = (odoo::rules(), odoo::policy(), odoo::stack());
    sanitise(&mut client, &rules, &policy, &stack).await.unwrap();
    let mut wrong = Vec::new();
    for fact in odoo::facts(version) {
        if let Err(found) = holds(&client, &fact).await {
            wrong.push(format!("{fact:?}: {found}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} facts do not hold:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let left: Vec<_> = odoo::canaries(&client)
        .await
        .into_iter()
        .filter(|row| !row.starts_with("res_users:"))
        .collect();
    assert!(left.is_empty(), "left in {version}: {left:#?}");
    assert!(verify(&mut client, (), &rules, &policy, &stack).await.is_ok());
}

async fn holds(client: &tokio_postgres::Client, fact: &Fact) -> Result<(), String> {
    let (table, column) = (&fact.table, &fact.column);
    let own = ["ir_config_parameter", "ir_mail_server", "ir_cron"];
    let condition = match fact.row.split_once('=') {
        Some((name, value)) if own.contains(&table.as_str()) => format!("{name} = '{value}'"),
        _ => format!("planted = '{}'", fact.row),
    };
    let what = if fact.becomes == "(gone)" { "id" } else { column };
    let select = format!("SELECT {what}::text FROM {table} WHERE {condition}");
    let rows = client.query(&select, &[]).await.map_err(|error| error.to_string())?;
    let found: Vec<Option<String>> = rows.iter().map(|row| row.get(0)).collect();
    let as_wanted = match fact.becomes.as_str() {
        "(gone)" => found.is_empty(),
        "(null)" => !found.is_empty() && found.iter().all(Option::is_none),
        value => !found.is_empty() && found.iter().all(|found| found.as_deref() == Some(value)),
    };
    if as_wanted {
        Ok(())
    } else {
        Err(format!("found {found:?}"))
    }
}

#[tokio::test]
async fn odoo_16() {
    keeps_up_with(16).await;
}

#[tokio::test]
async fn odoo_17() {
    keeps_up_with(17).await;
}

#[tokio::test]
async fn odoo_18() {
    keeps_up_with(18).await;
}

#[tokio::test]
async fn odoo_19() {
    keeps_up_with(19).await;
}
