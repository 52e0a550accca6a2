//! How large an upstream's table is.

use serde::Deserialize;

/// One row of the answer to [`Question::TableSizes`](super::Question::TableSizes), which begins with the largest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TableSize {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub table: String,
    /// Its size in bytes without indexes.
    pub bytes: u64,
    /// How many rows the planner believes it has; 0 if it was never analysed.
    pub rows: u64,
}
