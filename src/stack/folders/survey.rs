//! What lies in a stack's folders, as the host tells it.

use camino::Utf8PathBuf;

use super::super::Stack;
use crate::process::Command;

/// The look: runs here and on other hosts alike.
const SCRIPT: &str = include_str!("survey.sh");

/// What a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing is there.
    Absent,
    /// A folder with nothing in it.
    Empty,
    /// A folder with something in it.
    Full,
    /// A folder that we may not look into.
    Closed,
    /// Something else than a folder.
    File,
}

/// What lies in a stack's folders.
#[derive(Debug, Default)]
pub(super) struct Survey {
    folders: Vec<(String, Kind, Utf8PathBuf)>,
    /// Whether the state root bears a mark of ours.
    pub(super) is_marked: bool,
    /// The first names in the state root.
    pub(super) entries: Vec<String>,
    /// Which folders hold what one would look for there.
    pub(super) like: Vec<String>,
    /// Folders of PostgreSQL clusters.
    pub(super) clusters: Vec<Utf8PathBuf>,
    /// Folders of filestores, each with the files of one database.
    pub(super) filestores: Vec<Utf8PathBuf>,
    /// Folders in the state root that we may not look into.
    pub(super) closed: Vec<Utf8PathBuf>,
    /// Where the stack had its folders when it was last started.
    pub(super) before: Vec<(String, Utf8PathBuf)>,
    /// Folders that are mounted, and what they are with all links followed; those that are not there are left out.
    pub(super) mounts: Vec<(Utf8PathBuf, Utf8PathBuf)>,
}

/// The command that looks.
pub(super) fn question(stack: &Stack) -> Command {
    let paths = &stack.paths;
    let folders = [&paths.root, &paths.data, &paths.database, &paths.logs, &stack.checkout];
    let mounts = stack.addon_mounts().into_iter().map(|mount| mount.source);
    Command::new("sh")
        .args(["-c", SCRIPT, "sh"])
        .args(folders.map(|path| path.as_str()))
        .args(mounts.map(Utf8PathBuf::into_string))
}

impl Survey {
    pub(super) fn parse(answer: &str) -> Self {
        let mut survey = Self::default();
        for line in answer.lines() {
            let words: Vec<&str> = line.split('\t').collect();
            let path = |at: usize| Utf8PathBuf::from(words.get(at).copied().unwrap_or_default());
            let add = |paths: &mut Vec<Utf8PathBuf>| {
                if !paths.contains(&path(1)) {
                    paths.push(path(1));
                }
            };
            match (words[0], words.get(1)) {
                ("folder", Some(name)) => survey.folders.push(((*name).to_owned(), kind(words.get(2)), path(3))),
                ("mark", _) => survey.is_marked = true,
                ("entry", Some(name)) => survey.entries.push((*name).to_owned()),
                ("like", Some(name)) => survey.like.push((*name).to_owned()),
                ("cluster", Some(_)) => add(&mut survey.clusters),
                ("filestore", Some(_)) => add(&mut survey.filestores),
                ("closed", Some(_)) => add(&mut survey.closed),
                ("before", Some(name)) => survey.before.push(((*name).to_owned(), path(2))),
                ("mount", Some(_)) if !path(2).as_str().is_empty() => survey.mounts.push((path(1), path(2))),
                _ => {}
            }
        }
        survey
    }

    /// What a folder is.
    pub(super) fn kind(&self, name: &str) -> Kind {
        let found = self.folders.iter().find(|(folder, _, _)| folder == name);
        found.map_or(Kind::Absent, |(_, kind, _)| *kind)
    }

    /// A folder with all links followed, if it is there.
    pub(super) fn real(&self, name: &str) -> Option<Utf8PathBuf> {
        let found = self.folders.iter().find(|(folder, _, _)| folder == name);
        found
            .map(|(_, _, real)| real.clone())
            .filter(|real| !real.as_str().is_empty())
    }
}

fn kind(word: Option<&&str>) -> Kind {
    match word.copied() {
        Some("empty") => Kind::Empty,
        Some("full") => Kind::Full,
        Some("closed") => Kind::Closed,
        Some("file") => Kind::File,
        _ => Kind::Absent,
    }
}
