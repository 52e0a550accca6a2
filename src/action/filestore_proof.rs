//! Whether a copy of the filestore has the files that the copy of the database names.
//!
//! A file is there if it is a plain file of the size that an attachment gives it. Where the size is another one, the
//! file's name decides: Odoo names files by the SHA-1 of their contents, and sizes that were written wrong do no harm.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};
use sha1::{Digest, Sha1};
use tokio_util::sync::CancellationToken;

use super::filestore_copy::is_content;
use crate::host::{Folder, PathError, is_file};
use crate::postgres::AttachedFile;

/// So many names of missing files are told of a model.
const NAMED: usize = 3;

/// So many models are told.
const MODELS: usize = 12;

/// Why a file is not proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    Missing,
    /// It has another size than each attachment says, and its contents are not those that its name says.
    Wrong,
}

/// The files that a copy lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lacking {
    files: Vec<(AttachedFile, Lack)>,
}

impl Lacking {
    /// Looks for the files in the copy of the filestore; in none, if there is no copy. None if it was cancelled.
    pub(super) fn of(
        files: &[AttachedFile],
        copy: Option<&Folder>,
        cancelled: &CancellationToken,
    ) -> Result<Option<Self>, PathError> {
        let mut open: BTreeMap<String, Option<Folder>> = BTreeMap::new();
        let mut lacking = Vec::new();
        for file in files {
            if cancelled.is_cancelled() {
                return Ok(None);
            }
            let lack = match (copy, file.name.rsplit_once('/')) {
                (Some(copy), Some((path, name))) => {
                    if !open.contains_key(path) {
                        open.insert(path.to_owned(), beneath(copy, path));
                    }
                    look(open.get(path).and_then(Option::as_ref), name, file)?
                }
                (Some(copy), None) => look(Some(copy), &file.name, file)?,
                (None, _) => Some(Lack::Missing),
            };
            lacking.extend(lack.map(|lack| (file.clone(), lack)));
        }
        Ok(Some(Self { files: lacking }))
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.files.len()
    }

    /// Their names.
    pub(super) fn names(&self) -> Vec<String> {
        self.files.iter().map(|(file, _)| file.name.clone()).collect()
    }

    /// Their attachments.
    pub(super) fn files(&self) -> Vec<AttachedFile> {
        self.files.iter().map(|(file, _)| file.clone()).collect()
    }

    /// How many of each model, with the first names; the most first.
    pub(super) fn by_model(&self) -> Vec<String> {
        let mut models: BTreeMap<&str, Vec<&(AttachedFile, Lack)>> = BTreeMap::new();
        for lacking in &self.files {
            models.entry(&lacking.0.model).or_default().push(lacking);
        }
        let mut models: Vec<_> = models.into_iter().collect();
        models.sort_by_key(|(_, files)| std::cmp::Reverse(files.len()));
        let mut lines: Vec<String> = models
            .iter()
            .take(MODELS)
            .map(|(model, files)| line(model, files))
            .collect();
        let rest: usize = models.iter().skip(MODELS).map(|(_, files)| files.len()).sum();
        if rest > 0 {
            lines.push(format!("other models: {rest}"));
        }
        lines
    }
}

fn line(model: &str, files: &[&(AttachedFile, Lack)]) -> String {
    let model = if model.is_empty() { "no model" } else { model };
    let names: Vec<&str> = files.iter().take(NAMED).map(|(file, _)| file.name.as_str()).collect();
    let more = if files.len() > NAMED { ", …" } else { "" };
    let wrong = files.iter().filter(|(_, lack)| *lack == Lack::Wrong).count();
    let wrong = match wrong {
        0 => String::new(),
        wrong => format!(", {wrong} of them with other contents than their name says"),
    };
    format!("{model}: {}{wrong} ({}{more})", files.len(), names.join(", "))
}

/// The folder of that path in the copy; none if it is not there, or the path leads through links or out.
fn beneath(copy: &Folder, path: &str) -> Option<Folder> {
    let mut parts = path.split('/');
    let mut folder = copy.folder(parts.next()?).ok()??;
    for part in parts {
        folder = folder.folder(part).ok()??;
    }
    Some(folder)
}

fn look(folder: Option<&Folder>, name: &str, file: &AttachedFile) -> Result<Option<Lack>, PathError> {
    // What is no name of a file is none that is there.
    let Some(found) = folder.and_then(|folder| folder.look(name).ok()?) else {
        return Ok(Some(Lack::Missing));
    };
    if !is_file(&found) {
        return Ok(Some(Lack::Missing));
    }
    let right = file.sizes.is_empty() || file.sizes.contains(&found.st_size);
    match folder {
        Some(folder) if !right && !has_its_contents(folder, name)? => Ok(Some(Lack::Wrong)),
        _ => Ok(None),
    }
}

/// Whether a file's contents are those that its name says.
fn has_its_contents(folder: &Folder, name: &str) -> Result<bool, PathError> {
    let Some(mut file) = folder.file(name)? else {
        return Ok(false);
    };
    let unread = |source: io::Error| PathError {
        doing: "read",
        path: folder.path().join(name),
        source,
    };
    let mut hash = Sha1::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(unread)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    let hash = hash.finalize();
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(name.eq_ignore_ascii_case(&digits))
}

/// What a folder looks like that came from the upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// It has folders of contents.
    Filestore,
    /// It has none, and these folders in it do: it holds filestores.
    Above(Vec<String>),
    /// It has no folder at all.
    Empty,
    /// It has folders, and no contents.
    Other,
}

impl Shape {
    /// Looks at a folder.
    pub(super) fn of(folder: &Folder) -> Result<Self, PathError> {
        let names = |folder: &Folder| -> Result<Vec<String>, PathError> {
            let entries = folder.entries()?.into_iter().filter(|(_, kind)| kind.is_dir());
            Ok(entries.map(|(name, _)| name).collect())
        };
        let inside = names(folder)?;
        if inside.iter().any(|name| is_content(name)) {
            return Ok(Self::Filestore);
        }
        if inside.is_empty() {
            return Ok(Self::Empty);
        }
        let mut stores = Vec::new();
        for name in inside {
            if let Some(within) = folder.folder(&name)?
                && names(&within)?.iter().any(|name| is_content(name))
            {
                stores.push(name);
            }
        }
        stores.sort();
        Ok(if stores.is_empty() {
            Self::Other
        } else {
            Self::Above(stores)
        })
    }

    /// What is to be done about it, where it explains why files are missing.
    pub(super) fn advice(&self, upstream: &str, database: &str, path: &Utf8Path) -> Option<String> {
        match self {
            Self::Above(stores) => {
                let path = path.as_str().trim_end_matches('/');
                let store = match stores.iter().find(|name| *name == database).or(stores.first()) {
                    Some(store) if stores.len() == 1 || store == database => store.as_str(),
                    _ => "DATABASE",
                };
                Some(format!(
                    "{path} is one level too high: it holds the filestores {}; write filestore = \"{path}/{store}\" in \
                     [upstreams.{upstream}]",
                    stores.join(", ")
                ))
            }
            Self::Empty => Some(format!(
                "nothing came from {path}: is it the folder of `{database}`, as `filestore` of [upstreams.{upstream}] must name it?"
            )),
            Self::Filestore | Self::Other => None,
        }
    }
}

/// A copy of the filestore that lacks more files than the stack tolerates.
#[derive(Debug)]
pub struct FilesMissing {
    /// How many are missing, and of how many.
    pub missing: (usize, usize),
    /// Of which models, with the first names.
    pub by_model: Vec<String>,
    /// What explains it.
    pub because: Vec<String>,
    /// What the stack tolerates.
    pub tolerated: String,
    /// The stack.
    pub stack: String,
    /// The upstream.
    pub upstream: String,
    /// Its folder.
    pub path: Utf8PathBuf,
}

impl fmt::Display for FilesMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (missing, of) = self.missing;
        write!(
            f,
            "{missing} of {of} files that attachments name are not in the copy of the filestore"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, sizes: &[i64], model: &str) -> AttachedFile {
        AttachedFile {
            name: name.to_owned(),
            sizes: sizes.to_vec(),
            model: model.to_owned(),
        }
    }

    fn temp() -> (tempfile::TempDir, Folder) {
        let guard = tempfile::tempdir().unwrap();
        let folder = Folder::open(Utf8Path::from_path(guard.path()).unwrap()).unwrap();
        (guard, folder)
    }

    fn put(folder: &Folder, path: &str, text: &str) {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn a_file_is_there_if_its_size_or_its_hash_says_so() {
        let (guard, folder) = temp();
        // printf abc | sha1sum
        let abc = "a9/a9993e364706816aba3e25717850c26c9cd0d89d";
        put(&folder, abc, "abc");
        put(&folder, "ab/ab12", "four");
        put(&folder, "flat", "four");
        std::os::unix::fs::symlink("ab12", folder.path().join("ab/link")).unwrap();
        std::os::unix::fs::symlink("ab", folder.path().join("cd")).unwrap();
        std::os::unix::fs::symlink(guard.path(), folder.path().join("ab/up")).unwrap();
        for (name, sizes, lack) in [
            (abc, &[3][..], None),
            (abc, &[], None),
            (abc, &[4], None),
            ("ab/ab12", &[4], None),
            ("ab/ab12", &[0, 4], None),
            ("ab/ab12", &[5], Some(Lack::Wrong)),
            ("flat", &[4], None),
            ("ab/absent", &[], Some(Lack::Missing)),
            ("ef/absent", &[], Some(Lack::Missing)),
            ("ab/link", &[], Some(Lack::Missing)),
            ("cd/ab12", &[], Some(Lack::Missing)),
            ("ab/up/flat", &[], Some(Lack::Missing)),
            ("ab", &[], Some(Lack::Missing)),
            ("../etc/passwd", &[], Some(Lack::Missing)),
            ("/etc/passwd", &[], Some(Lack::Missing)),
            ("ab/..", &[], Some(Lack::Missing)),
        ] {
            let found = Lacking::of(&[file(name, sizes, "")], Some(&folder), &CancellationToken::new());
            let found: Vec<Lack> = found
                .unwrap()
                .unwrap()
                .files
                .into_iter()
                .map(|(_, lack)| lack)
                .collect();
            assert_eq!(found.first().copied(), lack, "{name} {sizes:?}");
        }
    }

    #[test]
    fn what_lacks_is_told_by_model() {
        let models = [("account.move", 4), ("", 1), ("res.partner", 2)];
        let files: Vec<AttachedFile> = models
            .iter()
            .flat_map(|(model, count)| (0..*count).map(move |n| file(&format!("ab/{n}"), &[], model)))
            .collect();
        let lacking = Lacking::of(&files, None, &CancellationToken::new()).unwrap().unwrap();
        assert_eq!(
            lacking.by_model(),
            [
                "account.move: 4 (ab/0, ab/1, ab/2, …)",
                "res.partner: 2 (ab/0, ab/1)",
                "no model: 1 (ab/0)"
            ]
        );
    }

    #[test]
    fn a_path_that_is_one_level_too_high_is_recognised() {
        let (_guard, folder) = temp();
        assert_eq!(Shape::of(&folder).unwrap(), Shape::Empty);
        put(&folder, "opw/ab/ab12", "");
        let shape = Shape::of(&folder).unwrap();
        let advice = shape.advice("prod", "opw", Utf8Path::new("/srv/filestore/")).unwrap();
        assert!(
            advice.contains("filestore = \"/srv/filestore/opw\" in [upstreams.prod]"),
            "{advice}"
        );
        put(&folder, "cm/ab/ab12", "");
        assert_eq!(
            Shape::of(&folder).unwrap(),
            Shape::Above(vec!["cm".into(), "opw".into()])
        );
        put(&folder, "cd/cd34", "");
        assert_eq!(Shape::of(&folder).unwrap(), Shape::Filestore);
    }
}
