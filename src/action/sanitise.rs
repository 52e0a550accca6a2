//! Takes production's secrets and jobs out of the incoming database, before anything of Odoo sees it.
//!
//! One transaction: interrupted or killed half-way it leaves the incoming database as it was, shut.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use async_trait::async_trait;
use camino::Utf8Path;
use tokio::io::AsyncWriteExt as _;

use super::database::running_server;
use super::module_files::{ask, module_files};
use super::{Action, ActionError, Handed, Kind, Outline, Scene, Step};
use crate::event::NewPassword;
use crate::manifest::{ActionGrammar, ArgumentGrammar};
use crate::postgres::{Incoming, Names, Session, State};
use crate::sanitise::{Clue, Facts, Report, RuleSet, imagine, sanitise};
use crate::secret::Secret;
use crate::stack::Change;
use crate::stack::{Project, Stack, Value};

/// Sanitises the incoming database.
#[derive(Debug, Clone)]
pub(super) struct Sanitise;

/// `run = { sanitise = … }`
pub(super) static KIND: Kind = Kind {
    grammar: ActionGrammar {
        key: "sanitise",
        about: "Sanitises the incoming database.",
        argument: ArgumentGrammar::Options(&[]),
        on_stack: true,
    },
    make: |_| Arc::new(Sanitise),
};

#[async_trait]
impl Action for Sanitise {
    fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let incoming = Names::new(stack.database()?)?.incoming(outline.run)?;
        let rules = rules(stack, outline.project)?.iter().count();
        let mut steps = vec![
            Step::Command(stack.host.command(ask(stack, "MODULES"))?.to_string()),
            Step::Note(format!(
                "apply those of {rules} rules that fit, and modules' own neutralize.sql, to {incoming}, in one transaction"
            )),
            Step::Note(format!(
                "`opw-task sanitise-preview {}` prints their SQL, as it fits the live database",
                stack.name
            )),
        ];
        if outline.in_full {
            steps.extend(statements(stack, outline)?);
        }
        Ok(steps)
    }

    async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        let incoming = scene.handover.incoming.take(Handed::Incoming).await?;
        let outcome = clean(scene, &incoming).await;
        scene.handover.incoming.put(incoming).await;
        let mut report = outcome?;
        scene.report.note(format!(
            "{} rows changed by the rules of {} modules, {} findings beyond them",
            report.rows(),
            report.modules.len(),
            report.findings.len()
        ));
        let elsewhere = report
            .findings
            .iter()
            .filter(|one| one.clue == Clue::Elsewhere && one.is_left());
        for finding in elsewhere {
            scene.report.warn(format!("{finding}; so the copy will not go live"));
        }
        if let Some(password) = report.generated_password.take() {
            let told = NewPassword {
                of: "the users of the copy have a new password".into(),
                password,
                holds: false,
            };
            scene.handover.password.put(told).await;
        }
        scene.handover.treated.put(report).await;
        Ok(())
    }

    fn change(&self) -> Change {
        Change::Data
    }

    fn takes(&self) -> &'static [Handed] {
        &[Handed::Incoming]
    }
}

/// The statements for a database that has whatever the rules name: a dry run reaches no host that could say what there is.
fn statements(stack: &Stack, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
    let version = stack.variables.text("ODOO_VERSION").unwrap_or_default();
    let rules = rules(stack, outline.project)?;
    let statements = imagine(&rules, &stack.sanitise, &facts(stack)?, version)?;
    let introduction = Step::Note(format!(
        "{} statements, on a database that has all that the rules name:",
        statements.len()
    ));
    let steps = statements.iter().map(|statement| Step::Sql(statement.to_script()));
    let parts = stack.policy_parts.iter().map(|part| format!("policy: {part}"));
    let exceptions = stack.sanitise.rule_exceptions();
    let parts = parts
        .chain(exceptions.iter().map(|exception| format!("rule {exception}")))
        .map(Step::Note);
    let parts: Vec<_> = parts.collect();
    Ok(parts
        .into_iter()
        .chain(std::iter::once(introduction))
        .chain(steps)
        .collect())
}

async fn clean(scene: &Scene, incoming: &Incoming) -> Result<Report, ActionError> {
    let stack = scene.stack()?;
    let rules = rules(stack, &scene.project)?;
    let mut facts = facts(stack)?;
    facts.module_files = module_files(scene, incoming).await?;
    incoming.set_state(State::Sanitising).await?;
    let mut session = incoming.connect().await?;
    let cut_off = session.cut_off();
    let work = sanitise(&mut session, &rules, &stack.sanitise, &facts);
    let done = scene.cut_off_when_cancelled(cut_off, work).await;
    let report = done.map_err(|error| scene.unless_cancelled(error))?;
    incoming.set_state(State::Sanitised).await?;
    Ok(report)
}

/// The stack's live database, which need not be a copy of ours, and what sanitising would know of it.
pub(super) struct LiveDatabase {
    pub session: Session,
    pub rules: RuleSet,
    pub facts: Facts,
}

impl LiveDatabase {
    /// Opens it for questions. It must run, and nothing of the stack need be rendered.
    pub(super) async fn open(scene: &Scene) -> Result<Self, ActionError> {
        scene.require_local()?;
        let stack = scene.stack()?;
        let rules = rules(stack, &scene.project)?;
        let facts = facts(stack)?;
        let session = running_server(scene).await?.connect(stack.database()?).await?;
        Ok(Self { session, rules, facts })
    }
}

/// The built-in rules and the project's own.
pub(super) fn rules(stack: &Stack, project: &Project) -> Result<RuleSet, ActionError> {
    let mut rules = RuleSet::builtin().map_err(ActionError::Rule)?;
    for path in &stack.sanitise.rules {
        let full = project.root.join(path);
        let text =
            std::fs::read_to_string(&full).map_err(|source| ActionError::path("read the rules", &full, source))?;
        rules.extend_from(path, &text).map_err(ActionError::Rule)?;
    }
    // Sanitising would refuse it too, after hours of copying.
    let fits = rules.under(&stack.sanitise);
    fits.map_err(|error| ActionError::Rule(error.said_in(&stack.policy_parts)))?;
    Ok(rules)
}

/// What sanitising must know of the stack.
pub(super) fn facts(stack: &Stack) -> Result<Facts, ActionError> {
    let mut source = String::new();
    let mut production_names = Vec::new();
    if let Some(upstream) = &stack.upstream {
        upstream.name().clone_into(&mut source);
        // A loopback address names no production, and would be found everywhere.
        let machine = upstream.machine();
        if !machine.starts_with("127.") && machine != "localhost" {
            production_names.push(machine.to_owned());
        }
    }
    Ok(Facts {
        source,
        base_url: stack.base_url()?.to_owned(),
        admin_password: stack.variables.secret("ODOO_ADMIN_PASSWORD"),
        admin_hash: None,
        production_names,
        variables: variables(stack),
        policy_parts: stack.policy_parts.clone(),
        module_files: Vec::new(),
    })
}

/// All of them count as secrets: a rule binds them and nothing shows them.
fn variables(stack: &Stack) -> BTreeMap<String, Secret> {
    let variables = stack.variables.iter().map(|(name, variable)| {
        let value = match &variable.value {
            Value::Plain(text) => Secret::new(text.as_str()),
            Value::Secret(secret) => secret.clone(),
        };
        (name.to_owned(), value)
    });
    variables.collect()
}

/// Writes the report as Markdown, where it was asked for.
///
/// It names tables and parameters of production's: a file is only its owner's, whatever the umask says and whatever it was
/// before. A path that is no file, such as `/dev/stdout`, is written to as it is.
pub(super) async fn write_markdown(path: Option<&Utf8Path>, report: &Report) -> Result<(), ActionError> {
    let Some(path) = path else { return Ok(()) };
    let written = async {
        let mut options = tokio::fs::OpenOptions::new();
        let mut file = options
            .create(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .await?;
        if file.metadata().await?.is_file() {
            file.set_permissions(Permissions::from_mode(0o600)).await?;
            file.set_len(0).await?;
        }
        file.write_all(report.to_markdown().as_bytes()).await?;
        file.flush().await
    };
    written.await.map_err(|source| ActionError::path("write", path, source))
}
