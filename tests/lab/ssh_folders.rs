//! Folders and rendered files of a stack on another host: looked at there before anything is written.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::project::{Project, files_below};
use crate::world::Sshd;

fn project(sshd: &Sshd) -> Project {
    let (there, port) = (sshd.path("there"), sshd.port);
    Project::new(&format!(
        "[hosts.there]\nssh = \"ssh://127.0.0.1:{port}\"\nidentity = \"{}\"\nknown-hosts = \"{}\"\n\
         [stacks.far]\nhost = \"there\"\npath = \"{there}/checkout\"\nstate-root = \"{there}/state\"\ndatabase = \"opw\"\nvars.DOCKER_IMAGE = \"odoo\"\n\
         [tasks.render]\nrun = {{ render = {{}} }}\n[tasks.state-root]\nrun = {{ state-root = {{}} }}\n[tasks.up]\nneeds = [\"render\", \"state-root\"]\n",
        sshd.path("key"),
        sshd.path("known_hosts"),
    ))
    .with(".env", "ODOO_DB_PASSWORD=secret\n")
}

#[test]
fn a_folder_of_somebody_else_is_refused_there_too() {
    let sshd = Sshd::start();
    let project = project(&sshd);
    let state = sshd.path("there/state");
    fs::create_dir_all(&state).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o770)).unwrap();
    fs::write(state.join("accounts.db"), "1").unwrap();
    let ran = project.run(&["up", "far"]).ended(3);
    assert!(
        ran.err.contains("is not empty") && ran.err.contains("accounts.db"),
        "{}",
        ran.err
    );
    assert_eq!(files_below(state.as_std_path()).len(), 1);
    assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o7777, 0o770);
    for root in ["/etc", "/opt"] {
        project
            .run(&["up", "far", "--set", &format!("ODOO_STATE_ROOT={root}")])
            .ended(3);
    }
    let home = std::env::var("HOME").unwrap();
    project
        .run(&["up", "far", "--set", &format!("ODOO_STATE_ROOT={home}")])
        .ended(3);

    fs::create_dir_all(state.join("pgdata")).unwrap();
    fs::write(state.join("pgdata/PG_VERSION"), "17\n").unwrap();
    let ran = project.run(&["up", "far"]).ended(3);
    assert!(
        ran.err
            .contains(&format!("vars = {{ ODOO_DB_HOST_DIR = \"{state}/pgdata\" }}")),
        "{}",
        ran.err
    );
}

#[test]
fn files_in_the_way_are_read_and_kept_there() {
    let sshd = Sshd::start();
    let project = project(&sshd);
    let state = sshd.path("there/state");
    project.run(&["up", "far"]).ended(0);
    assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o7777, 0o711);
    project.run(&["up", "far"]).ended(0);

    let file = state.join("compose/base.yaml");
    let ours = fs::read_to_string(&file).unwrap();
    let edited = format!("# mine: $HOME `id` ü\n\n{ours}\n\n");
    fs::write(&file, &edited).unwrap();
    let ran = project.run(&["up", "far"]).ended(3);
    assert!(ran.err.contains("changed by hand"), "{}", ran.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), edited);
    project.run(&["render", "far", "--take-over", file.as_str()]).ended(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), ours);
    let kept = files_below(state.join("compose").as_std_path());
    let kept: Vec<_> = kept
        .iter()
        .filter(|path| path.display().to_string().contains("base.yaml.kept-"))
        .collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(fs::read_to_string(kept[0]).unwrap(), edited);
}
