//! The main commands on a real stack, with planted secrets and what is composed of them: none is on the screen, in what is
//! kept, or in any argument list of the machine and its containers.

use crate::world::{Estate, Plan, Upstream, words_in_files};

/// Stands in every secret of an estate, and in the one below.
const PLANTED: &str = "keepout";

/// Composed of secrets, and a password that no other variable has.
const VARS: &str = "\
DATABASE_URL = \"postgres://odoo:{{ env.ODOO_DB_PASSWORD }}@database/shop\", SMTP_URL = \"smtp://me:keepout-smtp@mail.example\", ";

const TASKS: &str = r#"
[tasks.use]
env = { TARGET = "{{ env.DATABASE_URL }}", HEADER = "Bearer {{ env.ODOO_KEY }}" }
run = { shell = "echo \"$TARGET $HEADER\"; sleep 1; env >&2" }

[tasks.inside]
env = { TARGET = "{{ env.DATABASE_URL }}" }
run = { compose = ["exec", "-T", "-e", "TARGET", "script-runner", "sh", "-c", "echo got $TARGET; sleep 1; env"] }

[tasks.peek]
run = { command = "sleep 2 {{ env.DATABASE_URL }}" }
"#;

#[test]
fn no_main_command_on_a_real_stack_shows_keeps_or_passes_on_a_secret() {
    let shop = Plan::named("sentinel")
        .upstream(&Upstream::small())
        .manifest(TASKS)
        .make();
    shop.rewrite_manifest("vars       = { ", &format!("vars       = {{ {VARS}"));
    let watch = shop.watch();
    for (words, code) in [
        (&["up", "shop", "--verbose"][..], Some(0)),
        (&["env", "shop"], Some(0)),
        (&["env", "shop", "-o", "json"], Some(0)),
        (&["use", "shop", "--verbose"], Some(0)),
        (&["use", "shop", "-o", "json"], Some(0)),
        (&["inside", "shop"], Some(0)),
        (&["peek", "shop"], Some(2)),
        (&["restore", "shop", "--verbose"], Some(0)),
        (&["restore", "shop", "--dry-run"], Some(0)),
        (&["status", "shop", "-o", "json"], Some(0)),
        (&["ps", "shop"], Some(0)),
        (&["audit", "shop"], None),
        (&["sanitise-preview", "shop"], Some(0)),
        (&["logs", "shop"], Some(0)),
        (&["rollback", "shop", "--verbose"], Some(0)),
        (&["clear", "shop", "-o", "json"], Some(0)),
        (&["down", "shop"], Some(0)),
    ] {
        let run = shop.run(words);
        assert!(code.is_none() || run.code == code, "{run}");
        assert!(!run.words().contains(PLANTED), "{run}");
        if ["use", "inside"].contains(&words[0]) {
            assert!(run.words().contains("***"), "the secret was not met:\n{run}");
        }
    }
    let (_, lines) = watch.end();
    assert_eq!(lines, Vec::<String>::new(), "secrets in command lines");
    assert_eq!(
        words_in_files(&shop.path(".opw-task"), &[PLANTED], &[]),
        [],
        "in the journal"
    );
    let readable: Vec<_> = words_in_files(&shop.path("state"), &[PLANTED], &["postgres"])
        .into_iter()
        .filter(|(_, mode, _)| mode & 0o077 != 0)
        .collect();
    assert_eq!(readable, [], "in files that others can read");
    assert!(Estate::secrets().iter().all(|secret| secret.contains(PLANTED)));
}
