//! Production's own names: gathered before they are overwritten, looked for afterwards.

use std::collections::HashSet;

use postgres_protocol::escape::escape_identifier;
use regex::bytes::{Regex, RegexBuilder};
use tokio_postgres::GenericClient;

use super::catalogue::{Catalogue, Kind, Table};
use super::error::SanitiseError;
use super::facts::Facts;
use super::finding::{Clue, Finding, Outcome};
use super::hunt_stream::{self, Marked};
use super::hunt_values::{TABLES_AT_ONCE, row_text};
use super::policy::Policy;
use super::rule_file::PARAMETERS;
use super::stamp;

/// Where a database says how it is reached, and in which domains it sends and gets mail.
const SOURCES: [(&str, &str, &str); 8] = [
    (
        "ir_config_parameter",
        "value",
        "SELECT value::text FROM ir_config_parameter
         WHERE key IN ('web.base.url', 'report.url', 'mail.catchall.domain', 'mail.default.from')",
    ),
    ("website", "domain", "SELECT domain::text FROM website"),
    ("mail_alias_domain", "name", "SELECT name::text FROM mail_alias_domain"),
    (
        "res_company",
        "alias_domain_name",
        "SELECT alias_domain_name::text FROM res_company",
    ),
    ("res_company", "email", "SELECT email::text FROM res_company"),
    (
        "ir_mail_server",
        "from_filter",
        "SELECT from_filter::text FROM ir_mail_server",
    ),
    (
        "ir_mail_server",
        "smtp_user",
        "SELECT smtp_user::text FROM ir_mail_server WHERE smtp_user LIKE '%@%'",
    ),
    (
        "fetchmail_server",
        "user",
        "SELECT \"user\"::text FROM fetchmail_server WHERE \"user\" LIKE '%@%'",
    ),
];

/// Mail domains of everybody: a shop that writes from one of them is not named by it.
const EVERYBODYS: [&str; 19] = [
    "aol.com",
    "example.com",
    "gmail.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "live.com",
    "me.com",
    "mail.ru",
    "msn.com",
    "odoo.com",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "web.de",
    "yahoo.com",
    "ymail.com",
];

/// The tables that decide what Odoo talks to. They are looked at whatever their size.
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

/// People, and what they wrote, speak of production by nature.
const PEOPLE: [&str; 6] = [
    "hr_employee",
    "mail_mail",
    "mail_message",
    "res_partner",
    "res_users",
    "mail_tracking_value",
];

/// Other tables are configuration where they take no more room than this. What is set up by hand is small in every
/// database, and what business writes outgrows it; texts that PostgreSQL stores apart are not counted.
const SMALL: &str = "
SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.oid >= 16384 AND pg_relation_size(c.oid) BETWEEN 1 AND 512 * 1024";

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
        for text in rows.iter().filter_map(|row| row.get::<_, Option<String>>(0)) {
            // A filter of senders is a list.
            let words = text.split([',', ';', ' ']).map(host);
            names.extend(words.filter(|word| word.contains('.')));
        }
    }
    names.extend(facts.production_names.iter().map(|name| host(name)));
    names.extend(policy.production_indicators.iter().map(|name| name.to_lowercase()));
    let own = host(&facts.base_url);
    names.retain(|name| {
        name.len() >= 4
            && *name != own
            && name != "localhost"
            && !name.ends_with(".invalid")
            && !EVERYBODYS.contains(&name.as_str())
    });
    names.sort();
    names.dedup();
    Ok(names)
}

/// Where production's names still stand in configuration. They are no credentials: they are reported. The copy's own
/// address, which may hold production's domain, is no such place.
pub(super) async fn findings(
    client: &impl GenericClient,
    catalogue: &Catalogue,
    names: &[String],
    facts: &Facts,
) -> Result<Vec<Finding>, SanitiseError> {
    let mut findings = Vec::new();
    let Some(mark) = any_of(names) else {
        return Ok(findings);
    };
    let rows = client
        .query(SMALL, &[])
        .await
        .map_err(SanitiseError::server("look for configuration"))?;
    let small: HashSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let chosen = |name: &str| CONFIGURATION.contains(&name) || (small.contains(name) && !PEOPLE.contains(&name));
    let tables: Vec<_> = catalogue
        .tables()
        .filter(|(name, table)| chosen(name) && !row_text(table).is_empty())
        .collect();
    let patterns: Vec<String> = names.iter().map(|name| format!("%{}%", escape_like(name))).collect();
    let own = host(&facts.base_url);
    for batch in tables.chunks(TABLES_AT_ONCE) {
        let read: Vec<_> = batch
            .iter()
            .map(|(_, table)| (table.relation.clone(), row_text(table)))
            .collect();
        for (at, marked) in hunt_stream::marked_rows(client, &read, &mark).await? {
            if let Some((name, table)) = batch.get(at) {
                findings.extend(places(client, name, table, &marked, (&patterns, &own)).await?);
            }
        }
    }
    Ok(findings)
}

/// The columns of a table, or the parameters, that hold one of the names.
async fn places(
    client: &impl GenericClient,
    name: &str,
    table: &Table,
    marked: &Marked,
    (patterns, own): (&Vec<String>, &String),
) -> Result<Vec<Finding>, SanitiseError> {
    let doing = || SanitiseError::server("look for production's names");
    let relation = &table.relation;
    let only = marked.condition().unwrap_or_else(|| "true".to_owned());
    let speaks = |text: &str| format!("replace(lower({text}::text), $2::text, '') LIKE ANY ($1::text[])");
    if name == PARAMETERS {
        let select = format!(
            "SELECT key::text, 1::bigint FROM {relation} WHERE {only} AND {} AND key <> $3 ORDER BY key",
            speaks("value")
        );
        let rows = client.query(&select, &[patterns, own, &stamp::PARAMETER]).await;
        let rows = rows.map_err(doing())?;
        return Ok(rows.iter().map(|row| finding(name, row.get(0), row.get(1))).collect());
    }
    let texts: Vec<_> = table
        .columns
        .iter()
        .filter(|(_, column)| matches!(column.kind, Kind::Text | Kind::Json) && !column.selection)
        .map(|(column, _)| column)
        .collect();
    let counts: Vec<_> = texts
        .iter()
        .map(|column| format!("count(*) FILTER (WHERE {})", speaks(&escape_identifier(column))))
        .collect();
    if counts.is_empty() {
        return Ok(Vec::new());
    }
    let select = format!("SELECT {} FROM {relation} WHERE {only}", counts.join(", "));
    let row = client.query_one(&select, &[patterns, own]).await.map_err(doing())?;
    let found = texts
        .iter()
        .enumerate()
        .map(|(at, column)| (column, row.get::<_, i64>(at)));
    let found = found.filter(|(_, count)| *count > 0);
    Ok(found
        .map(|(column, count)| finding(name, (*column).clone(), count))
        .collect())
}

/// One expression that finds any of the names, whatever their case.
fn any_of(names: &[String]) -> Option<Regex> {
    let names: Vec<_> = names.iter().map(|name| regex::escape(name)).collect();
    if names.is_empty() {
        return None;
    }
    RegexBuilder::new(&names.join("|")).case_insensitive(true).build().ok()
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
    let text = text.trim_matches([' ', '<', '>', '"']).to_lowercase();
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
        assert_eq!(host("<info@shop.example>"), "shop.example");
    }
}
