//! Personal data that no rule names: mail addresses that still stand somewhere.

use postgres_protocol::escape::escape_identifier;
use tokio_postgres::GenericClient;

use crate::sanitise::catalogue::{Catalogue, Kind, Table};
use crate::sanitise::error::SanitiseError;
use crate::sanitise::finding::{Clue, Finding, Outcome};

/// Columns whose values have the looks of an address and are none: identifiers of mails.
const NO_ADDRESSES: [&str; 3] = ["message_id", "references", "in_reply_to"];

/// Where Odoo and its modules keep what they bring along: templates, views, help, names of authors.
const TECHNICAL: [&str; 4] = ["ir_", "mail_template", "theme_", "web_"];

/// Where mail addresses of people stand that no rule replaced: reported, because no one but the project knows whose they are.
pub(in crate::sanitise) async fn findings(
    client: &impl GenericClient,
    catalogue: &Catalogue,
) -> Result<Vec<Finding>, SanitiseError> {
    let mut findings = Vec::new();
    for (name, table) in catalogue.tables() {
        if TECHNICAL.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        let columns = addresses(table);
        if columns.is_empty() {
            continue;
        }
        let counts: Vec<_> = columns.iter().map(|column| count(column)).collect();
        let select = format!("SELECT {} FROM {}", counts.join(", "), table.relation);
        let row = client
            .query_one(&select, &[])
            .await
            .map_err(SanitiseError::server("look for personal data"))?;
        for (at, column) in columns.iter().enumerate() {
            if row.get::<_, i64>(at) > 0 {
                findings.push(Finding {
                    table: name.to_owned(),
                    column: (*column).to_owned(),
                    count: row.get(at),
                    clue: Clue::Person,
                    outcome: Outcome::Reported,
                });
            }
        }
    }
    Ok(findings)
}

fn addresses(table: &Table) -> Vec<&str> {
    let texts = table.columns.iter().filter(|(name, column)| {
        matches!(column.kind, Kind::Text | Kind::Json) && !column.selection && !NO_ADDRESSES.contains(&name.as_str())
    });
    texts.map(|(name, _)| name.as_str()).collect()
}

/// Rows with an address of someone: not one of those that lead nowhere. Cheap tests come first.
fn count(column: &str) -> String {
    let text = format!("{}::text", escape_identifier(column));
    format!(
        "count(*) FILTER (WHERE {text} LIKE '%@%' AND {text} NOT LIKE '%@%.invalid' AND {text} NOT LIKE '%@localhost' \
         AND {text} ~ '[A-Za-z0-9._%+-]@(?![A-Za-z0-9.-]*(\\.invalid|\\.example|example\\.(com|org|net))([^A-Za-z0-9.-]|$))[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*\\.[A-Za-z]{{2,}}')"
    )
}
