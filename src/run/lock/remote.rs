//! The lock of a stack on another machine: held by a shell there, which ends with the connection.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{Holder, LockError, told};
use crate::host::{HOLD, SshTarget};
use crate::process::{Held, Processes};
use crate::stack::Stack;

/// How often the shell is told that the lock is still wanted. It waits for six times that, so that a machine that fell asleep,
/// or a line that went dead without a word, lets go of the stack.
const STILL_WANTED: Duration = Duration::from_secs(15);

/// Takes the lock in the state root `$2` for whom `$3` tells, and holds it until the input ends or is silent for 90 seconds.
/// The answer is `held`, `busy` with who has it, or `work` with what a run that is gone began; then a line with a dot.
///
/// The name is written before the second file is let go: a command of another run that comes then finds that it may not.
/// A full disk takes no name, and is no reason to refuse what may make room on it.
const TAKE: &str = r#"printf '%s\n' "$1"
umask 022
root=$2 lock=$2/.opw-task.lock work=$2/.opw-task.work
[ -d "$root" ] || { mkdir -p -- "$(dirname -- "$root")" && mkdir -p -m 0711 -- "$root"; } || exit
for file in "$lock" "$work"; do
    if [ -L "$file" ]; then echo "$file is a link, which opw-task never makes" >&2; exit 1; fi
done
exec 3<&0 8<> "$work" 9<> "$lock" < /dev/null || exit
hold -x 9
case $? in
    0) ;;
    1) printf 'busy\n'; cat "$lock"; printf '.\n'; exit ;;
    *) exit 1 ;;
esac
hold -x 8
case $? in
    0) ;;
    1)
        printf 'work\n'
        while read -r pid command; do
            ! kill -0 "$pid" 2> /dev/null || printf 'process %s: %s\n' "$pid" "$command"
        done < "$work"
        cat "$lock"
        printf '.\n'
        exit
        ;;
    *) exit 1 ;;
esac
printf '%slogged in there as %s%s\n' "$3" "$(id -un)" "${SSH_CONNECTION:+ from ${SSH_CONNECTION%% *}}" 2> /dev/null > "$lock"
: > "$work"
exec 8>&-
printf 'held\n.\n'
if command -v timeout > /dev/null 2>&1; then
    while word=$(timeout 90 head -n 1 <&3 9>&-) && [ -n "$word" ]; do :; done
else
    cat <&3 > /dev/null 9>&-
fi"#;

/// A lock held there.
#[derive(Debug)]
pub(super) struct Lock {
    release: CancellationToken,
    keeping: JoinHandle<()>,
}

pub(super) async fn take(
    stack: &Stack,
    target: &SshTarget,
    holder: &Holder,
    processes: &Processes,
    lost: CancellationToken,
) -> Result<Lock, LockError> {
    // The shell outlives the run's own children: it is let go when they have ended.
    let processes = Processes::new(processes.redactor().clone(), processes.cancellation().clone());
    let shown = format!("flock {}", stack.paths.lock());
    let text = format!("{HOLD}{TAKE}");
    let command = target.staying(&text, &[stack.paths.root.as_str(), &holder.to_string()], &shown);
    let (held, answer) = processes.hold(&command).await?;
    let (word, rest) = match answer.split_first() {
        Some((word, rest)) => (word.as_str(), rest.to_vec()),
        None => ("", Vec::new()),
    };
    let name = stack.name.clone();
    match word {
        "held" => {
            let release = CancellationToken::new();
            let keeping = tokio::spawn(keep(held, release.clone(), lost));
            Ok(Lock { release, keeping })
        }
        "busy" => Err(LockError::Held {
            stack: name,
            holder: rest,
            lock: told(stack),
        }),
        "work" => Err(LockError::AtWork {
            stack: name,
            commands: rest,
            host: stack.host.to_string(),
        }),
        _ => Err(LockError::Answer {
            stack: name,
            host: stack.host.to_string(),
            said: answer,
        }),
    }
}

/// Keeps the shell until it is to be let go, or ends by itself.
async fn keep(mut held: Held, release: CancellationToken, lost: CancellationToken) {
    let mut wanted = interval(STILL_WANTED);
    wanted.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = release.cancelled() => return held.let_go().await,
            () = held.ended() => break,
            _ = wanted.tick() => {
                if held.say("wanted").await.is_err() {
                    break;
                }
            }
        }
    }
    lost.cancel();
}

impl Lock {
    pub(super) async fn release(self) {
        self.release.cancel();
        // It panics only with a fault of our own; the lock goes with this process then.
        let _ = self.keeping.await;
    }
}
