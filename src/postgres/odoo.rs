//! What a restore must know of an Odoo database beside its rows.

use tokio_postgres::Client;

use super::error::PostgresError;

/// The modules that are installed, or about to be updated or removed: those whose code Odoo loads.
///
/// # Errors
/// [`PostgresError::Statement`], also where the database is none of Odoo's.
pub async fn installed_modules(client: &Client) -> Result<Vec<String>, PostgresError> {
    let rows = client
        .query(
            "SELECT name::text FROM ir_module_module WHERE state IN ('installed', 'to upgrade', 'to remove') ORDER BY name",
            &[],
        )
        .await
        .map_err(PostgresError::doing("listing the installed modules"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Those of these modules that are not installed, with their state; without one where Odoo does not know them.
///
/// # Errors
/// As [`installed_modules`].
pub async fn modules_not_installed(
    client: &Client,
    names: &[&str],
) -> Result<Vec<(String, Option<String>)>, PostgresError> {
    let rows = client
        .query(
            "SELECT wanted, module.state::text
               FROM unnest($1::text[]) AS wanted LEFT JOIN ir_module_module module ON module.name = wanted
              WHERE module.state IS DISTINCT FROM 'installed' ORDER BY wanted",
            &[&names],
        )
        .await
        .map_err(PostgresError::doing("asking for the state of the modules"))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// The files that attachments name, relative to the filestore (`xx/<sha1>`), each once.
///
/// # Errors
/// As [`installed_modules`].
pub async fn attachments(client: &Client) -> Result<Vec<String>, PostgresError> {
    let rows = client
        .query(
            "SELECT DISTINCT store_fname::text FROM ir_attachment WHERE store_fname IS NOT NULL ORDER BY 1",
            &[],
        )
        .await
        .map_err(PostgresError::doing("listing the attachments"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Gives the planner its statistics, which no dump carries before PostgreSQL 18.
///
/// # Errors
/// [`PostgresError::Statement`].
pub async fn analyze(client: &Client) -> Result<(), PostgresError> {
    client
        .batch_execute("ANALYZE")
        .await
        .map_err(PostgresError::doing("gathering statistics"))
}
