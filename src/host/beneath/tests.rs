use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

fn temp() -> (tempfile::TempDir, Folder) {
    let guard = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(guard.path()).unwrap();
    fs::create_dir(path.join("stack")).unwrap();
    fs::create_dir(path.join("outside")).unwrap();
    fs::write(path.join("outside/file"), "untouched").unwrap();
    let folder = Folder::open(&path.join("stack")).unwrap();
    (guard, folder)
}

/// The file outside is as it was, and nothing came to stand beside it.
#[track_caller]
fn untouched(guard: &Path) {
    assert_eq!(fs::read_to_string(guard.join("outside/file")).unwrap(), "untouched");
    assert_eq!(fs::read_dir(guard.join("outside")).unwrap().count(), 1);
}

#[test]
fn no_name_leads_through_a_link_or_out() {
    let (guard, folder) = temp();
    let outside = guard.path().join("outside");
    symlink(&outside, folder.path().join("folder")).unwrap();
    symlink(outside.join("file"), folder.path().join("file")).unwrap();
    symlink(outside.join("new"), folder.path().join("new")).unwrap();

    let error = folder.folder("folder").unwrap_err();
    assert!(error.source.to_string().contains("it is a link"), "{}", error.source);
    assert!(folder.folder_made("folder", 0o700).is_err());
    assert!(folder.folder_made("new", 0o700).is_err());
    assert!(folder.make("new", 0o700).is_err());
    assert_eq!(folder.read("file").unwrap(), None);
    assert!(!folder.has_file("file").unwrap());
    for name in ["file", "new"] {
        folder.write(name, "ours").unwrap();
        assert_eq!(folder.read(name).unwrap().as_deref(), Some("ours"));
        let mode = fs::symlink_metadata(folder.path().join(name)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    for name in ["", ".", "..", "../outside", "/etc", "a/b"] {
        assert!(folder.folder(name).is_err(), "{name}");
        assert!(folder.write(name, "").is_err(), "{name}");
        assert!(folder.remove(name).is_err(), "{name}");
    }
    folder.remove("folder").unwrap();
    untouched(guard.path());
}

#[test]
fn what_is_no_plain_file_is_not_read_and_keeps_nobody_waiting() {
    let (_guard, folder) = temp();
    let fifo = folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    fs::create_dir(folder.path().join("folder")).unwrap();
    fs::write(folder.path().join("long"), vec![b'x'; 1 << 20]).unwrap();
    for name in ["fifo", "folder", "long", "absent"] {
        assert_eq!(folder.read(name).unwrap(), None, "{name}");
    }
}

#[test]
fn a_folder_that_is_held_stays_the_same_when_a_link_takes_its_place() {
    let (guard, folder) = temp();
    fs::create_dir(folder.path().join("data")).unwrap();
    let data = folder.folder("data").unwrap().unwrap();
    let identity = data.identity().unwrap();
    fs::rename(folder.path().join("data"), folder.path().join("moved")).unwrap();
    symlink(guard.path().join("outside"), folder.path().join("data")).unwrap();
    data.write("note", "here").unwrap();
    data.make("made", 0o755).unwrap();
    data.give(None, 0o751).unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("moved/note")).unwrap(), "here");
    assert_eq!(data.identity().unwrap(), identity);
    if cfg!(target_os = "linux") {
        assert!(data.held_path().join("note").exists());
    }
    untouched(guard.path());
}

#[test]
fn a_tree_is_removed_with_its_links_and_not_what_they_lead_to() {
    let (guard, folder) = temp();
    let tree = folder.path().join("tree");
    fs::create_dir_all(tree.join("a/b/c")).unwrap();
    fs::write(tree.join("a/b/file"), "").unwrap();
    symlink(guard.path().join("outside"), tree.join("a/b/link")).unwrap();
    symlink(guard.path().join("outside/file"), tree.join("link")).unwrap();
    folder.remove("tree").unwrap();
    folder.remove("tree").unwrap();
    assert!(!tree.exists());
    untouched(guard.path());
}

#[test]
fn a_tree_that_is_deeper_than_handles_and_paths_reach_is_removed() {
    let (_guard, folder) = temp();
    folder.make("tree", 0o755).unwrap();
    let mut deep = folder.folder("tree").unwrap().unwrap();
    // As many as a process may have open, and a longer path than the system takes.
    for _ in 0..1500 {
        deep.make("ddd", 0o755).unwrap();
        deep = deep.folder("ddd").unwrap().unwrap();
    }
    drop(deep);
    folder.remove("tree").unwrap();
    assert_eq!(folder.entries().unwrap(), []);
}

/// Somebody exchanges a folder for a link to another one, again and again, while work is done in it.
#[test]
fn a_race_with_links_is_never_won() {
    let (guard, folder) = temp();
    let (outside, at) = (guard.path().join("outside"), folder.path().to_owned());
    fs::set_permissions(&outside, fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(at.join("data")).unwrap();
    symlink(&outside, at.join("link")).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let held = Folder::open(&at).unwrap();
                let _ = held.exchange("data", &held, "link");
            }
        });
        let (mut opened, mut refused) = (0, 0);
        for round in 0..20_000 {
            if opened > 50 && refused > 50 {
                break;
            }
            match folder.folder("data") {
                Ok(Some(data)) => {
                    opened += 1;
                    data.write("note", "x").unwrap();
                    data.make(&format!("made{round}"), 0o700).unwrap();
                    data.give(None, 0o700).unwrap();
                    data.remove("note").unwrap();
                }
                Ok(None) | Err(_) => refused += 1,
            }
        }
        over.store(true, Ordering::Relaxed);
        assert!(opened > 0 && refused > 0, "the race was not run: {opened} {refused}");
    });
    assert_eq!(fs::metadata(&outside).unwrap().mode() & 0o777, 0o755);
    untouched(guard.path());
}
