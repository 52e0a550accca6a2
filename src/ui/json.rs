//! Machine-readable forms: one JSON object a line.

use serde::Serialize;
use serde_json::Value;

use super::place::Position;
use crate::error::Diagnostic;
use crate::process::Redactor;

/// A diagnostic beside the events of a run.
#[derive(Debug, Serialize)]
struct ErrorRecord<'a> {
    event: &'static str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<PlaceRecord<'a>>,
    evidence: &'a [String],
    notes: &'a [String],
    hints: &'a [String],
    exit: u8,
}

#[derive(Debug, Serialize)]
struct PlaceRecord<'a> {
    path: &'a str,
    line: usize,
    column: usize,
    label: &'a str,
}

/// A value as one line. What cannot be written as JSON becomes an error record, so that the stream stays readable.
pub(super) fn line<T: Serialize>(value: &T) -> String {
    match serde_json::to_string(value) {
        Ok(json) => json + "\n",
        Err(error) => serde_json::json!({ "event": "error", "title": error.to_string() }).to_string() + "\n",
    }
}

/// A value as one line, without the secrets in its texts. Numbers stay: a mask in the place of one would be no JSON.
pub(super) fn masked_line<T: Serialize>(value: &T, redactor: &Redactor) -> String {
    match serde_json::to_value(value) {
        Ok(mut value) => {
            mask(&mut value, redactor);
            line(&value)
        }
        Err(_) => line(value),
    }
}

fn mask(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(text) => *text = redactor.redact(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, redactor)),
        Value::Object(entries) => entries.values_mut().for_each(|entry| mask(entry, redactor)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A diagnostic as one line.
pub(super) fn diagnostic(diagnostic: &Diagnostic) -> String {
    line(&ErrorRecord {
        event: "error",
        title: &diagnostic.title,
        place: diagnostic.place.as_ref().map(|place| {
            let Position { line, column } = Position::of(place);
            let path = place.source.path.as_str();
            PlaceRecord {
                path,
                line,
                column,
                label: &place.label,
            }
        }),
        evidence: &diagnostic.evidence,
        notes: &diagnostic.notes,
        hints: &diagnostic.hints,
        exit: diagnostic.exit as u8,
    })
}
