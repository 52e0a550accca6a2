//! A plan carried out: its events on the screen and in the journal, signals to its children, its end to an exit code.

use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::hidden;
use super::options::Options;
use super::screen::{Last, Screen};
use crate::action::Handover;
use crate::error::{Diagnostic, ExitCode, Explain};
use crate::event::{Event, Events, Queue};
use crate::manifest::Deploy;
use crate::plan::Plan;
use crate::process::{Processes, Redactor};
use crate::run::{Ended, Holder, JOURNAL, Journal, JournalWriter, Setting, StackLock, carry_out, run_id};
use crate::stack::{Change, Stack};
use crate::ui::{Mode, Ui};

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
    if let Some(stack) = plan.stack.as_ref().filter(|stack| needs_folders(plan, stack)) {
        let guarded = stack.guard_folders(&processes, plan.starts(), &plan.title).await;
        guarded.map_err(|error| error.explain())?;
    }
    let run: Arc<str> = run_id().into();
    let lock = match &plan.stack {
        Some(stack) if plan.change() > Change::Nothing => {
            let holder = Holder::new(&run, &redactor.redact(&plan.title));
            let lock = tokio::select! {
                biased;
                lock = StackLock::take(stack, &holder, &processes) => lock,
                () = interrupted_before() => return Ok(ExitCode::Interrupted),
            };
            Some(lock.map_err(|error| error.explain())?)
        }
        _ => None,
    };
    let journal = match Journal::create(&plan.project.root, &run) {
        Ok(journal) => Some(journal),
        // It costs the journal, and is said once.
        Err(error) if error.is_of_the_place() => {
            ui.warn(&format!("this run keeps no journal: {error}"));
            None
        }
        Err(error) => return Err(error.explain()),
    };
    let folder = journal.as_ref().map(|journal| journal.folder().to_owned());
    let logs = journal.as_ref().map(Journal::logs);
    let shown = Queue::new(ui.interest());
    let kept = journal.is_some().then(|| Queue::new(JOURNAL));
    let events = Events::to([shown.clone()].into_iter().chain(kept.clone()));
    // The screen's own thread has the ui from here on. What is left behind touches no terminal unless there is a failure
    // to tell: that thread may be stuck in a write, and hold the stream.
    let mut left_behind = Ui::new(Mode::Quiet, options.verbosity);
    left_behind.hide(redactor.clone());
    let screen = Screen::start(std::mem::replace(ui, left_behind), shown.clone()).map_err(no_thread)?;
    let writer = match journal.zip(kept) {
        Some((journal, queue)) => Some(write(journal, queue, shown)?),
        None => None,
    };
    let interrupted = CancellationToken::new();
    let handover = Arc::new(Handover::default());
    let setting = Setting {
        run,
        handover: handover.clone(),
        processes: processes.clone(),
        events: events.clone(),
        jobs: options.jobs,
        journal: folder,
    };
    let keeping = tokio::spawn(end_when_lost(lock.as_ref().map(StackLock::lost), cancellation.clone()));
    let watching = tokio::spawn(end_on_signal(
        interrupted.clone(),
        cancellation,
        processes,
        events.clone(),
    ));
    let ended = carry_out(plan, &setting).await;
    let password = match &ended {
        Ended::Done => handover.password_to_tell(true, None).await,
        Ended::Interrupted => handover.password_to_tell(false, None).await,
        Ended::Failed(_, error) => handover.password_to_tell(false, Some(error)).await,
    };
    // Whoever reads slowly must not keep others from the stack.
    keeping.abort();
    let loss = lock.as_ref().and_then(StackLock::loss);
    if let Some(lock) = lock {
        lock.release().await;
    }
    events.close();
    if let Some(writer) = writer {
        writer.finish().await;
    }
    let (code, diagnostic) = match ended {
        Ended::Done => (ExitCode::Done, None),
        Ended::Interrupted => match loss.map(|loss| loss.explain()) {
            Some(diagnostic) => (diagnostic.exit, Some(diagnostic)),
            None => (ExitCode::Interrupted, None),
        },
        Ended::Failed(_, error) => {
            // An error may quote what a program of the project's own said, or a value of an env file.
            let diagnostic = error.explain().mapped(|text| redactor.redact(text).into_owned());
            (diagnostic.exit, Some(diagnostic))
        }
    };
    let last = Last {
        diagnostic,
        password,
        logs,
    };
    let written = screen.finish(last, &interrupted).await;
    watching.abort();
    match written {
        Some(Err(error)) => {
            Err(Diagnostic::new(ExitCode::Failed, "cannot write to standard output").note(error.to_string()))
        }
        Some(Ok(())) | None => Ok(code),
    }
}

/// Writes the journal on its thread; a failure is a warning on the screen.
fn write(journal: Journal, queue: Queue, shown: Queue) -> Result<JournalWriter, Diagnostic> {
    let warn = move |text| {
        shown.send(&Event::Warning {
            node: "journal".into(),
            text,
        });
    };
    JournalWriter::start(journal, queue, warn).map_err(no_thread)
}

fn no_thread(error: std::io::Error) -> Diagnostic {
    Diagnostic::new(ExitCode::Failed, "cannot start: the system provides no threads").note(error.to_string())
}

/// Whether the plan works in the stack's folders: what is deployed by others has none here.
fn needs_folders(plan: &Plan, stack: &Stack) -> bool {
    plan.change() > Change::Nothing && stack.deploy == Deploy::Compose
}

/// The first signal ends the run in good order; every further one kills what is still there. A lost terminal ends it
/// too, and only asks: a shell that dies with its ssh session passes on the hang-up that the kernel has sent already.
///
/// From the first one on nothing waits for a screen that nobody reads.
async fn end_on_signal(
    interrupted: CancellationToken,
    cancellation: CancellationToken,
    processes: Processes,
    events: Events,
) {
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
            events.send(&Event::Interrupted);
            events.hurry();
            interrupted.cancel();
            cancellation.cancel();
        } else if !lost {
            processes.kill_all();
        }
        asked = true;
    }
}

/// Ends the run in good order when it has no right any more to change the stack.
async fn end_when_lost(lost: Option<CancellationToken>, cancellation: CancellationToken) {
    if let Some(lost) = lost {
        lost.cancelled().await;
        cancellation.cancel();
    }
}

/// Ends with the first signal that asks the program to end, while nothing has begun yet.
async fn interrupted_before() {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
    let [Ok(mut interrupt), Ok(mut terminate)] = kinds.map(signal) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
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
    hidden::redactor(plan.secrets(), &plan.variables)
}
