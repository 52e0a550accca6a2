//! What a server takes of its disk.

use tokio_postgres::Client;

use super::error::PostgresError;
use super::identifier::Identifier;

/// What matters of a server's disk for those who are about to write much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskUse {
    /// The data folder, as the server sees it.
    pub data_directory: String,
    /// How much write-ahead log there is now, in bytes.
    log: u64,
    /// How much there may be before a checkpoint makes room, in bytes.
    most_log: u64,
    /// Whether somebody holds it back: a replication slot, or an archive.
    log_is_kept: bool,
}

impl DiskUse {
    /// Asks the server.
    ///
    /// # Errors
    /// [`PostgresError::Statement`].
    pub async fn of(client: &Client) -> Result<Self, PostgresError> {
        let row = client
            .query_one(
                "SELECT current_setting('data_directory'),
                        (SELECT coalesce(sum(size), 0)::bigint FROM pg_ls_waldir()),
                        pg_size_bytes(current_setting('max_wal_size')),
                        EXISTS (SELECT FROM pg_replication_slots) OR current_setting('archive_mode') <> 'off'",
                &[],
            )
            .await
            .map_err(PostgresError::doing("asking what the server takes of its disk"))?;
        let bytes = |at: usize| u64::try_from(row.get::<_, i64>(at)).unwrap_or(0);
        Ok(Self {
            data_directory: row.get(0),
            log: bytes(1),
            most_log: bytes(2),
            log_is_kept: row.get(3),
        })
    }

    /// How much more write-ahead log there may be while so many bytes of a database are written.
    #[must_use]
    pub fn log_of_writing(&self, bytes: u64) -> u64 {
        if self.log_is_kept {
            bytes
        } else {
            bytes.min(self.most_log.saturating_sub(self.log))
        }
    }
}

/// How large databases are, in bytes; those that are not there are left out.
///
/// # Errors
/// [`PostgresError::Statement`].
pub async fn sizes(client: &Client, names: &[&Identifier]) -> Result<Vec<(String, u64)>, PostgresError> {
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    let rows = client
        .query(
            "SELECT datname::text, pg_database_size(oid) FROM pg_database
              WHERE datname::text = ANY($1) AND datconnlimit <> -2",
            &[&names],
        )
        .await
        .map_err(PostgresError::doing("asking how large databases are"))?;
    let size = |row: &tokio_postgres::Row| (row.get(0), u64::try_from(row.get::<_, i64>(1)).unwrap_or(0));
    Ok(rows.iter().map(size).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_is_recycled_grows_to_its_limit_only() {
        let mut disk = DiskUse {
            data_directory: "/data".into(),
            log: 100,
            most_log: 1000,
            log_is_kept: false,
        };
        assert_eq!((disk.log_of_writing(500), disk.log_of_writing(5000)), (500, 900));
        disk.log_is_kept = true;
        assert_eq!(disk.log_of_writing(5000), 5000);
    }
}
