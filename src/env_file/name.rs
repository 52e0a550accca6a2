//! The names of variables.

/// White space within a line, as Go's `unicode.IsSpace` has it in Latin-1.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

/// What a name consists of where a line begins with one.
pub(super) fn is_in_name(c: char) -> bool {
    c.is_alphanumeric() || "_.-[]".contains(c)
}

/// The name with which a text begins, as `$NAME` and `${NAME…}` have it.
pub(super) fn name_at(text: &str) -> Option<&str> {
    let begins = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !text.starts_with(begins) {
        return None;
    }
    let end = text.find(|c: char| !begins(c) && !c.is_ascii_digit());
    Some(&text[..end.unwrap_or(text.len())])
}
