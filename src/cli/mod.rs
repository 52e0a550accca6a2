//! The command line: a few commands of its own, and one subcommand for each task that `tasks.toml` declares.

mod env;
mod grammar;
mod list;
mod options;
mod task;
mod upstream;

use std::ffi::OsString;

use camino::Utf8PathBuf;
use clap::ArgMatches;

use crate::error::{Diagnostic, ExitCode, Explain};
use crate::manifest::{self, Manifest, ManifestError};
use crate::plan::Project;
use crate::ui::Ui;
use options::Options;

/// Runs the program with its arguments and says how it ended.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.collect();
    let early = Options::early(&args);
    let manifest = find_and_load(early.file.as_ref());
    let (manifest, failure) = match manifest {
        Ok(manifest) => (Some(manifest), None),
        Err(error) => (None, Some(error)),
    };
    let matches = match grammar::command(manifest.as_ref()).try_get_matches_from(&args) {
        Ok(matches) => matches,
        Err(error) => return misuse(&error, &early, failure),
    };
    let options = Options::of(&matches);
    let mut ui = options.ui();
    let ended = match (failure, manifest) {
        (Some(error), _) => Err(error.explain()),
        (None, Some(manifest)) => dispatch(&manifest, &matches, &options, &mut ui),
        (None, None) => Ok(ExitCode::Done),
    };
    let code = match ended {
        Ok(code) => code,
        Err(diagnostic) => {
            ui.diagnostic(&diagnostic);
            diagnostic.exit
        }
    };
    match ui.finish(|_| None) {
        Ok(()) => code,
        Err(_) => ExitCode::Failed,
    }
}

/// A command line that clap refuses. Where there is no manifest, that is the better answer: the word may be a task.
fn misuse(error: &clap::Error, early: &Options, failure: Option<ManifestError>) -> ExitCode {
    use clap::error::ErrorKind;
    let asked_for_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if let (Some(failure), false) = (failure, asked_for_help) {
        let diagnostic = failure.explain();
        early.ui().diagnostic(&diagnostic);
        return diagnostic.exit;
    }
    // clap writes help to standard output and errors to standard error; a closed pipe is nobody's concern.
    let _ = error.print();
    if asked_for_help {
        ExitCode::Done
    } else {
        ExitCode::Usage
    }
}

fn find_and_load(named: Option<&Utf8PathBuf>) -> Result<Manifest, ManifestError> {
    if let Some(path) = named {
        return manifest::load(path);
    }
    let folder = std::env::current_dir()
        .ok()
        .and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
    let folder = folder.unwrap_or_else(|| ".".into());
    match manifest::find(&folder) {
        Some(path) => manifest::load(path.strip_prefix(&folder).unwrap_or(&path)),
        None => Err(ManifestError::NotFound { folder }),
    }
}

fn dispatch(manifest: &Manifest, matches: &ArgMatches, options: &Options, ui: &mut Ui) -> Result<ExitCode, Diagnostic> {
    match matches.subcommand() {
        Some(("list", matches)) => {
            list::list(manifest, matches, ui);
            Ok(ExitCode::Done)
        }
        Some(("env", matches)) => env::env(manifest, matches, options, ui),
        Some(("upstream", matches)) => upstream::upstream(manifest, matches, options, ui),
        Some((task, matches)) => task::run(manifest, task, matches, options, ui),
        None => {
            list::list(manifest, matches, ui);
            Ok(ExitCode::Done)
        }
    }
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
