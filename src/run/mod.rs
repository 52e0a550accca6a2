//! A plan being carried out: what is ready runs, beside each other as far as `--jobs` allows; the first failure ends
//! the rest.

mod id;
mod journal;
mod lock;
mod setting;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use id::{is_run_id, run_id};
pub use journal::{JOURNAL, Journal, JournalError, JournalWriter, Logs};
pub use lock::{Holder, LockError, StackLock};
pub use setting::{Ended, Setting};

use crate::action::{self, ActionError, Report, Scene};
use crate::event::{Event, NodeInfo, NodeName, Outcome};
use crate::plan::Plan;
use crate::stack::Change;

struct Finished {
    node: usize,
    began: Instant,
    result: Result<(), ActionError>,
}

/// Carries a plan out. Returns when every child has ended.
pub async fn carry_out(plan: &Plan, setting: &Setting) -> Ended {
    let began = Instant::now();
    let tell = |event| {
        setting.events.send(&event);
    };
    tell(Event::RunStarted {
        run: setting.run.to_string(),
        title: plan.title.clone(),
        nodes: plan.nodes.iter().map(info).collect(),
    });
    let mut run = Run {
        plan,
        setting,
        slots: Arc::new(Semaphore::new(setting.jobs.max(1))),
        waiting: plan.nodes.iter().map(|node| Some(node.waits_for.len())).collect(),
        followers: followers(plan),
        running: JoinSet::new(),
        failed: Vec::new(),
        first: None,
    };
    finish_earlier_run(plan, setting).await;
    run.all().await;
    setting.processes.end_all().await;
    if let Err(error) = setting
        .handover
        .settle(plan.stack.as_deref(), run.first.is_some())
        .await
    {
        let node = plan.nodes.last().map_or_else(|| "run".into(), |node| node.name.clone());
        tell(Event::Warning {
            node,
            text: setting
                .processes
                .redactor()
                .redact(&format!("the next restore will clear up: {error}"))
                .into_owned(),
        });
    }
    // The server may run only since this run started it.
    if plan.change() != Change::Nothing {
        finish_earlier_run(plan, setting).await;
    }
    tell(Event::RunFinished {
        ok: run.first.is_none() && !setting.processes.cancellation().is_cancelled(),
        seconds: began.elapsed().as_secs_f64(),
        failed: run.failed,
    });
    match run.first {
        Some((node, error)) => Ended::Failed(node, error),
        None if setting.processes.cancellation().is_cancelled() => Ended::Interrupted,
        None => Ended::Done,
    }
}

/// Finishes what a killed run left half done, whatever this run is for. Where that fails, it is told, and the next run tries
/// again.
async fn finish_earlier_run(plan: &Plan, setting: &Setting) {
    let Some(stack) = plan.stack.as_ref().filter(|stack| action::is_half_done(stack)) else {
        return;
    };
    // A run that changes the stack holds its lock. One that only looks must not come between another and its swap.
    let _lock = match plan.change() {
        Change::Nothing => {
            let holder = Holder::new(&setting.run, &setting.processes.redactor().redact(&plan.title));
            match StackLock::take(stack, &holder, &setting.processes).await {
                Ok(lock) => Some(lock),
                Err(_) => return,
            }
        }
        _ => None,
    };
    if stack.guard_docker(&setting.processes).await.is_err() {
        return;
    }
    let node = plan.nodes.last().map_or_else(|| "run".into(), |node| node.name.clone());
    let scene = scene(plan, setting, node);
    action::finish_half_done(&scene).await;
}

/// What an action of a run sees.
fn scene(plan: &Plan, setting: &Setting, node: NodeName) -> Scene {
    let room = setting.events.room(&node);
    let processes = setting.processes.with_room(room);
    Scene {
        run: setting.run.clone(),
        command: plan.title.as_str().into(),
        project: plan.project.clone(),
        stack: plan.stack.clone(),
        report: Report::new(node, setting.events.clone(), processes.redactor().clone()),
        processes,
        handover: setting.handover.clone(),
        journal: setting.journal.clone(),
    }
}

/// The nodes that wait for each node of a plan.
fn followers(plan: &Plan) -> Vec<Vec<usize>> {
    let mut followers = vec![Vec::new(); plan.nodes.len()];
    for (index, node) in plan.nodes.iter().enumerate() {
        for before in &node.waits_for {
            followers[*before].push(index);
        }
    }
    followers
}

fn info(node: &crate::plan::Node) -> NodeInfo {
    NodeInfo {
        name: node.name.clone(),
        about: node.about.clone(),
        skipped: node.skipped.clone(),
        shown: node.shown,
    }
}

struct Run<'a> {
    plan: &'a Plan,
    setting: &'a Setting,
    slots: Arc<Semaphore>,
    /// How many nodes each node still waits for; none for a node that has been started.
    waiting: Vec<Option<usize>>,
    /// The nodes that wait for each node.
    followers: Vec<Vec<usize>>,
    running: JoinSet<Finished>,
    failed: Vec<NodeName>,
    first: Option<(NodeName, ActionError)>,
}

impl Run<'_> {
    async fn all(&mut self) {
        self.start_ready((0..self.plan.nodes.len()).collect());
        while let Some(finished) = self.running.join_next().await {
            match finished {
                Ok(finished) => {
                    let over = finished.node;
                    self.finish(finished);
                    self.start_ready(self.followers[over].clone());
                }
                // A node that panicked: the run cannot know what it did, so nothing that follows may run.
                Err(_) => {
                    self.first.get_or_insert(("run".into(), ActionError::Broken));
                    self.setting.processes.cancellation().cancel();
                }
            }
        }
        for index in 0..self.plan.nodes.len() {
            if self.waiting[index].is_some() {
                self.over(index, Outcome::Cancelled, 0.0);
            }
        }
    }

    /// Starts those of the candidates that wait for nothing any more. Nodes without an action are over at once, and may
    /// make others ready.
    fn start_ready(&mut self, candidates: Vec<usize>) {
        let mut candidates = VecDeque::from(candidates);
        while let Some(index) = candidates.pop_front() {
            let stopped = self.setting.processes.cancellation().is_cancelled();
            if self.waiting[index] != Some(0) || stopped {
                continue;
            }
            let node = &self.plan.nodes[index];
            match (&node.skipped, &node.action) {
                (Some(reason), _) => self.over(index, Outcome::Skipped { reason: reason.clone() }, 0.0),
                (None, None) => self.over(index, Outcome::Done, 0.0),
                (None, Some(_)) => {
                    self.start(index);
                    continue;
                }
            }
            candidates.extend(&self.followers[index]);
        }
    }

    fn start(&mut self, index: usize) {
        self.waiting[index] = None;
        let node = &self.plan.nodes[index];
        let scene = scene(self.plan, self.setting, node.name.clone());
        let slots = self.slots.clone();
        let Some(action) = node.action.clone() else { return };
        self.running.spawn(async move {
            // The semaphore is never closed, so a slot always comes.
            let _slot = slots.acquire_owned().await;
            let began = Instant::now();
            let result = if scene.processes.cancellation().is_cancelled() {
                Err(ActionError::Interrupted)
            } else {
                scene.report.send(&Event::NodeStarted {
                    node: scene.report.node().clone(),
                });
                let result = action::carry_out(action.as_ref(), &scene).await;
                scene.report.end();
                result
            };
            Finished {
                node: index,
                began,
                result,
            }
        });
    }

    fn finish(&mut self, finished: Finished) {
        let Finished { node, began, result } = finished;
        let name = self.plan.nodes[node].name.clone();
        let outcome = match result {
            Ok(()) => Outcome::Done,
            Err(error) if error.is_cancelled() => Outcome::Cancelled,
            Err(error) => {
                let outcome = Outcome::Failed {
                    error: self.redacted(&error),
                };
                self.failed.push(name.clone());
                if self.first.is_none() {
                    self.first = Some((name, error));
                }
                self.setting.processes.cancellation().cancel();
                outcome
            }
        };
        self.over(node, outcome, began.elapsed().as_secs_f64());
    }

    fn redacted(&self, error: &ActionError) -> String {
        self.setting
            .processes
            .redactor()
            .redact(&error.to_string())
            .into_owned()
    }

    fn over(&mut self, index: usize, outcome: Outcome, seconds: f64) {
        self.waiting[index] = None;
        for follower in &self.followers[index] {
            if let Some(count) = &mut self.waiting[*follower] {
                *count -= 1;
            }
        }
        let node = self.plan.nodes[index].name.clone();
        self.setting
            .events
            .send(&Event::NodeFinished { node, outcome, seconds });
    }
}
