//! Production's own names: gathered before they are overwritten, looked for afterwards.

use postgres_protocol::escape::escape_identifier;
use tokio_postgres::GenericClient;

use super::catalogue::{Catalogue, Kind};
use super::error::SanitiseError;
use super::facts::Facts;
use super::finding::{Clue, Finding, Outcome};
use super::policy::Policy;

/// Where a database says how it is reached.
const SOURCES: [(&str, &str, &str); 4] = [
    (
        "ir_config_parameter",
        "value",
        "SELECT value::text FROM ir_config_parameter WHERE key IN ('web.base.url', 'report.url', 'mail.catchall.domain')",
    ),
    ("website", "domain", "SELECT domain::text FROM website"),
    ("mail_alias_domain", "name", "SELECT name::text FROM mail_alias_domain"),
    (
        "res_company",
        "alias_domain_name",
        "SELECT alias_domain_name::text FROM res_company",
    ),
];

/// The tables that decide what Odoo talks to.
const CONFIGURATION: [&str; 14] = [
    "ir_config_parameter",
    "website",
    "res_company",
    "ir_mail_server",
    "fetchmail_server",
    "mail_alias_domain",
    "auth_oauth_provider",
    "payment_provider",
    "delivery_carrier",
    "ir_act_server",
    "base_automation",
    "iap_account",
    "pos_config",
    "pos_payment_method",
];

/// Gathers production's names: what the database says of itself, and what is known from outside.
pub(super) async fn names(
    client: &impl GenericClient,
    catalogue: &Catalogue,
    policy: &Policy,
    facts: &Facts,
) -> Result<Vec<String>, SanitiseError> {
    let mut names: Vec<String> = Vec::new();
    for (table, column, select) in SOURCES {
        if catalogue.column(table, column).is_none() {
            continue;
        }
        let rows = client
            .query(select, &[])
            .await
            .map_err(SanitiseError::server("read production's names"))?;
        names.extend(
            rows.iter()
                .filter_map(|row| row.get::<_, Option<String>>(0))
                .map(|text| host(&text)),
        );
    }
    names.extend(facts.production_names.iter().map(|name| host(name)));
    names.extend(policy.production_indicators.iter().map(|name| name.to_lowercase()));
    let own = host(&facts.base_url);
    names.retain(|name| {
        name.len() >= 4 && !own.contains(name.as_str()) && name != "localhost" && !name.ends_with(".invalid")
    });
    names.sort();
    names.dedup();
    Ok(names)
}

/// Where production's names still stand in configuration tables. They are no credentials: they are reported.
pub(super) async fn findings(
    client: &impl GenericClient,
    catalogue: &Catalogue,
    names: &[String],
) -> Result<Vec<Finding>, SanitiseError> {
    let patterns: Vec<String> = names.iter().map(|name| format!("%{}%", escape_like(name))).collect();
    let mut findings = Vec::new();
    if patterns.is_empty() {
        return Ok(findings);
    }
    let doing = "look for production's names";
    for table in CONFIGURATION {
        let Some(columns) = catalogue.table(table).map(|table| &table.columns) else {
            continue;
        };
        let texts: Vec<_> = columns
            .iter()
            .filter(|(_, column)| matches!(column.kind, Kind::Text | Kind::Json) && !column.selection)
            .map(|(name, _)| name)
            .collect();
        let quoted = escape_identifier(table);
        if table == "ir_config_parameter" {
            let select =
                "SELECT key::text FROM ir_config_parameter WHERE value::text ILIKE ANY ($1::text[]) ORDER BY key";
            for row in client
                .query(select, &[&patterns])
                .await
                .map_err(SanitiseError::server(doing))?
            {
                findings.push(finding(table, row.get(0), 1));
            }
        } else if !texts.is_empty() {
            let counts: Vec<_> = texts
                .iter()
                .map(|name| {
                    format!(
                        "count(*) FILTER (WHERE {}::text ILIKE ANY ($1::text[]))",
                        escape_identifier(name)
                    )
                })
                .collect();
            let select = format!("SELECT {} FROM {quoted}", counts.join(", "));
            let row = client
                .query_one(&select, &[&patterns])
                .await
                .map_err(SanitiseError::server(doing))?;
            for (at, name) in texts.iter().enumerate() {
                if row.get::<_, i64>(at) > 0 {
                    findings.push(finding(table, (*name).clone(), row.get(at)));
                }
            }
        }
    }
    Ok(findings)
}

fn finding(table: &str, column: String, count: i64) -> Finding {
    Finding {
        table: table.to_owned(),
        column,
        count,
        clue: Clue::Production,
        outcome: Outcome::Reported,
    }
}

/// The host of an address, or the text itself.
fn host(text: &str) -> String {
    let text = text.trim().to_lowercase();
    let rest = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
    let rest = rest.split(['/', '?']).next().unwrap_or_default();
    let rest = rest.rsplit('@').next().unwrap_or_default();
    rest.split(':').next().unwrap_or_default().to_owned()
}

fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_addresses() {
        assert_eq!(host("https://odoo.shop.example:8069/web?x=1"), "odoo.shop.example");
        assert_eq!(host("root@prod.example"), "prod.example");
        assert_eq!(host("Shop.Example"), "shop.example");
    }
}
