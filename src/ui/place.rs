//! Where a span stands in its text, whatever the span.

use std::ops::Range;

use crate::error::Place;

/// Line and column, both counted from 1; columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Position {
    pub(super) fn of(place: &Place) -> Self {
        let before = &place.source.text[..span(place).start];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// The place's span, inside its text and on character boundaries: a parser's slip must not spoil the message about it.
pub(super) fn span(place: &Place) -> Range<usize> {
    let text = &place.source.text;
    let boundary = |index: usize| {
        (0..=index.min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0)
    };
    let start = boundary(place.span.start);
    start..boundary(place.span.end).max(start)
}
