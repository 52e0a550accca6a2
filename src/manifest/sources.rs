//! Which file a value came from, when many files make one manifest.
//!
//! TOML's reader says where a value stands in its file. The tables of all files are merged before they are read as types, so
//! every span is moved by its file's own offset first: a span then tells the file too.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Place, Source};

/// The files of a manifest, each with the offset of its spans.
#[derive(Debug, Clone, Default)]
pub struct Sources(Arc<Vec<(usize, Source)>>);

impl Sources {
    /// Lays files end to end.
    pub(super) fn new(files: impl IntoIterator<Item = Source>) -> Self {
        let mut offset = 0;
        let files = files.into_iter().map(|source| {
            let begin = offset;
            // One more, so that the end of a file is not the beginning of the next.
            offset += source.text.len() + 1;
            (begin, source)
        });
        Self(Arc::new(files.collect()))
    }

    /// Returns the files with their offsets.
    pub(super) fn files(&self) -> &[(usize, Source)] {
        &self.0
    }

    /// Returns where a span of the merged tables stands.
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        let after = self.0.partition_point(|(offset, _)| *offset <= span.start);
        let (offset, source) = match self.0.get(after.saturating_sub(1)) {
            Some((offset, source)) => (*offset, source.clone()),
            None => (0, Source::default()),
        };
        let inside = |at: usize| at.saturating_sub(offset).min(source.text.len());
        Place {
            span: inside(span.start)..inside(span.end),
            source,
            label: String::new(),
        }
    }
}

/// Moves all spans of a table.
pub(super) fn moved(table: DeTable<'_>, offset: usize) -> DeTable<'_> {
    let entries = table.into_iter().map(|(key, value)| {
        let key = Spanned::new(by(key.span(), offset), key.into_inner());
        (key, moved_value(value, offset))
    });
    entries.collect()
}

fn moved_value(value: Spanned<DeValue<'_>>, offset: usize) -> Spanned<DeValue<'_>> {
    let span = by(value.span(), offset);
    let value = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(moved(table, offset)),
        DeValue::Array(mut items) => {
            for item in items.iter_mut() {
                let taken = std::mem::replace(item, Spanned::new(0..0, DeValue::Boolean(false)));
                *item = moved_value(taken, offset);
            }
            DeValue::Array(items)
        }
        plain => plain,
    };
    Spanned::new(span, value)
}

fn by(span: Range<usize>, offset: usize) -> Range<usize> {
    span.start + offset..span.end + offset
}
