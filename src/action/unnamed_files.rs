//! Files of an incoming filestore that no attachment of the copy names: private keys and others whose rows sanitising
//! deleted, and what production had deleted and not yet swept up. Odoo never reads a file that no row names, and never
//! removes one that it was not told of, so they would lie there for as long as the copy does.
//!
//! What is live links to the same files and keeps its own links.

use std::collections::HashSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::ActionError;

/// Removes them and tells how many. `named` are the paths that attachments have, relative to the folder: `xx/<sha1>`.
pub(super) async fn remove_unnamed(folder: &Utf8Path, named: Vec<String>) -> Result<usize, ActionError> {
    let folder = folder.to_owned();
    let work = move || {
        let named = named.into_iter().collect();
        let unnamed = unnamed(&folder, &named)?;
        for path in &unnamed {
            std::fs::remove_file(path).map_err(|source| ActionError::path("remove", path, source))?;
        }
        Ok(unnamed.len())
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(ActionError::Interrupted),
    }
}

/// Only folders of two hexadecimal digits hold contents; what else a module keeps beside them is its own.
fn unnamed(folder: &Utf8Path, named: &HashSet<String>) -> Result<Vec<Utf8PathBuf>, ActionError> {
    let mut found = Vec::new();
    for (name, path) in entries(folder, std::fs::FileType::is_dir)? {
        if name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let files = entries(&path, std::fs::FileType::is_file)?;
            let files = files
                .into_iter()
                .filter(|(file, _)| !named.contains(&format!("{name}/{file}")));
            found.extend(files.map(|(_, path)| path));
        }
    }
    Ok(found)
}

/// The entries of a folder that are of one type, by name. A name that is no UTF-8 is none of Odoo's.
fn entries(
    folder: &Utf8Path,
    of_type: fn(&std::fs::FileType) -> bool,
) -> Result<Vec<(String, Utf8PathBuf)>, ActionError> {
    let failed = |source| ActionError::path("read", folder, source);
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if of_type(&entry.file_type().map_err(failed)?)
            && let Ok(name) = entry.file_name().into_string()
        {
            let path = folder.join(&name);
            found.push((name, path));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_contents_without_a_name_are_found() {
        let guard = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(guard.path()).unwrap();
        for path in ["ab/ab12", "ab/abff", "checklist/ab/ab12", "own/note", "cd/cd34"] {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
        }
        let named = ["ab/ab12".to_owned()].into();
        let mut found = unnamed(folder, &named).unwrap();
        found.sort();
        assert_eq!(found, ["ab/abff", "cd/cd34"].map(|path| folder.join(path)));
        assert_eq!(unnamed(&folder.join("absent"), &named).unwrap(), [] as [Utf8PathBuf; 0]);
    }
}
