//! Substitution: `$NAME`, `${NAME}` and what may follow the name between braces.

use super::error::Wrong;
use super::name::name_at;

/// So many templates may stand within each other.
const DEEPEST: usize = 100;

/// A text with everything in it substituted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Substitution {
    pub(super) text: String,
    /// The variables whose values stand in it.
    pub(super) composed_of: Vec<String>,
    /// Variables that it speaks of and that are not set.
    pub(super) unset: Vec<String>,
}

impl Substitution {
    /// A text in which nothing is to be substituted.
    pub(super) fn plain(text: String) -> Self {
        Self {
            text,
            ..Self::default()
        }
    }

    /// The value of a variable.
    pub(super) fn of(name: &str, text: String) -> Self {
        Self {
            text,
            composed_of: vec![name.to_owned()],
            unset: Vec::new(),
        }
    }

    fn add(&mut self, other: Self) {
        self.text.push_str(&other.text);
        self.composed_of.extend(other.composed_of);
        self.unset.extend(other.unset);
    }

    /// Adds a variable, or notes that it is not set.
    fn add_variable(&mut self, name: &str, value: Option<String>) {
        match value {
            Some(value) => self.add(Self::of(name, value)),
            None => self.unset.push(name.to_owned()),
        }
    }
}

/// Substitutes variables. A `$` that begins nothing stays as it is.
pub(super) fn substitute(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Substitution, Wrong> {
    within(text, lookup, DEEPEST)
}

fn within(text: &str, lookup: &dyn Fn(&str) -> Option<String>, depth: usize) -> Result<Substitution, Wrong> {
    let depth = depth.checked_sub(1).ok_or(Wrong::TooDeep)?;
    let mut done = Substitution::default();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        done.text.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        if let Some(after) = behind.strip_prefix('$') {
            done.text.push('$');
            rest = after;
        } else if let Some(name) = name_at(behind) {
            done.add_variable(name, lookup(name));
            rest = &behind[name.len()..];
        } else if let Some(inner) = behind.strip_prefix('{') {
            let (template, after) = template(inner)?;
            done.add(braced(&template, lookup, depth)?);
            rest = after;
        } else {
            done.text.push('$');
            rest = behind;
        }
    }
    done.text.push_str(rest);
    Ok(done)
}

/// What stands between the braces of a template.
struct Template<'a> {
    name: &'a str,
    /// `-`, `+` or `?`, whether a colon stands before it, and what follows it.
    operation: Option<(char, bool, &'a str)>,
}

/// The template that begins behind `${`, and what follows it. It ends with the brace that closes as many as it opens, or
/// else with the last one of its line.
fn template(text: &str) -> Result<(Template<'_>, &str), Wrong> {
    let name = name_at(text).ok_or(Wrong::Template)?;
    let behind = &text[name.len()..];
    if let Some(after) = behind.strip_prefix('}') {
        return Ok((Template { name, operation: None }, after));
    }
    let (with_colon, operator) = match behind.strip_prefix(':') {
        Some(behind) => (true, behind),
        None => (false, behind),
    };
    let operator_is = operator.chars().next().filter(|c| "-+?".contains(*c));
    let sign = operator_is.ok_or(Wrong::Template)?;
    let operand = &operator[1..];
    let line = operand.split_once('\n').map_or(operand, |(line, _)| line);
    let last = line.rfind('}').ok_or(Wrong::Template)?;
    let end = closing(&line[..=last]).unwrap_or(last);
    let operation = Some((sign, with_colon, &operand[..end]));
    Ok((Template { name, operation }, &operand[end + 1..]))
}

/// Where the brace that is open before this text is closed.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

fn braced(
    template: &Template<'_>,
    lookup: &dyn Fn(&str) -> Option<String>,
    depth: usize,
) -> Result<Substitution, Wrong> {
    let name = template.name;
    let value = lookup(name);
    let mut done = Substitution::default();
    let Some((sign, with_colon, operand)) = template.operation else {
        done.add_variable(name, value);
        return Ok(done);
    };
    // compose substitutes in it whether it is used or not, and so refuses what is wrong with it.
    let substituted = within(operand, lookup, depth)?;
    let is_there = value.as_ref().is_some_and(|value| !with_colon || !value.is_empty());
    match (sign, is_there) {
        ('-', false) | ('+', true) => Ok(substituted),
        ('?', false) => Err(Wrong::Required {
            name: name.to_owned(),
            message: Some(operand.to_owned()).filter(|text| !text.is_empty() && !text.contains('$')),
        }),
        _ => {
            if let Some(value) = value {
                done.add(Substitution::of(name, value));
            }
            Ok(done)
        }
    }
}
