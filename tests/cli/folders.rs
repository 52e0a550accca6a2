//! A stack's folders: none of somebody else's is worked in, and none begins empty where the data lies in another.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use crate::project::{Project, files_below};

const TASKS: &str = "[tasks.render]\nrun = { render = {} }\n[tasks.state-root]\nrun = { state-root = {} }\n[tasks.up]\nneeds = [\"render\", \"state-root\"]\n";

fn project(stack: &str) -> Project {
    Project::new(&format!(
        "[stacks.local]\ndatabase = \"opw\"\nvars.DOCKER_IMAGE = \"odoo\"\n{stack}\n{TASKS}"
    ))
    .with(".env", "ODOO_DB_PASSWORD=secret\n")
}

/// All files and folders of a folder with modes and times of change, and its own.
fn state_of(folder: &Path) -> Vec<String> {
    let fact = |path: &Path| {
        let found = fs::symlink_metadata(path).unwrap();
        format!("{} {:o} {} {}", path.display(), found.mode(), found.uid(), found.len())
    };
    let files = files_below(folder);
    files
        .iter()
        .map(|path| path.as_path())
        .chain([folder])
        .map(fact)
        .collect()
}

#[test]
fn folders_of_the_system_and_homes_are_refused() {
    for (root, why) in [
        ("/etc", "the system's"),
        ("/", "the system's"),
        ("/opt", "the system's"),
        ("/usr/../etc", "the system's"),
        ("home", "somebody's home"),
        (".", "holds the checkout"),
        ("link", "the system's"),
    ] {
        for variable in [
            "ODOO_STATE_ROOT",
            "ODOO_DATA_HOST_DIR",
            "ODOO_DB_HOST_DIR",
            "ODOO_LOG_HOST_DIR",
        ] {
            let project = project(&format!("state-root = \"state\"\nvars.{variable} = \"{root}\""));
            let project = match variable {
                "ODOO_STATE_ROOT" => self::project(&format!("state-root = \"{root}\"")),
                _ => project,
            };
            symlink("/etc", project.at("link")).unwrap();
            let before = fs::metadata("/etc").unwrap().mode();
            for task in ["render", "up"] {
                let ran = project.run(&[task, "local"]).ended(3);
                assert!(ran.err.contains(why), "{root}: {}", ran.err);
                assert!(ran.err.contains(variable), "{root}: {}", ran.err);
            }
            assert_eq!(fs::metadata("/etc").unwrap().mode(), before);
            assert!(!project.at("state").exists() && !Path::new("/etc/.opw-task.lock").exists());
        }
    }
}

#[test]
fn a_folder_that_is_not_empty_and_not_ours_stays_as_it_is() {
    let project = project("state-root = \"theirs\"")
        .with("theirs/accounts.db", "1")
        .with("theirs/.profile", "2");
    fs::set_permissions(project.at("theirs"), fs::Permissions::from_mode(0o770)).unwrap();
    let before = state_of(&project.at("theirs"));
    for task in ["render", "up", "state-root"] {
        let ran = project.run(&[task, "local"]).ended(3);
        for said in [
            "HERE/theirs is not empty",
            "accounts.db",
            ".profile",
            &format!("opw-task {task} local --take-over HERE/theirs"),
        ] {
            assert!(ran.err.contains(said), "{said}\nin\n{}", ran.err);
        }
        assert_eq!(state_of(&project.at("theirs")), before);
    }
    project.run(&["up", "local", "--take-over", "theirs"]).ended(0);
    assert_eq!(
        project.mode("theirs"),
        0o770,
        "a folder's mode is set only when it is made"
    );
    assert_eq!(project.read("theirs/accounts.db"), "1");
    project.run(&["up", "local"]).ended(0);
}

#[test]
fn what_is_absent_or_empty_or_ours_is_worked_in() {
    let project = project("state-root = \"state\"");
    project.run(&["up", "local"]).ended(0);
    assert_eq!(project.mode("state"), 0o711);
    fs::remove_dir_all(project.at("state")).unwrap();
    fs::create_dir(project.at("state")).unwrap();
    fs::set_permissions(project.at("state"), fs::Permissions::from_mode(0o750)).unwrap();
    project.run(&["up", "local"]).ended(0);
    assert_eq!(project.mode("state"), 0o750);
    // Disks were mounted in it before the stack began.
    fs::remove_dir_all(project.at("state")).unwrap();
    for name in ["filestore", "postgres", "lost+found"] {
        fs::create_dir_all(project.at("state").join(name)).unwrap();
    }
    project.run(&["up", "local"]).ended(0);
    // As versions left it that noted nothing of themselves: on this machine, and over ssh.
    for kept in [&[".opw-task.lock"][..], &[".compose.env"], &["compose/base.yaml"]] {
        for name in [".opw-task", ".opw-task.lock", ".compose.env", "compose/base.yaml"] {
            if !kept.contains(&name) {
                let path = project.at("state").join(name);
                let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
            }
        }
        project.run(&["up", "local"]).ended(0);
    }
}

/// A file of a filestore.
const FILE: &str = "aa/aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d";

/// Makes folders as PostgreSQL and Odoo leave them.
fn lay_out(project: &Project, clusters: &[&str], filestores: &[&str]) {
    for path in clusters {
        fs::create_dir_all(project.at(path).join("base/16")).unwrap();
        fs::write(project.at(path).join("PG_VERSION"), "17\n").unwrap();
    }
    for path in filestores {
        fs::create_dir_all(project.at(path).join("aa")).unwrap();
        fs::write(project.at(path).join(FILE), "x").unwrap();
    }
}

#[test]
fn data_in_another_layout_is_told_with_the_lines_that_take_it_over() {
    // Where it lies, and where the lines must bring it.
    for (cluster, filestore) in [
        ("state/postgres", "state/data/filestore/opw"),
        ("state/postgres", "state/filestore/opw"),
        ("state/postgres", "state/filestore"),
        ("state/postgres", "state/filestore/filestore"),
        ("state/pgdata", "state/filestore/filestore/opw"),
        ("state/postgres/data", "state/filestore/filestore/opw"),
        ("state/db/17/docker", "state/opw"),
    ] {
        for is_ours in [true, false] {
            let project = project("state-root = \"state\"");
            lay_out(&project, &[cluster], &[filestore]);
            if is_ours {
                fs::write(project.at("state/.opw-task.lock"), "").unwrap();
            }
            let before = files_below(&project.at("state"));
            let ran = project.run(&["up", "local"]).ended(3);
            assert_eq!(files_below(&project.at("state")), before);
            let lines: Vec<&str> = ran
                .err
                .lines()
                .filter_map(|line| line.split_once("stopped: "))
                .map(|(_, line)| line)
                .collect();
            assert_eq!(
                lines.len(),
                usize::from(cluster != "state/postgres") + usize::from(filestore != "state/filestore/filestore/opw"),
                "{}",
                ran.err
            );
            let here = project.at("").canonicalize().unwrap().display().to_string();
            for line in lines {
                let line = line.replace("HERE", &here);
                let moved = std::process::Command::new("sh").args(["-euc", &line]).output().unwrap();
                assert!(moved.status.success(), "{line}: {moved:?}");
            }
            for path in [
                "state/postgres/PG_VERSION",
                &format!("state/filestore/filestore/opw/{FILE}"),
            ] {
                assert!(project.at(path).is_file(), "{cluster} {filestore}: {path}\n{}", ran.err);
            }
            if !is_ours {
                project.run(&["up", "local"]).ended(3);
                project.run(&["up", "local", "--take-over", "state"]).ended(0);
            }
            project.run(&["up", "local"]).ended(0);
        }
    }
}

/// Odoo keeps sessions in folders of two letters, and a stack that has none of its files yet is none whose data is elsewhere.
#[test]
fn sessions_are_no_filestore() {
    let project = project("state-root = \"state\"").with("state/.opw-task.lock", "");
    lay_out(&project, &["state/postgres"], &[]);
    fs::create_dir_all(project.at("state/filestore/sessions/ab")).unwrap();
    fs::write(project.at("state/filestore/sessions/ab/ab0123"), "x").unwrap();
    project.run(&["up", "local"]).ended(0);
}

#[test]
fn a_variable_that_says_where_the_data_lies_is_enough() {
    let project = project("state-root = \"state\"\nvars.ODOO_DATA_HOST_DIR = \"state/data\"");
    lay_out(&project, &["state/postgres"], &["state/data/filestore/opw"]);
    project.run(&["up", "local", "--take-over", "state"]).ended(0);
    assert!(!project.at("state/filestore").exists());
}

#[test]
fn a_stack_that_would_look_elsewhere_than_last_time_stops() {
    let project =
        project("state-root = \"state\"\nvars.ODOO_DATA_HOST_DIR = \"far/files\"\nvars.ODOO_DB_HOST_DIR = \"far/pg\"");
    project.run(&["up", "local"]).ended(0);
    lay_out(&project, &["far/pg"], &["far/files/filestore/opw"]);
    project.run(&["up", "local"]).ended(0);
    let manifest = project.read("tasks.toml");
    let project = project.with("tasks.toml", &manifest.replace("vars.ODOO", "# vars.ODOO"));
    let ran = project.run(&["up", "local"]).ended(3);
    for said in [
        "HERE/far/pg",
        "ODOO_DB_HOST_DIR = \"HERE/far/pg\"",
        "ODOO_DATA_HOST_DIR = \"HERE/far/files\"",
    ] {
        assert!(ran.err.contains(said), "{said}\nin\n{}", ran.err);
    }
}

const MOUNTS: &str = "state-root = \"state\"\noverlays = [\"base\", \"dev-mounts\"]\n";

#[test]
fn addons_from_outside_of_the_checkout_are_mounted_only_where_they_are_named() {
    for (named, why) in [
        ("/etc", "lies outside of the checkout"),
        ("../elsewhere", "leads out of the checkout"),
        ("addons/../../elsewhere", "leads out of the checkout"),
        ("addons,/srv/addons", "lies outside of the checkout"),
        (".", "is the whole checkout"),
        ("data", "would hide a folder"),
        ("addons,addons/", "would be mounted where another one is"),
        ("HERE/../elsewhere", "leads out of the checkout"),
    ] {
        let project = project(MOUNTS);
        let here = project.at("").canonicalize().unwrap();
        let named = named.replace("HERE", here.to_str().unwrap());
        for arguments in [&["render", "local"][..], &["render", "local", "--dry-run"]] {
            let set = format!("LOCAL_ADDONS_DIRS={named}");
            let ran = project.run(&[arguments, &["--set", &set]].concat()).ended(3);
            for said in [why, "it comes from --set", "mounts-outside = "] {
                assert!(ran.err.contains(said), "{said}\nin\n{}", ran.err);
            }
        }
        assert!(!project.at("state/compose").exists());
    }
}

#[test]
fn addons_of_the_checkout_and_named_ones_are_mounted() {
    let project = project(&format!(
        "{MOUNTS}mounts-outside = [\"/usr/share\"]\nvars.LOCAL_ADDONS_DIRS = \"addons, more/addons:/volumes/addons/opw:/volumes/enterprise,/usr/share/doc\""
    ))
    .with("addons/opw/x", "");
    project.run(&["render", "local"]).ended(0);
    let overlay = project.read("state/compose/dev-mounts.yaml");
    let mounts: Vec<&str> = overlay.lines().filter_map(|line| line.strip_prefix("  - ")).collect();
    let here = project.at("").to_str().unwrap().trim_end_matches('/').to_owned();
    let targets: Vec<String> = mounts.iter().map(|mount| mount.replace(&here, "HERE")).collect();
    assert_eq!(
        targets,
        [
            "\"HERE/addons:/volumes/addons\"",
            "\"HERE/more/addons:/volumes/more/addons\"",
            "\"HERE/addons/opw:/volumes/addons/opw\"",
            "\"/usr/share/doc:/volumes/doc\""
        ]
    );
}

#[test]
fn a_link_that_leads_out_of_the_checkout_is_seen() {
    let project = project(MOUNTS);
    symlink("/etc", project.at("addons")).unwrap();
    let ran = project.run(&["render", "local"]).ended(3);
    assert!(ran.err.contains("leads out of the checkout, to /etc"), "{}", ran.err);
    assert!(ran.err.contains("mounts-outside = [\"/etc\"]"), "{}", ran.err);
    // Another folder of the checkout is none of these.
    fs::remove_file(project.at("addons")).unwrap();
    fs::create_dir(project.at("real")).unwrap();
    symlink("real", project.at("addons")).unwrap();
    project.run(&["render", "local"]).ended(0);
}
