//! Files that the database names and the filestore does not hold: in a bucket, on a server for SFTP, in a cloud.
//!
//! A restore copies the filestore. What production keeps elsewhere does not come with it, and must not be reached from the
//! copy: rules take the storages' addresses and keys away (`rules/storage.toml`). Whether a copy without these files is of
//! use nobody knows but its owner, so they are counted per storage and keep it from being sanitised until they are allowed.

use std::collections::BTreeSet;

use tokio_postgres::GenericClient;

use super::bindings::Bindings;
use super::catalogue::Catalogue;
use super::error::SanitiseError;
use super::finding::{Clue, Finding, Outcome};
use super::own::{self, Own};
use super::statement::Sql;
use super::treatment::allowed;
use crate::postgres::STORED_ELSEWHERE;

const ATTACHMENTS: &str = "ir_attachment";

/// Hosts of object storage, as a regular expression of PostgreSQL. An attachment of type `url` that leads there is a file
/// that was uploaded; Odoo makes such of its own when `cloud_storage` is uninstalled.
const BUCKETS: &str = r"(^|[.])(s3[.-]([a-z0-9-]+[.])*amazonaws[.]com([.]cn)?|blob[.]core[.]windows[.]net|dfs[.]core[.]windows[.]net|(storage|firebasestorage)[.]googleapis[.]com|storage[.]cloud[.]google[.]com|digitaloceanspaces[.]com|r2[.]cloudflarestorage[.]com|r2[.]dev|backblazeb2[.]com|wasabisys[.]com|scw[.]cloud|linodeobjects[.]com|your-objectstorage[.]com|(s3|io)[.]([a-z0-9-]+[.])*cloud[.]ovh[.](net|us)|sos-[a-z0-9-]+[.]exo[.]io|aliyuncs[.]com|idrivee2[.]com|storjshare[.]io)$";

/// A table in which a module of OCA describes its storages.
struct Described {
    table: &'static str,
    /// What other tables know a storage by.
    key: &'static str,
    /// The column that says what kind of storage it is. With OCA's `server_environment` the table has none, and a JSON text
    /// in `server_env_defaults` says it, under the name of [`Described::env_default`].
    kind: &'static str,
    /// The kind that lies in the filestore.
    local: &'static str,
}

const FS_STORAGE: Described = Described {
    table: "fs_storage",
    key: "code",
    kind: "protocol",
    local: "odoofs",
};
const STORAGE_BACKEND: Described = Described {
    table: "storage_backend",
    key: "id",
    kind: "backend_type",
    local: "filesystem",
};

impl Described {
    fn env_default(&self) -> String {
        format!("x_{}_env_default", self.kind)
    }

    /// The name of a storage in [`local`]'s answer.
    fn name(&self, key: &str) -> String {
        format!("{}/{key}", self.table)
    }
}

/// Returns the storages whose files lie in the filestore. To be asked before rules make all of them local.
pub(super) async fn local(
    client: &impl GenericClient,
    catalogue: &Catalogue,
) -> Result<BTreeSet<String>, SanitiseError> {
    let mut names = BTreeSet::new();
    for described in [FS_STORAGE, STORAGE_BACKEND] {
        let Described {
            table,
            key,
            kind,
            local,
        } = described;
        if catalogue.column(table, key).is_none() {
            continue;
        }
        let by_environment = catalogue.column(table, "server_env_defaults").is_some();
        let column = match (by_environment, catalogue.column(table, kind)) {
            (true, _) => "server_env_defaults",
            (false, Some(_)) => kind,
            (false, None) => continue,
        };
        let rows = client
            .query(&format!("SELECT {key}::text, {column}::text FROM {table}"), &[])
            .await
            .map_err(SanitiseError::server("read the storages"))?;
        for row in rows {
            let (Some(key), Some(text)): (Option<String>, Option<String>) = (row.get(0), row.get(1)) else {
                continue;
            };
            let is_local = if by_environment {
                let defaults: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
                defaults
                    .get(described.env_default())
                    .and_then(serde_json::Value::as_str)
                    == Some(local)
            } else {
                text == local
            };
            if is_local {
                names.insert(described.name(&key));
            }
        }
    }
    Ok(names)
}

/// Counts the files outside of the filestore, per storage; those that a living copy made itself by themselves.
pub(super) async fn findings(
    client: &impl GenericClient,
    catalogue: &Catalogue,
    bindings: &Bindings<'_>,
) -> Result<Vec<Finding>, SanitiseError> {
    // A copy that an earlier version sanitised has its storages as production had them.
    let local = match &bindings.stamp.local_storages {
        Some(known) => known.clone(),
        None => local(client, catalogue).await?,
    };
    let mut kept = attachments(client, catalogue, bindings).await?;
    kept.extend(storage_files(client, catalogue, bindings).await?);
    kept.retain(|kept| !local.contains(&kept.described));
    let findings = kept.into_iter().map(|kept| Finding {
        outcome: match allowed(bindings.policy, kept.table, &kept.storage) {
            _ if kept.own => Outcome::Own,
            Some(reason) => Outcome::Allowed(reason),
            None => Outcome::Left("the files did not come with the copy".to_owned()),
        },
        table: kept.table.to_owned(),
        column: kept.storage,
        count: kept.count,
        clue: Clue::Elsewhere,
    });
    Ok(findings.collect())
}

/// Files that are kept in one storage.
struct Kept {
    table: &'static str,
    /// The storage as reports and `allow` entries name it.
    storage: String,
    /// Its name in [`local`]'s answer.
    described: String,
    /// Whether the copy made them.
    own: bool,
    count: i64,
}

/// Attachments by storage: `s3prod://` where `store_fname` begins so, a type of its own such as `cloud_storage`, the host of
/// a bucket's address.
async fn attachments(
    client: &impl GenericClient,
    catalogue: &Catalogue,
    bindings: &Bindings<'_>,
) -> Result<Vec<Kept>, SanitiseError> {
    let has = |column| catalogue.column(ATTACHMENTS, column).is_some();
    if !has("store_fname") {
        return Ok(Vec::new());
    }
    let mut cases = vec![format!(
        "WHEN {STORED_ELSEWHERE} IS NOT NULL THEN substring(store_fname FROM '^[^/]*:/{{0,2}}')"
    )];
    if has("type") {
        let in_database = if has("db_datas") {
            "octet_length(db_datas) > 0"
        } else {
            "false"
        };
        cases.push(format!(
            "WHEN type NOT IN ('binary', 'url') AND coalesce(store_fname, '') = '' AND ({in_database}) IS NOT TRUE THEN type"
        ));
    }
    if has("type") && has("url") {
        let host = "lower(substring(url FROM '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)'))";
        cases.push(format!("WHEN type = 'url' AND {host} ~ '{BUCKETS}' THEN {host}"));
    }
    let mut select = Sql::default();
    let own = own::condition(Own::Made, ATTACHMENTS, catalogue, &mut select, bindings);
    select.text = format!(
        "SELECT storage::text, own, count(*)
         FROM (SELECT CASE {} END AS storage, ({}) IS TRUE AS own FROM {ATTACHMENTS}) AS kept
         WHERE storage IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2",
        cases.join("\n"),
        own.as_deref().unwrap_or("false")
    );
    let rows = select
        .query(client)
        .await
        .map_err(SanitiseError::server("count the attachments outside of the filestore"))?;
    let kept = rows.iter().map(|row| {
        let storage: String = row.get(0);
        Kept {
            table: ATTACHMENTS,
            described: FS_STORAGE.name(storage.strip_suffix("://").unwrap_or(&storage)),
            storage,
            own: row.get(1),
            count: row.get(2),
        }
    });
    Ok(kept.collect())
}

const STORAGE_FILES: &str = "storage_file";

/// Files of OCA's `storage_file` by storage.
async fn storage_files(
    client: &impl GenericClient,
    catalogue: &Catalogue,
    bindings: &Bindings<'_>,
) -> Result<Vec<Kept>, SanitiseError> {
    let needed = ["storage_file.backend_id", "storage_backend.id", "storage_backend.name"];
    if !needed.iter().all(|name| catalogue.has(name)) {
        return Ok(Vec::new());
    }
    let mut select = Sql::default();
    let own = own::condition(Own::Made, STORAGE_FILES, catalogue, &mut select, bindings);
    select.text = format!(
        "SELECT b.id::text, coalesce(b.name::text, b.id::text), files.own, files.count
         FROM (SELECT backend_id, ({}) IS TRUE AS own, count(*) FROM {STORAGE_FILES} GROUP BY 1, 2) AS files
         JOIN storage_backend b ON b.id = files.backend_id ORDER BY 2, 1, 3",
        own.as_deref().unwrap_or("false")
    );
    let rows = select
        .query(client)
        .await
        .map_err(SanitiseError::server("count the files outside of the filestore"))?;
    let kept = rows.iter().map(|row| Kept {
        table: STORAGE_FILES,
        described: STORAGE_BACKEND.name(row.get(0)),
        storage: row.get(1),
        own: row.get(2),
        count: row.get(3),
    });
    Ok(kept.collect())
}
