//! Docker, `/proc` and the file system, asked directly.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// What `docker` answers; it must succeed.
#[track_caller]
pub fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "docker {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Waits until something is there.
#[track_caller]
pub fn eventually<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "after {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Every process of this machine, those in containers too, with its command line.
pub fn command_lines() -> Vec<(u32, String)> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let line = |entry: fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        Some((pid, line))
    };
    processes.filter_map(line).collect()
}

/// Processes whose command line holds all of the words.
pub fn processes_with(words: &[&str]) -> Vec<(u32, String)> {
    let mut found = command_lines();
    found.retain(|(_, line)| words.iter().all(|word| line.contains(word)));
    found
}

/// A process and all that descends from it.
pub fn started_by(ancestor: u32) -> Vec<u32> {
    let parent = |pid: u32| -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()
    };
    let all: Vec<(u32, u32)> = command_lines()
        .into_iter()
        .filter_map(|(pid, _)| Some((pid, parent(pid)?)))
        .collect();
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(all.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found
}

/// Sends a signal; a process that is gone already is no fault.
pub fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid.try_into().unwrap()) {
        let _ = kill_process(pid, signal);
    }
}

/// Files below a folder that hold one of the words, with their modes. Folders of that name are passed over.
pub fn words_in_files(folder: &Path, words: &[&str], skip: &[&str]) -> Vec<(PathBuf, u32, String)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            let facts = entry.metadata().unwrap();
            if facts.is_dir() {
                if !skip.iter().any(|name| entry.file_name() == *name) {
                    open.push(path);
                }
                continue;
            }
            let Ok(content) = fs::read(&path) else { continue };
            let text = String::from_utf8_lossy(&content);
            for word in words {
                if text.contains(word) {
                    found.push((path.clone(), facts.permissions().mode() & 0o777, (*word).to_owned()));
                }
            }
        }
    }
    found
}
