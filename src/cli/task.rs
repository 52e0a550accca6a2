//! `opw-task TASK …`: from the words of the command line to a plan, which is shown or carried out.

use std::sync::Arc;

use clap::ArgMatches;
use indexmap::IndexMap;

use super::dry_run::view;
use super::execute::{execute, redactor};
use super::options::Options;
use super::{environment, hide, project, stack};
use crate::action::require_variables;
use crate::error::{Diagnostic, ExitCode, Explain};
use crate::manifest::{Manifest, ParamDef};
use crate::plan::{ParamValue, build, no_such_task, params_of};
use crate::stack::Change;
use crate::ui::Ui;

/// Plans a task and carries it out, or shows the plan.
pub(super) fn run(
    manifest: &Manifest,
    task: &str,
    matches: &ArgMatches,
    options: &Options,
    ui: &mut Ui,
) -> Result<ExitCode, Diagnostic> {
    if !options.dry_run && manifest.tasks.get(task).is_some_and(|task| task.def.private) {
        return Err(no_such_task(manifest, task).explain());
    }
    let stack = stack(manifest, matches, options, ui)?.map(Arc::new);
    let params = params_of(manifest, task).map_err(|error| error.explain())?;
    let said = said(&params, matches);
    let plan = build(manifest, Arc::new(project(manifest)), stack, task, &said).map_err(|error| error.explain())?;
    hide(redactor(&plan), ui);
    if let Some(stack) = plan.stack.as_ref().filter(|_| plan.change() > Change::Nothing) {
        let alone = stack.guard_neighbours(manifest, &environment);
        alone.map_err(|error| error.explain())?;
    }
    if let Some(stack) = plan.stack.as_ref().filter(|_| plan.uses_docker()) {
        let here = stack.guard_docker_host(&environment);
        here.map_err(|error| error.explain())?;
    }
    if options.dry_run {
        ui.plan(&view(&plan)?);
        return Ok(ExitCode::Done);
    }
    for action in plan.nodes.iter().filter_map(|node| node.action.as_ref()) {
        require_variables(action.as_ref(), plan.stack.as_deref()).map_err(|error| error.explain())?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Diagnostic::new(
            ExitCode::Failed,
            "cannot start: the system provides no threads or timers",
        )
        .note(error.to_string())
    })?;
    runtime.block_on(execute(&plan, options, ui))
}

/// What the command line says to the plan's parameters.
fn said(params: &IndexMap<&str, &ParamDef>, matches: &ArgMatches) -> IndexMap<String, ParamValue> {
    let mut said = IndexMap::new();
    for (name, def) in params {
        let value = if def.flag {
            Some(ParamValue::Flag(matches.get_flag(name)))
        } else if def.rest {
            let words = matches
                .get_many::<String>(name)
                .map_or_else(Vec::new, |words| words.cloned().collect());
            Some(ParamValue::Rest(words))
        } else {
            matches.get_one::<String>(name).cloned().map(ParamValue::Text)
        };
        if let Some(value) = value {
            said.insert((*name).to_owned(), value);
        }
    }
    said
}
