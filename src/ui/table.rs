//! Data in columns.

use console::measure_text_width;
use serde_json::{Map, Value};

use super::paint::Paint;
use crate::plain_text;
use crate::process::Redactor;

/// Rows of cells under headings, such as the list of tasks.
#[derive(Debug, Clone)]
pub struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub fn new<I, S>(headings: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        Self {
            headings: headings.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row. Cells that are missing are empty; cells beyond the headings are not shown.
    pub fn row<I, S>(&mut self, cells: I)
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        let mut row: Vec<String> = cells.into_iter().map(|cell| plain_text::line(&cell.into())).collect();
        row.resize(self.headings.len(), String::new());
        self.rows.push(row);
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The same without the secrets in its cells.
    #[must_use]
    pub(super) fn masked(&self, redactor: &Redactor) -> Self {
        let mut masked = self.clone();
        for cell in masked.rows.iter_mut().flatten() {
            *cell = redactor.redact(cell).into_owned();
        }
        masked
    }

    /// Aligned columns, two spaces between; nothing trails.
    pub(super) fn draw(&self, paint: Paint) -> String {
        let widths: Vec<usize> = (0..self.headings.len())
            .map(|column| {
                let cells = self
                    .rows
                    .iter()
                    .chain([&self.headings])
                    .filter_map(|row| row.get(column));
                cells.map(|cell| measure_text_width(cell)).max().unwrap_or(0)
            })
            .collect();
        let mut text = paint.strong(&align(&self.headings, &widths)) + "\n";
        for row in &self.rows {
            text.push_str(&align(row, &widths));
            text.push('\n');
        }
        text
    }

    /// One JSON object a row, keyed by headings.
    pub(super) fn records(&self) -> impl Iterator<Item = Value> + '_ {
        self.rows.iter().map(|row| {
            let cells = row.iter().map(|cell| Value::String(cell.clone()));
            Value::Object(self.headings.iter().cloned().zip(cells).collect::<Map<_, _>>())
        })
    }
}

fn align(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        line.push_str(cell);
        line.push_str(&" ".repeat(width.saturating_sub(measure_text_width(cell)) + 2));
    }
    line.truncate(line.trim_end().len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks() -> Table {
        let mut table = Table::new(["task", "about", "group"]);
        table.row(["up", "Start a stack", "stack"]);
        table.row(["größe", "漢字 are two columns wide", "x"]);
        table.row(["bare"]);
        table
    }

    #[test]
    fn columns_are_aligned_whatever_the_script() {
        insta::assert_snapshot!(tasks().draw(Paint::new(false)), @r"
        task   about                      group
        up     Start a stack              stack
        größe  漢字 are two columns wide  x
        bare
        ");
    }

    #[test]
    fn rows_are_records_for_machines() {
        let records: Vec<Value> = tasks().records().collect();
        assert_eq!(
            records[0],
            serde_json::json!({"task": "up", "about": "Start a stack", "group": "stack"})
        );
    }
}
