//! A diagnostic as a person reads it at two in the morning: what, where, the evidence, why, what to do.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::paint::Paint;
use super::place;
use crate::error::{Diagnostic, Place};
use crate::plain_text;

/// Widths beyond this make long lines hard to follow.
const WIDEST: usize = 140;

/// Draws a diagnostic; the text ends with a line end.
pub(super) fn draw(diagnostic: &Diagnostic, paint: Paint, columns: Option<u16>) -> String {
    let mut text = format!(
        "{}{}\n",
        paint.bad("error"),
        paint.strong(&format!(": {}", plain_text::line(&diagnostic.title)))
    );
    if let Some(place) = &diagnostic.place {
        text.push_str(&draw_place(place, paint, columns));
    }
    for evidence in &diagnostic.evidence {
        // A blank line of a command's output stays one.
        let blank = evidence.is_empty().then(String::new);
        for line in plain_text::lines(evidence).chain(blank) {
            text.push_str(format!("  {} {line}", paint.dim("│")).trim_end());
            text.push('\n');
        }
    }
    for note in &diagnostic.notes {
        text.push_str(&remark(&paint.strong("why"), "why", note));
    }
    for hint in &diagnostic.hints {
        text.push_str(&remark(&paint.help("help"), "help", hint));
    }
    text
}

fn draw_place(place: &Place, paint: Paint, columns: Option<u16>) -> String {
    let renderer = if paint.colours() {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let width = columns.map_or(WIDEST, usize::from).clamp(40, WIDEST);
    let renderer = renderer.decor_style(DecorStyle::Unicode).term_width(width);
    let label = plain_text::line(&place.label);
    let span = AnnotationKind::Primary.span(place::span(place));
    let annotation = if label.is_empty() { span } else { span.label(label) };
    let snippet = Snippet::source(place.source.text.as_ref())
        .path(plain_text::line(place.source.path.as_str()))
        .annotation(annotation);
    // The group's own title is ours to draw, so that all diagnostics begin alike, with a place or without.
    let report = [annotate_snippets::Group::with_level(Level::ERROR).element(snippet)];
    renderer.render(&report) + "\n"
}

/// A remark, its further lines indented under its first.
fn remark(heading: &str, plain_heading: &str, text: &str) -> String {
    let indent = " ".repeat(plain_heading.len() + 2);
    let body: Vec<String> = plain_text::lines(text).collect();
    format!("{heading}: {}\n", body.join(&format!("\n{indent}")))
}

#[cfg(test)]
mod tests;
