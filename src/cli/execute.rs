//! A plan carried out: its events on the screen and in the journal, signals to its children, its end to an exit code.

use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, WeakUnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::options::Options;
use crate::error::{Diagnostic, ExitCode, Explain};
use crate::plan::Plan;
use crate::process::{Processes, Redactor};
use crate::run::event::Event;
use crate::run::{Ended, Journal, Setting, StackLock, carry_out, run_id};
use crate::stack::Change;
use crate::ui::Ui;

/// Carries the plan out, its events on the screen and in the journal.
pub(super) async fn execute(plan: &Plan, options: &Options, ui: &mut Ui) -> Result<ExitCode, Diagnostic> {
    let cancellation = CancellationToken::new();
    let redactor = redactor(plan);
    let processes = Processes::new(redactor.clone(), cancellation.clone());
    if let Some(stack) = &plan.stack {
        let guarded = stack.guard_machine(plan.change(), &processes).await;
        guarded.map_err(|error| error.explain())?;
        if plan.uses_docker() {
            let here = stack.guard_docker(&processes).await;
            here.map_err(|error| error.explain())?;
        }
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
    let watching = tokio::spawn(end_on_signal(cancellation, processes, setting.events.downgrade()));
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
        ui.password(&password);
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

/// The first signal ends the run in good order; every further one kills what is still there. A lost terminal ends it
/// too, and only asks: a shell that dies with its ssh session passes on the hang-up that the kernel has sent already.
///
/// The sender is a weak one: the channel closes, and with it the screen's loop, when the run is over.
async fn end_on_signal(cancellation: CancellationToken, processes: Processes, events: WeakUnboundedSender<Event>) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    let mut hangup = match is_under_nohup() {
        true => None,
        false => signal(SignalKind::hangup()).ok(),
    };
    let mut asked = false;
    loop {
        let lost = tokio::select! {
            _ = interrupt.recv() => false,
            _ = terminate.recv() => false,
            () = hung_up(hangup.as_mut()) => true,
        };
        if !asked {
            if let Some(events) = events.upgrade() {
                let _ = events.send(Event::Interrupted);
            }
            cancellation.cancel();
        } else if !lost {
            processes.kill_all();
        }
        asked = true;
    }
}

/// Ends when the terminal is lost; never, where that is to be ignored.
async fn hung_up(hangup: Option<&mut Signal>) {
    match hangup {
        Some(hangup) => drop(hangup.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether who started us had hang-ups ignored, as `nohup` does: then the run is meant to outlive its terminal.
fn is_under_nohup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // A mask in hexadecimal; SIGHUP is number 1, the lowest bit.
    ignored
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}

/// What hides the secrets of a plan.
pub(super) fn redactor(plan: &Plan) -> Redactor {
    Redactor::new(plan.stack.iter().flat_map(|stack| stack.variables.secrets()))
}
