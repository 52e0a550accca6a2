//! File operations as commands: run as they are on a remote host, and shown as they are for any host, because a person
//! could type them.

use camino::Utf8Path;

use super::files::Mode;
use crate::process::Command;

/// Makes a folder, and those above it, if it is not there. The mode is given to the last one only, and also if it was there
/// before.
#[must_use]
pub fn create_dir(path: &Utf8Path, mode: Mode) -> Command {
    Command::new("install").args(["-d", "-m", &mode.to_string(), "--", path.as_str()])
}

/// Renames a file or folder; replaces a file, never moves into a folder.
#[must_use]
pub fn rename(from: &Utf8Path, to: &Utf8Path) -> Command {
    Command::new("mv").args(["-T", "--", from.as_str(), to.as_str()])
}

/// Removes a folder with all that is in it, but nothing that is mounted there. The caller has seen that it may.
#[must_use]
pub fn remove_dir_all(path: &Utf8Path) -> Command {
    Command::new("rm").args(["-rf", "--one-file-system", "--", path.as_str()])
}

/// Runs a fixed script with these arguments as `$1`, `$2` and so on: nothing is ever pasted into the script.
pub(super) fn script(text: &str, arguments: &[&str]) -> Command {
    Command::new("sh")
        .args(["-c", text, "sh"])
        .args(arguments.iter().copied())
}

/// Writes standard input to the file `$1`, of `$2` bytes, with the mode `$3`.
///
/// The new content is complete and on the disk under another name before it takes the file's name, so that nobody ever sees
/// half of it. `mktemp` makes it 0600 from the beginning. The bytes are counted because a connection that breaks looks like
/// the end of the input from there. SIGPIPE is trapped because nobody hears the complaint then. What an hour ago a writer left
/// that was killed goes first.
pub(super) const WRITE: &str = r#"umask 077
folder=$(dirname -- "$1") || exit
find "$folder" -maxdepth 1 -type f -name '.new.[A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9]' -mmin +60 \
  -exec rm -f -- {} + 2> /dev/null
new=$(mktemp -- "$folder/.new.XXXXXX") || exit
trap 'rm -f -- "$new"' EXIT
trap 'exit 1' HUP INT TERM PIPE
cat > "$new" || exit
[ "$(($(wc -c < "$new")))" -eq "$2" ] || { echo "the input ended too early" >&2; exit 1; }
chmod -- "$3" "$new" && sync -- "$new" && mv -T -- "$new" "$1""#;

/// Says `yes` or `no` to whether `$1` is there, be it a link to nowhere. In a folder that may not be entered nobody knows.
pub(super) const EXISTS: &str = r#"if [ -e "$1" ] || [ -L "$1" ]; then echo yes; exit; fi
folder=$(dirname -- "$1")
if [ -d "$folder" ] && [ ! -x "$folder" ]; then echo "$folder may not be entered" >&2; exit 1; fi
echo no"#;

/// Removes `$1` if, all links followed, it lies inside of `$2`; exit status 3 if it does not.
pub(super) const REMOVE_WITHIN: &str = r#"[ -e "$1" ] || [ -L "$1" ] || exit 0
root=$(realpath -e -- "$2") && parent=$(realpath -e -- "$(dirname -- "$1")") || exit
case "$parent/" in "$root"/*) exec rm -rf --one-file-system -- "$1" ;; *) exit 3 ;; esac"#;
