//! Commands on another machine: each is run by a script there that knows whether the connection still stands.
//!
//! The script prints a line of its own first, so that what a login script prints is not taken for the command's answer. Its
//! standard input is held open from here. When that ends, the connection is gone: a command that looks is ended then, and one
//! that changes something runs on to its end, its output going nowhere. On the line `end` either is ended.

use camino::Utf8Path;

use super::{HostError, SshTarget};
use crate::process::Command;
use crate::secret::Secret;
use crate::shell_words::quote;

/// What a command that changes a stack shows to its host before it begins: it belongs to the run that holds the stack's
/// lock, and counts as a part of that run until it ends, also when the run does not live any more.
#[derive(Debug, Clone)]
pub struct Pass<'a> {
    /// The file that names the run which holds the lock.
    pub lock: &'a Utf8Path,
    /// The file that is locked, shared, while commands of a run are at work.
    pub work: &'a Utf8Path,
    /// The run.
    pub run: &'a str,
}

/// `hold -x|-s FD` locks an open file, exclusive or shared, as `flock(2)` does: without waiting where exclusive. Exit status 1
/// where somebody else has it. `flock` is part of util-linux and of busybox; perl and python stand in for it.
pub(crate) const HOLD: &str = r#"hold() {
    if command -v flock > /dev/null 2>&1; then
        case $1 in -x) flock -x -n "$2" ;; *) flock -s "$2" ;; esac
    elif command -v perl > /dev/null 2>&1; then
        perl -e 'open(my $f, "+<&=", $ARGV[1]) or exit 2; exit(flock($f, $ARGV[0] eq "-x" ? 6 : 1) ? 0 : 1)' -- "$1" "$2"
    elif command -v python3 > /dev/null 2>&1; then
        python3 -c 'import fcntl, sys
try: fcntl.flock(int(sys.argv[2]), 6 if sys.argv[1] == "-x" else 1)
except BlockingIOError: sys.exit(1)' "$1" "$2"
    else
        echo "there is no flock, perl or python3 on this machine, and so nothing to lock a file with" >&2
        return 3
    fi
}
"#;

/// Reads assignments to the line `$1`, and makes them: secrets, which no argument may hold. Without that line the connection
/// broke, and nothing is begun. A shell's `read` takes no more from a pipe than the line.
const READ_SECRETS: &str = r#"secrets=
while IFS= read -r word && [ "$word" != "$1" ]; do secrets="$secrets$word
"; done
[ "$word" = "$1" ] || exit 1
eval "$secrets"
unset secrets word
"#;

/// Runs the line `$2` behind the beginning `$1`, and ends it when the input ends.
const ATTACHED: &str = r#"printf '%s\n' "$1"
exec 3<&0 < /dev/null
own=; command -v setsid > /dev/null 2>&1 && own=setsid
$own sh -c "$2" 3<&- &
child=$!
( while IFS= read -r word && [ "$word" != end ]; do :; done
  for signal in TERM KILL; do
      kill -$signal "-$child" || kill -$signal "$child" || exit
      sleep 10
  done ) <&3 > /dev/null 2>&1 &
watch=$!
exec 3<&-
wait "$child"
status=$?
kill "$watch" 2> /dev/null
exit "$status""#;

/// Runs the line `$2` behind the beginning `$1` to its end, whatever becomes of the connection, as a part of the run `$5` that
/// holds the lock `$3`; `$4` is locked, shared, meanwhile, and gets a line with the process and what it runs, `$6`.
///
/// 255 is ssh's own word for a broken connection, so a command's own becomes 254.
///
/// Two streams of the command go through `pass`, which copies as long as somebody reads and swallows the rest: a program that
/// writes into a broken connection would be ended by it (SIGPIPE) in the middle of its work. Descriptors: 3 the connection's
/// input, 4 what becomes of the command's standard error, 5 its exit status, 6 the connection's output, 8 the file `$4`.
const TO_ITS_END: &str = r#"printf '%s\n' "$1"
line=$2
trap '' HUP
exec 3<&0 6>&1 8>> "$4" < /dev/null || exit
hold -s 8 || exit
holder=$(sed -n 's/^run \([a-z0-9]*\).*/\1/p' "$3" 2> /dev/null)
if [ -n "$holder" ] && [ "$holder" != "$5" ]; then
    echo "not begun: this run lost the lock of the stack; run $holder has it" >&2
    exit 125
fi
printf '%s %s\n' "$$" "$6" >&8
own=; command -v setsid > /dev/null 2>&1 && own=setsid
pass() { cat 2> /dev/null; exec cat > /dev/null 2>&1; }
work() {
    $own sh -c "$line" 3<&- 5>&- &
    child=$!
    { while IFS= read -r word; do
          [ "$word" != end ] || kill -TERM "-$child" || kill -TERM "$child"
      done; } <&3 > /dev/null 2>&1 4>&- 5>&- 8>&- &
    watch=$!
    wait "$child"
    status=$?
    kill "$watch" 2> /dev/null
    return "$status"
}
status=$({ { { work 2>&4 4>&- 6>&-; echo "$?" >&5; } | pass >&6 3<&- 4>&- 5>&- 6>&-; } 4>&1 | pass >&2 3<&- 5>&- 6>&-; } 5>&1)
[ "$status" != 255 ] || status=254
exit "${status:-1}""#;

impl SshTarget {
    /// The command that runs a command there and ends it with the connection.
    ///
    /// # Errors
    ///
    /// As [`SshTarget::command`].
    pub(super) fn attached(&self, remote: &Command) -> Result<Command, HostError> {
        let begin = begin();
        let line = self.remote_line(remote)?;
        let script = self.script(&with_secrets(remote, ATTACHED), &[&begin, &line]);
        self.framed(remote, script, begin)
    }

    /// The command that runs a command there to its end.
    ///
    /// # Errors
    ///
    /// As [`SshTarget::command`].
    pub(super) fn to_its_end(&self, remote: &Command, pass: &Pass<'_>) -> Result<Command, HostError> {
        let begin = begin();
        let line = self.remote_line(remote)?;
        let text = with_secrets(remote, &format!("{HOLD}{TO_ITS_END}"));
        let arguments = [
            &begin,
            &line,
            pass.lock.as_str(),
            pass.work.as_str(),
            pass.run,
            &remote.shell_words().replace('\n', " "),
        ];
        let script = self.script(&text, &arguments);
        self.framed(remote, script, begin)
    }

    /// The command that runs a script there that stays until its input ends; the beginning is its `$1`.
    pub(crate) fn staying(&self, text: &str, arguments: &[&str], shown: &str) -> Command {
        let begin = begin();
        let arguments: Vec<&str> = std::iter::once(begin.as_str())
            .chain(arguments.iter().copied())
            .collect();
        let shown = self.line(shown.to_owned()).to_string();
        self.script(text, &arguments).framed(shown, begin.clone())
    }

    fn script(&self, text: &str, arguments: &[&str]) -> Command {
        self.line(super::commands::script(text, arguments).shell_words())
    }

    /// Shown is what a person could type to the same effect.
    fn framed(&self, remote: &Command, script: Command, begin: String) -> Result<Command, HostError> {
        let plain = self.command(remote)?;
        let first = assignments(remote, &begin);
        let framed = script.framed(plain.to_string(), begin);
        let framed = match first {
            Some(first) => framed.reading_first(first),
            None => framed,
        };
        Ok(if remote.is_discreet() {
            framed.discreet()
        } else {
            framed
        })
    }
}

/// The script, which reads secrets first where the command has some.
fn with_secrets(remote: &Command, script: &str) -> String {
    match remote.secret_environment().is_empty() {
        true => script.to_owned(),
        false => format!("{READ_SECRETS}{script}"),
    }
}

/// The secrets as assignments for a shell, up to the line `end`; none where the command has none.
fn assignments(remote: &Command, end: &str) -> Option<Secret> {
    let secrets = remote.secret_environment();
    // A shell has no variables of other names, and neither has compose.
    let usual = |name: &str| {
        !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let lines = secrets.iter().filter(|(name, _)| usual(name));
    let lines = lines.map(|(name, secret)| format!("export {name}={}\n", quote(secret.expose())));
    (!secrets.is_empty()).then(|| Secret::new(format!("{}{end}\n", lines.collect::<String>())))
}

/// A line that no login script prints.
fn begin() -> String {
    format!("opw-task {}", uuid::Uuid::new_v4().simple())
}
