//! `restore` and `rollback`: production's data arrive without its secrets, beside a stack that serves on, and the way
//! back stays open.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use crate::world::{Estate, Plan, Run, Seen, Upstream, docker, words_in_files};

/// Longer than any swap here takes, and far shorter than a restore of anything.
const SHORT: Duration = Duration::from_secs(15);

/// Where the generator writes its word into what is no credential, and stays: letters that were sent, bank accounts of partners,
/// and the name under which a user is known to an OAuth provider.
const NO_CREDENTIALS: [&str; 3] = ["mail_mail", "res_partner_bank", "res_users"];

#[test]
fn a_restore_brings_the_data_without_the_secrets_and_can_be_taken_back() {
    let upstream = Upstream::small();
    let shop = Plan::named("restore")
        .upstream(&upstream)
        .variable("HUNTER", "yes")
        .make();
    shop.does(&["up", "shop"]);
    shop.sql("INSERT INTO ir_config_parameter (key, value) VALUES ('test.generation', 'first')");
    let untouched = upstream.fingerprint();

    let watch = shop.watch();
    let run = shop.does(&["restore", "shop", "--verbose"]);
    let (seen, lines) = watch.end();

    assert_eq!(upstream.fingerprint(), untouched, "the upstream was written to");
    the_incoming_database_was_out_of_reach(&seen);
    the_stack_served_on(&seen);
    no_job_ran_in_the_copy(&shop);
    assert_eq!(lines, Vec::<String>::new(), "secrets in command lines");
    no_secret_was_written_down(&shop, &run);

    all_rows_arrived(&shop, &upstream);
    all_files_arrived(&shop, &upstream);
    the_copy_is_sanitised(&shop, &upstream);
    everything_is_odoos(&shop);
    nothing_is_left_over(&shop);
    shop.serves();
    let page = shop.get("/web/login").unwrap().1;
    assert!(page.contains(&format!("http://localhost:{}", shop.web)), "{page}");

    // The pair that served before is kept, shut.
    assert_eq!(shop.databases(), ["shop", "shop__previous"]);
    let flags = "SELECT datistemplate, datallowconn FROM pg_database WHERE datname = 'shop__previous'";
    assert_eq!(shop.sql(flags), "t|f");

    // A second restore brings nothing over the wire that is there already.
    let inodes = inodes(&shop);
    shop.sql("INSERT INTO ir_config_parameter (key, value) VALUES ('test.generation', 'second')");
    shop.does(&["restore", "shop"]);
    assert_eq!(
        self::inodes(&shop),
        inodes,
        "files of the live filestore are linked, not copied"
    );
    assert_eq!(shop.databases(), ["shop", "shop__previous"]);
    nothing_is_left_over(&shop);

    // Back, and forth again.
    let generation = || shop.sql("SELECT value FROM ir_config_parameter WHERE key = 'test.generation'");
    assert_eq!(generation(), "");
    shop.does(&["rollback", "shop"]);
    shop.serves();
    assert_eq!(generation(), "second");
    shop.does(&["rollback", "shop"]);
    shop.serves();
    assert_eq!(generation(), "");
}

#[test]
fn a_stack_that_never_ran_can_be_restored_into() {
    let shop = Plan::named("fresh").upstream(&Upstream::small()).make();
    shop.does(&["restore", "shop"]);
    shop.serves();
    assert_eq!(shop.databases(), ["shop"]);
    let started = shop.inspect("web", "{{.State.StartedAt}}");
    shop.run(&["rollback", "shop"]).code(3).says(&["shop__previous"]);
    assert_eq!(
        shop.inspect("web", "{{.State.StartedAt}}"),
        started,
        "web was stopped for nothing"
    );
}

fn the_incoming_database_was_out_of_reach(seen: &[Seen]) {
    let during: Vec<&Seen> = seen.iter().filter(|seen| seen.incoming.is_some()).collect();
    assert!(
        during.len() > 5,
        "the restore was too quick to be watched: {} looks",
        during.len()
    );
    for look in during {
        assert!(
            look.refusal.is_some(),
            "Odoo's role, a superuser here, got in: {look:?}"
        );
        assert!(!look.listed, "Odoo's cron workers would find it: {look:?}");
    }
}

fn the_stack_served_on(seen: &[Seen]) {
    let silent: Vec<&Seen> = seen.iter().filter(|seen| seen.login != Some(200)).collect();
    for look in &silent {
        let state = look.incoming.as_ref().map(|(_, state)| state.as_str());
        assert!(
            matches!(state, None | Some("verified")),
            "web was away before the swap: {look:?}"
        );
    }
    if let (Some(first), Some(last)) = (silent.first(), silent.last()) {
        assert!(last.at - first.at < SHORT, "web was away from {first:?} to {last:?}");
    }
}

fn no_job_ran_in_the_copy(shop: &Estate) {
    let live = "SELECT count(*) FROM lab_cron_log WHERE cron NOT ILIKE '%vacuum%' OR database <> 'shop'";
    assert_eq!(shop.sql(live), "0", "{}", shop.sql("SELECT * FROM lab_cron_log"));
    for service in ["web", "hunter"] {
        let id = shop.container(service).unwrap();
        let log = docker(&["logs", &id]);
        assert!(!log.contains("__incoming_"), "{service} met the copy: {log}");
    }
}

fn no_secret_was_written_down(shop: &Estate, run: &Run) {
    let secrets = Estate::secrets();
    for secret in &secrets {
        assert!(!run.words().contains(secret), "{secret} on the screen:\n{run}");
    }
    assert_eq!(
        words_in_files(&shop.path(".opw-task"), &secrets, &[]),
        [],
        "in the journal"
    );
    let readable: Vec<_> = words_in_files(&shop.path("state"), &secrets, &["postgres"])
        .into_iter()
        .filter(|(_, mode, _)| mode & 0o077 != 0)
        .collect();
    assert_eq!(readable, [], "in files that others can read");
    for service in ["web", "database", "script-runner"] {
        let id = shop.container(service).unwrap();
        let output = std::process::Command::new("docker")
            .args(["logs", &id])
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        for secret in &secrets {
            assert!(!log.contains(secret), "{secret} in the log of {service}");
        }
    }
}

fn all_rows_arrived(shop: &Estate, upstream: &Upstream) {
    for table in [
        "res_partner",
        "res_users",
        "mail_message",
        "sale_order",
        "account_move_line",
        "ir_attachment",
    ] {
        let digest = format!("SELECT count(*), sum(id), max(id) FROM {table}");
        assert_eq!(shop.sql(&digest), upstream.sql(&digest), "{table}");
    }
    let names = "SELECT md5(string_agg(name, ',' ORDER BY id)) FROM res_partner WHERE id > 10";
    assert_eq!(shop.sql(names), upstream.sql(names));
    let indexes = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'";
    assert_eq!(shop.sql(indexes), upstream.sql(indexes));
    let constraints =
        "SELECT count(*), bool_and(convalidated) FROM pg_constraint WHERE connamespace = 'public'::regnamespace";
    assert_eq!(shop.sql(constraints), upstream.sql(constraints));
}

fn all_files_arrived(shop: &Estate, upstream: &Upstream) {
    let folder = shop.filestores().join("shop");
    for line in upstream.files() {
        let (hash, name) = line.split_once("  ./").unwrap();
        let facts = fs::metadata(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((facts.uid(), facts.gid()), (1000, 1000), "{name}");
        assert_eq!(facts.mode() & 0o600, 0o600, "{name}");
        assert_eq!(
            name.rsplit('/').next(),
            Some(hash),
            "the lab names files by their content"
        );
        assert_eq!(sha1(&folder.join(name)), hash);
    }
    // Odoo itself can write beside them.
    let probe =
        "cd /volumes/data/filestore/shop && for folder in . ./??; do touch $folder/probe && rm $folder/probe; done";
    docker(&["exec", &shop.container("web").unwrap(), "sh", "-c", probe]);
}

fn sha1(path: &std::path::Path) -> String {
    let output = std::process::Command::new("sha1sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned()
}

fn the_copy_is_sanitised(shop: &Estate, upstream: &Upstream) {
    let on = "SELECT string_agg(d.module || '.' || d.name, ',') FROM ir_cron c
              LEFT JOIN ir_model_data d ON d.model = 'ir.cron' AND d.res_id = c.id WHERE c.active";
    assert_eq!(shop.sql(on), "base.autovacuum_job");
    // One stays on, and leads nowhere: without any, Odoo sends through what its configuration file names.
    assert_eq!(
        shop.sql("SELECT smtp_host FROM ir_mail_server WHERE active OR smtp_host <> 'invalid'"),
        "invalid"
    );
    assert_eq!(shop.sql("SELECT count(*) FROM fetchmail_server WHERE active"), "0");
    let parameter = |key: &str| format!("SELECT value FROM ir_config_parameter WHERE key = '{key}'");
    assert_eq!(
        shop.sql(&parameter("web.base.url")),
        format!("http://localhost:{}", shop.web)
    );
    assert_eq!(shop.sql(&parameter("web.base.url.freeze")), "True");
    let uuid = parameter("database.uuid");
    assert_ne!(shop.sql(&uuid), upstream.sql(&uuid));
    assert_eq!(shop.sql(&uuid).len(), 36);

    let container = shop.container("database").unwrap();
    let dump = docker(&["exec", &container, "pg_dump", "-U", "odoo", "shop"]);
    assert!(dump.contains("COPY public.res_partner"), "no dump: {}", dump.len());
    let mut table = "";
    let mut left = BTreeSet::new();
    for line in dump.lines() {
        if let Some(copy) = line.strip_prefix("COPY public.") {
            table = copy.split(' ').next().unwrap();
        }
        // bytea stands in a dump in hexadecimal digits.
        if line.contains("CANARY") || line.contains("43414e415259") {
            left.insert(table);
        }
    }
    let stays: BTreeSet<&str> = NO_CREDENTIALS.into();
    let unexpected: Vec<_> = left.difference(&stays).collect();
    assert!(unexpected.is_empty(), "production's secrets are left in {unexpected:?}");
}

fn everything_is_odoos(shop: &Estate) {
    let others = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
                    AND relowner <> 'odoo'::regrole AND relkind IN ('r', 'S', 'v', 'm', 'p', 'f')
                  UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proowner <> 'odoo'::regrole
                  UNION ALL SELECT datname FROM pg_database WHERE datname = 'shop' AND datdba <> 'odoo'::regrole
                  UNION ALL SELECT classid::regclass::text || ' ' || objid FROM pg_shdepend
                    WHERE refobjid IN (SELECT oid FROM pg_roles WHERE rolname LIKE 'opw_task%') AND deptype = 'o'
                      AND dbid = (SELECT oid FROM pg_database WHERE datname = 'shop')";
    assert_eq!(shop.sql(others), "");
}

fn nothing_is_left_over(shop: &Estate) {
    let logins = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'opw_task%' AND (rolcanlogin OR rolsuper)";
    assert_eq!(shop.sql(logins), "");
    let settings =
        "SELECT setconfig FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase WHERE d.datname = 'shop'";
    assert_eq!(shop.sql(settings), "");
    let names = shop.filestore_names();
    assert!(
        names.iter().all(|name| name == "shop" || name == "shop__previous"),
        "{names:?}"
    );
    assert_eq!(
        shop.sql("SELECT count(*) FROM pg_stat_activity WHERE usename LIKE 'opw_task%'"),
        "0"
    );
    let extra: Vec<String> = shop
        .containers()
        .into_iter()
        .filter(|line| line.contains("modules"))
        .collect();
    assert!(extra.is_empty(), "{extra:?}");
    assert!(!shop.path("state/compose/.modules.yaml").exists());
}

/// The files of the live filestore that attachments may name.
fn inodes(shop: &Estate) -> Vec<(String, u64)> {
    let folder = shop.filestores().join("shop");
    let mut found = Vec::new();
    for folder in fs::read_dir(folder).unwrap().flatten() {
        if folder.file_name().len() != 2 {
            continue;
        }
        for file in fs::read_dir(folder.path()).unwrap().flatten() {
            found.push((file.file_name().into_string().unwrap(), file.metadata().unwrap().ino()));
        }
    }
    found.sort();
    found
}
