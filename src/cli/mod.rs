//! The command line: a few commands of its own, and one subcommand for each task that `tasks.toml` declares.

mod dry_run;
mod env;
mod execute;
mod grammar;
mod hidden;
mod list;
mod options;
mod screen;
mod task;
mod upstream;

use std::ffi::OsString;

use camino::Utf8PathBuf;
use clap::ArgMatches;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use options::Options;

use crate::action::grammar;
use crate::error::{Diagnostic, ExitCode, Explain};
use crate::host::Host;
use crate::manifest::{self, Manifest, ManifestError};
use crate::plan::no_such_task;
use crate::process::Redactor;
use crate::secret::MASK;
use crate::stack::{Project, Stack, Value, plain, resolve};
use crate::ui::{Mode, Ui};
use hidden::{hide_in_panics, on_standard_error, redactor, said_in_clear, without_values};

/// Runs the program with its arguments and says how it ended.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.collect();
    let early = Options::early(&args);
    let manifest = find_and_load(early.file.as_ref());
    let (manifest, failure) = match manifest {
        Ok(manifest) => (Some(manifest), None),
        Err(error) => (None, Some(error)),
    };
    let command = match grammar::command(manifest.as_ref(), &args) {
        Ok(command) => command,
        Err(error) => return refuse(&error.explain(), &early),
    };
    let matches = match command.try_get_matches_from(&args) {
        Ok(matches) => matches,
        Err(error) => return misuse(&without_set_value(error), &early, failure, manifest.as_ref()),
    };
    let options = Options::of(&matches);
    let mut ui = options.ui();
    if let Some(manifest) = &manifest {
        hide(said_in_clear(manifest, &options.set), &mut ui);
    }
    let ended = match (failure, manifest) {
        (Some(error), _) => Err(error.explain()),
        (None, Some(manifest)) => dispatch(&manifest, &matches, &options, &mut ui),
        (None, None) => Ok(ExitCode::Done),
    };
    let code = match ended {
        Ok(code) => code,
        Err(diagnostic) => {
            ui.diagnostic(&without_values(diagnostic.clone()));
            diagnostic.exit
        }
    };
    match ui.finish(|_| None) {
        Ok(()) => code,
        Err(_) => ExitCode::Failed,
    }
}

/// The error without the value of `--set`, which may be a secret.
fn without_set_value(mut error: clap::Error) -> clap::Error {
    let is_set = matches!(
        error.get(ContextKind::InvalidArg),
        Some(ContextValue::String(arg)) if arg.starts_with("--set")
    );
    if is_set && let Some(ContextValue::String(pair)) = error.get(ContextKind::InvalidValue) {
        let name = pair.split_once('=').map_or(MASK, |(name, _)| name);
        let shown = ContextValue::String(format!("{name}={MASK}"));
        error.insert(ContextKind::InvalidValue, shown);
    }
    error
}

/// A command line that clap refuses, or a wish for help. Where there is no manifest, that is the better answer: the word
/// may be a task.
fn misuse(
    error: &clap::Error,
    early: &Options,
    failure: Option<ManifestError>,
    manifest: Option<&Manifest>,
) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // clap writes it to standard output; a closed pipe is nobody's concern.
        let _ = error.print();
        return ExitCode::Done;
    }
    if let Some(failure) = failure {
        return refuse(&failure.explain(), early);
    }
    let word = error.get(ContextKind::InvalidSubcommand);
    if let (Some(ContextValue::String(word)), Some(manifest)) = (word, manifest) {
        return refuse(&no_such_task(manifest, word).explain(), early);
    }
    if let (Some(manifest), Some(ContextValue::Strings(missing))) = (manifest, error.get(ContextKind::InvalidArg))
        && missing.iter().any(|arg| arg == "<STACK>")
    {
        return refuse(&which_stack(manifest), early);
    }
    if early.output == Mode::Json {
        let text = error.to_string();
        let what: Vec<&str> = text
            .lines()
            .take_while(|line| !line.is_empty())
            .map(str::trim)
            .collect();
        let title = what.join(" ");
        let title = title.strip_prefix("error: ").unwrap_or(&title);
        return refuse(&Diagnostic::new(ExitCode::Usage, title), early);
    }
    let _ = error.print();
    ExitCode::Usage
}

/// The answer to a task that was asked for without a stack.
fn which_stack(manifest: &Manifest) -> Diagnostic {
    let names: Vec<String> = manifest.stacks.keys().map(|name| format!("`{name}`")).collect();
    let hint = match names.is_empty() {
        true => format!("{} has no stacks yet: add a [stacks.NAME] table", manifest.path),
        false => format!("name one of {}", names.join(", ")),
    };
    Diagnostic::new(ExitCode::Usage, "no stack was named, and this command needs one").hint(hint)
}

fn refuse(diagnostic: &Diagnostic, early: &Options) -> ExitCode {
    early.ui().diagnostic(&without_values(diagnostic.clone()));
    diagnostic.exit
}

/// Hides secrets in everything that is shown from here on.
fn hide(redactor: Redactor, ui: &mut Ui) {
    hide_in_panics(redactor.clone(), on_standard_error);
    ui.hide(redactor);
}

fn find_and_load(named: Option<&Utf8PathBuf>) -> Result<Manifest, ManifestError> {
    if let Some(path) = named {
        return manifest::load(path, &grammar());
    }
    let folder = std::env::current_dir()
        .ok()
        .and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
    let folder = folder.unwrap_or_else(|| ".".into());
    match manifest::find(&folder) {
        Some(path) => manifest::load(path.strip_prefix(&folder).unwrap_or(&path), &grammar()),
        None => Err(ManifestError::NotFound { folder }),
    }
}

fn dispatch(manifest: &Manifest, matches: &ArgMatches, options: &Options, ui: &mut Ui) -> Result<ExitCode, Diagnostic> {
    match matches.subcommand() {
        Some(("list", matches)) => {
            list::list(manifest, matches, ui);
            Ok(ExitCode::Done)
        }
        Some(("env", matches)) => {
            if let Some(stack) = stack(manifest, matches, options, ui)? {
                env::env(&stack, ui);
            }
            Ok(ExitCode::Done)
        }
        Some(("upstream", matches)) => {
            if let Some(stack) = stack(manifest, matches, options, ui)? {
                upstream::upstream(&stack, ui).map_err(|error| error.explain())?;
            }
            Ok(ExitCode::Done)
        }
        Some((task, matches)) => task::run(manifest, task, matches, options, ui),
        None => {
            list::list(manifest, matches, ui);
            Ok(ExitCode::Done)
        }
    }
}

/// The stack that the command line names, resolved; none for a task that needs none.
fn stack(
    manifest: &Manifest,
    matches: &ArgMatches,
    options: &Options,
    ui: &mut Ui,
) -> Result<Option<Stack>, Diagnostic> {
    let Some(name) = matches.try_get_one::<String>(grammar::STACK).ok().flatten() else {
        return Ok(None);
    };
    let stack = resolve(manifest, name, &options.set, &environment);
    let mut stack = stack.map_err(|error| error.explain())?;
    if options.here {
        stack.host = Host::Local;
    }
    stack.take_over = taken_over(&stack, manifest, &options.take_over)?;
    hide(redactor(stack.secrets(), &stack.variables), ui);
    for unset in &stack.unset {
        let remedy = match std::env::var_os(&unset.name) {
            Some(_) => "the environment has it: name it in the stack's `inherit`",
            None => "$$ stands for a dollar sign",
        };
        ui.warn(&format!("{unset}; {remedy}"));
    }
    for (name, _) in &options.set {
        if let Some(Value::Secret(_)) = stack.variables.value(name) {
            ui.warn(&format!(
                "--set {name}=… is an argument, which every user of this machine can read: an env file or `inherit` is not"
            ));
        }
    }
    Ok(Some(stack))
}

/// The paths of `--take-over`, relative to the current folder or the project's root; each must be one that the stack uses.
fn taken_over(stack: &Stack, manifest: &Manifest, paths: &[Utf8PathBuf]) -> Result<Vec<Utf8PathBuf>, Diagnostic> {
    let used = stack.places(&manifest.root);
    let here = std::env::current_dir().ok();
    let here = here.and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
    let one = |path: &Utf8PathBuf| {
        let bases = here.iter().chain([&manifest.root]);
        let meant = bases
            .map(|base| plain(&base.join(path)))
            .find(|path| used.contains(path));
        meant.ok_or_else(|| {
            Diagnostic::new(ExitCode::Usage, format!("stack `{}` does not use {path}", stack.name))
                .note("--take-over names a file that is rendered for the stack, or one of its folders")
        })
    };
    paths.iter().map(one).collect()
}

/// A variable of this process's own environment.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What the plan needs to know of the project.
fn project(manifest: &Manifest) -> Project {
    let def = &manifest.project.def;
    let templates = def
        .templates
        .as_ref()
        .map_or("templates", |text| text.get_ref().as_str());
    Project {
        name: def.name.get_ref().clone(),
        root: manifest.root.clone(),
        templates: manifest.root.join(templates),
    }
}
