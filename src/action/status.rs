//! Shows the stack's databases: in what state each is, what verification said of it, since when, and what it is a copy of.
//! It asks inside the database's container, so it works on every host and needs no published port.
//!
//! It changes nothing. A database that does not run is no failure: it is said.

use std::sync::Arc;

use async_trait::async_trait;

use super::anonymous_volumes::tell_leftovers;
use super::compose::of_project;
use super::{Action, ActionError, Kind, Outline, Scene, Step, Voice};
use crate::event::Stream;
use crate::manifest::{ActionGrammar, ArgumentGrammar};
use crate::postgres::{Names, Standing};
use crate::process::Command;
use crate::sanitise::PolicyPart;
use crate::stack::Stack;

/// Shows the stack's databases.
#[derive(Debug, Clone)]
pub(super) struct Status;

/// `run = { status = … }`
pub(super) static KIND: Kind = Kind {
    grammar: ActionGrammar {
        key: "status",
        about: "Shows the stack's databases.",
        argument: ArgumentGrammar::Options(&[]),
        on_stack: true,
    },
    make: |_| Arc::new(Status),
};

#[async_trait]
impl Action for Status {
    fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        Ok(vec![Step::Command(stack.host.command(ask(stack)?)?.to_string())])
    }

    async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        let stack = scene.stack()?;
        let answer = match scene.ask_there(ask(stack)?).await {
            Ok(answer) => answer,
            Err(error @ ActionError::Process(_)) if !error.is_cancelled() => {
                scene.report.note(format!("the database does not answer: {error}"));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let standing = Standing::parse(&answer).map_err(ActionError::Answer)?;
        if standing.is_empty() {
            scene.report.note(format!("there is no database {}", stack.database()?));
            return Ok(());
        }
        let mut rows = vec![["DATABASE", "STATE", "VERDICT", "SINCE", "SOURCE"].map(str::to_owned)];
        rows.extend(standing.iter().map(row));
        for line in lines(&rows) {
            scene.report.line(Stream::Out, &line);
        }
        let parts = by_key(&stack.policy_parts);
        if !parts.is_empty() {
            let mut rows = vec![["POLICY", "FROM"].map(str::to_owned)];
            rows.extend(parts);
            scene.report.line(Stream::Out, "");
            for line in lines(&rows) {
                scene.report.line(Stream::Out, &line);
            }
        }
        tell_leftovers(scene).await
    }

    fn voice(&self) -> Voice {
        Voice::Answers
    }
}

/// psql in the container: the image lets its own superuser in there, so no password has to travel.
fn ask(stack: &Stack) -> Result<Command, ActionError> {
    let names = Names::new(stack.database()?)?;
    Ok(of_project(stack).args([
        "exec",
        "-T",
        "database",
        "psql",
        "--no-psqlrc",
        "--tuples-only",
        "--no-align",
        "--username",
        stack.database_role()?,
        "--dbname",
        "postgres",
        "--command",
        &Standing::question(&names),
    ]))
}

fn row(standing: &Standing) -> [String; 5] {
    let database = standing.database.clone();
    let Some(marker) = &standing.comment.marker else {
        return [
            database,
            "not made here".into(),
            "ask `opw-task audit`".into(),
            String::new(),
            String::new(),
        ];
    };
    let verdict = match &marker.treatment {
        Some(treatment) => format!("{} (policy {})", treatment.verdict, treatment.policy),
        None => "ask `opw-task audit`".into(),
    };
    let since = marker.since.strftime("%Y-%m-%d %H:%M UTC").to_string();
    [
        database,
        marker.state.to_string(),
        verdict,
        since,
        marker.source.clone(),
    ]
}

/// The keys of the policy with the places of all that is said under them.
fn by_key(parts: &[PolicyPart]) -> Vec<[String; 2]> {
    let mut keys: Vec<[String; 2]> = Vec::new();
    for part in parts {
        let key = part.name.split('.').next().unwrap_or_default();
        match keys.last_mut().filter(|[known, _]| known == key) {
            Some([_, from]) if from.split(", ").any(|known| known == part.from()) => {}
            Some([_, from]) => *from = format!("{from}, {}", part.from()),
            None => keys.push([key.to_owned(), part.from()]),
        }
    }
    keys
}

fn lines<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths);
        let line: String = cells.map(|(cell, width)| format!("{cell:width$}   ")).collect();
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
