//! Names and paths that mean themselves to a shell, to sudo, to `pg_dump` and to rsync.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::UpstreamError;

/// A database's or a user's name. Narrower than what PostgreSQL takes: a name with `=` is a connection string to `pg_dump`,
/// one with `#` a number to sudo, one with `-` in front an option to both. Odoo's own rule for databases is as narrow.
pub(super) fn name(what: &'static str, text: &str) -> Result<String, UpstreamError> {
    let odd = |character: char| {
        !(character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-'))
    };
    let why = if text.is_empty() {
        "is empty"
    } else if text.starts_with(['-', '.']) {
        "begins with `-` or `.`"
    } else if text.contains(odd) {
        "has other characters than letters, digits, `.`, `_` and `-`"
    } else {
        return Ok(text.to_owned());
    };
    Err(UpstreamError::Name {
        what,
        text: text.to_owned(),
        why,
    })
}

/// A folder on the upstream. rsync before 3.2.4 lets the remote shell read it, and the option against that is refused by
/// `rrsync`, which guards upstreams: so it may only hold characters that no shell reads.
pub(super) fn remote_folder(path: Utf8PathBuf) -> Result<Utf8PathBuf, UpstreamError> {
    let usual = |character: char| {
        character.is_ascii_alphanumeric()
            || matches!(character, '/' | '.' | '_' | '@' | '+' | '=' | ',' | '-')
    };
    if is_plain(&path) && path.as_str().chars().all(usual) {
        Ok(path)
    } else {
        Err(UpstreamError::Remote { path })
    }
}

/// A folder of this machine. Absolute: to rsync, a path that begins with `/` is local, whatever comes behind it.
pub(super) fn local_folder(path: &Utf8Path) -> Result<&str, UpstreamError> {
    if is_plain(path) {
        Ok(path.as_str().trim_end_matches('/'))
    } else {
        Err(UpstreamError::Local {
            path: path.to_owned(),
        })
    }
}

fn is_plain(path: &Utf8Path) -> bool {
    path.is_absolute()
        && path.parent().is_some()
        && path
            .components()
            .skip(1)
            .all(|part| matches!(part, Utf8Component::Normal(_)))
}
