//! What a dry run prints of the swap: the statements that run, whole.

use crate::project::Project;

const STACK: &str = "[upstreams.prod]\nhost = 'root@prod.example'\ndatabase = 'live'\ndatabase-user = 'odoo'\nfilestore = '/srv/live'\n\
    [stacks.local]\ndatabase = 'shop'\nupstream = 'prod'\nstate-root = 'state'\nvars = { ODOO_DB_PASSWORD = 'secret-of-the-role', ODOO_BASE_URL = 'http://localhost:1' }\n\
    [tasks.activate]\nprivate = true\nrun = { activate = {} }\n[tasks.rollback]\nprivate = true\nrun = { rollback = {} }\n";

/// The statements that a task's dry run prints, without comments, one a line.
fn statements(task: &str) -> Vec<String> {
    let project = Project::new(STACK);
    let ran = project.run(&[task, "local", "--dry-run", "--output", "json"]).ended(0);
    let plan: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let steps = plan["nodes"][0]["steps"].as_array().unwrap();
    let sql: Vec<&str> = steps
        .iter()
        .filter(|step| step["kind"] == "sql")
        .filter_map(|step| step["value"].as_str())
        .collect();
    let lines = sql.iter().flat_map(|sql| sql.lines());
    lines
        .filter(|line| !line.starts_with("--"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_new_database_is_opened_and_the_one_before_is_closed() {
    for (task, heir) in [("activate", "shop__incoming_run"), ("rollback", "shop__previous")] {
        let printed = statements(task);
        let at = |statement: &str| {
            let found = printed.iter().position(|line| line.contains(statement));
            found.unwrap_or_else(|| panic!("no `{statement}` of {task} in {printed:#?}"))
        };
        let order = [
            at("BEGIN; SET LOCAL synchronous_commit = on;"),
            at(&format!("ALTER DATABASE \"{heir}\" RENAME TO \"shop\";")),
            at("ALTER DATABASE \"shop\" IS_TEMPLATE false ALLOW_CONNECTIONS true;"),
            at("COMMENT ON DATABASE \"shop\" IS 'opw-task {\"state\":\"live\""),
            at("ALTER DATABASE \"shop__previous\" IS_TEMPLATE true ALLOW_CONNECTIONS false;"),
            at("COMMENT ON DATABASE \"shop__previous\" IS 'opw-task {\"state\":\"previous\""),
            at("COMMIT;"),
        ];
        assert!(order.is_sorted(), "{task}: {order:?} in {printed:#?}");
        if task == "activate" {
            at("ALTER DATABASE \"shop\" OWNER TO \"odoo\";");
            at("ALTER ROLE \"odoo\" IN DATABASE \"shop\" RESET ALL;");
            at("GRANT CONNECT, TEMPORARY ON DATABASE \"shop\" TO PUBLIC;");
        }
    }
}
