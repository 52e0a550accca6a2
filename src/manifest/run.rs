//! `run = { ACTION = … }`: which actions there are and what stands behind each is given by whoever carries them out.

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};

use super::Text;

/// What a manifest may say of one action.
#[derive(Debug)]
pub struct ActionGrammar {
    /// Its key under `run`.
    pub key: &'static str,
    /// What it does, one line.
    pub about: &'static str,
    /// What stands behind the key.
    pub argument: ArgumentGrammar,
    /// Whether it acts on a stack, whatever its argument speaks of.
    pub on_stack: bool,
}

/// What stands behind an action's key.
#[derive(Debug)]
pub enum ArgumentGrammar {
    /// A program and its arguments in one string, split as a shell splits them; no shell runs.
    Line,
    /// A script for `sh -eu`.
    Script,
    /// A list of words.
    Words,
    /// A table with these options; `{}` where there are none.
    Options(&'static [OptionGrammar]),
}

/// An option of an action.
#[derive(Debug)]
pub struct OptionGrammar {
    /// Its key.
    pub key: &'static str,
    /// What it is for, one line.
    pub about: &'static str,
    /// What its value is.
    pub kind: OptionKind,
}

/// What the value of an option is.
#[derive(Debug, Clone, Copy)]
pub enum OptionKind {
    /// A string that is a template.
    Text,
    /// An expression that is true or false, such as `params.force`.
    Condition,
    /// A number of seconds.
    Seconds {
        /// The value where none is given.
        default: u64,
    },
}

/// `run = { ACTION = … }` of a task.
#[derive(Debug, Clone)]
pub struct RunDef {
    /// The action, and where its key stands.
    pub key: Text,
    /// What is known of the action.
    pub grammar: &'static ActionGrammar,
    /// What stands behind the key.
    pub argument: ArgumentDef,
}

/// What a manifest says behind an action's key.
#[derive(Debug, Clone)]
pub enum ArgumentDef {
    /// A program and its arguments.
    Line(Text),
    /// A script.
    Script(Text),
    /// A list of words.
    Words(Vec<Text>),
    /// Options, by their keys.
    Options(Vec<(&'static str, OptionDef)>),
}

/// The value of an option.
#[derive(Debug, Clone)]
pub enum OptionDef {
    /// A string that is a template.
    Text(Text),
    /// An expression.
    Condition(Text),
    /// A number of seconds.
    Seconds(u64),
}

impl RunDef {
    /// Returns the strings that are templates.
    pub(super) fn texts(&self) -> Vec<&Text> {
        match &self.argument {
            ArgumentDef::Line(text) | ArgumentDef::Script(text) => vec![text],
            ArgumentDef::Words(texts) => texts.iter().collect(),
            ArgumentDef::Options(options) => {
                let texts = options.iter().filter_map(|(_, value)| match value {
                    OptionDef::Text(text) => Some(text),
                    _ => None,
                });
                texts.collect()
            }
        }
    }

    /// Returns the strings that are expressions.
    pub(super) fn conditions(&self) -> Vec<&Text> {
        let ArgumentDef::Options(options) = &self.argument else {
            return Vec::new();
        };
        let conditions = options.iter().filter_map(|(_, value)| match value {
            OptionDef::Condition(text) => Some(text),
            _ => None,
        });
        conditions.collect()
    }
}

/// What is wrong with a `run`, as the reader of the file tells it.
pub(super) struct RunFault {
    /// What is wrong.
    pub(super) message: String,
    /// Where, in bytes of the file.
    pub(super) span: std::ops::Range<usize>,
    /// What to do.
    pub(super) hint: Option<String>,
}

impl RunFault {
    fn new(message: impl Into<String>, span: std::ops::Range<usize>) -> Self {
        Self {
            message: message.into(),
            span,
            hint: None,
        }
    }

    fn hinted(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

/// Reads what stands behind `run`.
pub(super) fn read(run: Spanned<DeValue<'_>>, actions: &[&'static ActionGrammar]) -> Result<RunDef, RunFault> {
    let span = run.span();
    let DeValue::Table(table) = run.into_inner() else {
        let fault = RunFault::new("`run` is a table with one action", span);
        return Err(fault.hinted(Some("such as run = { shell = \"…\" }".into())));
    };
    let mut entries = table.into_iter();
    let Some((key, value)) = entries.next() else {
        let fault = RunFault::new("`run` names no action", span);
        return Err(fault.hinted(Some("such as run = { shell = \"…\" }".into())));
    };
    if let Some((second, _)) = entries.next() {
        let message = format!(
            "`run` names two actions, `{}` and `{}`",
            key.get_ref(),
            second.get_ref()
        );
        let hint = "a task does one thing: make a second task, and name it in `needs`";
        return Err(RunFault::new(message, second.span()).hinted(Some(hint.into())));
    }
    let Some(grammar) = actions.iter().find(|grammar| grammar.key == key.get_ref().as_ref()) else {
        let hint = crate::suggest::hint(key.get_ref(), actions.iter().map(|grammar| grammar.key));
        let all: Vec<_> = actions.iter().map(|grammar| format!("`{}`", grammar.key)).collect();
        let hint = hint.unwrap_or_else(|| format!("there are {}", all.join(", ")));
        return Err(RunFault::new(format!("there is no action `{}`", key.get_ref()), key.span()).hinted(Some(hint)));
    };
    let key = Spanned::new(key.span(), key.get_ref().to_string());
    let argument = argument(grammar, value)?;
    Ok(RunDef { key, grammar, argument })
}

fn argument(grammar: &ActionGrammar, value: Spanned<DeValue<'_>>) -> Result<ArgumentDef, RunFault> {
    let what = format!("`{}`", grammar.key);
    Ok(match grammar.argument {
        ArgumentGrammar::Line => ArgumentDef::Line(typed(value, &format!("{what} takes a string"))?),
        ArgumentGrammar::Script => ArgumentDef::Script(typed(value, &format!("{what} takes a string"))?),
        ArgumentGrammar::Words => ArgumentDef::Words(typed(value, &format!("{what} takes a list of strings"))?),
        ArgumentGrammar::Options(known) => ArgumentDef::Options(options(grammar.key, known, value)?),
    })
}

fn options(
    action: &str,
    known: &'static [OptionGrammar],
    value: Spanned<DeValue<'_>>,
) -> Result<Vec<(&'static str, OptionDef)>, RunFault> {
    let span = value.span();
    let DeValue::Table(table) = value.into_inner() else {
        let like = match known.first() {
            Some(option) => format!("{action} = {{ {} = … }}", option.key),
            None => format!("{action} = {{}}"),
        };
        let fault = RunFault::new(format!("`{action}` takes a table of options"), span);
        return Err(fault.hinted(Some(format!("write {like}"))));
    };
    let mut given = Vec::new();
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let Some(option) = known.iter().find(|option| option.key == name) else {
            let hint = match known.is_empty() {
                true => Some(format!("`{action}` has no options")),
                false => crate::suggest::hint(name, known.iter().map(|option| option.key)),
            };
            let fault = RunFault::new(format!("`{action}` has no option `{name}`"), key.span());
            return Err(fault.hinted(hint));
        };
        let what = format!("`{name}` of `{action}`");
        let value = match option.kind {
            OptionKind::Text => OptionDef::Text(typed(value, &format!("{what} takes a string"))?),
            OptionKind::Condition => {
                OptionDef::Condition(typed(value, &format!("{what} takes an expression in quotes"))?)
            }
            OptionKind::Seconds { .. } => {
                OptionDef::Seconds(typed(value, &format!("{what} takes a number of seconds"))?)
            }
        };
        given.push((option.key, value));
    }
    Ok(given)
}

/// Returns a value of the type that is wanted; `takes` says which that is.
fn typed<'de, T: Deserialize<'de>>(value: Spanned<DeValue<'de>>, takes: &str) -> Result<T, RunFault> {
    let whole = value.span();
    T::deserialize(ValueDeserializer::from(value)).map_err(|error| RunFault::new(takes, error.span().unwrap_or(whole)))
}
