//! Env files, in the grammar of docker compose: what such a file means to compose, it means here.
//!
//! The grammar is that of compose-go's package `dotenv`, found out by trying (`docker compose config`, 2.26 and later): a
//! test in the lab compares both. Where a file cannot mean the same here it is refused, with its line; a line itself is
//! never shown, for it may hold a secret.
//!
//! A crate such as `dotenvy` cannot be used: it substitutes from the whole environment of the process, so that a token of
//! the shell comes into a stack that does not name it; it does not tell what a value was composed of; and it reads half of
//! the lines otherwise than compose does.

mod error;
mod escapes;
mod name;
mod statement;
mod substitute;
#[cfg(test)]
mod tests;

pub use error::{EnvFileError, Wrong};

use statement::{Statement, Statements, Written};
use substitute::Substitution;

/// A variable of an env file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its value, everything in it substituted.
    pub value: String,
    /// The line on which it begins, counted from 1.
    pub line: usize,
    /// The variables whose values stand in it, in the order in which they were met.
    pub composed_of: Vec<String>,
    /// Variables that it speaks of and that nothing sets; nothing stands in their place.
    pub unset: Vec<String>,
}

/// Reads an env file and hands over each of its variables, in the order in which they stand there.
///
/// `lookup` is asked for what a value speaks of, each time after all variables above it were handed over. A name without
/// `=` stands for what the lookup has by that name, and for nothing if it has none.
///
/// # Errors
/// A line that is no variable, that cannot be substituted, or that no environment can hold; all above it was handed over.
pub fn read<S: ?Sized>(
    bytes: &[u8],
    state: &mut S,
    lookup: impl Fn(&S, &str) -> Option<String>,
    mut take: impl FnMut(&mut S, Entry),
) -> Result<(), EnvFileError> {
    let text = text(bytes)?;
    for statement in Statements::of(text) {
        let Statement { name, written, line } = statement?;
        let found = |name: &str| lookup(state, name);
        let substituted = match written {
            Written::Nothing => match found(name) {
                Some(value) => Ok(Substitution::of(name, value)),
                None => continue,
            },
            Written::Bare(text) => substitute::substitute(text, &found),
            Written::Double(text) => substitute::substitute(&escapes::replaced(&text), &found),
            Written::Single(text) => Ok(Substitution::plain(text)),
        };
        let Substitution {
            text: value,
            composed_of,
            unset,
        } = substituted.map_err(|wrong| EnvFileError { line, wrong })?;
        if value.contains('\0') {
            return Err(EnvFileError {
                line,
                wrong: Wrong::Nul,
            });
        }
        let entry = Entry {
            name: name.to_owned(),
            value,
            line,
            composed_of,
            unset,
        };
        take(state, entry);
    }
    Ok(())
}

/// The text without the mark of byte order with which some editors begin a file.
fn text(bytes: &[u8]) -> Result<&str, EnvFileError> {
    let text = std::str::from_utf8(bytes).map_err(|error| EnvFileError {
        line: 1 + memchr::memchr_iter(b'\n', &bytes[..error.valid_up_to()]).count(),
        wrong: Wrong::NotUtf8,
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}
