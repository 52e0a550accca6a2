//! A restore that is interrupted or killed, at any moment: the live data are never lost, and the next restore clears up.

use std::time::Duration;

use crate::world::{Estate, Plan, Running, Upstream, eventually, processes_with};
use rustix::process::Signal;

const SOON: Duration = Duration::from_secs(150);

/// Long enough to be met by a signal.
const SLOW_UPDATE: &str = "SELECT pg_sleep(6);";

/// A table that an update of modules makes: a rule about it has something to do when the copy is verified, not before.
const LATE_TABLE: &str = "CREATE TABLE lab_late (id int); INSERT INTO lab_late VALUES (1);";

/// Rules that let sanitising and verifying be met by a signal, when they are at work.
fn slow_rule(table: &str, sleep: &str) -> String {
    format!(
        "[[rule]]\nname = 'slow'\nwhy = 'a test'\nmodule = 'base'\ntable = '{table}'\ndelete = true\nwhere-sql = \"{sleep}::text IS NULL\"\n"
    )
}

#[test]
fn interrupted_or_killed_the_live_data_stay_and_the_next_restore_clears_up() {
    let upstream = Upstream::slow();
    let shop = Plan::named("killed").upstream(&upstream).with_addons().make();
    shop.does(&["restore", "shop"]);
    shop.sql("INSERT INTO ir_config_parameter (key, value) VALUES ('test.generation', 'first')");
    let quick = std::fs::read_to_string(shop.path("addons/lab_shop/migrate.sql")).unwrap();
    let manifest = std::fs::read_to_string(shop.path("tasks.toml")).unwrap();
    shop.write(
        "tasks.toml",
        &format!("{manifest}\n[stacks.shop.sanitise]\nrules = ['rules.toml']\n"),
    );
    let restore = || shop.start(&["restore", "shop", "--set", "ODOO_UPDATE_MODULES=lab_shop"]);

    // Interrupted, it ends in good order.
    for moment in [
        Moment::Copy,
        Moment::Sanitise,
        Moment::Modules,
        Moment::Verify,
        Moment::Activate,
    ] {
        moment.prepare(&shop, &quick);
        let mut run = restore();
        moment.wait(&shop, &mut run);
        run.signal(Signal::INT);
        run.end().code(130);
        still_serves_the_first(&shop, moment);
        shop.nothing_is_open(&format!("{moment:?}"));
    }

    // Killed, it leaves what the next one clears up; that one is killed later, and so on.
    for moment in [Moment::Copy, Moment::Sanitise, Moment::Modules, Moment::Verify] {
        moment.prepare(&shop, &quick);
        let mut run = restore();
        moment.wait(&shop, &mut run);
        run.signal(Signal::KILL);
        assert_eq!(run.end().code, None);
        still_serves_the_first(&shop, moment);
        let listed =
            "SELECT datname FROM pg_database WHERE datdba = 'odoo'::regrole AND NOT datistemplate AND datallowconn";
        assert_eq!(
            shop.sql_in("postgres", &format!("{listed} AND datname <> 'postgres'")),
            "shop",
            "{moment:?}"
        );
    }
    Moment::Swap.prepare(&shop, &quick);
    let mut run = restore();
    Moment::Swap.wait(&shop, &mut run);
    run.signal(Signal::KILL);
    run.end();
    let names = shop.databases();
    assert!(names.contains(&"shop".to_owned()), "{names:?}");
    let generation = shop.sql("SELECT value FROM ir_config_parameter WHERE key = 'test.generation'");
    let kept = if generation == "first" {
        "shop"
    } else {
        "shop__previous"
    };
    assert!(names.contains(&kept.to_owned()), "the live data are gone: {names:?}");

    let run = shop.does(&["restore", "shop", "--set", "ODOO_UPDATE_MODULES=lab_shop"]);
    shop.serves();
    assert_eq!(shop.databases(), ["shop", "shop__previous"], "{run}");
    assert_eq!(shop.filestore_names(), ["shop", "shop__previous"], "{run}");
    shop.nothing_is_open("the end");
}

#[test]
fn interrupted_after_the_swap_the_new_password_is_told_all_the_same() {
    let shop = Plan::named("told").upstream(&Upstream::small()).make();
    // Nobody answers there, so the run waits after the swap.
    let run = shop.start(&["restore", "shop", "--set", "DEPLOY_HEALTHCHECK_URL=http://127.0.0.1:9"]);
    eventually("web is up", SOON, || {
        shop.get("/web/login").filter(|(status, _)| *status == 200)
    });
    run.signal(Signal::INT);
    let run = run.end().code(130);
    let words = run.words();
    let password = words
        .split_once("shown this once: ")
        .map(|(_, rest)| rest.lines().next().unwrap_or(""));
    assert!(password.is_some_and(|password| password.len() > 16), "{run}");
    assert!(!words.contains("failed"), "an interruption is no failure: {run}");
}

/// When a run is met.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// pg_restore is at work.
    Copy,
    /// A rule is at work in the copy.
    Sanitise,
    /// Odoo updates modules in the copy.
    Modules,
    /// The rules are at work in it again, after the modules.
    Verify,
    /// The web is being stopped for the swap.
    Activate,
    /// The web is down for the swap.
    Swap,
}

impl Moment {
    /// Sees to it that it lasts.
    fn prepare(self, shop: &Estate, quick: &str) {
        let (update, rules) = match self {
            Self::Sanitise => (quick, slow_rule("res_lang", "pg_sleep(7)")),
            Self::Modules => (SLOW_UPDATE, String::new()),
            Self::Verify => (LATE_TABLE, slow_rule("lab_late", "pg_sleep(8)")),
            Self::Copy | Self::Activate | Self::Swap => (quick, String::new()),
        };
        shop.write("addons/lab_shop/migrate.sql", update);
        shop.write("rules.toml", &rules);
    }

    /// Waits for it.
    fn wait(self, shop: &Estate, run: &mut Running) {
        eventually(&format!("{self:?}"), SOON, || {
            assert!(!run.is_over(), "the run ended before {self:?}");
            self.is_here(shop).then_some(())
        });
    }

    fn is_here(self, shop: &Estate) -> bool {
        let asked = |sql: &str| shop.container("database").is_some() && shop.sql_in("postgres", sql) != "0";
        let sleeps = |seconds: u32| {
            asked(&format!(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep({seconds})%' AND pid <> pg_backend_pid()"
            ))
        };
        match self {
            Self::Copy => asked("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_restore'"),
            Self::Sanitise => sleeps(7),
            Self::Modules => sleeps(6),
            Self::Verify => sleeps(8),
            Self::Activate => !processes_with(&["docker stop ", &shop.container("web").unwrap()]).is_empty(),
            Self::Swap => shop.inspect("web", "{{.State.Running}}") == "false",
        }
    }
}

fn still_serves_the_first(shop: &Estate, moment: Moment) {
    // Stopped already, it was started again; Odoo needs a moment to answer.
    if matches!(moment, Moment::Activate) {
        eventually("web is back", SOON, || {
            shop.get("/web/login").filter(|(status, _)| *status == 200)
        });
    }
    shop.serves();
    let generation = shop.sql("SELECT value FROM ir_config_parameter WHERE key = 'test.generation'");
    assert_eq!(generation, "first", "{moment:?}");
}
