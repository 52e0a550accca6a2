//! Takes a dump apart as it comes in: what of it only a superuser can make is made before any row is there; everything else
//! is restored by a role without rights, and event triggers are kept for the end.
//!
//! `pg_dump` writes the list of all that it brings before the rows, so the beginning of its stream is enough to restore any
//! part but the rows. Killed half-way it leaves an incoming database of which a part is made, and a restore role that may be a
//! superuser until the next command locks it out.

use std::sync::{Arc, Mutex, PoisonError};

use super::compose::compose;
use super::{ActionError, Scene};
use crate::event::Stream;
use crate::postgres::{Contents, DatabaseFacts, Door, Incoming, RESTORE};
use crate::process::{Beginning, Command, Processes, Sink};
use crate::stack::Stack;

/// How much is read before the list is looked for in it, in bytes: that of some thousand entries.
const FIRST: usize = 512 << 10;

/// No list is longer than that: it would be one of some hundred thousand entries.
const LONGEST: usize = 128 << 20;

/// The line behind which the archive begins.
const END_OF_LIST: &str = "; end";

/// Takes the list from the beginning of its input, for `--use-list` on descriptor 3. A shell reads lines byte by byte, so
/// what follows is left to `pg_restore`.
const TAKE_LIST: &str = r#"t=$(mktemp) && while IFS= read -r l && [ "$l" != "; end" ]; do printf '%s\n' "$l"; done > "$t" && exec 3< "$t" && rm -- "$t""#;

/// Reads the rest of the input, that nobody wants: its writer must not take it for a failure.
const AND_THE_REST: &str = "status=$?; cat > /dev/null; exit $status";

/// Restores the rows and all else that is not made before them.
pub(super) fn stream(stack: &Stack, database: &str) -> Command {
    into(stack, &format!("{TAKE_LIST} && exec \"$@\""), database)
}

/// Restores a part from the beginning of a dump.
fn part(stack: &Stack, database: &str) -> Command {
    into(stack, &format!("{TAKE_LIST} && \"$@\"; {AND_THE_REST}"), database)
}

/// Restores what the list names into a database.
fn into(stack: &Stack, script: &str, database: &str) -> Command {
    let options = [
        "--use-list=/dev/fd/3",
        "--verbose",
        "--username",
        RESTORE,
        "--dbname",
        database,
    ];
    pg_restore(stack, script, &options).discreet()
}

/// Prints the statements of a part.
fn script(stack: &Stack) -> Command {
    let script = format!("{TAKE_LIST} && \"$@\"; {AND_THE_REST}");
    pg_restore(stack, &script, &["--use-list=/dev/fd/3", "--file=-"])
}

/// Prints what a dump brings.
fn list(stack: &Stack) -> Command {
    pg_restore(stack, &format!("\"$@\"; {AND_THE_REST}"), &["--list"])
}

/// `pg_restore` in the database container, over its own socket: the same version as the server, and no password.
fn pg_restore(stack: &Stack, script: &str, more: &[&str]) -> Command {
    compose(stack)
        .args(["exec", "-T", "database", "sh", "-c", script, "sh", "pg_restore"])
        .args([
            "--exit-on-error",
            "--no-owner",
            "--no-privileges",
            "--no-publications",
            "--no-subscriptions",
            "--no-security-labels",
            "--no-tablespaces",
        ])
        .args(more.iter().copied())
}

/// A list as it goes before the archive.
fn before_archive(list: &str) -> Vec<u8> {
    format!("{list}{END_OF_LIST}\n").into_bytes()
}

/// Makes what comes before the rows and needs another role than they do. Returns the list of the rest, which is to go before
/// the dump, and the door through which the restore of that is to come.
pub(super) async fn open_dump<'a>(
    scene: &Scene,
    processes: &Processes,
    incoming: &'a Incoming,
    facts: &DatabaseFacts,
    mut dump: Beginning,
) -> Result<(Beginning, Vec<u8>, Door<'a>), ActionError> {
    let stack = scene.stack()?;
    let contents = contents(stack, processes, facts, &mut dump).await?;
    let run = async |list: &str| {
        let input = [before_archive(list), dump.bytes().to_vec()].concat();
        let command = stack.host.command(part(stack, incoming.name().as_str()))?;
        scene.report.command(&command);
        let door = incoming.open().await?;
        let done = processes.run_with_input(&command, &input, &scene.report.sink()).await;
        door.close().await?;
        Ok::<_, ActionError>(done?)
    };
    for stretch in &contents.before {
        match stretch.by_superuser {
            true => incoming.as_superuser(run(&stretch.list)).await?,
            false => run(&stretch.list).await?,
        }
    }
    incoming.finish_extensions(facts.unaccent_immutable).await?;
    if !contents.event_triggers.is_empty() {
        let input = [before_archive(&contents.event_triggers), dump.bytes().to_vec()].concat();
        let script = printed(processes, &stack.host.command(script(stack))?, &input).await?;
        incoming.keep_for_last(statements(&script));
    }
    let rest = before_archive(&contents.rest);
    Ok((dump, rest, incoming.open().await?))
}

/// The statements of a printed script. Newer versions guard one by commands of `psql` with a word of its own, the first before
/// all statements.
fn statements(script: &[String]) -> String {
    let begins = script.iter().take_while(|line| !line.starts_with("SET "));
    let word = begins.filter_map(|line| line.strip_prefix("\\restrict ")).next();
    let is_guard = |line: &str| {
        word.is_some() && [line.strip_prefix("\\restrict "), line.strip_prefix("\\unrestrict ")].contains(&word)
    };
    let lines = script.iter().map(String::as_str).filter(|line| !is_guard(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// Reads the dump until all of its list is there.
async fn contents(
    stack: &Stack,
    processes: &Processes,
    facts: &DatabaseFacts,
    dump: &mut Beginning,
) -> Result<Contents, ActionError> {
    let command = stack.host.command(list(stack))?;
    let mut enough = FIRST;
    loop {
        let more = dump.read_to(enough).await?;
        match printed(processes, &command, dump.bytes()).await {
            Ok(lines) => return Ok(Contents::of(lines.iter().map(String::as_str), &facts.privileged)),
            Err(error) if error.is_cancelled() || !more || enough >= LONGEST => return Err(error),
            Err(_) => enough *= 4,
        }
    }
}

/// What a command prints that reads the input.
async fn printed(processes: &Processes, command: &Command, input: &[u8]) -> Result<Vec<String>, ActionError> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let gathered = lines.clone();
    let sink: Sink = Arc::new(move |stream, line: &str| {
        if matches!(stream, Stream::Out) {
            gathered
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line.to_owned());
        }
    });
    processes.run_with_input(command, input, &sink).await?;
    Ok(std::mem::take(
        &mut *lines.lock().unwrap_or_else(PoisonError::into_inner),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_guards_a_script_is_left_out_of_it() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let comment = "SET a = 1;\nCOMMENT ON EVENT TRIGGER e IS 'x\n\\restrict is a word\n\\unrestrict';";
        let guarded = format!("--\n\\restrict Abc\n{comment}\n\\unrestrict Abc");
        assert_eq!(statements(&lines(&guarded)), format!("--\n{comment}"));
        assert_eq!(statements(&lines(comment)), comment);
    }
}
