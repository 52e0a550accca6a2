//! Files on this machine, without a child process. Blocking calls stand on tokio's threads for them.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use tokio::task::spawn_blocking;

use super::PathError;
use super::files::Mode;

/// How the name begins under which a file is written before it has its own. The script for other hosts uses the same.
const NEW: &str = ".new.";

/// No write takes that long: what is older was left by one that was killed.
const STALE: Duration = Duration::from_secs(3600);

pub(super) async fn write_file(path: &Utf8Path, contents: &[u8], mode: Mode) -> Result<(), PathError> {
    let contents = contents.to_owned();
    blocking("write", path, move |path| {
        let folder = path.parent().unwrap_or(path);
        remove_stale(folder);
        let mut file = tempfile::Builder::new().prefix(NEW).tempfile_in(folder)?;
        file.write_all(&contents)?;
        // tempfile makes it 0600; the mode is set exactly, whatever the umask says.
        file.as_file().set_permissions(fs::Permissions::from_mode(mode.0))?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        // The new name is on the disk when the folder is.
        fs::File::open(folder)?.sync_all()
    })
    .await
}

/// Removes what writers left that were killed. One that cannot be removed is in nobody's way.
fn remove_stale(folder: &Utf8Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| is_new(&entry.file_name())) {
        let age = entry
            .metadata()
            .ok()
            .filter(fs::Metadata::is_file)
            .and_then(|file| file.modified().ok()?.elapsed().ok());
        if age.is_some_and(|age| age > STALE) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The files in a folder of this machine that were never finished. Only who knows that nobody is writing may take them away.
#[must_use]
pub fn unfinished_files(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    let unfinished = entries
        .filter(|entry| is_new(entry.file_name().as_ref()) && entry.file_type().is_ok_and(|kind| kind.is_file()));
    unfinished.map(camino::Utf8DirEntry::into_path).collect()
}

/// Whether a name is one that `tempfile` and `mktemp` make for us.
fn is_new(name: &OsStr) -> bool {
    let rest = name.to_str().and_then(|name| name.strip_prefix(NEW));
    rest.is_some_and(|rest| rest.len() == 6 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

pub(super) async fn create_dir(path: &Utf8Path, mode: Mode) -> Result<(), PathError> {
    blocking("create folder", path, move |path| {
        fs::create_dir_all(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(mode.0))
    })
    .await
}

pub(super) async fn exists(path: &Utf8Path) -> Result<bool, PathError> {
    blocking("look for", path, |path| match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    })
    .await
}

pub(super) async fn read_file(path: &Utf8Path) -> Result<String, PathError> {
    blocking("read", path, |path| fs::read_to_string(path)).await
}

pub(super) async fn rename(from: &Utf8Path, to: &Utf8Path) -> Result<(), PathError> {
    let to = to.to_owned();
    blocking("rename", from, move |from| fs::rename(from, &to)).await
}

/// Removes the folder, if there is one; says false, and removes nothing, if it does not really lie inside of `root`.
pub(super) async fn remove_within(path: &Utf8Path, root: &Utf8Path) -> Result<bool, PathError> {
    let root = root.to_owned();
    blocking("remove", path, move |path| {
        let parent = match path.parent().unwrap_or(path).canonicalize_utf8() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            parent => parent?,
        };
        if !parent.starts_with(root.canonicalize_utf8()?) {
            return Ok(false);
        }
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
            Ok(found) if found.is_dir() => fs::remove_dir_all(path).map(|()| true),
            Ok(_) => fs::remove_file(path).map(|()| true),
        }
    })
    .await
}

async fn blocking<T: Send + 'static>(
    doing: &'static str,
    path: &Utf8Path,
    act: impl FnOnce(&Utf8Path) -> io::Result<T> + Send + 'static,
) -> Result<T, PathError> {
    let path: Utf8PathBuf = path.to_owned();
    let within = path.clone();
    let done = spawn_blocking(move || act(&within))
        .await
        .map_err(io::Error::other)
        .flatten();
    done.map_err(|source| PathError { doing, path, source })
}
