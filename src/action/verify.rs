//! Sanitises once more, because module updates bring jobs and parameters back, and asks every surface whether it is
//! clean. Only what comes out of here can be activated.
//!
//! Interrupted or killed half-way it leaves an incoming database that is shut.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use camino::Utf8PathBuf;

use super::copy_filestore::pull_again;
use super::filestore_proof::{FilesMissing, Lacking};
use super::incoming_filestore::{FilestorePair, blocking};
use super::module_files::module_files;
use super::sanitise::{facts, rules, write_markdown};
use super::unnamed_files::remove_unnamed;
use super::{Action, ActionError, Handed, Kind, Outline, Scene, Step};
use crate::host::{Folder, Host, Mode};
use crate::manifest::{ActionGrammar, ArgumentGrammar, OptionGrammar, OptionKind};
use crate::postgres::{AttachedFile, Incoming, Names, Treatment, attachments};
use crate::sanitise::{Refusal, Report, Sanitised, verify};
use crate::stack::Change;

/// Proves that the incoming database is sanitised.
#[derive(Debug, Clone)]
pub(super) struct Verify {
    /// Where the report of the whole run is written as Markdown.
    pub report: Option<Utf8PathBuf>,
}

/// `run = { verify = … }`
pub(super) static KIND: Kind = Kind {
    grammar: ActionGrammar {
        key: "verify",
        about: "Sanitises again and proves it.",
        argument: ArgumentGrammar::Options(&[OptionGrammar {
            key: "report",
            about: "The file that the report is written to as Markdown; empty: none.",
            kind: OptionKind::Text,
        }]),
        on_stack: true,
    },
    make: |given| {
        Arc::new(Verify {
            report: given.path("report"),
        })
    },
};

#[async_trait]
impl Action for Verify {
    fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let incoming = Names::new(stack.database()?)?.incoming(outline.run)?;
        let mut steps = vec![
            Step::Note(format!("apply the rules to {incoming} again and read every surface")),
            Step::Sql(format!(
                "ANALYZE; REASSIGN OWNED BY opw_task_restore TO {};",
                stack.database_role()?
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
        let incoming = scene.handover.incoming.take(Handed::Incoming).await?;
        let earlier = scene.handover.treated.take_if_there().await;
        let sanitised = match prove(scene, incoming, earlier.as_ref()).await {
            Ok(sanitised) => sanitised,
            Err((incoming, error)) => {
                scene.handover.incoming.put(incoming).await;
                if let ActionError::Refused(refusal) = &error
                    && let Refusal::Verdict(report) = &**refusal
                    && let Err(unwritten) = self.write(scene, &whole(report, earlier)).await
                {
                    scene.report.warn(unwritten.to_string());
                }
                return Err(error);
            }
        };
        let outcome = self.conclude(scene, &sanitised, earlier).await;
        scene.handover.sanitised.put(sanitised).await;
        outcome
    }

    fn change(&self) -> Change {
        Change::Data
    }

    fn takes(&self) -> &'static [Handed] {
        &[Handed::Incoming]
    }

    fn gives(&self) -> &'static [Handed] {
        &[Handed::Verified]
    }
}

impl Verify {
    /// Tells what was done, and makes the database ready to go live.
    async fn conclude(
        &self,
        scene: &Scene,
        sanitised: &Sanitised<Incoming>,
        earlier: Option<Report>,
    ) -> Result<(), ActionError> {
        let mut report = whole(sanitised.report(), earlier);
        report.not_in_image = scene.handover.not_in_image.get().cloned().unwrap_or_default();
        self.write(scene, &report).await?;
        for line in report.changed_lines() {
            scene.report.note(line);
        }
        for finding in &report.findings {
            scene.report.note(finding.to_string());
        }
        for module in &report.not_covered {
            scene.report.warn(format!(
                "no rule for module {}; it has {}",
                module.module,
                module.fields.join(", ")
            ));
        }
        for exception in &report.rule_exceptions {
            scene.report.warn(format!("rule {exception}"));
        }
        let verdict = report.verdict_text().unwrap_or_default();
        scene.report.note(format!(
            "the copy is {verdict}: {} rows changed, read again in {} ms",
            report.rows(),
            sanitised.report().milliseconds
        ));
        make_ready(scene, sanitised.database(), Treatment::now(verdict, &report.policy)).await
    }

    /// The whole report, beside the journal and where it was asked for.
    async fn write(&self, scene: &Scene, report: &Report) -> Result<(), ActionError> {
        if let Some(journal) = &scene.journal {
            let path = journal.join("sanitise.json");
            let text = serde_json::to_string_pretty(report).map_err(ActionError::Answer)?;
            // It names tables and parameters of production's: only its owner may read it, whatever the umask says.
            let sink = scene.report.sink();
            let written = Host::Local
                .write_file(&scene.processes, &path, text.as_bytes(), Mode(0o600), &sink)
                .await;
            // It is a part of the journal: where that cannot be written, the copy is as good.
            if let Err(error) = written {
                scene.report.warn(format!("the report is not in the journal: {error}"));
            }
        }
        write_markdown(self.report.as_deref(), report).await
    }
}

async fn prove(
    scene: &Scene,
    incoming: Incoming,
    earlier: Option<&Report>,
) -> Result<Sanitised<Incoming>, (Incoming, ActionError)> {
    let prepared = async {
        let stack = scene.stack()?;
        let rules = rules(stack, &scene.project)?;
        let mut facts = facts(stack)?;
        if let Some(earlier) = earlier {
            facts.production_names.extend(earlier.production_names.iter().cloned());
            facts.admin_hash.clone_from(&earlier.admin_hash);
        }
        // Anew: an update may have brought modules.
        facts.module_files = module_files(scene, &incoming).await?;
        Ok::<_, ActionError>((rules, facts, incoming.connect().await?))
    };
    let (rules, facts, mut session) = match prepared.await {
        Ok(prepared) => prepared,
        Err(error) => return Err((incoming, error)),
    };
    let policy = match scene.stack() {
        Ok(stack) => &stack.sanitise,
        Err(error) => return Err((incoming, error)),
    };
    let cut_off = session.cut_off();
    let work = verify(&mut session, incoming, &rules, policy, &facts);
    let verified = scene.cut_off_when_cancelled(cut_off, work).await;
    verified.map_err(|refused| {
        let error = ActionError::Refused(Box::new(refused.reason));
        (refused.database, scene.unless_cancelled(error))
    })
}

/// The planner gets its statistics, the objects become Odoo's, the filestore is proven, and files that sanitising took the
/// last name from are removed.
async fn make_ready(scene: &Scene, incoming: &Incoming, treatment: Treatment) -> Result<(), ActionError> {
    let session = incoming.connect().await?;
    // Statistics of an index on an expression are gathered by computing it, as the table's owner: so long as that may nothing.
    crate::postgres::analyze(&session).await?;
    let attachments = attachments(&session).await?;
    drop(session);
    incoming.reassign().await?;
    if attachments.elsewhere > 0 {
        scene.report.note(format!(
            "{} attachments have their files outside of the filestore; they were not looked for",
            attachments.elsewhere
        ));
    }
    prove_files(scene, attachments.files).await?;
    incoming.set_verified(treatment).await?;
    Ok(())
}

/// What this run did to the copy, from its first pass on.
fn whole(report: &Report, earlier: Option<Report>) -> Report {
    match earlier {
        Some(earlier) => report.clone().following(earlier),
        None => report.clone(),
    }
}

/// Refuses a copy of the filestore that lacks more of its files than the stack tolerates, and removes what none names.
async fn prove_files(scene: &Scene, files: Vec<AttachedFile>) -> Result<(), ActionError> {
    let stack = scene.stack()?;
    let pair = FilestorePair::of(stack, &Names::new(stack.database()?)?);
    let files: Arc<[AttachedFile]> = files.into();
    let copy = pair.copy(&scene.run).await?.map(Arc::new);
    let mut lacking = look_for(scene, &files, copy.as_ref()).await?;
    let mut because = Vec::new();
    if !lacking.is_empty() && copy.is_some() {
        because = pull_again(scene, lacking.names()).await?;
        lacking = look_for(scene, &lacking.files().into(), copy.as_ref()).await?;
    }
    if !lacking.is_empty() {
        let upstream = stack.upstream()?;
        let missing = FilesMissing {
            missing: (lacking.count(), files.len()),
            by_model: lacking.by_model(),
            because,
            tolerated: stack.missing_files.to_string(),
            stack: stack.name.clone(),
            upstream: upstream.name().to_owned(),
            path: upstream.filestore().to_owned(),
        };
        if !stack.missing_files.allows(lacking.count(), files.len()) {
            return Err(ActionError::FilesMissing(Box::new(missing)));
        }
        scene.report.warn(missing.to_string());
        for line in missing.by_model {
            scene.report.note(line);
        }
    }
    let Some(copy) = copy else { return Ok(()) };
    let removed = blocking(move || {
        let named: HashSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
        Ok(remove_unnamed(&copy, &named)?)
    })
    .await?;
    if removed > 0 {
        scene
            .report
            .note(format!("removed {removed} files that no attachment of the copy names"));
    }
    Ok(())
}

async fn look_for(
    scene: &Scene,
    files: &Arc<[AttachedFile]>,
    copy: Option<&Arc<Folder>>,
) -> Result<Lacking, ActionError> {
    let (files, copy) = (files.clone(), copy.cloned());
    let cancelled = scene.processes.cancellation().clone();
    let found = blocking(move || Ok(Lacking::of(&files, copy.as_deref(), &cancelled)?)).await?;
    found.ok_or(ActionError::Interrupted)
}
