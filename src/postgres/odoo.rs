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

/// The modules in this state.
///
/// # Errors
/// As [`installed_modules`].
pub async fn modules_that_are(client: &Client, state: &str) -> Result<Vec<String>, PostgresError> {
    let rows = client
        .query(
            "SELECT name::text FROM ir_module_module WHERE state = $1::text ORDER BY name",
            &[&state],
        )
        .await
        .map_err(PostgresError::doing("listing modules"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Marks those of these modules as installed that are to be upgraded, and returns their names.
///
/// # Errors
/// As [`installed_modules`].
pub async fn put_back_to_installed(client: &Client, names: &[String]) -> Result<Vec<String>, PostgresError> {
    let rows = client
        .query(
            "WITH back AS (UPDATE ir_module_module SET state = 'installed'
                            WHERE state = 'to upgrade' AND name = ANY($1::text[]) RETURNING name::text)
             SELECT name FROM back ORDER BY name",
            &[&names],
        )
        .await
        .map_err(PostgresError::doing("marking modules as installed"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// A file that attachments name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachedFile {
    /// Its name relative to the filestore: `xx/<sha1>`.
    pub name: String,
    /// The sizes that attachments give it, in bytes: several where one of them is wrong, none where none says.
    pub sizes: Vec<i64>,
    /// A model whose records it is attached to; empty where there is none.
    pub model: String,
}

/// The files of a database's attachments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachments {
    /// Those that are to be in the filestore, each once.
    pub files: Vec<AttachedFile>,
    /// How many attachments have theirs elsewhere: their name begins with a [storage](STORED_ELSEWHERE), such as `s3://`.
    pub elsewhere: i64,
}

/// The storage outside of the filestore that an attachment's `store_fname` names, as an expression over `ir_attachment`: `s3` of
/// `s3://bucket/key`; NULL where the file is in the filestore.
///
/// Odoo keeps a file as `xx/<sha1>`. Modules that keep files elsewhere, such as OCA's `fs_attachment`, write `<storage>://<path>`,
/// others `<storage>:<path>`: a colon before the first slash. The storage goes by whatever code somebody gave it.
pub const STORED_ELSEWHERE: &str = "substring(store_fname FROM '^([^/]*):')";

/// The files that attachments name.
///
/// # Errors
/// As [`installed_modules`].
pub async fn attachments(client: &Client) -> Result<Attachments, PostgresError> {
    let listing = || PostgresError::doing("listing the attachments");
    let there = client
        .query(
            "SELECT attname::text FROM pg_attribute
              WHERE attrelid = 'ir_attachment'::regclass AND attname IN ('file_size', 'res_model') AND NOT attisdropped",
            &[],
        )
        .await
        .map_err(listing())?;
    let there: Vec<String> = there.iter().map(|row| row.get(0)).collect();
    let or = |name: &str, instead: &'static str| match there.iter().any(|column| column == name) {
        true => name.to_owned(),
        false => instead.to_owned(),
    };
    let (size, model) = (or("file_size", "NULL"), or("res_model", "NULL"));
    let rows = client
        .query(
            &format!(
                "SELECT store_fname::text,
                        coalesce(array_agg(DISTINCT ({size})::bigint) FILTER (WHERE {size} IS NOT NULL), '{{}}'),
                        coalesce(min(({model})::text), '')
                   FROM ir_attachment WHERE store_fname <> '' AND {STORED_ELSEWHERE} IS NULL GROUP BY 1 ORDER BY 1"
            ),
            &[],
        )
        .await
        .map_err(listing())?;
    let elsewhere = client
        .query_one(
            &format!("SELECT count(*) FROM ir_attachment WHERE {STORED_ELSEWHERE} IS NOT NULL"),
            &[],
        )
        .await
        .map_err(listing())?;
    let file = |row: &tokio_postgres::Row| AttachedFile {
        name: row.get(0),
        sizes: row.get(1),
        model: row.get(2),
    };
    Ok(Attachments {
        files: rows.iter().map(file).collect(),
        elsewhere: elsewhere.get(0),
    })
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
