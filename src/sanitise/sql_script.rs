//! A file of SQL as its statements: where each begins, and its words outside of texts and comments.

/// One statement of a script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ScriptStatement {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// Its text, without the semicolon.
    pub text: String,
    /// Its words in lower case: keywords and names. What stands in quotes for texts is none.
    pub words: Vec<String>,
}

/// Splits a script. A backslash outside of quotes begins a command of psql, which is no SQL: it becomes the word `\`.
pub(super) fn split(script: &str) -> Vec<ScriptStatement> {
    let mut statements = Vec::new();
    let mut open = ScriptStatement::default();
    let mut rest = script;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let (length, word) = match first {
            '\'' => (quoted(rest, '\'', escapes(&open.text)), None),
            '"' => {
                let length = quoted(rest, '"', false);
                (length, Some(rest[..length].replace('"', "").to_lowercase()))
            }
            '$' => (dollar_quoted(rest), None),
            '-' if rest.starts_with("--") => (rest.find('\n').unwrap_or(rest.len()), None),
            '/' if rest.starts_with("/*") => (commented(rest), None),
            ';' => (1, None),
            '\\' => (1, Some("\\".to_owned())),
            letter if letter.is_alphabetic() || letter == '_' => {
                let length = rest
                    .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
                    .unwrap_or(rest.len());
                (length, Some(rest[..length].to_lowercase()))
            }
            other => (other.len_utf8(), None),
        };
        let (piece, after) = rest.split_at(length);
        let is_comment = piece.starts_with("--") || piece.starts_with("/*");
        if piece == ";" {
            finish(&mut statements, &mut open);
        } else if !open.text.is_empty() || !(is_comment || first.is_whitespace()) {
            if open.text.is_empty() {
                open.line = line;
            }
            // A comment may hold what a server reads: it becomes a blank.
            open.text.push_str(if is_comment { " " } else { piece });
            open.words.extend(word);
        }
        line += piece.matches('\n').count();
        rest = after;
    }
    finish(&mut statements, &mut open);
    statements
}

fn finish(statements: &mut Vec<ScriptStatement>, open: &mut ScriptStatement) {
    let mut statement = std::mem::take(open);
    statement.text.truncate(statement.text.trim_end().len());
    if !statement.text.is_empty() {
        statements.push(statement);
    }
}

/// Whether the text ends with the `E` of a text in which backslashes escape.
fn escapes(before: &str) -> bool {
    let mut last = before.chars().rev();
    matches!(last.next(), Some('e' | 'E')) && !last.next().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// The length of what stands in quotes, quotes included; doubled quotes are part of it.
fn quoted(text: &str, quote: char, escapes: bool) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if escapes && character == '\\' {
            characters.next();
        } else if character == quote {
            match characters.peek() {
                Some((_, next)) if *next == quote => {
                    characters.next();
                }
                _ => return at + quote.len_utf8(),
            }
        }
    }
    text.len()
}

/// The length of a dollar-quoted text, or 1 where the dollar begins none.
fn dollar_quoted(text: &str) -> usize {
    let Some(end) = text[1..].find('$').map(|end| end + 2) else {
        return 1;
    };
    let tag = &text[..end];
    let is_tag = tag[1..end - 1].chars().all(|c| c.is_alphanumeric() || c == '_')
        && !tag[1..].starts_with(|c: char| c.is_ascii_digit());
    if !is_tag {
        return 1;
    }
    text[end..]
        .find(tag)
        .map_or(text.len(), |close| end + close + tag.len())
}

/// The length of a comment, comments within it included.
fn commented(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_split_where_sql_ends_them() {
        let script = "-- a; b\nUPDATE a SET b = 'x;''y';\n\n/* DROP; /* nested */ */ DELETE FROM \"C;d\"\nWHERE e = $q$;$q$ -- f;\n;\n";
        let split = split(script);
        let seen: Vec<_> = split.iter().map(|one| (one.line, one.text.as_str())).collect();
        assert_eq!(
            seen,
            [
                (2, "UPDATE a SET b = 'x;''y'"),
                (4, "DELETE FROM \"C;d\"\nWHERE e = $q$;$q$")
            ]
        );
        assert_eq!(split[1].words, ["delete", "from", "c;d", "where", "e"]);
    }

    #[test]
    fn what_psql_alone_knows_is_seen() {
        let split = split("\\connect other\nUPDATE a SET b = E'it\\'s; \\\\' ; DROP TABLE c");
        assert_eq!(split[0].words[0], "\\");
        assert_eq!((split[1].line, split[1].words[0].as_str()), (2, "drop"));
    }

    #[test]
    fn ends_that_are_missing_are_no_panic() {
        for script in ["'", "\"", "$a$", "$", "/* /*", "--", "E'\\", "ä'ö", "$ä$ß", "*/", "$1"] {
            let _ = split(script);
        }
    }
}
