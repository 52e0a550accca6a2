//! Text from elsewhere, made fit for a terminal and a log.
//!
//! What a container prints may colour, clear the screen, move the cursor or rename the window. Whoever shows or keeps such
//! text passes it through here first; there is no other place that knows about it.

/// One line without anything that acts on a terminal: no escape sequences, no control characters, no marks that turn
/// the direction of writing round. A tab becomes spaces, a line end becomes one space.
///
/// Programs that redraw one line (`rsync --info=progress2`, `curl`) separate its states by carriage returns; the last
/// one that says anything stays.
#[must_use]
pub fn line(text: &str) -> String {
    let text = text.trim_end_matches(['\r', '\n']);
    // Most lines of most programs.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.trim_end().to_owned();
    }
    let shown = |state: &&str| !state.trim().is_empty();
    let last = text.rsplit('\r').find(shown).unwrap_or_default();
    let unescaped = console::strip_ansi_codes(last);
    let mut cleaned = String::with_capacity(unescaped.len());
    for character in unescaped.chars() {
        match character {
            '\t' => cleaned.push_str("    "),
            '\n' => cleaned.push(' '),
            _ if acts_on_terminal(character) => {}
            _ => cleaned.push(character),
        }
    }
    cleaned.truncate(cleaned.trim_end().len());
    cleaned
}

/// The lines of a text, each as [`line()`] leaves it.
pub fn lines(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines().map(line)
}

fn acts_on_terminal(character: char) -> bool {
    // U+202A to U+202E and U+2066 to U+2069 reorder what follows them, so that a line can read as another one.
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_moves_the_cursor() {
        assert_eq!(line("\x1b[2J\x1b[1;31mred\x1b[0m\x07 alert"), "red alert");
        assert_eq!(line("\x1b]0;new title\x07text"), "text");
        assert_eq!(line("a\u{9b}2Jb\x08\x1b"), "ab");
        assert_eq!(line("\u{202e}txt.exe"), "txt.exe");
        assert_eq!(line("a\tb\nc\n"), "a    b c");
    }

    #[test]
    fn of_a_redrawn_line_the_last_state_stays() {
        assert_eq!(line("10 %\r50 %\r100 %\r"), "100 %");
        assert_eq!(line("windows line\r\n"), "windows line");
        assert_eq!(line("\r"), "");
    }

    #[test]
    fn other_scripts_are_left_alone() {
        assert_eq!(line("größe 漢字 ✓"), "größe 漢字 ✓");
    }
}
