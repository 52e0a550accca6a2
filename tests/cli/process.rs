//! Promises of the one door for child processes, shown on real children: what is ended, what an error names, what is
//! hidden.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opw_task::error::Explain;
use opw_task::event::Stream;
use opw_task::process::{Command, Ending, Env, ProcessError, Processes, Redactor, Sink, discard};
use opw_task::secret::Secret;
use tokio_util::sync::CancellationToken;

type Lines = Arc<Mutex<Vec<(Stream, String)>>>;

fn recorder() -> (Lines, Sink) {
    let lines = Lines::default();
    let into = lines.clone();
    (
        lines,
        Arc::new(move |stream, line| into.lock().unwrap().push((stream, line.to_owned()))),
    )
}

fn processes() -> (Processes, CancellationToken) {
    let token = CancellationToken::new();
    (Processes::new(Redactor::default(), token.clone()), token)
}

fn sh(script: &str) -> Command {
    Command::new("sh").args(["-c", script])
}

/// Whether a process exists and is no zombie.
fn runs(id: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit(") ")
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

/// Looks again and again until something is there. A test that looks in vain says for what.
async fn eventually<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until a file has a line in it.
async fn written(path: &Path) -> String {
    eventually(&format!("a line in {}", path.display()), || {
        let text = std::fs::read_to_string(path).ok()?;
        text.ends_with('\n').then(|| text.trim().to_owned())
    })
    .await
}

async fn ended(id: &str) {
    eventually("the end of a child", || (!runs(id)).then_some(())).await;
}

fn last_lines(error: &ProcessError) -> Vec<String> {
    match error {
        ProcessError::Failed { last_lines, .. } => last_lines.clone(),
        other => panic!("{other:?}"),
    }
}

async fn piped(processes: &Processes, from: &str, to: &str) -> Result<u64, ProcessError> {
    processes.pipe(&sh(from), &sh(to), &discard(), &discard(), |_| {}).await
}

#[tokio::test]
async fn lines_of_both_streams_reach_the_sink() {
    let (lines, sink) = recorder();
    processes()
        .0
        .run(&sh("echo one; echo two >&2; printf three"), &sink)
        .await
        .unwrap();
    let mut lines = lines.lock().unwrap().clone();
    lines.sort_by(|a, b| a.1.cmp(&b.1));
    let expected = [(Stream::Out, "one"), (Stream::Out, "three"), (Stream::Err, "two")];
    assert_eq!(lines, expected.map(|(stream, line)| (stream, line.to_owned())));
}

#[tokio::test]
async fn an_exit_status_is_an_error_with_the_last_lines() {
    let error = processes()
        .0
        .run(&sh("seq 1 100; echo at last >&2; exit 3"), &discard())
        .await
        .unwrap_err();
    assert_eq!(error.ending(), Some(Ending::Exited(3)));
    assert!(error.to_string().ends_with("ended with exit status 3"), "{error}");
    let lines = last_lines(&error);
    assert_eq!(lines.len(), 20);
    assert!(lines.contains(&"100".into()), "{lines:?}");
}

#[tokio::test]
async fn a_signal_is_named() {
    let error = processes().0.run(&sh("kill -9 $$"), &discard()).await.unwrap_err();
    assert!(error.to_string().ends_with("ended with signal 9 (SIGKILL)"), "{error}");
}

#[tokio::test]
async fn a_missing_program_is_named_with_how_to_get_it() {
    let nowhere = Command::new("docker")
        .arg("ps")
        .env("PATH", Env::Plain("/nonexistent".into()));
    let (processes, _) = processes();
    for error in [
        processes.run(&nowhere, &discard()).await.unwrap_err(),
        processes.capture(&nowhere).await.unwrap_err(),
        processes
            .pipe(&sh("echo x"), &nowhere, &discard(), &discard(), |_| {})
            .await
            .unwrap_err(),
        processes
            .pipe(&nowhere, &sh("cat"), &discard(), &discard(), |_| {})
            .await
            .unwrap_err(),
    ] {
        assert!(
            matches!(&error, ProcessError::MissingProgram { program, .. } if program == "docker"),
            "{error:?}"
        );
        assert!(error.explain().hints[0].contains("docs.docker.com"));
    }
    assert!(processes.find("sh").unwrap().is_absolute());
}

#[tokio::test]
async fn secrets_are_hidden_on_both_streams_and_in_errors() {
    let secret = Secret::new("CANARY-7");
    let processes = Processes::new(Redactor::new([&secret]), CancellationToken::new());
    let (lines, sink) = recorder();
    let leak = sh("echo out $KEY; echo err $KEY >&2; exit 1 # CANARY-7").env("KEY", Env::Secret(secret));
    let error = processes.run(&leak, &sink).await.unwrap_err();
    let shown = format!("{:?} {error} {error:?} {:?}", lines.lock().unwrap(), error.explain());
    assert!(!shown.contains("CANARY"), "{shown}");
    assert!(
        shown.contains("out ***") && shown.contains("err ***") && shown.contains("KEY=***"),
        "{shown}"
    );
    let error = processes.capture(&leak).await.unwrap_err();
    assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
}

#[tokio::test]
async fn a_variable_can_be_taken_away_and_the_folder_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let ask = sh("pwd; echo ${HOME-none}; echo $B; cat")
        .env("HOME", Env::Unset)
        .env("B", Env::Plain("first".into()))
        .env("B", Env::Plain("last".into()))
        .folder(folder.to_str().unwrap());
    let expected = format!("{}\nnone\nlast\n", folder.display());
    let (processes, _) = processes();
    assert_eq!(processes.capture(&ask).await.unwrap(), expected);
    let (lines, sink) = recorder();
    processes.run(&ask, &sink).await.unwrap();
    let told: String = lines
        .lock()
        .unwrap()
        .iter()
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn capture_returns_text_and_try_capture_the_ending() {
    let (processes, _) = processes();
    let answer = processes
        .try_capture(&sh("echo answer; echo why >&2; exit 4"))
        .await
        .unwrap();
    assert_eq!((answer.ending, answer.text.as_str()), (Ending::Exited(4), "answer\n"));
    assert_eq!(answer.last_lines, ["why"]);
    let error = processes.capture(&sh("echo only on stdout; exit 4")).await.unwrap_err();
    assert_eq!(last_lines(&error), ["only on stdout"]);
    // More than a pipe holds, on both streams at once.
    let much = processes
        .capture(&sh("seq 1 200000 >&2 & seq 1 200000; wait"))
        .await
        .unwrap();
    assert!(much.ends_with("\n200000\n"));
}

#[tokio::test]
async fn an_answer_is_bounded_and_must_be_text() {
    let (processes, _) = processes();
    let begun = Instant::now();
    let error = processes.capture(&sh("exec cat /dev/zero")).await.unwrap_err();
    assert!(matches!(error, ProcessError::TooMuch { .. }), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(9));
    let error = processes.capture(&sh("printf '\\377'")).await.unwrap_err();
    assert!(matches!(error, ProcessError::NotText { .. }), "{error:?}");
}

#[tokio::test]
async fn input_reaches_the_child() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy");
    let input = vec![b'x'; 3_000_000];
    let copy = Command::new("sh").args(["-c", "cat > \"$1\"", "sh", path.to_str().unwrap()]);
    processes().0.run_with_input(&copy, &input, &discard()).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), input);
}

#[tokio::test]
async fn success_without_reading_the_input_is_an_error() {
    let input = vec![b'x'; 3_000_000];
    let error = processes()
        .0
        .run_with_input(&sh("head -c 1; exit 0"), &input, &discard())
        .await
        .unwrap_err();
    assert!(matches!(error, ProcessError::StoppedReading { .. }), "{error:?}");
    let error = processes()
        .0
        .run_with_input(&sh("head -c 1; exit 5"), &input, &discard())
        .await
        .unwrap_err();
    assert_eq!(error.ending(), Some(Ending::Exited(5)));
}

#[tokio::test]
async fn cancelling_ends_the_grandchild_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id");
    let script = sh(&format!("sh -c 'echo $$ > {}; exec sleep 600' & wait", path.display()));
    for captured in [false, true] {
        let (processes, token) = processes();
        let begun = Instant::now();
        let cancel = async {
            let id = written(&path).await;
            assert!(runs(&id));
            token.cancel();
            id
        };
        let run = async {
            if captured {
                processes.capture(&script).await.map(drop)
            } else {
                processes.run(&script, &discard()).await
            }
        };
        let (result, id) = tokio::join!(run, cancel);
        assert!(result.unwrap_err().is_cancelled());
        assert!(!runs(&id));
        assert!(begun.elapsed() < Duration::from_secs(5));
        std::fs::remove_file(&path).unwrap();
        // Nothing begins after that, except with a token of its own.
        assert!(processes.run(&sh("true"), &discard()).await.unwrap_err().is_cancelled());
        processes
            .with_cancellation(CancellationToken::new())
            .run(&sh("true"), &discard())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_child_that_ignores_sigterm_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id");
    let (processes, token) = processes();
    let stubborn = sh(&format!(
        "trap '' TERM; echo $$ > {}; while :; do sleep 1; done",
        path.display()
    ));
    let cancel = async {
        let id = written(&path).await;
        token.cancel();
        id
    };
    let sink = discard();
    let (result, id) = tokio::join!(processes.run(&stubborn, &sink), cancel);
    assert!(result.unwrap_err().is_cancelled());
    assert!(!runs(&id));
}

#[tokio::test]
async fn dropping_the_wait_and_ending_the_run_end_children() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id");
    let script = sh(&format!("sh -c 'echo $$ > {}; exec sleep 600' & wait", path.display()));
    let (processes, _) = processes();
    let sink = discard();
    let id = tokio::select! {
        _ = processes.run(&script, &sink) => panic!("it sleeps"),
        id = written(&path) => id,
    };
    ended(&id).await;
    std::fs::remove_file(&path).unwrap();
    let end = async {
        let id = written(&path).await;
        processes.end_all().await;
        id
    };
    let (result, id) = tokio::join!(processes.run(&script, &sink), end);
    assert_eq!(result.unwrap_err().ending(), Some(Ending::Signalled(15)));
    assert!(!runs(&id));
}

#[tokio::test]
async fn what_a_leader_leaves_behind_neither_holds_us_nor_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id");
    let script = sh(&format!(
        "sh -c 'echo $$ > {0}; exec sleep 600' & until [ -s {0} ]; do :; done",
        path.display()
    ));
    let (processes, _) = processes();
    let begun = Instant::now();
    processes.run(&script, &discard()).await.unwrap();
    assert!(!runs(&written(&path).await));
    std::fs::remove_file(&path).unwrap();
    processes.capture(&script).await.unwrap();
    assert!(!runs(&written(&path).await));
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_pipe_carries_and_counts_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sum");
    let told = Mutex::new(Vec::new());
    let (processes, _) = processes();
    let to = sh(&format!("wc -c > {}", path.display()));
    let from = sh("head -c 50000000 /dev/zero");
    let counted = |sum| told.lock().unwrap().push(sum);
    let total = processes
        .pipe(&from, &to, &discard(), &discard(), counted)
        .await
        .unwrap();
    assert_eq!(total, 50_000_000);
    assert_eq!(written(&path).await, "50000000");
    let told = told.into_inner().unwrap();
    assert!(told.is_sorted() && told.last() == Some(&50_000_000));
}

#[tokio::test]
async fn a_failing_writer_never_looks_complete_to_the_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("complete");
    let reader = format!("cat > /dev/null && touch {}", path.display());
    let (processes, _) = processes();
    // The second closes its output a while before it fails.
    for writer in [
        "head -c 300000 /dev/zero; exit 7",
        "echo x; exec >&-; sleep 0.5; exit 7",
        "exit 7",
    ] {
        let error = piped(&processes, writer, &reader).await.unwrap_err();
        assert_eq!(error.ending(), Some(Ending::Exited(7)), "{error}");
        assert!(!path.exists(), "{writer}");
    }
    piped(&processes, "echo x", &reader).await.unwrap();
    assert!(path.exists());
}

#[tokio::test]
async fn a_pipe_that_is_cancelled_or_dropped_never_looks_complete() {
    let folder = tempfile::tempdir().unwrap();
    let (path, id) = (folder.path().join("complete"), folder.path().join("id"));
    let reader = format!("echo $$ > {}; cat > /dev/null; touch {}", id.display(), path.display());
    let (processes, token) = processes();
    let cancel = async {
        written(&id).await;
        token.cancel();
    };
    let (result, ()) = tokio::join!(piped(&processes, "exec cat /dev/zero", &reader), cancel);
    assert!(result.unwrap_err().is_cancelled());
    assert!(!path.exists());
    std::fs::remove_file(&id).unwrap();
    let processes = processes.with_cancellation(CancellationToken::new());
    let leader = tokio::select! {
        _ = piped(&processes, "exec cat /dev/zero", &reader) => panic!("it has no end"),
        leader = written(&id) => leader,
    };
    ended(&leader).await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_failing_reader_is_named_and_not_the_writer_whose_pipe_it_broke() {
    let (processes, _) = processes();
    let (reads, closes) = (
        "head -c 10 >/dev/null; echo no room >&2; exit 9",
        "exec <&-; echo no room >&2; exit 9",
    );
    for (writer, reader) in [
        ("exec cat /dev/zero", reads),
        ("exec cat /dev/zero", closes),
        ("exec sleep 600", closes),
    ] {
        let error = piped(&processes, writer, reader).await.unwrap_err();
        assert_eq!(error.ending(), Some(Ending::Exited(9)), "{writer} | {reader}: {error}");
        assert_eq!(last_lines(&error), ["no room"]);
    }
    // Both fail: the writer's failure is its own.
    let error = piped(&processes, "echo rubbish; exit 7", "read line; sleep 0.3; exit 9")
        .await
        .unwrap_err();
    assert_eq!(error.ending(), Some(Ending::Exited(7)));
}

#[tokio::test]
async fn a_reader_that_succeeds_early_is_an_error() {
    let error = piped(&processes().0, "exec cat /dev/zero", "head -c 10 >/dev/null")
        .await
        .unwrap_err();
    assert!(matches!(error, ProcessError::StoppedReading { .. }), "{error:?}");
}

#[tokio::test]
async fn a_writer_that_leaves_its_output_open_is_an_error() {
    let begun = Instant::now();
    let error = piped(&processes().0, "echo x; sleep 600 & exit 0", "cat >/dev/null")
        .await
        .unwrap_err();
    assert!(matches!(error, ProcessError::LeftOpen { .. }), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(9));
}
