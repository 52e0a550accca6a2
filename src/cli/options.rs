//! Options that every command takes.

use std::ffi::OsString;

use camino::Utf8PathBuf;
use clap::{Arg, ArgAction, ArgMatches, value_parser};

use crate::manifest::is_variable_name;
use crate::ui::{Mode, Ui, Verbosity};

/// What the command line says beside the command.
#[derive(Debug, Clone)]
pub(super) struct Options {
    /// The manifest, if it is named.
    pub file: Option<Utf8PathBuf>,
    /// How events are shown.
    pub output: Mode,
    /// Whether children's lines are shown.
    pub verbosity: Verbosity,
    /// The maximum number of tasks to run in parallel.
    pub jobs: usize,
    /// Show the plan instead of carrying it out.
    pub dry_run: bool,
    /// The stack's host is this machine.
    pub here: bool,
    /// Variables of the stack.
    pub set: Vec<(String, String)>,
    /// Files and folders that were not made by opw-task, which it may take over.
    pub take_over: Vec<Utf8PathBuf>,
}

impl Options {
    /// The arguments for clap.
    pub(super) fn args() -> [Arg; 8] {
        [
            Arg::new("file")
                .long("file")
                .short('f')
                .value_name("PATH")
                .value_parser(value_parser!(String))
                .help("Path of the manifest [default: the nearest tasks.toml, from here upwards]"),
            Arg::new("output")
                .long("output")
                .short('o')
                .value_name("HOW")
                .default_value("auto")
                .value_parser(clap::builder::PossibleValuesParser::new(
                    Mode::ALL.map(|(name, _)| name),
                ))
                .help("How to show a run"),
            Arg::new("verbose")
                .long("verbose")
                .short('v')
                .action(ArgAction::SetTrue)
                .help("Show commands and what they print"),
            Arg::new("jobs")
                .long("jobs")
                .short('j')
                .value_name("N")
                .value_parser(value_parser!(u16).range(1..))
                .help("Run at most N tasks at once [default: number of processors, at least 2]"),
            Arg::new("here")
                .long("here")
                .action(ArgAction::SetTrue)
                .help("Run here instead of connecting to the stack's host over ssh"),
            Arg::new("dry-run")
                .long("dry-run")
                .short('n')
                .action(ArgAction::SetTrue)
                .help("Print the commands instead of running them"),
            Arg::new("set")
                .long("set")
                .value_name("NAME=VALUE")
                .action(ArgAction::Append)
                .value_parser(pair)
                .help("Set a variable of the stack, overriding all env files"),
            Arg::new("take-over")
                .long("take-over")
                .value_name("PATH")
                .action(ArgAction::Append)
                .value_parser(value_parser!(String))
                .help("Replace this file, or use this folder, although opw-task did not make it; the old file is kept beside it"),
        ]
        .map(|arg| arg.global(true).help_heading("Options of every command"))
    }

    /// What must be known before the manifest is read, and with it the grammar of the line: which manifest, and how to say
    /// that it is wrong. Words that are only known later are passed over.
    pub(super) fn early(args: &[OsString]) -> Self {
        let mut early = Self::default();
        let mut words = args.iter().skip(1).map(|word| word.to_string_lossy());
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            }
            let (name, value) = match (word.strip_prefix("--"), word.strip_prefix('-')) {
                (Some(long), _) => match long.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (long, None),
                },
                // Short options may stand together, the last of them with its value: `-vfPATH`.
                (None, Some(short)) => match short.find(['f', 'o', 'j']) {
                    Some(at) => (
                        &short[at..=at],
                        Some(short[at + 1..].to_owned()).filter(|value| !value.is_empty()),
                    ),
                    None => continue,
                },
                (None, None) => continue,
            };
            if !matches!(name, "file" | "f" | "output" | "o" | "jobs" | "j" | "set" | "take-over") {
                continue;
            }
            let value = value.or_else(|| words.next().map(|word| word.into_owned()));
            match name {
                "file" | "f" => early.file = value.map(Utf8PathBuf::from),
                "output" | "o" => {
                    let named = value.and_then(|value| Mode::from_name(&value));
                    early.output = named.unwrap_or(early.output);
                }
                _ => {}
            }
        }
        early
    }

    /// What the command line says.
    pub(super) fn of(matches: &ArgMatches) -> Self {
        let default = Self::default();
        let text = |name| matches.try_get_one::<String>(name).ok().flatten();
        let flag = |name| matches.try_get_one::<bool>(name).ok().flatten().is_some_and(|on| *on);
        Self {
            file: text("file").map(Utf8PathBuf::from),
            output: text("output")
                .and_then(|name| Mode::from_name(name))
                .unwrap_or(default.output),
            verbosity: if flag("verbose") {
                Verbosity::Verbose
            } else {
                Verbosity::Normal
            },
            jobs: matches
                .try_get_one::<u16>("jobs")
                .ok()
                .flatten()
                .map_or(default.jobs, |jobs| usize::from(*jobs)),
            dry_run: flag("dry-run"),
            here: flag("here"),
            set: matches
                .try_get_many::<(String, String)>("set")
                .ok()
                .flatten()
                .map_or_else(Vec::new, |pairs| pairs.cloned().collect()),
            take_over: matches
                .try_get_many::<String>("take-over")
                .ok()
                .flatten()
                .map_or_else(Vec::new, |paths| paths.map(Utf8PathBuf::from).collect()),
        }
    }

    /// The screen that was asked for.
    pub(super) fn ui(&self) -> Ui {
        Ui::new(self.output, self.verbosity)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            file: None,
            output: Mode::Auto,
            verbosity: Verbosity::Normal,
            // Two at least: a restore copies the database and the filestore beside each other.
            jobs: std::thread::available_parallelism().map_or(2, |count| count.get().max(2)),
            dry_run: false,
            here: false,
            set: Vec::new(),
            take_over: Vec::new(),
        }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if is_variable_name(name) => Ok((name.to_owned(), value.to_owned())),
        Some(_) => {
            Err("a variable's name consists of letters, digits and `_` and does not start with a digit".to_owned())
        }
        None => Err("write NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::OPTIONS;

    #[test]
    fn no_parameter_can_be_called_like_an_option() {
        for arg in Options::args() {
            assert!(OPTIONS.contains(&arg.get_id().as_str()), "{}", arg.get_id());
        }
    }
}
