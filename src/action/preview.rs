//! Prints what sanitising would run on the stack's live database, as SQL to read: a comment that says why, secrets
//! masked. The database is asked for its tables, in a transaction that can only read; nothing is changed.
//!
//! `opw-task sanitise STACK --dry-run` reaches no host, so it cannot know which rules fit: it prints them all.

use std::sync::Arc;

use async_trait::async_trait;

use super::sanitise::{LiveDatabase, rules};
use super::{Action, ActionError, Kind, Outline, Scene, Step, Voice};
use crate::event::Stream;
use crate::manifest::{ActionGrammar, ArgumentGrammar};
use crate::sanitise::preview;

/// Prints what sanitising would run.
#[derive(Debug, Clone)]
pub(super) struct Preview;

/// `run = { preview = … }`
pub(super) static KIND: Kind = Kind {
    grammar: ActionGrammar {
        key: "preview",
        about: "Prints what sanitising would run.",
        argument: ArgumentGrammar::Options(&[]),
        on_stack: true,
    },
    make: |_| Arc::new(Preview),
};

#[async_trait]
impl Action for Preview {
    fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let rules = rules(stack, outline.project)?.iter().count();
        Ok(vec![
            Step::Sql("BEGIN READ ONLY;".into()),
            Step::Note(format!(
                "print the statements of those of {rules} rules that fit {}",
                stack.database()?
            )),
        ])
    }

    async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        let stack = scene.stack()?;
        let mut live = LiveDatabase::open(scene).await?;
        let statements = preview(&mut live.session, &live.rules, &stack.sanitise, &live.facts).await?;
        let say = |text: &str| {
            for line in text.lines() {
                scene.report.line(Stream::Out, line);
            }
        };
        say(&format!(
            "-- What sanitising a copy like {} runs: {} statements, in one transaction.\nBEGIN;\n\n",
            stack.database()?,
            statements.len()
        ));
        for part in &stack.policy_parts {
            say(&format!("-- policy: {part}"));
        }
        for exception in stack.sanitise.rule_exceptions() {
            say(&format!("-- rule {exception}"));
        }
        for statement in &statements {
            say(&statement.to_script());
            say("\n");
        }
        say("-- What no rule names is hunted next; `opw-task audit` lists what there is of it.\nCOMMIT;");
        Ok(())
    }

    fn voice(&self) -> Voice {
        Voice::Answers
    }
}
