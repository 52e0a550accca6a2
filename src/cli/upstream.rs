//! `opw-task upstream STACK`: what a restore may send to production, line by line.

use clap::ArgMatches;

use super::grammar::STACK;
use super::options::Options;
use crate::error::{Diagnostic, ExitCode, Explain};
use crate::manifest::Manifest;
use crate::stack::resolve;
use crate::ui::Ui;

/// Lists the lines. An upstream's forced command compares what it is sent with them.
pub(super) fn upstream(
    manifest: &Manifest,
    matches: &ArgMatches,
    options: &Options,
    ui: &mut Ui,
) -> Result<ExitCode, Diagnostic> {
    let name = matches.get_one::<String>(STACK).map(String::as_str).unwrap_or_default();
    let stack = resolve(manifest, name, &options.set, &|name| std::env::var(name).ok()).map_err(|e| e.explain())?;
    let upstream = stack.upstream().map_err(|error| error.explain())?;
    for line in upstream.lines() {
        ui.data(&format!("{line}\n"));
    }
    Ok(ExitCode::Done)
}
