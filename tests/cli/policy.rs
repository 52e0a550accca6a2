//! `[sanitise]` of a manifest, of what it includes, and of stacks: nothing that one of them says is lost without a word.

use crate::project::Project;

const BASE: &str = r#"
[stacks.local]
base-url = "http://localhost"
database = "shop"
[tasks.sanitise]
private = true
run = { sanitise = {} }
[sanitise]
rules = ["own.toml"]
parameters.'shop.mode' = "test"
parameters.'shop.key' = ""
production-indicators = ["live-shop"]
service-users = [{ login = "bot", name = "Bot", api-key = "0123456789abcdef0123" }]
"#;

const RULE: &str = "[[rule]]\nname = \"shop-shelf\"\nwhy = \"A test\"\nmodule = \"shop\"\ntable = \"shop_shelf\"\nclear = [\"link\"]\n";

fn shown(manifest: &str) -> String {
    let project = Project::empty()
        .with("base.toml", &format!("{}{BASE}", crate::project::HEAD))
        .with("own.toml", RULE)
        .with("more.toml", &RULE.replace("shelf", "floor"))
        .with("tasks.toml", &format!("include = [\"base.toml\"]\n{manifest}"));
    project.run(&["sanitise", "local", "--dry-run"]).ended(0).out
}

#[test]
fn an_including_manifest_adds_to_the_policy() {
    let out = shown(
        "[sanitise]\nrules = [\"more.toml\"]\nparameters.'shop.mode' = \"simulator\"\n\
         [[sanitise.allow]]\ntable = \"x\"\ncolumn = \"y\"\nreason = \"a test\"\n",
    );
    for line in [
        "shop-shelf (shop): ",
        "shop-floor (shop): ",
        "key IN ('shop.key')",
        "policy: allow.x.y  tasks.toml:5",
        "policy: parameters.shop.key  base.toml:13",
        "policy: parameters.shop.mode  tasks.toml:4",
        "policy: rules  base.toml:11, tasks.toml:3",
        "policy: service-users.bot  base.toml:15",
    ] {
        assert!(out.contains(line), "{line} in {out}");
    }
    assert!(!out.contains("0123456789"), "{out}");
}

#[test]
fn what_all_stacks_share_is_heeded_and_a_stack_wins_over_it() {
    let out = shown("[stacks.defaults.sanitise]\nkeep-crons = [\"Shared\"]\nparameters.'shop.mode' = \"shared\"\n");
    assert!(out.contains("policy: keep-crons  tasks.toml:3"), "{out}");
    assert!(out.contains("ARRAY['Shared']"), "{out}");
    assert!(out.contains("policy: parameters.shop.key  base.toml:13"), "{out}");
    assert!(out.contains("policy: parameters.shop.mode  tasks.toml:4"), "{out}");
}

#[test]
fn a_file_that_is_included_twice_says_everything_once() {
    let project = Project::empty()
        .with("base.toml", &format!("{}{BASE}", crate::project::HEAD))
        .with("own.toml", RULE)
        .with("also.toml", "include = [\"base.toml\"]\n")
        .with("tasks.toml", "include = [\"base.toml\", \"also.toml\"]\n");
    let out = project.run(&["sanitise", "local", "--dry-run"]).ended(0).out;
    assert_eq!(out.matches("shop-shelf (shop)").count(), 1, "{out}");
    assert!(out.contains("policy: rules  base.toml:11\n"), "{out}");
}

#[test]
fn a_mistake_is_shown_in_the_table_that_makes_it() {
    let base = "[stacks.local]\n[tasks.sanitise]\nrun = { sanitise = {} }\n[sanitise]\nkeep-crons = \"none\"\n";
    let project = Project::empty()
        .with("base.toml", &format!("{}{base}", crate::project::HEAD))
        .with("tasks.toml", "include = [\"base.toml\"]\n[sanitise]\nmail = \"off\"\n");
    let refused = project.run(&["sanitise", "local", "--dry-run"]).ended(2).err;
    insta::assert_snapshot!(refused, @r#"
    error: [sanitise]: keep-crons: expected a sequence
      ╭▸ base.toml:6:1
      │
    6 │ [sanitise]
      ╰╴━━━━━━━━━━
    help: write a list, even for a single value: ["…"]
    "#);
}

#[test]
fn rules_can_be_skipped_and_changed_with_a_reason() {
    let out = shown(
        "[sanitise.skip-rules]\nwebsite-places = \"its own key\"\n\
         [sanitise.change-rules.website-hidden]\nreason = \"robots are tested\"\nkeep = [\"robots_txt\"]\n\
         [sanitise.change-rules.shop-shelf]\nreason = \"it is needed\"\nset = { link = { env = \"ODOO_DB_NAME\" } }\n",
    );
    for line in [
        "# rule `website-places` is not applied: its own key",
        "# rule `website-hidden` is changed: robots are tested",
        "policy: skip-rules.website-places  tasks.toml:3",
        "SET \"cdn_activated\" = false",
        "SET \"link\" = '***'",
    ] {
        assert!(out.contains(line), "{line} in {out}");
    }
    assert!(!out.contains("-- website-places ("), "{out}");
}

#[test]
fn a_rule_that_nothing_bears_cannot_be_skipped() {
    let project = Project::new(&format!("{BASE}[sanitise.skip-rules]\njobs-of = \"x\"\n")).with("own.toml", RULE);
    let refused = project.run(&["sanitise", "local", "--dry-run"]).ended(2).err;
    insta::assert_snapshot!(refused, @r#"
    error: skip-rules of [sanitise] names `jobs-of`, which is no sanitise rule
       ╭▸ tasks.toml:17:1
       │
    17 │ jobs-of = "x"
       ╰╴━━━━━━━
    help: did you mean `jobs-off`?
    "#);
}
