//! Options that every command takes.

use std::ffi::OsString;

use camino::Utf8PathBuf;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

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
    /// So many nodes at once.
    pub jobs: usize,
    /// Show the plan instead of carrying it out.
    pub dry_run: bool,
    /// Variables of the stack.
    pub set: Vec<(String, String)>,
}

impl Options {
    /// The arguments for clap.
    pub(super) fn args() -> [Arg; 6] {
        [
            Arg::new("file")
                .long("file")
                .short('f')
                .value_name("PATH")
                .value_parser(value_parser!(String))
                .help("The manifest [default: the nearest tasks.toml upwards]"),
            Arg::new("output")
                .long("output")
                .short('o')
                .value_name("HOW")
                .default_value("auto")
                .value_parser(clap::builder::PossibleValuesParser::new(
                    Mode::ALL.map(|(name, _)| name),
                ))
                .help("How a run is shown"),
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
                .help("So many tasks at once [default: the number of processors, at least 2]"),
            Arg::new("dry-run")
                .long("dry-run")
                .short('n')
                .action(ArgAction::SetTrue)
                .help("Show what would be done, as commands; run nothing"),
            Arg::new("set")
                .long("set")
                .value_name("NAME=VALUE")
                .action(ArgAction::Append)
                .value_parser(pair)
                .help("Set a variable of the stack; wins over all env files"),
        ]
        .map(|arg| arg.global(true).help_heading("Options"))
    }

    /// What of it can be known before the manifest is read; the rest of the line is not looked at.
    pub(super) fn early(args: &[OsString]) -> Self {
        let command = Command::new("opw-task")
            .args(Self::args())
            .disable_help_flag(true)
            .disable_version_flag(true)
            .ignore_errors(true)
            .arg(Arg::new("rest").num_args(0..).allow_hyphen_values(false));
        command
            .try_get_matches_from(args)
            .map_or_else(|_| Self::default(), |matches| Self::of(&matches))
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
            set: matches
                .try_get_many::<(String, String)>("set")
                .ok()
                .flatten()
                .map_or_else(Vec::new, |pairs| pairs.cloned().collect()),
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
            set: Vec::new(),
        }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}
