//! Output that nobody reads, and children that print without end: the run goes on, can be interrupted, and neither memory
//! nor disk fill up.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::project::{Project, files_below};

#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

/// Waits for the end of a child, and says how long that took.
#[track_caller]
fn ended_within(child: &mut Child, limit: Duration) -> Option<i32> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if began.elapsed() > limit {
            child.kill().unwrap();
            panic!("it still runs after {limit:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The most memory that a process had, in kilobytes.
fn peak_memory(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

fn bytes_below(project: &Project) -> u64 {
    let files = files_below(&project.at(".opw-task"));
    files.iter().map(|path| path.metadata().unwrap().len()).sum()
}

/// Both ends of a pipe, of which nobody reads. The reading end is to be kept.
fn unread(project: &Project) -> (File, File) {
    let fifo = project.at("unread");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let nonblocking = rustix_nonblocking();
    let reader = OpenOptions::new()
        .read(true)
        .custom_flags(nonblocking)
        .open(&fifo)
        .unwrap();
    (reader, OpenOptions::new().write(true).open(&fifo).unwrap())
}

/// `O_NONBLOCK`: a pipe's reading end opens without waiting for a writer.
fn rustix_nonblocking() -> i32 {
    i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap()
}

/// Prints more than pipes and queues hold, then leaves a mark.
const TALKATIVE: &str = r#"
[tasks.talkative]
run = { shell = "i=0; while [ $i -lt 60000 ]; do echo 'a line that is long enough to fill what stands between us'; i=$((i+1)); done; touch talked" }
[tasks.next]
needs = ["talkative"]
run = { command = "touch next" }
[tasks.other]
run = { command = "touch other" }
[tasks.all]
needs = ["talkative", "next", "other"]
"#;

#[test]
fn a_run_goes_on_when_nobody_reads_what_is_said_about_it() {
    for output in ["plain", "json"] {
        let project = Project::new(TALKATIVE);
        let (_reader, writer) = unread(&project);
        let mut command = project.command(&["all", "-v", "-o", output]);
        let mut child = match output {
            "json" => command.stdout(writer).stderr(Stdio::null()),
            _ => command.stdout(Stdio::null()).stderr(writer),
        }
        .spawn()
        .unwrap();
        wait_until("everything has run", || {
            ["talked", "next", "other"].iter().all(|mark| project.at(mark).exists())
        });
        if output == "json" {
            // It is data, and so it waits for its reader.
            std::thread::sleep(Duration::from_secs(4));
            assert!(child.try_wait().unwrap().is_none());
            interrupt(&child);
        }
        assert_eq!(ended_within(&mut child, Duration::from_secs(8)), Some(0), "{output}");
        let log = files_below(&project.at(".opw-task"))
            .into_iter()
            .find(|path| path.ends_with("talkative.log"))
            .unwrap();
        let lines = fs::read_to_string(log).unwrap();
        assert_eq!(
            lines.matches("a line that").count() - 1,
            60000,
            "the journal has every line"
        );
    }
}

#[test]
fn lines_that_were_left_out_are_counted() {
    let project = Project::new(TALKATIVE);
    let (reader, writer) = unread(&project);
    let mut child = project
        .command(&["all", "-v", "-o", "plain"])
        .stdout(Stdio::null())
        .stderr(writer)
        .spawn()
        .unwrap();
    wait_until("everything has run", || project.at("next").exists());
    rustix::fs::fcntl_setfl(&reader, rustix::fs::OFlags::empty()).unwrap();
    let text: Vec<String> = BufReader::new(reader).lines().map(Result::unwrap).collect();
    assert_eq!(ended_within(&mut child, Duration::from_secs(8)), Some(0));
    let shown = text.iter().filter(|line| line.contains("│ a line that")).count();
    let counts = text.iter().filter(|line| line.contains("lines left out"));
    let left_out: usize = counts
        .map(|line| line.split(' ').nth(3).unwrap().parse::<usize>().unwrap())
        .sum();
    assert!(left_out > 0);
    assert_eq!(shown + left_out, 60000);
    assert!(text.last().unwrap().starts_with("done: all"), "{text:?}");
}

#[test]
fn an_interrupt_is_heard_when_nobody_reads() {
    for (task, stream) in [("all", "err"), ("talkative", "out")] {
        let project = Project::new(&TALKATIVE.replace("touch talked", "sleep 600"));
        let (_reader, writer) = unread(&project);
        let mut command = project.command(&[task, "-v"]);
        let mut child = match stream {
            "out" => command.stdout(writer).stderr(Stdio::null()),
            _ => command.stdout(Stdio::null()).stderr(writer),
        }
        .spawn()
        .unwrap();
        wait_until("it prints", || bytes_below(&project) > 100_000);
        std::thread::sleep(Duration::from_secs(2));
        interrupt(&child);
        assert_eq!(ended_within(&mut child, Duration::from_secs(3)), Some(130), "{stream}");
    }
}

#[test]
fn what_was_asked_for_waits_for_its_reader_and_nothing_of_it_is_lost() {
    let project = Project::new(TALKATIVE);
    let mut child = project.command(&["talkative"]).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(4));
    assert!(!project.at("talked").exists(), "the child waits");
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().count(), 60000);
    assert_eq!(ended_within(&mut child, Duration::from_secs(5)), Some(0));
}

#[test]
fn the_end_of_what_was_asked_for_waits_for_its_reader_too() {
    // More than a pipe holds, less than makes the child wait.
    let project = Project::new("[tasks.some]\nrun = { shell = \"seq 20000; touch over\" }");
    let mut child = project.command(&["some"]).stderr(Stdio::null()).spawn().unwrap();
    wait_until("the child has ended", || project.at("over").exists());
    std::thread::sleep(Duration::from_secs(5));
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().count(), 20000);
    assert_eq!(ended_within(&mut child, Duration::from_secs(5)), Some(0));
}

#[test]
fn a_child_that_prints_without_end_fills_neither_memory_nor_disk_and_is_interrupted_at_once() {
    let manifest =
        "[tasks.yes]\nrun = { command = \"yes\" }\n[tasks.behind]\nneeds = [\"yes\"]\nrun = { command = \"true\" }";
    for (task, read) in [("yes", true), ("yes", false), ("behind", true)] {
        let project = Project::new(manifest);
        let mut command = project.command(&[task]);
        if read {
            command.stdout(File::create("/dev/null").unwrap());
        }
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_secs(4));
        let memory = peak_memory(&child);
        assert!(memory < 32 * 1024, "{task}: {memory} kB");
        let disk = bytes_below(&project);
        assert!(disk < 8_000_000, "{task}: {disk} bytes");
        interrupt(&child);
        let began = Instant::now();
        assert_eq!(ended_within(&mut child, Duration::from_secs(5)), Some(130));
        // On a busy machine the child's last lines may take the two seconds that they are given.
        assert!(
            began.elapsed() < Duration::from_secs(4),
            "{task}: {:?}",
            began.elapsed()
        );
    }
}

#[test]
fn a_folder_that_cannot_be_written_costs_the_journal_only() {
    let project = Project::new("[tasks.go]\nrun = { command = \"echo gone\" }");
    // Root may write into a folder of mode 0500; a file system that is full refuses everybody.
    let small = project.at(".opw-task");
    fs::create_dir(&small).unwrap();
    let in_a_namespace = |script: &str| {
        Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-euc", script, "sh"])
            .arg(&small)
            .arg(env!("CARGO_BIN_EXE_opw-task"))
            .current_dir(project.at("."))
            .output()
            .unwrap()
    };
    let mounts = in_a_namespace("mount -t tmpfs -o size=4k,ro none \"$1\"");
    if !mounts.status.success() {
        // Where a sandbox forbids mounts, the permission bits are all there is, and they do not bind root.
        fs::set_permissions(&small, std::os::unix::fs::PermissionsExt::from_mode(0o500)).unwrap();
        if File::create(small.join("probe")).is_ok() {
            eprintln!("not tried: neither mounts nor permissions bind this user");
            return;
        }
    }
    let script = match mounts.status.success() {
        true => "mount -t tmpfs -o size=4k,ro none \"$1\"; exec \"$2\" go",
        false => "exec \"$2\" go",
    };
    let ran = project.ran(in_a_namespace(script)).ended(0);
    assert_eq!(ran.out, "gone\n");
    assert_eq!(ran.err.matches("this run keeps no journal").count(), 1, "{}", ran.err);
}
