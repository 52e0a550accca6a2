//! Files that lie where others are to be written: read all at once, because each connection to a host takes its time; and
//! kept beside under another name.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;

use camino::Utf8Path;

use super::{Host, HostError, PathError, commands};
use crate::process::{Processes, Sink};

/// A file as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What stands in it; bytes that are no text are replaced.
    pub text: String,
    /// Its permission bits.
    pub mode: u32,
    /// Whether the path is a link, whose target was read.
    pub is_link: bool,
}

/// Prints each of `$2`, `$3` … with its mode, or that it is not there, between lines that begin with `$1`.
const LOOK: &str = r#"mark=$1; shift
for file; do
  if [ ! -e "$file" ] && [ ! -L "$file" ]; then echo "$mark absent"; continue; fi
  [ -d "$file" ] && { echo "$file: Is a directory" >&2; exit 1; }
  if [ -L "$file" ]; then kind=link; else kind=file; fi
  [ -e "$file" ] || { echo "$mark link 0"; echo; continue; }
  mode=$(stat -L -c %a -- "$file" 2> /dev/null || stat -L -f %Lp -- "$file") || exit
  echo "$mark $kind $mode"
  cat -- "$file" || exit
  echo
done
echo "$mark end""#;

/// Gives the file `$1` a second name `$2`, or copies it where the file system knows no second names.
const KEEP: &str = r#"ln -P -- "$1" "$2" 2> /dev/null || cp -p -P -- "$1" "$2""#;

impl Host {
    /// What lies at each of these paths; none where nothing does.
    ///
    /// # Errors
    /// A folder in the place of a file, or a file that cannot be read.
    pub async fn look(&self, processes: &Processes, paths: &[&Utf8Path]) -> Result<Vec<Option<Found>>, HostError> {
        let target = match self {
            _ if paths.is_empty() => return Ok(Vec::new()),
            Self::Local => return Ok(paths.iter().map(|path| here(path)).collect::<Result<_, _>>()?),
            Self::Ssh(target) => target,
        };
        // No file can hold a line that is made now.
        let mark = format!("opw-task-{}", uuid::Uuid::new_v4());
        let arguments: Vec<&str> = [mark.as_str()]
            .into_iter()
            .chain(paths.iter().map(|path| path.as_str()))
            .collect();
        let command = target.attached(&commands::script(LOOK, &arguments))?;
        let answer = processes.capture(&command).await?;
        let parts = answer.split(mark.as_str()).skip(1).take(paths.len());
        Ok(parts.map(|part| parse(part.trim_start_matches(' '))).collect())
    }

    /// Gives a file a second name, under which it stays when the first is written anew.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn keep(
        &self,
        processes: &Processes,
        path: &Utf8Path,
        kept: &Utf8Path,
        sink: &Sink,
    ) -> Result<(), HostError> {
        match self {
            Self::Local => {
                let linked = fs::hard_link(path, kept).or_else(|_| fs::copy(path, kept).map(drop));
                Ok(linked.map_err(|source| PathError {
                    doing: "keep",
                    path: path.to_owned(),
                    source,
                })?)
            }
            Self::Ssh(target) => {
                let command = commands::script(KEEP, &[path.as_str(), kept.as_str()]);
                Ok(processes.run(&target.command(&command)?, sink).await?)
            }
        }
    }
}

/// A file of this machine. A run looks at a handful of small ones, so nobody waits for that.
///
/// # Errors
/// A folder, or a file that cannot be read.
pub fn here(path: &Utf8Path) -> Result<Option<Found>, PathError> {
    let read = || -> io::Result<Option<Found>> {
        let is_link = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            found => found?.is_symlink(),
        };
        let (bytes, mode) = match fs::metadata(path) {
            Err(error) if is_link && error.kind() == io::ErrorKind::NotFound => (Vec::new(), 0),
            found => (fs::read(path)?, found?.permissions().mode() & 0o7777),
        };
        Ok(Some(Found {
            text: String::from_utf8_lossy(&bytes).into_owned(),
            mode,
            is_link,
        }))
    };
    read().map_err(|source| PathError {
        doing: "read",
        path: path.to_owned(),
        source,
    })
}

fn parse(part: &str) -> Option<Found> {
    let (head, text) = part.split_once('\n')?;
    let (kind, mode) = head.split_once(' ')?;
    Some(Found {
        text: text.strip_suffix('\n').unwrap_or(text).to_owned(),
        mode: u32::from_str_radix(mode, 8).ok()?,
        is_link: kind == "link",
    })
}
