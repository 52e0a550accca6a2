//! Says whether the stack's live database is sanitised, whoever made it. It reads, in one transaction that cannot do
//! anything else, and takes no lock: a copy that serves serves on, and copies that were made by other means can be asked.
//!
//! Killed half-way it leaves nothing.

use std::sync::Arc;

use async_trait::async_trait;
use camino::Utf8PathBuf;

use super::sanitise::{LiveDatabase, rules, write_markdown};
use super::{Action, ActionError, Kind, Outline, Scene, Step, Voice};
use crate::event::Stream;
use crate::manifest::{ActionGrammar, ArgumentGrammar, OptionGrammar, OptionKind};
use crate::sanitise::{Verdict, audit};

/// Gives the verdict on the live database.
#[derive(Debug, Clone)]
pub(super) struct Audit {
    /// Where the report is written as Markdown.
    pub report: Option<Utf8PathBuf>,
}

/// `run = { audit = … }`
pub(super) static KIND: Kind = Kind {
    grammar: ActionGrammar {
        key: "audit",
        about: "Says whether the live database is sanitised.",
        argument: ArgumentGrammar::Options(&[OptionGrammar {
            key: "report",
            about: "The file that the report is written to as Markdown; empty: none.",
            kind: OptionKind::Text,
        }]),
        on_stack: true,
    },
    make: |given| {
        Arc::new(Audit {
            report: given.path("report"),
        })
    },
};

#[async_trait]
impl Action for Audit {
    fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let rules = rules(stack, outline.project)?.iter().count();
        let database = stack.database()?;
        let mut steps = vec![
            Step::Sql("BEGIN READ ONLY;".into()),
            Step::Note(format!(
                "ask {database} whether those of {rules} rules that fit hold, and look for credentials that none names"
            )),
        ];
        steps.extend(
            self.report
                .as_ref()
                .map(|path| Step::Note(format!("write the report to {path}"))),
        );
        Ok(steps)
    }

    async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        let stack = scene.stack()?;
        let mut live = LiveDatabase::open(scene).await?;
        let report = audit(&mut live.session, &live.rules, &stack.sanitise, &live.facts).await?;
        scene
            .report
            .line(Stream::Out, &format!("database   {}", stack.database()?));
        for line in report.verdict_lines() {
            scene.report.line(Stream::Out, &line);
        }
        write_markdown(self.report.as_deref(), &report).await?;
        match report.verdict {
            Some(Verdict::Sanitised) => Ok(()),
            verdict => Err(ActionError::Audited {
                stack: stack.name.clone(),
                verdict: verdict.unwrap_or(Verdict::NotSanitised),
            }),
        }
    }

    fn voice(&self) -> Voice {
        Voice::Answers
    }
}
