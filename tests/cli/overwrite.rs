//! What opw-task did not write it does not replace, and what it wrote keeps data where it is, until it is told otherwise.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::project::{Project, files_below};

const MANIFEST: &str = "[stacks.cloud]\ndeploy = \"coolify\"\nfiles = { \"out/coolify.yml\" = \"made.yml.j2\" }\n[stacks.local]\nstate-root = \"state\"\ndatabase = \"opw\"\nvars = { DOCKER_IMAGE = \"odoo\" }\nfiles = { \"out/coolify.yml\" = \"made.yml.j2\" }\n[tasks.render]\nrun = { render = {} }\n";

const MADE: &str = "services:\n  web: { volumes: [\"odoo-data:/volumes/data\"] }\n  database: { volumes: [\"database:/var/lib/postgresql/data\"] }\nvolumes: { odoo-data: , database: }\n";

/// As an estate had it before: bind mounts, whose folders come from the host's variables.
const THEIRS: &str = "# Deployed since January.\nservices:\n  web:\n    volumes:\n      - ${ODOO_DATA_HOST_DIR:?missing}:/volumes/data\n      - ${RESTORE_SSH_DIR:-/home/ubuntu/.ssh}:/root/.ssh:ro\n  database:\n    volumes:\n      - ${ODOO_DB_HOST_DIR:?missing}:/var/lib/postgresql/data\n";

const OUT: &str = "out/coolify.yml";

fn project() -> Project {
    Project::new(MANIFEST)
        .with("templates/made.yml.j2", MADE)
        .with(".env", "ODOO_DB_PASSWORD=CANARY\n")
}

/// The files of a folder that are kept under other names.
fn kept(project: &Project, folder: &str) -> Vec<String> {
    let files = files_below(&project.at(folder));
    let kept = files
        .iter()
        .filter(|path| path.display().to_string().contains(".kept-"));
    kept.map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn a_file_of_somebody_else_stops_everything_and_is_told() {
    let project = project().with(OUT, THEIRS);
    for stack in ["cloud", "local"] {
        let ran = project.run(&["render", stack]).ended(3);
        for said in [
            "out/coolify.yml was not written by opw-task",
            "begins: # Deployed since January.",
            "web /volumes/data: ${ODOO_DATA_HOST_DIR:?missing} there, odoo-data in what would be written",
            "database /var/lib/postgresql/data: ${ODOO_DB_HOST_DIR:?missing} there, database in what would be written",
            &format!("opw-task render {stack} --take-over HERE/out/coolify.yml"),
        ] {
            assert!(ran.err.contains(said), "{said}\nin\n{}", ran.err);
        }
        assert_eq!(project.read(OUT), THEIRS);
    }
    let in_state = files_below(&project.at("state"));
    assert!(
        in_state.iter().all(|path| path.ends_with(".opw-task.lock")),
        "{in_state:?}"
    );
    let told = project.run(&["render", "cloud", "--dry-run"]).ended(0);
    assert!(
        told.out.contains("stops before anything is written"),
        "{}",
        told.whole()
    );

    project.run(&["render", "cloud", "--take-over", OUT]).ended(0);
    assert!(project.read(OUT).starts_with(MADE));
    assert_eq!(kept(&project, "out"), [THEIRS]);
    // From now on it is ours, in every clone.
    let clone = self::project().with(OUT, &project.read(OUT).replace('\n', "\r\n"));
    clone.run(&["render", "cloud"]).ended(0);
    assert_eq!(clone.read(OUT), project.read(OUT));
    assert!(kept(&clone, "out").is_empty());
}

#[test]
fn what_is_no_compose_file_is_told_too() {
    for theirs in ["", "no: [", "{{ jinja }}\n", "\u{0}\u{1}"] {
        let project = project().with(OUT, theirs);
        project.run(&["render", "cloud"]).ended(3);
        assert_eq!(project.read(OUT), theirs);
    }
    let project = project();
    fs::create_dir(project.at("out")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", project.at(OUT)).unwrap();
    project.run(&["render", "cloud"]).ended(3);
    assert!(project.at(OUT).is_symlink());
}

#[test]
fn an_edit_by_hand_is_not_lost() {
    let project = project();
    project.run(&["render", "local"]).ended(0);
    for (path, line) in [
        (OUT, "x-mine: 1\n"),
        ("state/compose/base.yaml", "# mine\n"),
        ("state/.compose.env", "MINE=CANARY2\n"),
        ("state/config/odoo.conf", "mine = 1\n"),
    ] {
        let ours = project.read(path);
        for edited in [format!("{line}{ours}"), format!("{ours}{line}"), line.to_owned()] {
            fs::write(project.at(path), &edited).unwrap();
            let ran = project.run(&["render", "local"]).ended(3);
            assert!(ran.err.contains(path), "{}", ran.err);
            assert!(!ran.err.contains("CANARY"), "{}", ran.err);
            assert_eq!(project.read(path), edited);
        }
        let edited = project.read(path);
        let mode = project.mode(path);
        let at = project.at(path);
        project
            .run(&["render", "local", "--take-over", at.to_str().unwrap()])
            .ended(0);
        assert_eq!((project.read(path), project.mode(path)), (ours, mode));
        let folder = at.parent().unwrap();
        let kept: Vec<_> = files_below(folder)
            .into_iter()
            .filter(|file| {
                file.display()
                    .to_string()
                    .starts_with(&format!("{}.kept-", at.display()))
            })
            .collect();
        assert!(kept.iter().any(|file| fs::read_to_string(file).unwrap() == edited));
        for file in &kept {
            let kept_mode = fs::metadata(file).unwrap().permissions().mode() & 0o777;
            assert_eq!(kept_mode & !mode, 0, "{}", file.display());
        }
    }
}

#[test]
fn what_is_ours_and_deployed_keeps_its_data_where_it_is() {
    let project = project();
    project.run(&["render", "cloud"]).ended(0);
    let before = project.read(OUT);
    // Another text is written as ever; other data is not.
    let project = project.with("templates/made.yml.j2", &format!("# new\n{MADE}"));
    project.run(&["render", "cloud"]).ended(0);
    let renamed = MADE.replace("odoo-data", "shop-data");
    let project = project.with("templates/made.yml.j2", &renamed);
    let ran = project.run(&["render", "cloud"]).ended(3);
    for said in [
        "would keep data elsewhere",
        "web /volumes/data: odoo-data there, shop-data in what",
    ] {
        assert!(ran.err.contains(said), "{}", ran.err);
    }
    assert_eq!(
        project.read(OUT),
        format!("# new\n{before}").replace(&mark(&before), &mark(&project.read(OUT)))
    );
    project.run(&["render", "cloud", "--take-over", OUT]).ended(0);
    assert!(project.read(OUT).starts_with(&renamed));
}

fn mark(text: &str) -> String {
    text.lines().last().unwrap().to_owned()
}

/// Files as versions wrote them that set no mark.
#[test]
fn what_an_earlier_version_wrote_is_replaced_and_kept_where_it_differs() {
    let project = project();
    project.run(&["render", "local"]).ended(0);
    let without_marks = |path: &str| {
        let text = project.read(path);
        let body = text.trim_end().rsplit_once('\n').unwrap().0.to_owned() + "\n";
        fs::write(project.at(path), &body).unwrap();
    };
    let paths = [
        "state/compose/base.yaml",
        "state/compose/ports.yaml",
        "state/.compose.env",
        OUT,
    ];
    paths.iter().for_each(|path| without_marks(path));
    fs::remove_file(project.at("state/config/odoo.conf")).unwrap();
    project.run(&["render", "local"]).ended(0);
    assert!(kept(&project, "state").is_empty() && kept(&project, "out").is_empty());

    paths.iter().for_each(|path| without_marks(path));
    fs::remove_file(project.at("state/config/odoo.conf")).unwrap();
    let project = project.with("state/compose/ports.yaml", "services: {}\n");
    project.run(&["render", "local"]).ended(0);
    assert_eq!(kept(&project, "state"), ["services: {}\n"]);
}

#[test]
fn only_what_the_stack_uses_can_be_taken_over() {
    let project = project();
    for path in ["/etc", "out", "../x", "tasks.toml"] {
        let ran = project.run(&["render", "local", "--take-over", path]).ended(2);
        assert!(ran.err.contains("does not use"), "{}", ran.err);
    }
}
