//! `opw-task env STACK`: every variable with its origin.

use clap::ArgMatches;

use super::grammar::STACK;
use super::options::Options;
use crate::error::{Diagnostic, ExitCode, Explain};
use crate::manifest::Manifest;
use crate::secret::MASK;
use crate::stack::{Value, resolve};
use crate::ui::{Table, Ui};

/// Shows the variables of a stack. Secrets are masked, always.
pub(super) fn env(
    manifest: &Manifest,
    matches: &ArgMatches,
    options: &Options,
    ui: &mut Ui,
) -> Result<ExitCode, Diagnostic> {
    let name = matches.get_one::<String>(STACK).map(String::as_str).unwrap_or_default();
    let stack = resolve(manifest, name, &options.set, &|name| std::env::var(name).ok()).map_err(|e| e.explain())?;
    let mut table = Table::new(["variable", "value", "from"]);
    for (name, variable) in stack.variables.iter() {
        let value = match &variable.value {
            Value::Plain(text) => text.as_str(),
            Value::Secret(_) => MASK,
        };
        table.row([name, value, &variable.origin.to_string()]);
    }
    ui.table(&table);
    for (path, there) in &stack.env_files {
        if !there {
            ui.say(&format!("{path} is not there"));
        }
    }
    Ok(ExitCode::Done)
}
