//! Hosts and upstreams over a real sshd: our own, on a loopback port, with keys made for the test.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, Instant, SystemTime};

use camino::Utf8PathBuf;
use opw_task::error::Explain;
use opw_task::host::{Host, HostError, Mode, SshTarget, same_machine};
use opw_task::process::{Command, Ending, Env, ProcessError, Processes, Redactor, discard};
use opw_task::upstream::{PullProgress, Upstream};
use tokio_util::sync::CancellationToken;

use crate::world::{Sshd, eventually, processes_with};

fn processes() -> Processes {
    Processes::new(Redactor::default(), CancellationToken::new())
}

/// Names that a shell, an option parser or a careless script would stumble over.
const ODD: [&str; 7] = ["it's", "a b", "$HOME", "-rf", "new\nline", "\"q\" `id` \\", "ü*;&"];

#[tokio::test]
async fn an_unknown_host_and_a_refused_key_fail_at_once() {
    let sshd = Sshd::start();
    let begun = Instant::now();
    for (key, known_hosts, says) in [
        ("key", "unknown_hosts", "Host key verification failed"),
        ("other_key", "known_hosts", "Permission denied"),
    ] {
        let command = sshd.target(key, known_hosts).command(&Command::new("true")).unwrap();
        let error = processes().run(&command, &discard()).await.unwrap_err();
        assert_eq!(error.ending(), Some(Ending::Exited(255)));
        assert!(format!("{error:?}").contains(says), "{error:?}");
        assert_eq!(error.explain().hints.len(), 1);
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "nobody was asked");
    assert_eq!(
        fs::read_to_string(sshd.path("unknown_hosts")).unwrap(),
        "",
        "nobody was believed"
    );
}

#[tokio::test]
async fn odd_words_arrive_as_they_are() {
    let sshd = Sshd::start();
    let folder = sshd.path("it's a folder");
    fs::create_dir(&folder).unwrap();
    let remote = Command::new("sh")
        .args(["-c", r#"pwd; printf '%s\n' "$K" "${HOME-none}" "$@""#, "sh"])
        .args(ODD)
        .env("K", Env::Plain("x 'y' $z".into()))
        .env("HOME", Env::Unset)
        .folder(folder.clone());
    let answer = processes()
        .capture(&sshd.host().command(remote).unwrap())
        .await
        .unwrap();
    assert_eq!(answer, format!("{folder}\nx 'y' $z\nnone\n{}\n", ODD.join("\n")));
    let failing = Command::new("sh").args(["-c", "exit 42"]);
    let error = processes()
        .run(&sshd.host().command(failing).unwrap(), &discard())
        .await
        .unwrap_err();
    assert_eq!(error.ending(), Some(Ending::Exited(42)));
}

#[tokio::test]
async fn files_there_and_here_are_written_whole() {
    let sshd = Sshd::start();
    let (processes, sink) = (processes(), discard());
    for (host, name) in [(Host::Local, "here"), (sshd.host(), "there")] {
        // A connection costs half a second, so all that is odd stands in three names.
        for odd in ["-rf", "it's $HOME `id`", "a \"b\"\n*"] {
            let folder = sshd.path(name).join(odd);
            host.create_dir(&processes, &folder, Mode(0o750), &sink).await.unwrap();
            assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o7777, 0o750);
            let file = folder.join(odd);
            assert_eq!(host.read_file(&processes, &file).await.unwrap(), None);
            fs::write(&file, "old").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
            host.write_file(&processes, &file, b"new\n", Mode(0o600), &sink)
                .await
                .unwrap();
            assert_eq!(
                host.read_file(&processes, &file).await.unwrap().as_deref(),
                Some("new\n")
            );
            assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o600);
            host.rename(&processes, &file, &folder.join("renamed"), &sink)
                .await
                .unwrap();
            assert!(host.exists(&processes, &folder.join("renamed")).await.unwrap());
            assert!(!host.exists(&processes, &file).await.unwrap());
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left");
        }
        let missing = sshd.path(name).join("missing/file");
        assert!(
            host.write_file(&processes, &missing, b"x", Mode(0o600), &sink)
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn what_a_killed_writer_left_goes_with_the_next_write() {
    let sshd = Sshd::start();
    let (processes, sink) = (processes(), discard());
    for (name, host) in [("here", Host::Local), ("there", sshd.host())] {
        let folder = sshd.path(name);
        fs::create_dir(&folder).unwrap();
        let two_hours_ago = SystemTime::now() - Duration::from_secs(7200);
        // The second is being written by somebody else, the third is no file of ours.
        for (file, at) in [
            (".new.a1B2c3", two_hours_ago),
            (".new.d4E5f6", SystemTime::now()),
            (".new.notes.txt", two_hours_ago),
        ] {
            fs::File::create(folder.join(file)).unwrap().set_modified(at).unwrap();
        }
        let file = folder.join("file");
        host.write_file(&processes, &file, b"new", Mode(0o600), &sink)
            .await
            .unwrap();
        let entries = fs::read_dir(&folder).unwrap().flatten();
        let mut left: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, [".new.d4E5f6", ".new.notes.txt", "file"], "{name}");
    }
}

#[tokio::test]
async fn a_write_that_is_cut_off_leaves_the_old_file() {
    let sshd = Sshd::start();
    let file = sshd.path("file");
    fs::write(&file, "old").unwrap();
    let token = CancellationToken::new();
    let processes = processes().with_cancellation(token.clone());
    let cut = async {
        // Its temporary file shows that the write is under way; then the connection goes.
        let begun = |name: std::ffi::OsString| name.to_string_lossy().starts_with(".new.");
        let deadline = Instant::now() + Duration::from_secs(30);
        while !fs::read_dir(sshd.folder())
            .unwrap()
            .any(|entry| begun(entry.unwrap().file_name()))
        {
            assert!(Instant::now() < deadline, "the write never began");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        token.cancel();
    };
    let (host, sink, contents) = (sshd.host(), discard(), vec![b'x'; 200_000_000]);
    let (result, ()) = tokio::join!(host.write_file(&processes, &file, &contents, Mode(0o600), &sink), cut);
    assert!(matches!(result, Err(HostError::Process(error)) if error.is_cancelled()));
    // The other side needs a moment to see that the connection is gone.
    let deadline = Instant::now() + Duration::from_secs(10);
    let left = || {
        fs::read_dir(sshd.folder())
            .unwrap()
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with(".new."))
    };
    while left() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!left());
    assert_eq!(fs::read_to_string(&file).unwrap(), "old");
}

#[tokio::test]
async fn nothing_outside_of_the_root_is_removed() {
    let sshd = Sshd::start();
    let (processes, sink) = (processes(), discard());
    for (host, name) in [(Host::Local, "here"), (sshd.host(), "there")] {
        let (root, precious) = (sshd.path(name).join("root"), sshd.path(name).join("precious"));
        fs::create_dir_all(root.join("a b/deep")).unwrap();
        fs::create_dir_all(precious.join("deep")).unwrap();
        std::os::unix::fs::symlink(&precious, root.join("link")).unwrap();
        for path in [
            precious.clone(),
            root.clone(),
            root.join("link/deep"),
            sshd.path(name).join("rootless"),
        ] {
            let error = host.remove_dir_all(&processes, &path, &root, &sink).await.unwrap_err();
            assert!(matches!(error, HostError::Outside { .. }), "{path}: {error:?}");
        }
        let dots = root.join("../precious");
        let error = host.remove_dir_all(&processes, &dots, &root, &sink).await.unwrap_err();
        assert!(matches!(error, HostError::NotPlain { .. }), "{error:?}");
        host.remove_dir_all(&processes, &root.join("a b"), &root, &sink)
            .await
            .unwrap();
        host.remove_dir_all(&processes, &root.join("a b"), &root, &sink)
            .await
            .unwrap();
        host.remove_dir_all(&processes, &root.join("link"), &root, &sink)
            .await
            .unwrap();
        assert!(precious.join("deep").exists());
        assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn a_pull_links_what_is_there_and_changes_nothing_on_either_side() {
    let sshd = Sshd::start();
    let (store, live, new) = (sshd.path("store"), sshd.path("live store"), sshd.path("new"));
    for folder in [&store, &live] {
        fs::create_dir_all(folder.join("ab")).unwrap();
        fs::write(folder.join("ab/old"), "the same").unwrap();
    }
    fs::create_dir(store.join("checklist")).unwrap();
    fs::write(store.join("ab/new"), vec![b'x'; 3_000_000]).unwrap();
    // Both stored it on their own: another time, another mode.
    fs::set_permissions(live.join("ab/old"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::File::open(live.join("ab/old"))
        .unwrap()
        .set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    let state = |path: &Utf8PathBuf| {
        let found = fs::metadata(path).unwrap();
        (found.ino(), found.mode(), found.mtime(), found.uid(), found.size())
    };
    let before = (
        state(&live.join("ab/old")),
        state(&store.join("ab/old")),
        state(&store.join("ab/new")),
    );

    let upstream = Upstream::new("prod", sshd.target("key", "known_hosts"), "opw", "odoo", store.clone()).unwrap();
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let pull = upstream.pull_filestore(&new, Some(&live), Some((uid, gid))).unwrap();
    let last = std::sync::Arc::new(std::sync::Mutex::new(None));
    let seen = last.clone();
    let sink: opw_task::process::Sink = std::sync::Arc::new(move |_, line| {
        if let Some(progress) = PullProgress::parse(line) {
            *seen.lock().unwrap() = Some(progress);
        }
    });
    processes().run(pull.command(), &sink).await.unwrap();

    assert_eq!(
        before,
        (
            state(&live.join("ab/old")),
            state(&store.join("ab/old")),
            state(&store.join("ab/new"))
        )
    );
    assert_eq!(state(&new.join("ab/old")).0, before.0.0, "a hard link to the live file");
    assert_eq!(state(&new.join("ab/new")).1 & 0o7777, 0o640);
    assert_eq!(state(&new.join("ab")).1 & 0o7777, 0o750);
    assert!(!new.join("checklist").exists());
    let last = last.lock().unwrap().unwrap();
    assert_eq!((last.bytes, last.files.unwrap().0), (3_000_000, 0));
}

#[tokio::test]
async fn what_a_login_script_prints_is_no_answer() {
    // It prints before it runs what was asked for, as a `.bashrc` with an `echo` in it does; once without a line end.
    for greeting in ["echo welcome; echo yes", "printf yes"] {
        let sshd = Sshd::start_with(&format!(r#"command="{greeting}; eval \"$SSH_ORIGINAL_COMMAND\"""#));
        let (host, processes) = (sshd.host(), processes());
        let file = sshd.path("a file");
        assert!(!host.exists(&processes, &file).await.unwrap(), "{greeting}");
        fs::write(&file, "text\n").unwrap();
        assert!(host.exists(&processes, &file).await.unwrap());
        assert_eq!(
            host.read_file(&processes, &file).await.unwrap().as_deref(),
            Some("text\n")
        );
        let (tell, told) = std::sync::mpsc::channel();
        let sink: opw_task::process::Sink = std::sync::Arc::new(move |_, line| tell.send(line.to_owned()).unwrap());
        let echo = host.command(Command::new("echo").arg("mine")).unwrap();
        processes.run(&echo, &sink).await.unwrap();
        assert_eq!(told.try_iter().collect::<Vec<_>>(), ["mine"]);
    }
    // One that does something else than what it was asked for is no success.
    let sshd = Sshd::start_with(r#"command="echo only backups here""#);
    let command = sshd.host().command(Command::new("true")).unwrap();
    for error in [
        processes().run(&command, &discard()).await.unwrap_err(),
        processes().capture(&command).await.unwrap_err(),
    ] {
        assert!(matches!(error, ProcessError::NotBegun { .. }), "{error:?}");
        assert!(
            error.explain().evidence.join(" ").contains("only backups here"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn what_only_looks_ends_with_the_connection() {
    let sshd = Sshd::start();
    let number = |from: u32| (from + std::process::id() % 1000).to_string();
    // ssh's own line holds the words too.
    let runs = |number: &str| {
        let found = processes_with(&["sleep", number]);
        found.iter().any(|(_, line)| line.starts_with("sleep"))
    };
    let begun = async |number: &str| {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !runs(number) {
            assert!(Instant::now() < deadline, "sleep {number} never began");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let ended_there = |number: &str| {
        let left = || processes_with(&["sleep", number]);
        let deadline = Instant::now() + Duration::from_secs(30);
        while !left().is_empty() {
            assert!(Instant::now() < deadline, "{:?}", left());
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    for (from, cut) in [(701_000, false), (702_000, true)] {
        let number = number(from);
        let command = sshd.host().command(Command::new("sleep").arg(&number)).unwrap();
        let token = CancellationToken::new();
        let processes = processes().with_cancellation(token.clone());
        let end = async {
            begun(&number).await;
            if cut { sshd.cut() } else { token.cancel() }
        };
        let sink = discard();
        let (result, ()) = tokio::join!(processes.run(&command, &sink), end);
        assert!(result.is_err());
        ended_there(&number);
        // An answer that is waited for goes the same way.
        let token = CancellationToken::new();
        let processes = self::processes().with_cancellation(token.clone());
        let end = async {
            begun(&number).await;
            token.cancel();
        };
        let (result, ()) = tokio::join!(processes.capture(&command), end);
        assert!(result.is_err());
        ended_there(&number);
    }
}

#[tokio::test]
async fn one_machine_under_two_names_is_recognised() {
    let processes = processes();
    let target = |text: &str| text.parse::<SshTarget>().unwrap();
    let same = async |a: &str, b: &str| same_machine(&target(a), &target(b), &processes).await.unwrap();
    assert!(same("root@opw-prod.example", "odoo@OPW-prod.example").await);
    assert!(same("ssh://opw-prod.example:22", "opw-prod.example").await);
    assert!(same("ssh://opw-prod.example:2222", "OPW-prod.example.").await);
    assert!(same("[::ffff:10.0.0.5]", "10.0.0.5").await);
    assert!(!same("opw-prod.example", "docker.example").await);
    assert!(!same("ssh://127.0.0.1:2222", "ssh://127.0.0.1:2223").await);
}
