//! Sanitises once more, because module updates bring jobs and parameters back, and asks every surface whether it is
//! clean. Only what comes out of here can be activated.
//!
//! Killed half-way it leaves an incoming database that is shut.

use tokio::io::AsyncWriteExt;

use super::incoming_filestore::FilestorePair;
use super::sanitise::{facts, rules};
use super::{ActionError, Outline, Scene};
use crate::plan::Step;
use crate::postgres::{Incoming, Names, State, attachments};
use crate::sanitise::{Report, Sanitised, verify};

/// How many names of missing files are told.
const NAMED: usize = 3;

/// Proves that the incoming database is sanitised.
#[derive(Debug, Clone)]
pub struct Verify;

impl Verify {
    pub(super) fn steps(&self, outline: &Outline<'_>) -> Result<Vec<Step>, ActionError> {
        let stack = outline.stack()?;
        let incoming = Names::new(stack.database()?)?.incoming(outline.run)?;
        Ok(vec![
            Step::Note(format!("apply the rules to {incoming} again and read every surface")),
            Step::Sql(format!(
                "REASSIGN OWNED BY opw_task_restore TO {}; ANALYZE;",
                stack.database_role()?
            )),
        ])
    }

    pub(super) async fn carry_out(&self, scene: &Scene) -> Result<(), ActionError> {
        let incoming = scene
            .handover
            .incoming
            .take("the incoming database", "copy-database")
            .await?;
        let names = scene
            .handover
            .production_names
            .take_if_there()
            .await
            .unwrap_or_default();
        let sanitised = match prove(scene, incoming, names).await {
            Ok(sanitised) => sanitised,
            Err((incoming, error)) => {
                scene.handover.incoming.put(incoming).await;
                return Err(error);
            }
        };
        let report = sanitised.report();
        write_report(scene, report).await?;
        for module in &report.not_covered {
            scene.report.warn(format!(
                "no rule for module {}; it has {}",
                module.module,
                module.fields.join(", ")
            ));
        }
        scene.report.note(format!(
            "the copy is SANITISED: read again in {} ms",
            report.milliseconds
        ));
        let database = sanitised.database();
        let outcome = make_ready(scene, database).await;
        scene.handover.sanitised.put(sanitised).await;
        outcome
    }
}

async fn prove(
    scene: &Scene,
    incoming: Incoming,
    production_names: Vec<String>,
) -> Result<Sanitised<Incoming>, (Incoming, ActionError)> {
    let prepared = async {
        let stack = scene.stack()?;
        let rules = rules(stack, &scene.project)?;
        let facts = facts(stack, production_names)?;
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
    let verified = verify(&mut session, incoming, &rules, policy, &facts).await;
    verified.map_err(|refused| (refused.database, ActionError::Refused(Box::new(refused.reason))))
}

/// The objects become Odoo's, the planner gets its statistics, and files that are missing are told.
async fn make_ready(scene: &Scene, incoming: &Incoming) -> Result<(), ActionError> {
    incoming.reassign().await?;
    let session = incoming.connect().await?;
    crate::postgres::analyze(&session).await?;
    let files = attachments(&session).await?;
    drop(session);
    let pair = FilestorePair::of(scene.stack()?, &Names::new(scene.stack()?.database()?)?);
    let folder = pair.incoming(&scene.run);
    let missing: Vec<String> = files.into_iter().filter(|file| !folder.join(file).is_file()).collect();
    if !missing.is_empty() {
        scene.report.warn(format!(
            "{} attachments have no file: {}{}",
            missing.len(),
            missing.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", "),
            if missing.len() > NAMED { ", …" } else { "" }
        ));
    }
    incoming.set_state(State::Verified).await?;
    Ok(())
}

/// The whole report, beside the journal.
async fn write_report(scene: &Scene, report: &Report) -> Result<(), ActionError> {
    let path = scene.journal.join("sanitise.json");
    let text = serde_json::to_string_pretty(report).map_err(ActionError::Answer)?;
    let write = async {
        // It names tables and parameters of production's: only its owner may read it, whatever the umask says.
        let mut options = tokio::fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .await?;
        file.write_all(text.as_bytes()).await?;
        file.flush().await
    };
    write.await.map_err(|source| ActionError::path("write", &path, source))
}
