//! A stack's folders on its host: none that is somebody else's is worked in, and none is made where the stack's data would be
//! left behind in another.
//!
//! Three kinds of things are seen by one look at the host: a state root that is not ours; data in another layout than that
//! which the stack would begin, such as another tool's or an older version's; and folders of addons that lead out of the
//! checkout.

mod error;
mod survey;

use camino::{Utf8Path, Utf8PathBuf};

pub use error::FoldersError;
use survey::{Kind, Survey};

use super::{Stack, StackError, plain};
use crate::process::Processes;

/// Folders in which other things live than a stack's, whether they are empty or not.
const SYSTEM: [&str; 26] = [
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/local",
    "/var",
    "/var/lib",
    "/var/lib/docker",
    "/var/log",
    "/var/tmp",
    "/Users",
];

impl Stack {
    /// Refuses folders that are not the stack's. With `starts` also those in which it would begin anew while its data lies
    /// elsewhere. `command` is what was asked for, such as `up local`, for the line that is told.
    ///
    /// # Errors
    /// [`FoldersError`]; a host that cannot be asked.
    pub async fn guard_folders(&self, processes: &Processes, starts: bool, command: &str) -> Result<(), StackError> {
        let question = self.host.command(survey::question(self));
        let question = question.map_err(|error| Box::new(error.into()))?;
        let survey = Survey::parse(&processes.capture(&question).await?);
        self.guard_system(&survey)?;
        self.guard_foreign(&survey, command)?;
        if starts {
            self.guard_layout(&survey, command)?;
        }
        Ok(self.guard_links(&survey)?)
    }

    /// Its folders with the variable that says where each is.
    fn folders(&self) -> [(&'static str, &'static str, &Utf8Path); 4] {
        let paths = &self.paths;
        [
            ("root", "ODOO_STATE_ROOT", &paths.root),
            ("data", "ODOO_DATA_HOST_DIR", &paths.data),
            ("database", "ODOO_DB_HOST_DIR", &paths.database),
            ("logs", "ODOO_LOG_HOST_DIR", &paths.logs),
        ]
    }

    fn guard_system(&self, survey: &Survey) -> Result<(), Box<FoldersError>> {
        let home = survey.real("home");
        let checkout = survey.real("checkout").unwrap_or_else(|| self.checkout.clone());
        for (name, variable, path) in self.folders() {
            let real = survey.real(name).unwrap_or_else(|| plain(path));
            let is_a_home = real.parent().is_some_and(|above| above == "/home" || above == "/Users");
            let why = if SYSTEM.contains(&real.as_str()) {
                "is the system's"
            } else if is_a_home || home.as_ref() == Some(&real) {
                "is somebody's home"
            } else if checkout.starts_with(&real) {
                "holds the checkout"
            } else if survey.kind(name) == Kind::File {
                "is no folder"
            } else {
                continue;
            };
            return Err(Box::new(FoldersError::System {
                stack: self.name.clone(),
                variable,
                path: path.to_owned(),
                why,
            }));
        }
        Ok(())
    }

    fn guard_foreign(&self, survey: &Survey, command: &str) -> Result<(), Box<FoldersError>> {
        let root = &self.paths.root;
        let is_theirs = |name: &str| matches!(survey.kind(name), Kind::Full | Kind::Closed);
        for (name, variable, path) in self.folders() {
            let is_known = match name {
                "root" => survey.is_marked,
                _ if path.starts_with(root) => true,
                "database" if survey.kind(name) == Kind::Closed => true,
                _ => {
                    survey.like.iter().any(|like| like == name)
                        || survey.before.iter().any(|(_, before)| before == path)
                }
            };
            if !is_known && is_theirs(name) && !self.may_take_over(path) {
                return Err(Box::new(FoldersError::Foreign {
                    stack: self.name.clone(),
                    variable,
                    path: path.to_owned(),
                    entries: if name == "root" {
                        survey.entries.clone()
                    } else {
                        Vec::new()
                    },
                    advice: if name == "root" {
                        self.advice(survey)
                    } else {
                        Vec::new()
                    },
                    command: command.to_owned(),
                }));
            }
        }
        Ok(())
    }

    fn guard_layout(&self, survey: &Survey, command: &str) -> Result<(), Box<FoldersError>> {
        let advice = self.advice(survey);
        if advice.is_empty() || self.may_take_over(&self.paths.root) {
            return Ok(());
        }
        Err(Box::new(FoldersError::Elsewhere {
            stack: self.name.clone(),
            root: self.paths.root.clone(),
            advice,
            command: command.to_owned(),
        }))
    }

    /// What of the stack's data lies where it would not be looked for, and what to do about it.
    fn advice(&self, survey: &Survey) -> Vec<Advice> {
        let paths = &self.paths;
        let mut advice = Vec::new();
        let has_cluster = survey.kind("database") == Kind::Closed || survey.clusters.contains(&paths.database);
        if !has_cluster {
            let own = [&paths.data, &paths.logs];
            let closed = survey.closed.iter().filter(|path| !own.contains(path));
            for path in survey.clusters.iter().chain(closed) {
                advice.push(Advice {
                    what: format!(
                        "PostgreSQL's data lies in {path}, and the stack would begin an empty one in {}",
                        paths.database
                    ),
                    set: Some(("ODOO_DB_HOST_DIR", path.clone())),
                    lines: moving(path, &paths.database),
                });
            }
        }
        let filestores = paths.data.join("filestore");
        if survey
            .filestores
            .iter()
            .any(|path| path.starts_with(&filestores) && *path != filestores)
        {
            return advice;
        }
        let database = self.variables.text("ODOO_DB_NAME").unwrap_or("DATABASE");
        for path in &survey.filestores {
            let name = path.file_name().unwrap_or(database);
            let above = path
                .parent()
                .filter(|above| above.file_name() == Some("filestore") && name != "filestore");
            let data = above.and_then(Utf8Path::parent).filter(|data| *data != paths.root);
            let is_named = above.is_some() || name == database;
            let target = filestores.join(if is_named { name } else { database });
            advice.push(Advice {
                what: format!("files lie in {path}, and Odoo would look for them in {target}"),
                set: data.map(|data| ("ODOO_DATA_HOST_DIR", data.to_owned())),
                lines: moving(path, &target),
            });
        }
        advice
    }

    /// Refuses folders of addons that are mounted from outside of the checkout by way of a link.
    fn guard_links(&self, survey: &Survey) -> Result<(), Box<FoldersError>> {
        let checkout = survey.real("checkout").unwrap_or_else(|| self.checkout.clone());
        for (path, real) in &survey.mounts {
            let may = real.starts_with(&checkout)
                || self
                    .mounts_outside
                    .iter()
                    .any(|may| real.starts_with(may) || path == may);
            if !may {
                return Err(Box::new(FoldersError::LeadsOut {
                    stack: self.name.clone(),
                    path: path.clone(),
                    real: real.clone(),
                    checkout,
                }));
            }
        }
        Ok(())
    }
}

/// Data that lies where it would not be looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What lies where.
    what: String,
    /// The variable that would say so.
    set: Option<(&'static str, Utf8PathBuf)>,
    /// The lines that move it.
    lines: Vec<String>,
}

/// The lines that move a folder to a place that is empty or not there.
fn moving(from: &Utf8Path, to: &Utf8Path) -> Vec<String> {
    let quote = |path: &Utf8Path| crate::shell_words::quote(path.as_str());
    let (mut lines, mut from) = (Vec::new(), from.to_owned());
    if to.starts_with(&from) {
        let aside = Utf8PathBuf::from(format!("{from}.moved"));
        lines.push(format!("mv {} {}", quote(&from), quote(&aside)));
        from = aside;
    }
    if from.starts_with(to) {
        // The place is not empty: what is around the data goes aside.
        let (moved, around) = (
            Utf8PathBuf::from(format!("{to}.moved")),
            Utf8PathBuf::from(format!("{to}.before")),
        );
        let pairs = [(from.as_path(), moved.as_path()), (to, &around), (&moved, to)];
        return pairs
            .map(|(from, to)| format!("mv -T {} {}", quote(from), quote(to)))
            .to_vec();
    }
    let parent = to.parent().unwrap_or(to);
    lines.push(format!("mkdir -p {}", quote(parent)));
    // Odoo and PostgreSQL keep their owners, for `mv` in one file system changes none.
    lines.push(format!("mv -T {} {}", quote(&from), quote(to)));
    lines
}
