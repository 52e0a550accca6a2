//! What a restore must never touch, and what it must never be: the guards.

use std::time::Duration;

use crate::world::{Plan, Upstream, eventually};

#[test]
fn production_protected_stacks_and_stacks_at_work_are_refused() {
    let upstream = Upstream::slow();
    let shop = Plan::named("refused").upstream(&upstream).make();

    // A protected stack is refused before anything is begun.
    let manifest = std::fs::read_to_string(shop.path("tasks.toml")).unwrap();
    shop.write(
        "tasks.toml",
        &manifest.replace("[stacks.shop]", "[stacks.shop]\nprotected = true"),
    );
    shop.run(&["restore", "shop"]).code(3).says(&["protected"]);
    shop.run(&["rollback", "shop"]).code(3).says(&["protected"]);
    assert!(shop.containers().is_empty(), "{:?}", shop.containers());
    assert!(!shop.path("state").exists());

    // So is a stack on the upstream's own machine, whatever else it is called.
    let host = manifest.lines().find(|line| line.starts_with("host ")).unwrap();
    let there = format!(
        "[hosts.there]\n{}\n[stacks.shop]\nhost = 'there'",
        host.replace("host ", "ssh ")
    );
    shop.write("tasks.toml", &manifest.replace("[stacks.shop]", &there));
    shop.run(&["restore", "shop"]).code(3).says(&["upstream"]);
    shop.run(&["up", "shop"]).code(3).says(&["upstream"]);
    shop.write("tasks.toml", &manifest);

    shop.does(&["restore", "shop"]);

    // A second one while one runs: told who holds the stack.
    let first = shop.start(&["restore", "shop"]);
    eventually("the first has the lock", Duration::from_secs(30), || {
        let databases = shop.databases();
        databases.iter().any(|name| name.contains("__incoming_")).then_some(())
    });
    let holder = format!("process {}", first.pid());
    shop.run(&["restore", "shop"]).code(3).says(&[&holder, "restore shop"]);
    shop.run(&["up", "shop"]).code(3).says(&[&holder]);
    first.end().code(0);
    shop.serves();

    // A stack whose live database is production's own, by its identity.
    let production = upstream.sql("SELECT value FROM ir_config_parameter WHERE key = 'database.uuid'");
    shop.sql(&format!(
        "UPDATE ir_config_parameter SET value = '{production}' WHERE key = 'database.uuid'"
    ));
    shop.run(&["restore", "shop"]).code(3).says(&["database.uuid"]);
    shop.serves();
    let own = shop.sql("SELECT value FROM ir_config_parameter WHERE key = 'database.uuid'");
    assert_eq!(own, production, "the live database is still the same");
    assert_eq!(shop.databases(), ["shop", "shop__previous"]);

    // An unknown host key, and an upstream that does not answer: nothing is asked on the terminal.
    shop.sql("UPDATE ir_config_parameter SET value = gen_random_uuid() WHERE key = 'database.uuid'");
    shop.write("nobody", "");
    let known = manifest.lines().find(|line| line.starts_with("known-hosts")).unwrap();
    shop.write("tasks.toml", &manifest.replace(known, "known-hosts = 'nobody'"));
    shop.run(&["restore", "shop"])
        .code(1)
        .says(&["Host key verification failed"]);
    shop.serves();
}
