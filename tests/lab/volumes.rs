//! Anonymous volumes: containers that are made anew or removed leave none behind, and what others left is told.

use std::collections::BTreeSet;
use std::process::Command;

use crate::world::{Estate, Plan, docker};

/// Volumes whose names Docker made, by the containers that have them.
fn volumes_of(shop: &Estate) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for service in ["web", "script-runner", "database"] {
        let Some(id) = shop.container(service) else { continue };
        let mounts = docker(&[
            "inspect",
            "--format",
            "{{range .Mounts}}{{if eq .Type \"volume\"}}{{.Name}}{{println}}{{end}}{{end}}",
            &id,
        ]);
        names.extend(mounts.split_whitespace().map(str::to_owned));
    }
    names
}

fn is_there(volume: &str) -> bool {
    let found = Command::new("docker")
        .args(["volume", "inspect", volume])
        .output()
        .unwrap();
    found.status.success()
}

#[test]
fn containers_that_go_leave_no_anonymous_volume() {
    let shop = Plan::named("volumes").make();
    shop.does(&["up", "shop"]);
    let first = volumes_of(&shop);
    assert!(!first.is_empty(), "the lab's image declares volumes");

    // Another environment makes the containers anew.
    shop.write_env(&[("ODOO_LOG_LEVEL", "debug")]);
    shop.does(&["up", "shop"]);
    shop.serves();
    let second = volumes_of(&shop);
    assert!(first.is_disjoint(&second), "the containers are others");
    let left: Vec<_> = first.iter().filter(|volume| is_there(volume)).collect();
    assert!(left.is_empty(), "{left:?}");

    shop.does(&["down", "shop"]);
    let left: Vec<_> = second.iter().filter(|volume| is_there(volume)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_a_run_that_was_ended_left_goes_with_the_next() {
    let shop = Plan::named("volumes-killed").make();
    shop.does(&["up", "shop"]);
    let first = volumes_of(&shop);
    // As if opw-task had been killed between compose and the sweep.
    docker(&["compose", "--project-name", &shop.project, "down"]);
    assert!(first.iter().any(|volume| is_there(volume)));
    // A volume that another container has got meanwhile stays.
    let used = first.iter().find(|volume| is_there(volume)).unwrap();
    let name = format!("{}-user", shop.project);
    docker(&[
        "create",
        "--name",
        &name,
        "--volume",
        &format!("{used}:/v"),
        "opw-task-lab/odoo:18.0",
        "true",
    ]);
    shop.does(&["up", "shop"]);
    let left: Vec<_> = first.iter().filter(|volume| is_there(volume)).collect();
    assert_eq!(left, [used]);
    docker(&["rm", "--force", "--volumes", &name]);
    shop.does(&["down", "shop"]);
    assert!(!is_there(used));
}

#[test]
fn what_earlier_versions_left_is_told_and_stays() {
    let shop = Plan::named("volumes-told").make();
    shop.does(&["up", "shop"]);
    // As an image whose configuration is in a volume leaves it, and one of somebody else's.
    let leave = |script: &str| {
        let name = format!("{}-left", shop.project);
        docker(&[
            "create",
            "--name",
            &name,
            "--user",
            "0",
            "--volume",
            "/left",
            "--entrypoint",
            "sh",
            "opw-task-lab/odoo:18.0",
            "-c",
            script,
        ]);
        docker(&["start", "--attach", &name]);
        let volume = docker(&[
            "inspect",
            "--format",
            "{{range .Mounts}}{{if eq .Destination \"/left\"}}{{.Name}}{{end}}{{end}}",
            &name,
        ]);
        let others = docker(&[
            "inspect",
            "--format",
            "{{range .Mounts}}{{if ne .Destination \"/left\"}}{{.Name}} {{end}}{{end}}",
            &name,
        ]);
        docker(&["rm", &name]);
        for other in others.split_whitespace() {
            docker(&["volume", "rm", other]);
        }
        volume
    };
    let config = leave("echo 'db_password = secret' > /left/_generated.conf");
    let addons = leave("mkdir -p /left/shop && echo '{}' > /left/shop/__manifest__.py");
    let theirs = leave("echo 1 > /left/dump.rdb");
    for command in ["status", "down"] {
        let ran = shop.does(&[command, "shop"]);
        let ran = ran.says(&["docker volume rm ", &config, &addons, "password"]);
        assert!(!ran.words().contains(&theirs));
        for volume in [&config, &addons, &theirs] {
            assert!(is_there(volume));
        }
    }
    docker(&["volume", "rm", &config, &addons, &theirs]);
}
