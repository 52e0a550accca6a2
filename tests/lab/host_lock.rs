//! The lock of a stack lies on its host: it holds against runs there and against runs from every other machine.

use std::fs;
use std::time::Duration;

use crate::world::laptop::Laptop;
use crate::world::{Plan, Sshd, Upstream, eventually, processes_with, signal};
use rustix::process::Signal;

#[test]
fn a_restore_on_the_host_and_commands_from_a_laptop_exclude_each_other() {
    let sshd = Sshd::start();
    let shop = Plan::named("lock").upstream(&Upstream::slow()).make();
    let laptop = Laptop::of(&shop, &sshd);
    shop.does(&["up", "shop"]);
    let web = shop.container("web");

    let restore = shop.start(&["restore", "shop"]);
    eventually("the restore copies", Duration::from_secs(60), || {
        shop.databases()
            .iter()
            .any(|name| name.contains("__incoming_"))
            .then_some(())
    });
    let holder = format!("process {}", restore.pid());
    for words in [&["down", "shop"][..], &["up", "shop"], &["render", "shop"]] {
        laptop.run(words).code(3).says(&[
            "another run",
            "restore shop",
            &holder,
            " since 20",
            ".opw-task.lock on ssh://",
        ]);
    }
    assert_eq!(shop.container("web"), web, "nothing was taken down");
    // Who only looks needs no lock.
    laptop.run(&["ps", "shop"]).code(0);
    restore.end().code(0);
    shop.serves();
    // And it is free again, for a run that leaves it free.
    laptop.run(&["render", "shop"]).code(0);
    shop.does(&["render", "shop"]);
}

#[test]
fn a_laptop_that_holds_the_lock_is_named_and_what_it_left_at_work_too() {
    let sshd = Sshd::start();
    let shop = Plan::named("lockfar")
        .manifest("[tasks.long]\nrun = { compose = [\"exec\", \"-T\", \"script-runner\", \"sh\", \"-c\", \"echo begun > /tmp/begun; sleep 7071\"] }\n")
        .make();
    let laptop = Laptop::of(&shop, &sshd);
    laptop.run(&["up", "shop"]).code(0);
    shop.serves();
    let begun = || {
        let id = shop.container("script-runner").unwrap();
        let looked = std::process::Command::new("docker")
            .args(["exec", &id, "cat", "/tmp/begun"])
            .output();
        looked.unwrap().status.success().then_some(())
    };

    let long = laptop.start(&["long", "shop"]);
    eventually("it is at work", Duration::from_secs(30), begun);
    let holder = format!("process {}", long.pid());
    for refused in [shop.run(&["down", "shop"]), laptop.run(&["down", "shop"])] {
        refused.code(3).says(&[
            "another run",
            &holder,
            "long shop",
            "logged in there as root from 127.0.0.1",
        ]);
    }

    // The laptop dies. What it began on the host is not cut off, and the stack is nobody else's until it has ended.
    long.signal(Signal::KILL);
    long.end();
    let refused = eventually("the dead laptop's lock is gone", Duration::from_secs(20), || {
        let run = shop.run(&["down", "shop"]);
        run.words().contains("still at work").then_some(run)
    });
    refused.code(3).says(&["exec -T script-runner", "long shop"]);
    laptop
        .run(&["down", "shop"])
        .code(3)
        .says(&["still at work", "exec -T script-runner"]);
    assert!(shop.container("web").is_some());
    let mut at_work = processes_with(&["sleep 7071"]);
    at_work.retain(|(_, line)| line.starts_with("sleep"));
    assert_eq!(at_work.len(), 1, "{at_work:?}");
    signal(at_work[0].0, Signal::TERM);
    eventually("it has ended", Duration::from_secs(20), || {
        (shop.run(&["down", "shop"]).code == Some(0)).then_some(())
    });
    assert!(shop.containers().is_empty(), "{:?}", shop.containers());
}

#[test]
fn a_lock_that_is_lost_ends_the_run() {
    let sshd = Sshd::start();
    let shop = Plan::named("locklost")
        .manifest("[tasks.wait]\nneeds = [\"render\"]\nrun = { shell = \"sleep 60\" }\n")
        .make();
    let laptop = Laptop::of(&shop, &sshd);
    let waiting = laptop.start(&["wait", "shop"]);
    eventually("it waits", Duration::from_secs(30), || {
        fs::read_to_string(shop.path("state/.opw-task.lock"))
            .ok()?
            .contains("wait shop")
            .then_some(())
    });
    eventually("its files are rendered", Duration::from_secs(30), || {
        (shop.path("state/.compose.env").exists() && !processes_with(&["sleep 60"]).is_empty()).then_some(())
    });
    sshd.cut();
    waiting.end().code(1).says(&["lock of stack `shop`", "was lost"]);
    shop.does(&["render", "shop"]);
}

#[test]
fn machines_without_flock_lock_by_other_means() {
    for hidden in [["flock", "python3"], ["flock", "perl"]] {
        let programs = programs_but(&hidden);
        let path = programs.path().display();
        let sshd = Sshd::start_with(&format!(
            r#"command="PATH={path}; export PATH; eval \"$SSH_ORIGINAL_COMMAND\"""#
        ));
        let shop = Plan::named("noflock")
            .manifest("[tasks.wait]\nneeds = [\"render\"]\nrun = { shell = \"sleep 60\" }\n")
            .make();
        let laptop = Laptop::of(&shop, &sshd);
        let waiting = laptop.start(&["wait", "shop"]);
        eventually("it holds the lock", Duration::from_secs(30), || {
            fs::read_to_string(shop.path("state/.opw-task.lock"))
                .ok()?
                .contains("wait shop")
                .then_some(())
        });
        shop.run(&["render", "shop"]).code(3).says(&["wait shop"]);
        laptop.run(&["render", "shop"]).code(3).says(&["wait shop"]);
        waiting.signal(Signal::INT);
        waiting.end().code(130);
        laptop.run(&["render", "shop"]).code(0);
    }
}

/// A folder with links to all programs of this machine but these.
fn programs_but(hidden: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for bin in ["/usr/bin", "/bin", "/usr/sbin"] {
        for program in fs::read_dir(bin).unwrap().flatten() {
            let (name, link) = (program.file_name(), folder.path().join(program.file_name()));
            if !hidden.iter().any(|hidden| name == *hidden) && !link.exists() {
                let _ = std::os::unix::fs::symlink(program.path(), link);
            }
        }
    }
    folder
}

#[test]
fn a_swap_that_was_cut_off_on_the_host_keeps_the_web_down_from_everywhere() {
    let sshd = Sshd::start();
    let shop = Plan::named("swapfar")
        .manifest("[tasks.again]\nrun = { compose = [\"--progress\", \"plain\", \"restart\", \"web\"] }\n")
        .make();
    let laptop = Laptop::of(&shop, &sshd);
    shop.does(&["up", "shop"]);
    shop.does(&["down", "shop"]);
    // The note that such a run leaves.
    fs::write(shop.filestores().join(".shop__retired_opw-task-swap"), "").unwrap();
    for words in [["up", "shop"], ["again", "shop"]] {
        laptop.run(&words).code(3).says(&[
            "a swap of stack `shop` was cut off",
            "opw-task up shop --here",
            "ssh -t -p",
        ]);
        assert!(shop.containers().is_empty(), "{:?}", shop.containers());
    }
    // The line that was named, on the host.
    laptop.run(&["up", "shop", "--here"]).code(0);
    shop.serves();
    laptop.run(&["again", "shop"]).code(0);
}

#[test]
fn another_checkout_cannot_take_a_project_over() {
    let sshd = Sshd::start();
    let shop = Plan::named("taken").make();
    shop.does(&["up", "shop"]);
    let before = shop.containers();
    let ids = || ["database", "web", "script-runner"].map(|service| shop.container(service).unwrap());
    let was = ids();

    // Another checkout, with a state root of its own and the same project.
    let other = Plan::named("taker").manifest(&sshd.manifest()).make();
    other.rewrite_manifest(&format!("\"{}\"", other.project), &format!("\"{}\"", shop.project));
    let root = shop.path("state").display().to_string();
    for words in [["up", "shop"], ["down", "shop"]] {
        let name = format!("{}-web-1", shop.project);
        other.run(&words).code(3).says(&[
            "another state root",
            &name,
            "running",
            &format!("state-root = \"{root}\""),
        ]);
    }
    other.rewrite_manifest("[stacks.shop]", "[stacks.shop]\nhost = \"node\"");
    other.run(&["down", "shop"]).code(3).says(&["another state root"]);
    assert_eq!((shop.containers(), ids()), (before, was));
    shop.serves();

    // The same state root under another name is the same.
    std::os::unix::fs::symlink(shop.path("."), other.path("shop")).unwrap();
    let through = other.path("shop/state").display().to_string();
    other.rewrite_manifest("state-root = \"state\"", &format!("state-root = \"{through}\""));
    other.run(&["down", "shop"]).code(0);
    assert!(shop.containers().is_empty());
}
