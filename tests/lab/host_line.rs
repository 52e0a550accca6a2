//! A connection that breaks, or a Ctrl-C, in the middle of a command that changes a stack on its host: the command goes on
//! there to its end.

use std::time::Duration;

use rustix::process::Signal;

use crate::world::laptop::Laptop;
use crate::world::{Estate, Plan, Sshd, eventually, words_in_files};

/// Its web takes three seconds to stop: SIGWINCH is nothing to it.
const SLOW: &str = "services: { web: { stop_signal: SIGWINCH, stop_grace_period: 3s } }";

fn slow_to_stop(name: &'static str) -> Estate {
    let shop = Plan::named(name).make();
    shop.write("templates/compose/slow.yaml.j2", SLOW);
    shop.rewrite_manifest("\"lab\"]", "\"lab\", \"slow\"]");
    shop
}

/// Waits until `up` is in the middle of making the web anew: the new container is there, the old one is being stopped.
fn in_the_middle(shop: &Estate) {
    eventually("the web is being recreated", Duration::from_secs(90), || {
        let made = shop.containers();
        made.iter().any(|line| line.starts_with("web created")).then_some(())
    });
}

/// The number of workers that the web which runs was made with; none while none runs.
fn workers(shop: &Estate) -> Option<String> {
    let id = shop.container("web")?;
    let facts = std::process::Command::new("docker")
        .args(["inspect", "--format", "{{.State.Running}} {{.Config.Env}}", &id])
        .output()
        .unwrap();
    let facts = String::from_utf8(facts.stdout).unwrap();
    let word = facts
        .split([' ', '[', ']'])
        .find_map(|word| word.strip_prefix("ODOO_WORKERS="))?;
    facts.starts_with("true").then(|| word.to_owned())
}

#[test]
fn a_line_that_breaks_in_the_middle_of_up_leaves_the_new_web_running() {
    let sshd = Sshd::start();
    let shop = slow_to_stop("cutline");
    let laptop = Laptop::of(&shop, &sshd);
    laptop.run(&["up", "shop", "--set", "ODOO_WORKERS=0"]).code(0);
    shop.serves();

    let up = laptop.start(&["up", "shop", "--set", "ODOO_WORKERS=2"]);
    in_the_middle(&shop);
    sshd.cut();
    up.end().code(1).says(&["connection to ssh://", "goes on to its end"]);
    eventually("the new web runs", Duration::from_secs(30), || {
        (workers(&shop)? == "2").then_some(())
    });
    // And it is whole: nothing is left to do, nothing half-made lies about.
    eventually("the stack is free", Duration::from_secs(30), || {
        (laptop.run(&["health", "shop"]).code == Some(0)).then_some(())
    });
    let web = shop.container("web");
    laptop.run(&["up", "shop", "--set", "ODOO_WORKERS=2"]).code(0);
    assert_eq!(shop.container("web"), web);
    let names = shop.containers();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn an_interruption_in_the_middle_of_up_waits_for_its_end() {
    let sshd = Sshd::start();
    let shop = slow_to_stop("intline");
    let laptop = Laptop::of(&shop, &sshd);
    laptop.run(&["up", "shop", "--set", "ODOO_WORKERS=0"]).code(0);

    let up = laptop.start(&["up", "shop", "--set", "ODOO_WORKERS=2"]);
    in_the_middle(&shop);
    up.signal(Signal::INT);
    up.end().code(130).says(&["run to its end"]);
    assert_eq!(workers(&shop).as_deref(), Some("2"), "{:?}", shop.containers());

    let told = || words_in_files(&shop.path("laptop/.opw-task"), &["interrupted once more"], &[]).len();
    let before = told();
    // Somebody in a hurry leaves it alone: it ends all the same, and keeps the stack until then.
    let up = laptop.start(&["up", "shop", "--set", "ODOO_WORKERS=3"]);
    in_the_middle(&shop);
    up.signal(Signal::INT);
    eventually("the first was heeded", Duration::from_secs(10), || {
        (told() > before).then_some(())
    });
    up.signal(Signal::INT);
    up.end().code(130).says(&["left alone"]);
    shop.run(&["down", "shop"])
        .code(3)
        .says(&["still at work", "up --detach"]);
    eventually("the new web runs", Duration::from_secs(30), || {
        (workers(&shop)? == "3").then_some(())
    });
}

#[test]
fn a_program_that_never_ends_is_ended_by_an_interruption() {
    let sshd = Sshd::start();
    let shop = Plan::named("endless")
        .manifest("[tasks.endless]\nrun = { compose = [\"exec\", \"-T\", \"script-runner\", \"sleep\", \"7072\"] }\n")
        .make();
    let laptop = Laptop::of(&shop, &sshd);
    laptop.run(&["up", "shop"]).code(0);
    let endless = laptop.start(&["endless", "shop"]);
    eventually("it runs", Duration::from_secs(30), || {
        (!crate::world::processes_with(&["sleep", "7072"]).is_empty()).then_some(())
    });
    endless.signal(Signal::INT);
    endless.end().code(130);
    laptop.run(&["down", "shop"]).code(0);
}
