//! An env file cut into statements: a name, and a value as it is written.

use super::error::{EnvFileError, Wrong};
use super::name::{is_in_name, is_space};

/// A variable as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Statement<'a> {
    pub(super) name: &'a str,
    pub(super) written: Written<'a>,
    /// The line on which it begins, counted from 1.
    pub(super) line: usize,
}

/// A value as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written<'a> {
    /// There is a name alone.
    Nothing,
    /// Without quotes.
    Bare(&'a str),
    /// Between single quotes, `\'` resolved.
    Single(String),
    /// Between double quotes, `\"` resolved.
    Double(String),
}

/// The statements of a text, one after the other; the last one may be an error.
#[derive(Debug)]
pub(super) struct Statements<'a> {
    rest: &'a str,
    line: usize,
    failed: bool,
}

impl<'a> Statements<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self {
            rest: text,
            line: 1,
            failed: false,
        }
    }

    /// Takes so many bytes off the text.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, is_wanted: impl Fn(char) -> bool) -> &'a str {
        let length = self.rest.find(|c| !is_wanted(c));
        self.take(length.unwrap_or(self.rest.len()))
    }

    /// White space, comments, and `export` with what stands between it and the name.
    fn skip(&mut self) {
        self.take_while(char::is_whitespace);
        while self.rest.starts_with('#') {
            self.take_while(|c| c != '\n');
            self.take_while(char::is_whitespace);
        }
        if let Some(rest) = self.rest.strip_prefix("export")
            && rest.starts_with(char::is_whitespace)
        {
            self.take("export".len());
            self.take_while(char::is_whitespace);
        }
    }

    fn statement(&mut self) -> Result<Statement<'a>, Wrong> {
        let line = self.line;
        let name = self.take_while(is_in_name);
        let between = self.take_while(is_space);
        let has_value = match self.rest.chars().next() {
            Some('=' | ':') => true,
            Some('\n') | None => false,
            Some(_) => return Err(Wrong::Name),
        };
        if name.is_empty() {
            return Err(if between.is_empty() { Wrong::NoName } else { Wrong::Name });
        }
        if !has_value {
            return Ok(Statement {
                name,
                written: Written::Nothing,
                line,
            });
        }
        self.take(1);
        self.take_while(is_space);
        let written = match self.rest.chars().next() {
            Some('\'') => Written::Single(self.quoted('\'')?),
            Some('"') => Written::Double(self.quoted('"')?),
            _ => Written::Bare(self.bare()),
        };
        Ok(Statement { name, written, line })
    }

    /// To the end of the line, without a comment behind a space.
    fn bare(&mut self) -> &'a str {
        let line = self.take_while(|c| c != '\n');
        let value = line.split_once(" #").map_or(line, |(value, _)| value);
        value.trim_end()
    }

    /// To the quote that ends it. A backslash stays, but in front of that quote.
    fn quoted(&mut self, quote: char) -> Result<String, Wrong> {
        let mut text = String::new();
        let mut is_escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match (c, is_escaped) {
                (c, false) if c == quote => {
                    self.take(at + quote.len_utf8());
                    return Ok(text);
                }
                ('\\', false) => {
                    is_escaped = true;
                    continue;
                }
                (c, true) if c != quote => {
                    text.push('\\');
                    text.push(c);
                }
                (c, _) => text.push(c),
            }
            is_escaped = false;
        }
        Err(Wrong::Quote)
    }
}

impl<'a> Iterator for Statements<'a> {
    type Item = Result<Statement<'a>, EnvFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.skip();
        if self.failed || self.rest.is_empty() {
            return None;
        }
        let line = self.line;
        let statement = self.statement();
        self.failed = statement.is_err();
        Some(statement.map_err(|wrong| EnvFileError { line, wrong }))
    }
}
