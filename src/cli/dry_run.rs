//! `--dry-run`: the plan as the commands that a person could type.

use super::execute::redactor;
use crate::action::{Outline, Step};
use crate::error::{Diagnostic, Explain};
use crate::plan::Plan;
use crate::ui::{NodeView, PlanView, StepView};

/// What stands for the run's identity where there is no run.
const NO_RUN: &str = "run";

/// The plan as it is shown.
pub(super) fn view(plan: &Plan) -> Result<PlanView, Diagnostic> {
    let redactor = redactor(plan);
    let masked = |text: &str| redactor.redact(text).into_owned();
    let mut nodes = Vec::with_capacity(plan.nodes.len());
    for (at, node) in plan.nodes.iter().enumerate() {
        let outline = Outline {
            run: NO_RUN,
            project: &plan.project,
            stack: plan.stack.as_deref(),
            // What was asked for comes last, what it needs before it.
            in_full: at + 1 == plan.nodes.len(),
        };
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
