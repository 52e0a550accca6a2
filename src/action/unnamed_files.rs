//! Files of an incoming filestore that no attachment of the copy names: private keys and others whose rows sanitising
//! deleted, and what production had deleted and not yet swept up. Odoo never reads a file that no row names, and never
//! removes one that it was not told of, so they would lie there for as long as the copy does.
//!
//! What is live links to the same files and keeps its own links.

use std::collections::HashSet;

use super::filestore_copy::is_content;
use crate::host::{Folder, PathError};

/// Removes them and tells how many. `named` are the paths that attachments have, relative to the folder: `xx/<sha1>`.
/// Only folders of two hexadecimal digits hold contents; what else a module keeps beside them is its own.
pub(super) fn remove_unnamed(filestore: &Folder, named: &HashSet<&str>) -> Result<usize, PathError> {
    let mut removed = 0;
    for (name, kind) in filestore.entries()? {
        if !is_content(&name) || !kind.is_dir() {
            continue;
        }
        let Some(folder) = filestore.folder(&name)? else {
            continue;
        };
        for (file, kind) in folder.entries()? {
            if !kind.is_dir() && !named.contains(format!("{name}/{file}").as_str()) {
                folder.remove_file(&file)?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;

    #[test]
    fn only_contents_without_a_name_are_removed() {
        let guard = tempfile::tempdir().unwrap();
        let at = Utf8Path::from_path(guard.path()).unwrap();
        let paths = ["ab/ab12", "ab/abff", "checklist/ab/ab12", "own/note", "cd/cd34"];
        for path in paths {
            let path = at.join("filestore").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
        }
        // Another folder, by a link.
        std::fs::create_dir(at.join("other")).unwrap();
        std::fs::write(at.join("other/ef56"), "").unwrap();
        std::os::unix::fs::symlink(at.join("other"), at.join("filestore/ef")).unwrap();
        let filestore = Folder::open(&at.join("filestore")).unwrap();
        assert_eq!(remove_unnamed(&filestore, &["ab/ab12"].into()).unwrap(), 2);
        let left: Vec<&str> = paths
            .into_iter()
            .filter(|path| at.join("filestore").join(path).exists())
            .collect();
        assert_eq!(left, ["ab/ab12", "checklist/ab/ab12", "own/note"]);
        assert!(at.join("other/ef56").exists());
    }
}
