//! How far a load has come, from the server's own progress views.

use super::error::PostgresError;
use super::session::Session;

/// A session inside the incoming database that only looks. The names of relations can be read only from there.
#[derive(Debug)]
pub struct Observer {
    session: Session,
}

/// A row of `pg_stat_progress_copy` (PostgreSQL 14 and newer).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyProgress {
    /// The server process.
    pub pid: i32,
    /// The relation, qualified where it is not on the search path.
    pub relation: String,
    /// Bytes taken so far, as they came over the wire.
    pub bytes: u64,
    /// Rows taken so far.
    pub rows: u64,
}

/// A row of `pg_stat_progress_create_index`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexProgress {
    /// The server process.
    pub pid: i32,
    /// The table.
    pub relation: String,
    /// The server's name for what it does, as `building index: scanning table`.
    pub phase: String,
    /// Blocks done in this phase.
    pub blocks_done: u64,
    /// Blocks to do; 0 in phases that count none.
    pub blocks_total: u64,
    /// Rows done in this phase.
    pub rows_done: u64,
    /// Rows to do; 0 in phases that count none.
    pub rows_total: u64,
}

impl Observer {
    pub(crate) fn new(session: Session) -> Self {
        Self { session }
    }

    /// The copies that run now.
    ///
    /// # Errors
    /// [`PostgresError::Statement`], also on a server that has no such view.
    pub async fn copies(&self) -> Result<Vec<CopyProgress>, PostgresError> {
        let rows = self
            .session
            .query(
                "SELECT pid, relid::regclass::text, bytes_processed, tuples_processed
                   FROM pg_stat_progress_copy
                  WHERE datname = current_database() AND relid <> 0 ORDER BY pid",
                &[],
            )
            .await
            .map_err(PostgresError::doing("reading the progress of the copy"))?;
        Ok(rows
            .iter()
            .map(|row| CopyProgress {
                pid: row.get(0),
                relation: row.get(1),
                bytes: count(row, 2),
                rows: count(row, 3),
            })
            .collect())
    }

    /// The indexes that are being built now.
    ///
    /// # Errors
    /// [`PostgresError::Statement`].
    pub async fn index_builds(&self) -> Result<Vec<IndexProgress>, PostgresError> {
        let rows = self
            .session
            .query(
                "SELECT pid, relid::regclass::text, phase, blocks_done, blocks_total, tuples_done, tuples_total
                   FROM pg_stat_progress_create_index
                  WHERE datname = current_database() ORDER BY pid",
                &[],
            )
            .await
            .map_err(PostgresError::doing("reading the progress of the indexes"))?;
        Ok(rows
            .iter()
            .map(|row| IndexProgress {
                pid: row.get(0),
                relation: row.get(1),
                phase: row.get(2),
                blocks_done: count(row, 3),
                blocks_total: count(row, 4),
                rows_done: count(row, 5),
                rows_total: count(row, 6),
            })
            .collect())
    }

    /// The size of the database on disk, in bytes.
    ///
    /// # Errors
    /// [`PostgresError::Statement`].
    pub async fn size(&self) -> Result<u64, PostgresError> {
        let row = self
            .session
            .query_one("SELECT pg_database_size(current_database())", &[])
            .await
            .map_err(PostgresError::doing("reading the size of the database"))?;
        Ok(count(&row, 0))
    }
}

/// A count, which the server never makes negative.
fn count(row: &tokio_postgres::Row, column: usize) -> u64 {
    u64::try_from(row.get::<_, i64>(column)).unwrap_or(0)
}
