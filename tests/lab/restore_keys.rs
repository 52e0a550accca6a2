//! `restore` where a stack's scripts have keys to production: no container that runs code of the copy's sees them.

use std::fs;

use crate::world::{Plan, Upstream};

/// What lies beside the keys, under a name that the reader of modules' own files would read.
const BESIDE: &str = "UPDATE res_partner SET email = 'the keys were seen';\n";

#[test]
fn the_reader_of_modules_files_does_not_see_the_keys() {
    let upstream = Upstream::small();
    let shop = Plan::named("keys_unseen")
        .upstream(&upstream)
        .variable("RESTORE_SSH_DIR", "keys")
        .with_addons()
        .make();
    shop.write("keys/neutralize.sql", BESIDE);
    let overlays = r#"["base", "ports", "dev-mounts", "lab"]"#;
    shop.rewrite_manifest(overlays, r#"["base", "ports", "restore-ssh", "dev-mounts", "lab"]"#);
    let folder = format!("RESTORE_SSH_DIR='{}'\n", shop.path("keys").display());
    let env = fs::read_to_string(shop.path("secrets.env")).unwrap();
    shop.write("secrets.env", &env.replace("RESTORE_SSH_DIR='keys'\n", &folder));
    // Where the keys would be mounted, a module's file leads to what lies beside them.
    let file = shop.path("addons/lab_shop/data/neutralize.sql");
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/home/ubuntu/.ssh/neutralize.sql", &file).unwrap();

    shop.does(&["restore", "shop"]);
    let seen = "SELECT count(*) FROM res_partner WHERE email = 'the keys were seen'";
    assert_eq!(shop.sql(seen), "0");
    // The overlay is there for the scripts that need it.
    let mounts = shop.inspect("script-runner", "{{range .Mounts}}{{.Destination}} {{end}}");
    assert!(mounts.contains("/root/.ssh"), "{mounts}");
}
