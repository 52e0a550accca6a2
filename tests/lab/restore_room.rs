//! Room on the disk: a copy that does not fit is refused before anything is copied, what ended runs left goes as soon as room
//! is short, and `clear` works on a disk that is completely full.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;

use crate::world::{Estate, Plan, Running, Upstream, eventually};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(150);

/// A small disk of its own under a stack's state root. It goes after the estate.
struct Disk {
    at: PathBuf,
    image: PathBuf,
}

impl Disk {
    fn under(shop: &Estate, megabytes: u64) -> Self {
        let at = shop.path("state");
        let image = std::env::temp_dir().join(format!("{}.disk", shop.project));
        File::create(&image).unwrap().set_len(megabytes << 20).unwrap();
        fs::create_dir(&at).unwrap();
        run(Command::new("mkfs.ext4").args(["-q", "-m", "0"]).arg(&image));
        run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&at));
        // Nothing of what makes a folder look as if somebody else had it.
        fs::remove_dir(at.join("lost+found")).unwrap();
        Self { at, image }
    }

    fn free(&self) -> u64 {
        let facts = rustix::fs::statvfs(&self.at).unwrap();
        facts.f_bavail * facts.f_frsize
    }

    /// Leaves so much free, or nothing at all.
    fn fill(&self, leave: u64) {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(self.at.join("filling"))
            .unwrap();
        let mut step = 16 << 20;
        while step >= 4096 && self.free() > leave {
            let size = file.metadata().unwrap().len();
            let part = step.min(self.free() - leave).max(4096);
            if rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), size, part).is_err() {
                step /= 2;
            }
        }
        if leave == 0 {
            // What a file system keeps for its own tables.
            while file.write_all(&[1; 512]).is_ok() {}
        }
    }
}

/// A stack on a small disk. The stack goes first.
struct Small {
    shop: Estate,
    disk: Disk,
}

impl Small {
    fn make(plan: Plan, megabytes: u64) -> Self {
        let shop = plan.make();
        let disk = Disk::under(&shop, megabytes);
        Self { shop, disk }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
        let _ = fs::remove_file(&self.image);
        let _ = fs::remove_dir_all(self.at.parent().unwrap());
    }
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A row can be written into the live database.
#[track_caller]
fn can_write(shop: &Estate, key: &str) {
    shop.sql(&format!(
        "INSERT INTO ir_config_parameter (key, value) VALUES ('{key}', repeat('x', 100000))"
    ));
    shop.serves();
}

/// Waits until a restore is in the midst of its copy.
fn copies(shop: &Estate, run: &mut Running) {
    eventually("pg_restore is at work", SOON, || {
        assert!(!run.is_over(), "the run ended before its copy");
        let inside = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_restore'";
        (shop.sql_in("postgres", inside) != "0").then_some(())
    });
}

/// Kills a restore in the midst of its copy.
fn killed(shop: &Estate) {
    let mut run = shop.start(&["restore", "shop"]);
    let over = eventually("pg_restore is at work", SOON, || {
        let over = run.is_over();
        let inside = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_restore'";
        (over || shop.sql_in("postgres", inside) != "0").then_some(over)
    });
    assert!(!over, "the run ended before its copy: {}", run.end());
    run.signal(Signal::KILL);
    run.end();
    let copy = "SELECT count(*) FROM pg_database WHERE datname LIKE 'shop\\_\\_incoming%'";
    assert_eq!(shop.sql_in("postgres", copy), "1");
}

fn left(shop: &Estate) -> Vec<String> {
    let mut left = shop.databases();
    left.extend(shop.filestore_names());
    left.retain(|name| name.contains("__incoming") || name.contains("__retired"));
    left
}

#[test]
fn a_copy_that_does_not_fit_is_refused_with_the_numbers() {
    let small = Small::make(Plan::named("room-refused").upstream(&Upstream::small()), 420);
    let Small { shop, disk } = &small;
    shop.does(&["restore", "shop"]);
    disk.fill(45 << 20);
    let rows = "SELECT count(*) FROM pg_stat_database WHERE datname LIKE '%incoming%'";
    let run = shop.run(&["restore", "shop"]).code(3);
    let run = run.says(&["no room", "MB free", "MB needed", "write-ahead log", "clear shop"]);
    assert_eq!(shop.sql_in("postgres", rows), "0", "{run}");
    assert_eq!(left(shop), Vec::<String>::new(), "{run}");
    can_write(shop, "test.after");

    // With the room back it goes through; the pair that it keeps can be cleared, and nothing else is.
    fs::remove_file(disk.at.join("filling")).unwrap();
    shop.does(&["restore", "shop"]);
    assert_eq!(shop.databases(), ["shop", "shop__previous"]);
    let run = shop.does(&["clear", "shop"]).says(&["nothing was left"]);
    assert_eq!(shop.databases(), ["shop", "shop__previous"], "{run}");
    let run = shop
        .does(&["clear", "shop", "--previous"])
        .says(&["shop__previous", "MB", "removed"]);
    assert_eq!(shop.databases(), ["shop"], "{run}");
    assert_eq!(shop.filestore_names(), ["shop"], "{run}");
    shop.serves();
    shop.run(&["rollback", "shop"]).code(3);
    shop.serves();
}

#[test]
fn on_a_full_disk_what_ended_runs_left_can_be_cleared() {
    let small = Small::make(Plan::named("room-full").upstream(&Upstream::slow()), 900);
    let Small { shop, disk } = &small;
    shop.does(&["restore", "shop"]);

    // By hand, completely full.
    killed(shop);
    disk.fill(0);
    assert_eq!(disk.free(), 0);
    fs::write(shop.path("state/compose/.new.abcdef"), "").unwrap();
    let run = shop
        .does(&["clear", "shop"])
        .says(&["shop__incoming_", "MB", "removed"]);
    assert_eq!(left(shop), Vec::<String>::new(), "{run}");
    assert!(!shop.path("state/compose/.new.abcdef").exists(), "{run}");
    assert!(disk.free() > 10 << 20, "{run}");
    can_write(shop, "test.by-hand");

    // By itself, before anything is written.
    fs::remove_file(disk.at.join("filling")).unwrap();
    killed(shop);
    disk.fill(0);
    let run = shop.does(&["up", "shop"]);
    assert_eq!(left(shop), Vec::<String>::new(), "{run}");
    can_write(shop, "test.by-itself");
}

#[test]
fn a_disk_that_others_fill_meanwhile_ends_the_copy_and_not_what_serves() {
    let small = Small::make(Plan::named("room-meanwhile").upstream(&Upstream::slow()), 600);
    let Small { shop, disk } = &small;
    shop.does(&["restore", "shop"]);
    // With nothing left PostgreSQL cannot write its log and restarts, perhaps before anybody can look.
    for leave in [12 << 20, 0] {
        let mut run = shop.start(&["restore", "shop"]);
        copies(shop, &mut run);
        disk.fill(leave);
        let run = run.end().code(1).says(&["was about to run full or ran full"]);
        assert_eq!(left(shop), Vec::<String>::new(), "{run}");
        can_write(shop, &format!("test.meanwhile-{leave}"));
        fs::remove_file(disk.at.join("filling")).unwrap();
    }
}

#[test]
fn what_a_failed_run_made_is_removed_at_its_end() {
    let shop = Plan::named("room-failed")
        .upstream(&Upstream::small())
        .with_addons()
        .make();
    shop.does(&["restore", "shop"]);
    let run = shop
        .run(&["restore", "shop", "--set", "ODOO_UPDATE_MODULES=lab_broken"])
        .code(1);
    assert_eq!(left(&shop), Vec::<String>::new(), "{run}");
    let logins = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'opw_task%' AND (rolcanlogin OR rolsuper)";
    assert_eq!(shop.sql(logins), "", "{run}");
    shop.serves();
}
