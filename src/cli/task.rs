//! `opw-task TASK …`: from the words of the command line to a plan, and to its end.

use std::sync::Arc;

use clap::ArgMatches;
use indexmap::IndexMap;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::grammar::STACK;
use super::options::Options;
use super::project;
use crate::action::Outline;
use crate::error::{Diagnostic, ExitCode, Explain};
use crate::manifest::{Manifest, ParamDef};
use crate::plan::{ParamValue, Plan, Step, build, params_of};
use crate::process::{Processes, Redactor};
use crate::run::event::Event;
use crate::run::{Ended, Journal, Setting, StackLock, carry_out, run_id};
use crate::stack::{Change, Stack, resolve};
use crate::ui::{NodeView, PlanView, StepView, Ui};

/// What stands for the run's identity where there is no run.
const NO_RUN: &str = "run";

/// Plans a task and carries it out, or shows the plan.
pub(super) fn run(
    manifest: &Manifest,
    task: &str,
    matches: &ArgMatches,
    options: &Options,
    ui: &mut Ui,
) -> Result<ExitCode, Diagnostic> {
    let stack = match matches.try_get_one::<String>(STACK).ok().flatten() {
        Some(name) => Some(Arc::new(stack(manifest, name, options)?)),
        None => None,
    };
    let params = params_of(manifest, task).map_err(|error| error.explain())?;
    let said = said(&params, matches);
    let plan = build(manifest, Arc::new(project(manifest)), stack, task, &said).map_err(|error| error.explain())?;
    if let Some(stack) = plan.stack.as_ref().filter(|_| plan.change() > Change::Nothing) {
        let alone = stack.guard_neighbours(manifest, &|name| std::env::var(name).ok());
        alone.map_err(|error| error.explain())?;
    }
    if options.dry_run {
        ui.plan(&view(&plan)?);
        return Ok(ExitCode::Done);
    }
    for action in plan.nodes.iter().filter_map(|node| node.action.as_ref()) {
        action.require(plan.stack.as_deref()).map_err(|error| error.explain())?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Diagnostic::new(ExitCode::Failed, "cannot begin: the system gives no threads or timers").note(error.to_string())
    })?;
    runtime.block_on(execute(&plan, options, ui))
}

fn stack(manifest: &Manifest, name: &str, options: &Options) -> Result<Stack, Diagnostic> {
    resolve(manifest, name, &options.set, &|name| std::env::var(name).ok()).map_err(|error| error.explain())
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

/// The plan as it is shown.
fn view(plan: &Plan) -> Result<PlanView, Diagnostic> {
    let outline = Outline {
        run: NO_RUN,
        project: &plan.project,
        stack: plan.stack.as_deref(),
    };
    let redactor = redactor(plan);
    let masked = |text: &str| redactor.redact(text).into_owned();
    let mut nodes = Vec::with_capacity(plan.nodes.len());
    for node in &plan.nodes {
        let steps = match &node.action {
            Some(action) => action.steps(&outline).map_err(|error| error.explain())?,
            None => Vec::new(),
        };
        nodes.push(NodeView {
            name: node.name.to_string(),
            about: node.about.clone(),
            needs: node
                .waits_for
                .iter()
                .map(|before| plan.nodes[*before].name.to_string())
                .collect(),
            skipped: node.skipped.clone(),
            steps: steps
                .into_iter()
                .map(|step| match step {
                    Step::Command(line) => StepView::Command(masked(&line)),
                    Step::Sql(text) => StepView::Sql(masked(&text)),
                    Step::File { path, mode } => StepView::File { path, mode },
                    Step::Note(text) => StepView::Note(masked(&text)),
                })
                .collect(),
        });
    }
    Ok(PlanView {
        title: plan.title.clone(),
        nodes,
    })
}

fn redactor(plan: &Plan) -> Redactor {
    Redactor::new(plan.stack.iter().flat_map(|stack| stack.variables.secrets()))
}

/// Carries the plan out, its events on the screen and in the journal.
async fn execute(plan: &Plan, options: &Options, ui: &mut Ui) -> Result<ExitCode, Diagnostic> {
    let cancellation = CancellationToken::new();
    let redactor = redactor(plan);
    let processes = Processes::new(redactor.clone(), cancellation.clone());
    if let Some(stack) = &plan.stack {
        let guarded = stack.guard_machine(plan.change(), &processes).await;
        guarded.map_err(|error| error.explain())?;
    }
    let run: Arc<str> = run_id().into();
    let _lock = match &plan.stack {
        Some(stack) if plan.change() > Change::Nothing => {
            let lock = StackLock::take(stack, &plan.project.root, &plan.title, &run);
            Some(lock.map_err(|error| error.explain())?)
        }
        _ => None,
    };
    let mut journal = Journal::create(&plan.project.root, &run).map_err(|error| error.explain())?;
    let (events, received) = unbounded_channel();
    let journal_folder = journal.folder().to_owned();
    let setting = Setting {
        run,
        processes: processes.clone(),
        events,
        jobs: options.jobs,
        journal: journal_folder,
    };
    let watching = tokio::spawn(end_on_signal(cancellation, processes));
    let carrying = async {
        let ended = carry_out(plan, &setting).await;
        // The channel closes with the last sender, and with it the screen's loop ends.
        drop(setting);
        ended
    };
    let ((ended, password), ()) = tokio::join!(carrying, show(received, ui, &mut journal));
    watching.abort();
    let code = match ended {
        Ended::Done => ExitCode::Done,
        Ended::Interrupted => ExitCode::Interrupted,
        Ended::Failed(_, error) => {
            // An error may quote what a program of the project's own said, or a value of an env file.
            let diagnostic = error.explain().mapped(|text| redactor.redact(text).into_owned());
            ui.diagnostic(&diagnostic);
            diagnostic.exit
        }
    };
    if let Some(password) = password {
        ui.say(&format!(
            "the users of the copy have a new password, shown this once: {}",
            password.expose()
        ));
    }
    match ui.finish(|node| Some(journal.log_path(node))) {
        Ok(()) => Ok(code),
        Err(error) => Err(Diagnostic::new(ExitCode::Failed, "cannot write to standard output").note(error.to_string())),
    }
}

async fn show(mut events: UnboundedReceiver<Event>, ui: &mut Ui, journal: &mut Journal) {
    while let Some(event) = events.recv().await {
        if let Err(error) = journal.record(&event) {
            ui.warn(&error.to_string());
        }
        ui.receive(&event);
    }
}

/// The first signal ends the run in good order; every further one kills what is still there.
async fn end_on_signal(cancellation: CancellationToken, processes: Processes) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    let mut signalled = async || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    signalled().await;
    cancellation.cancel();
    loop {
        signalled().await;
        processes.kill_all();
    }
}
