//! Compares the stack's image with the upstream before anything is copied: Odoo's version, and the modules that are installed.
//!
//! A database of one version is of no use to another version's Odoo, and a module without its code is skipped by Odoo with a
//! line in its log: both would be met by whoever uses the copy. A one-off container of the image lists what it has, without
//! production's keys; no module's code runs in it. Nothing is changed.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde::Deserialize;

use super::compose::compose_without_keys;
use super::copy_database::facts;
use super::modules::{ADDON_FOLDERS, ODOO_FOLDERS};
use super::{ActionError, Given, Scene, Step};
use crate::error::{Diagnostic, ExitCode, Explain};
use crate::manifest::{OptionGrammar, OptionKind};
use crate::plain_text;
use crate::process::Command;
use crate::stack::{MissingModules, Stack};
use crate::upstream::{InstalledModule, Question};

/// Prints version and modules.
const SCRIPT: &str = include_str!("image_contents.py");

/// Folders that entry points add to Odoo's path where they hold something, and one that Odoo itself adds.
const MORE_FOLDERS: [&str; 3] = ["/volumes/enterprise", "/volumes/extra_addons", "/volumes/data/addons/*"];

/// The option of the actions that copy.
pub(super) const MISSING_MODULES: OptionGrammar = OptionGrammar {
    key: "missing-modules",
    about: "Which of the upstream's installed modules the image may lack: `refuse`, `continue`, or names with commas; empty: as \
            the stack says.",
    kind: OptionKind::Text,
};

/// So many names of one place are told.
const TOLD: usize = 12;

/// An image that does not fit the upstream.
#[derive(Debug, thiserror::Error)]
pub enum ImageUnfit {
    /// Its Odoo is of another version.
    #[error("upstream `{upstream}` has Odoo {production}, the image of stack `{stack}` has Odoo {image}")]
    Version {
        /// The stack.
        stack: String,
        /// The upstream.
        upstream: String,
        /// The version there, such as `18.0`.
        production: String,
        /// The image's.
        image: String,
    },
    /// It lacks modules.
    #[error(
        "the image of stack `{stack}` lacks modules that are installed in upstream `{upstream}`: {}",
        names(modules)
    )]
    Modules {
        /// The stack.
        stack: String,
        /// The upstream.
        upstream: String,
        /// The modules.
        modules: Vec<InstalledModule>,
        /// What was asked for, such as `restore opw-testing`.
        command: String,
    },
}

impl Explain for ImageUnfit {
    fn explain(&self) -> Diagnostic {
        let told = Diagnostic::new(ExitCode::Refused, self.to_string()).note("nothing was copied");
        match self {
            Self::Version {
                stack, production, ..
            } => told
                .note("Odoo works on databases of its own version only, and a restore migrates none")
                .hint(format!(
                    "copy into a stack whose image has Odoo {production}: ODOO_VERSION=\"{production}\" for `{stack}`, then \
                     `opw-task image {stack} --build`"
                ))
                .hint("or bring production to the image's version first"),
            Self::Modules {
                stack,
                modules,
                command,
                ..
            } => told
                .evidence(by_place(modules))
                .note("Odoo skips a module without its code: what it adds to pages, jobs and rights would be missing")
                .hint(format!(
                    "bring them into the image, in a folder of the project's addons or by their repositories in \
                     ODOO_ADDON_REPOSITORIES, then `opw-task image {stack} --build`"
                ))
                .hint(format!(
                    "`opw-task {command} --missing-modules continue` copies without them; \
                     missing-modules = \"NAME,…\" in [stacks.{stack}] allows these for good"
                )),
        }
    }
}

/// What the image has.
#[derive(Debug, Deserialize)]
struct Contents {
    /// What it says of Odoo's version.
    version: Option<String>,
    modules: BTreeSet<String>,
}

/// What the option says; none where it says nothing.
pub(super) fn missing_modules(given: &Given) -> Option<MissingModules> {
    let said = given.text(MISSING_MODULES.key);
    said.filter(|said| !said.trim().is_empty()).map(MissingModules::from)
}

/// Refuses a copy that the image does not fit. The first of the two copying actions looks for both.
pub(super) async fn look_at_image(scene: &Scene, said: Option<&MissingModules>) -> Result<(), ActionError> {
    let compared = scene.handover.not_in_image.get_or_try_init(|| compare(scene, said));
    compared.await.map(drop)
}

/// What it would do, for a person to read.
pub(super) fn steps(stack: &Stack, said: Option<&MissingModules>) -> Result<Vec<Step>, ActionError> {
    let ask = stack.host.command(ask(stack))?;
    let missing = match said.unwrap_or(&stack.missing_modules) {
        MissingModules::Refuse => "or that lacks a module which is installed there".to_owned(),
        MissingModules::Continue => "and tells which modules that are installed there it lacks".to_owned(),
        MissingModules::These(names) => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!(
                "or that lacks a module which is installed there, but for {}",
                names.join(", ")
            )
        }
    };
    Ok(vec![
        Step::Command(ask.to_string()),
        Step::Command(stack.upstream()?.ask(Question::Modules).command().to_string()),
        Step::Note(format!(
            "refuses an image that has another version of Odoo than the upstream, {missing}"
        )),
    ])
}

/// Returns the modules that the image lacks and may lack.
async fn compare(scene: &Scene, said: Option<&MissingModules>) -> Result<Vec<String>, ActionError> {
    let stack = scene.stack()?;
    let upstream = stack.upstream()?;
    let (facts, contents) = tokio::join!(facts(scene), scene.ask_there(ask(stack)));
    let facts = facts?;
    if !facts.odoo {
        return Ok(Vec::new());
    }
    // A program that runs when the container's Python starts may have printed before.
    let answer = contents?;
    let line = answer.trim().lines().last().unwrap_or_default();
    let contents: Contents = serde_json::from_str(line).map_err(ActionError::Answer)?;
    let series = (
        facts.odoo_version.as_deref().and_then(series),
        contents.version.as_deref().and_then(series),
    );
    match series {
        (Some(production), Some(image)) if production != image => {
            return Err(unfit(ImageUnfit::Version {
                stack: stack.name.clone(),
                upstream: upstream.name().to_owned(),
                production,
                image,
            }));
        }
        (Some(_), Some(_)) => {}
        _ => scene.report.warn(
            "the image does not say which version of Odoo it has, or the upstream does not: they were not compared",
        ),
    }
    scene.report.command(upstream.ask(Question::Modules).command());
    let mut missing = upstream.modules(&scene.processes).await?;
    missing.retain(|module| !contents.modules.contains(&module.name));
    let allowed = said.unwrap_or(&stack.missing_modules);
    if missing.iter().any(|module| !allowed.allows(&module.name)) {
        missing.retain(|module| !allowed.allows(&module.name));
        return Err(unfit(ImageUnfit::Modules {
            stack: stack.name.clone(),
            upstream: upstream.name().to_owned(),
            modules: missing,
            command: scene.command.to_string(),
        }));
    }
    if !missing.is_empty() {
        scene.report.warn(format!(
            "the image lacks modules that are installed in upstream {}; the copy is made without them: {}",
            upstream.name(),
            names(&missing)
        ));
    }
    Ok(missing.into_iter().map(|module| module.name).collect())
}

fn unfit(error: ImageUnfit) -> ActionError {
    ActionError::Image(Box::new(error))
}

fn ask(stack: &Stack) -> Command {
    let own = stack.variables.text("ODOO_ADDONS_PATH").unwrap_or(ADDON_FOLDERS);
    let folders: Vec<&str> = own.split(',').chain(MORE_FOLDERS).chain(ODOO_FOLDERS).collect();
    compose_without_keys(stack)
        .args(["run", "--rm", "--no-deps", "-T"])
        .args(["--entrypoint", "python3", "script-runner", "-c", SCRIPT])
        .arg(folders.join(","))
}

/// The version in a text, without what is counted within it: `18.0` of `18.0.1.3`, `saas~18.2` of `Odoo Server saas~18.2`.
fn series(text: &str) -> Option<String> {
    let pattern = Regex::new(r"(?:saas[~-])?\d+\.\d+").ok()?;
    Some(pattern.find(text)?.as_str().replace("saas-", "saas~"))
}

/// The names, as many as a line takes.
fn names(modules: &[InstalledModule]) -> String {
    let some: Vec<&str> = modules.iter().take(TOLD).map(|module| module.name.as_str()).collect();
    let listed = plain_text::line(&some.join(", "));
    match modules.len() - some.len() {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

/// The modules by the page that their manifests name: often their repository.
fn by_place(modules: &[InstalledModule]) -> Vec<String> {
    let mut places: BTreeMap<String, Vec<InstalledModule>> = BTreeMap::new();
    for module in modules {
        let words = [&module.author, &module.website].into_iter().flatten();
        let words: Vec<&str> = words.map(|word| word.trim()).filter(|word| !word.is_empty()).collect();
        let place = plain_text::line(&words.join(", ").replace(['\n', '\r'], " "));
        places.entry(place).or_default().push(module.clone());
    }
    let line = |(place, modules): (String, Vec<InstalledModule>)| match place.is_empty() {
        true => names(&modules),
        false => format!("{} ({place})", names(&modules)),
    };
    places.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_told_without_what_is_counted_within_it() {
        for (text, expected) in [
            ("18.0.1.3", Some("18.0")),
            ("Odoo Server 19.0 (stand-in)", Some("19.0")),
            ("Odoo Server 18.0-20251101", Some("18.0")),
            ("saas~18.2.1.3", Some("saas~18.2")),
            ("Odoo Server saas-18.2", Some("saas~18.2")),
            ("", None),
        ] {
            assert_eq!(series(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn modules_are_told_by_where_they_come_from() {
        let module = |name: &str, website: Option<&str>| InstalledModule {
            name: name.into(),
            author: Some("OCA\u{1b}[31m".into()),
            website: website.map(str::to_owned),
        };
        let queue = Some("https://github.com/OCA/queue");
        let told = by_place(&[
            module("queue_job", queue),
            module("shop", None),
            module("queue_job_cron", queue),
        ]);
        assert_eq!(told.len(), 2);
        assert!(
            told.iter().any(|line| line.starts_with("queue_job, queue_job_cron (")
                && line.ends_with("https://github.com/OCA/queue)"))
        );
        assert!(!told.concat().contains('\u{1b}'), "{told:?}");
    }
}
