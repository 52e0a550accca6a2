//! A copy of the filestore is proven before it goes live, and the way back is told and gone.

use std::fs;

use crate::world::{Estate, Plan, Upstream, docker};

/// Runs a script in the upstream's filestore.
fn upstream_does(upstream: &Upstream, script: &str) {
    let script = format!("cd {} && {script}", upstream.filestore());
    docker(&["exec", "opw-task-lab-upstream", "sh", "-euc", &script]);
}

#[track_caller]
fn the_old_pair_serves(shop: &Estate) {
    shop.serves();
    let generation = "SELECT value FROM ir_config_parameter WHERE key = 'test.generation'";
    assert_eq!(shop.sql(generation), "first");
}

#[test]
fn a_copy_that_lacks_its_files_does_not_go_live() {
    let upstream = Upstream::own("proof");
    let shop = Plan::named("proof").upstream(&upstream).make();
    shop.does(&["restore", "shop"]);
    shop.sql("INSERT INTO ir_config_parameter (key, value) VALUES ('test.generation', 'first')");
    let right = fs::read_to_string(shop.path("tasks.toml")).unwrap();
    let path = upstream.filestore();

    // One level too high.
    shop.rewrite_manifest(&format!("\"{path}\""), "\"/opt/odoo/local_data/filestore\"");
    shop.run(&["restore", "shop"]).code(3).says(&[
        "20 of 20 files that attachments name are not in the copy",
        "one level too high",
        &format!("filestore = \"{path}\""),
    ]);
    the_old_pair_serves(&shop);
    shop.write("tasks.toml", &right);

    // A folder with nothing in it.
    upstream_does(
        &upstream,
        "mkdir ../t_own_proof_empty && chown odoo: ../t_own_proof_empty",
    );
    shop.rewrite_manifest(&format!("\"{path}\""), &format!("\"{path}_empty\""));
    shop.run(&["restore", "shop"])
        .code(3)
        .says(&["20 of 20", "nothing came from"]);
    the_old_pair_serves(&shop);
    shop.write("tasks.toml", &right);

    // Folders that are links to another disk.
    upstream_does(
        &upstream,
        "mkdir ../t_own_proof_empty/d; for d in ??; do mv $d ../t_own_proof_empty/d/; ln -s ../t_own_proof_empty/d/$d $d; done",
    );
    shop.run(&["restore", "shop"])
        .code(3)
        .says(&["20 of 20", "links or other special files"]);
    the_old_pair_serves(&shop);
    upstream_does(
        &upstream,
        "for d in ??; do rm $d; mv ../t_own_proof_empty/d/$d .; done; rm -r ../t_own_proof_empty",
    );

    // Some files are gone, one is cut short.
    upstream_does(
        &upstream,
        "find ?? -type f | sort > /tmp/t_own_proof; for f in $(head -n 5 /tmp/t_own_proof); do rm $f; done; \
         f=$(sed -n 6p /tmp/t_own_proof); truncate -s 7 $f; rm /tmp/t_own_proof",
    );
    // What is live has them all, and would lend them.
    let live = shop.filestores().join("shop");
    for folder in fs::read_dir(&live).unwrap().flatten() {
        if folder.file_name().len() == 2 {
            fs::rename(folder.path(), shop.path("away").join(folder.file_name())).unwrap_or_else(|_| {
                fs::create_dir(shop.path("away")).unwrap();
                fs::rename(folder.path(), shop.path("away").join(folder.file_name())).unwrap();
            });
        }
    }
    shop.run(&["restore", "shop"])
        .code(3)
        .says(&["6 of 20", "with other contents than their name says"]);
    for folder in fs::read_dir(shop.path("away")).unwrap().flatten() {
        fs::rename(folder.path(), live.join(folder.file_name())).unwrap();
    }
    the_old_pair_serves(&shop);

    // That is what production is like, somebody says.
    shop.write(
        "tasks.toml",
        &right.replace("[stacks.shop]", "[stacks.shop]\nmissing-files = \"6\""),
    );
    let health = "\n[tasks.health]\nabout = \"A short one\"\nafter = [\"start\", \"switch-back\"]\nrun = { health = { timeout = 20 } }\n";
    let text = fs::read_to_string(shop.path("tasks.toml")).unwrap();
    shop.write("tasks.toml", &format!("{text}{health}"));
    // The stand-in's page needs its files. (The live one still has them all.)
    for folder in fs::read_dir(&live).unwrap().flatten() {
        if folder.file_name().len() == 2 {
            let _ = fs::rename(folder.path(), shop.path("away").join(folder.file_name()));
        }
    }
    shop.run(&["restore", "shop"])
        .code(1)
        .says(&["6 of 20", "`opw-task rollback shop` puts them back"]);
    let previous = shop.filestores().join("shop__previous");
    for folder in fs::read_dir(shop.path("away")).unwrap().flatten() {
        fs::rename(folder.path(), previous.join(folder.file_name())).unwrap();
    }
    shop.does(&["rollback", "shop"]);
    the_old_pair_serves(&shop);
    upstream.drop();
}

#[test]
fn what_fails_after_the_swap_is_rolled_back_where_that_is_wished() {
    let upstream = Upstream::own("back");
    let shop = Plan::named("back").upstream(&upstream).make();
    shop.rewrite_manifest(
        "[stacks.shop]",
        "[tasks.health]\nafter = [\"start\", \"switch-back\"]\nrun = { health = { timeout = 15 } }\n\n[stacks.shop]",
    );
    shop.does(&["restore", "shop"]);
    shop.sql("INSERT INTO ir_config_parameter (key, value) VALUES ('test.generation', 'first')");
    // Few enough to be tolerated, and the stand-in's page wants it all the same.
    let lost = upstream
        .sql("SELECT store_fname FROM ir_attachment WHERE store_fname IS NOT NULL ORDER BY md5(store_fname) LIMIT 1");
    upstream_does(&upstream, &format!("rm {lost}"));
    let live = shop.filestores().join("shop").join(&lost);
    fs::rename(&live, shop.path("kept")).unwrap();
    // It is missing upstream and here: the copy lacks it. Then the live one has it back.
    let run = shop.start(&["restore", "shop", "--auto-rollback"]);
    let mut run = run;
    let copied = shop.path("state/.opw-task/filestore/shop");
    crate::world::eventually("the copy is whole", std::time::Duration::from_secs(120), || {
        assert!(!run.is_over(), "the run ended too early");
        let names = fs::read_dir(&copied).ok()?.flatten();
        let mut copies = names.filter(|name| name.file_name().to_string_lossy().starts_with("incoming_"));
        let copy = copies.next()?.path();
        (copy.join("files").exists() && !copy.join("have").exists()).then_some(())
    });
    fs::rename(shop.path("kept"), &live).unwrap();
    run.end().code(1).says(&["were put back, and Odoo answers"]);
    the_old_pair_serves(&shop);
    assert!(live.exists());
    assert_eq!(shop.databases(), ["shop", "shop__previous"]);
    upstream.drop();
}

#[test]
fn a_rollback_without_its_files_is_refused_and_one_with_them_starts_the_web() {
    let shop = Plan::named("rolled").upstream(&Upstream::small()).make();
    shop.does(&["restore", "shop"]);
    shop.sql("INSERT INTO ir_config_parameter (key, value) VALUES ('test.generation', 'first')");
    shop.does(&["restore", "shop"]);
    let previous = shop.filestores().join("shop__previous");
    let started = shop.inspect("web", "{{.State.StartedAt}}");

    // By hand: it is the large one.
    fs::rename(&previous, shop.path("kept")).unwrap();
    shop.run(&["rollback", "shop"])
        .code(3)
        .says(&["the files of `shop__previous` are gone", "mkdir"]);
    fs::create_dir(&previous).unwrap();
    fs::rename(&previous, shop.path("empty")).unwrap();
    fs::rename(shop.path("kept"), &previous).unwrap();
    for folder in fs::read_dir(&previous).unwrap().flatten().take(10) {
        fs::rename(folder.path(), shop.path("empty").join(folder.file_name())).unwrap();
    }
    shop.run(&["rollback", "shop"])
        .code(3)
        .says(&["folders of files when it was put aside"]);
    assert_eq!(shop.inspect("web", "{{.State.StartedAt}}"), started, "web was stopped");
    for folder in fs::read_dir(shop.path("empty")).unwrap().flatten() {
        fs::rename(folder.path(), previous.join(folder.file_name())).unwrap();
    }

    // The web is down when it is asked for.
    docker(&["stop", "--time", "1", &shop.container("web").unwrap()]);
    shop.does(&["rollback", "shop"]);
    the_old_pair_serves(&shop);
}
