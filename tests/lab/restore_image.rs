//! `restore` into an image that does not fit production: said before anything is copied.

use crate::world::{Estate, Plan, Upstream, odoo_image};

/// Nothing of a copy is there: no database beside the live one, and no files.
#[track_caller]
fn nothing_was_copied(shop: &Estate) {
    assert_eq!(shop.databases(), ["shop"]);
    assert_eq!(shop.filestore_names(), Vec::<String>::new());
    let left = crate::project::files_below(&shop.path("state/.opw-task"));
    let left: Vec<_> = left
        .iter()
        .filter(|path| path.to_string_lossy().contains("incoming"))
        .collect();
    assert_eq!(left, Vec::<&std::path::PathBuf>::new());
    shop.serves();
}

/// Two modules of the upstream that have no code here; the stand-in's own stay.
const FEW: &str = "DELETE FROM ir_module_module WHERE state = 'installed'
        AND name NOT IN ('base', 'web', 'mail', 'payment', 'website', 'queue_job', 'lab_shop');
    ALTER TABLE ir_module_module ADD website varchar, ADD imported boolean;
    UPDATE ir_module_module SET website = 'https://github.com/OCA/queue', author = 'OCA & <friends>' WHERE name = 'queue_job';
    INSERT INTO ir_module_module (name, state, imported) VALUES ('studio_customization', 'installed', true)";

#[test]
fn modules_that_the_image_lacks_are_named_before_anything_is_copied() {
    let upstream = Upstream::own("image_lacks");
    upstream.sql(FEW);
    let shop = Plan::named("lacks")
        .upstream(&upstream)
        .stack("missing-modules = \"refuse\"")
        .make();
    shop.does(&["up", "shop"]);
    let run = shop
        .run(&["restore", "shop"])
        .code(3)
        .says(&[
            "lab_shop",
            "queue_job",
            "https://github.com/OCA/queue",
            "OCA & <friends>",
            "nothing was copied",
        ])
        .says(&["--missing-modules continue"]);
    assert!(!run.words().contains("studio_customization"), "{run}");
    nothing_was_copied(&shop);
    shop.does(&["restore", "shop", "--dry-run"])
        .says(&["refuses an image that has another version of Odoo", "ir_module_module"]);

    // Some are allowed for good; another is still refused.
    shop.rewrite_manifest("missing-modules = \"refuse\"", "missing-modules = \"queue_job\"");
    let run = shop.run(&["restore", "shop"]).code(3).says(&["lab_shop"]);
    assert!(!run.words().contains("queue_job"), "{run}");
    nothing_was_copied(&shop);

    let report = shop.path("report.md");
    let report = report.to_str().unwrap();
    shop.does(&["restore", "shop", "--missing-modules", "continue", "--report", report])
        .says(&["the copy is made without them: lab_shop, queue_job"]);
    let report = std::fs::read_to_string(report).unwrap();
    let (_, marked) = report
        .split_once("## Installed, but not in the copy's image\n")
        .expect(&report);
    assert!(
        marked.trim_start().starts_with("- `lab_shop`\n- `queue_job`\n"),
        "{report}"
    );
    shop.serves();
    upstream.drop();
}

#[test]
fn a_module_without_code_does_not_stay_to_be_upgraded() {
    let upstream = Upstream::own("image_upgrade");
    upstream.sql(FEW);
    // As if somebody had pressed the button in production.
    upstream.sql("UPDATE ir_module_module SET state = 'to upgrade' WHERE name = 'queue_job'");
    let shop = Plan::named("upgrade").upstream(&upstream).with_addons().make();
    shop.does(&["up", "shop"]);
    let states = "SELECT string_agg(name || ' ' || state, ',' ORDER BY name) FROM ir_module_module
                   WHERE name IN ('payment', 'queue_job')";
    shop.does(&["restore", "shop"]);
    assert_eq!(shop.sql(states), "payment installed,queue_job installed");

    // Odoo marks what depends on an updated module, and skips what it has no code for, or what needs such code.
    let marks = "UPDATE ir_module_module SET state = 'to upgrade' WHERE name IN ('payment', 'queue_job');\n";
    shop.write("addons/lab_shop/migrate.sql", marks);
    shop.does(&["restore", "shop", "--set", "ODOO_UPDATE_MODULES=lab_shop"])
        .says(&["not updated", "payment, queue_job"]);
    assert_eq!(shop.sql(states), "payment installed,queue_job installed");
    upstream.drop();
}

#[test]
fn another_version_of_odoo_is_refused_before_anything_is_copied() {
    let upstream = Upstream::small();
    let shop = Plan::named("version").upstream(&upstream).make();
    shop.rewrite_manifest(&odoo_image("18.0"), &odoo_image("19.0"));
    shop.does(&["up", "shop"]);
    shop.run(&["restore", "shop", "--missing-modules", "continue"])
        .code(3)
        .says(&["has Odoo 18.0", "has Odoo 19.0", "ODOO_VERSION", "nothing was copied"]);
    nothing_was_copied(&shop);
}
