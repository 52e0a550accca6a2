//! Pieces of texts in which JSON, the representation of Python's objects, arguments and addresses stand: what is in quotes, numbers,
//! values of arguments. Quotes may be escaped, as they are in JSON in a text of JSON, and a text may be cut off anywhere.

use std::ops::Range;

/// How deep quotes may be escaped: JSON in a text of JSON in a text of JSON.
const DEEPEST: usize = 7;

/// Where the value of a key begins whose name ends at `end`.
pub(super) fn after_key(text: &str, end: usize, open: &str) -> Option<usize> {
    let rest = text[end..].strip_prefix(open)?;
    let rest = rest.trim_start_matches([' ', '\n', '\t', '\r']);
    let rest = rest
        .strip_prefix(':')
        .or_else(|| rest.strip_prefix("=>"))
        .or_else(|| rest.strip_prefix("=&gt;"))?;
    Some(text.len() - rest.trim_start_matches([' ', '\n', '\t', '\r']).len())
}

/// The content of a quoted text that begins at `at`, and where the text ends. One that is cut off ends with all.
pub(super) fn quoted(text: &str, at: usize) -> Option<(Range<usize>, usize)> {
    let rest = &text[at..];
    // Python's bytes, raw and formatted texts.
    let letters = rest.len() - rest.trim_start_matches(['b', 'u', 'r', 'f']).len();
    let start = at + if letters <= 2 { letters } else { 0 };
    let rest = &text[start..];
    if rest.starts_with('&') {
        let entity = &rest[..=rest.find(';').filter(|end| *end < 9)?];
        if !["&quot;", "&apos;", "&#34;", "&#39;", "&#x27;", "&#x22;"].contains(&entity.to_lowercase().as_str()) {
            return None;
        }
        let begin = start + entity.len();
        let end = text[begin..].find(entity).map_or(text.len(), |end| begin + end);
        return Some((begin..end, (end + entity.len()).min(text.len())));
    }
    let escapes = rest.len() - rest.trim_start_matches('\\').len();
    let quote = rest[escapes..]
        .chars()
        .next()
        .filter(|quote| matches!(quote, '"' | '\''))?;
    if escapes > DEEPEST || !(escapes + 1).is_power_of_two() {
        return None;
    }
    let begin = start + escapes + 1;
    let (mut run, bytes) = (0, text.as_bytes());
    for (place, byte) in bytes.iter().enumerate().skip(begin) {
        if *byte == b'\\' {
            run += 1;
        } else if *byte == quote as u8 && run >= escapes && (run - escapes).is_multiple_of(2 * (escapes + 1)) {
            return Some((begin..place - escapes, place + 1));
        } else {
            run = 0;
        }
    }
    Some((begin..text.len(), text.len()))
}

/// How many letters of a number the text begins with; none where more of a word follows.
pub(super) fn number(text: &str) -> usize {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let rest = if rest.starts_with(|first: char| first.is_ascii_digit()) {
        rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'))
    } else {
        return 0;
    };
    if rest.starts_with(|next: char| next.is_alphanumeric() || next == '_') {
        0
    } else {
        text.len() - rest.len()
    }
}

/// The value of a named argument or of one in an address. Without quotes only directly behind its `=`.
pub(super) fn argument(text: &str, at: usize, directly: bool) -> Option<Range<usize>> {
    if let Some((content, _)) = quoted(text, at) {
        return Some(content).filter(|content| !content.is_empty());
    }
    if !directly {
        return None;
    }
    let ends = |c: char| c.is_whitespace() || "&;,\"'<>\\(){}[]|#=".contains(c);
    let length = text[at..].find(ends).unwrap_or(text.len() - at);
    let value = &text[at..at + length];
    let is_word = matches!(value, "" | "None" | "True" | "False" | "null" | "true" | "false");
    (!is_word).then_some(at..at + length)
}
