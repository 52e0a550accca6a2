//! Databases of the lab's upstream.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::machine::docker;

const CONTAINER: &str = "opw-task-lab-upstream";

/// One at a time: two generators of one database would tread on each other.
static GENERATOR: Mutex<()> = Mutex::new(());

/// A database and its filestore in the lab's upstream.
#[derive(Debug, Clone)]
pub struct Upstream {
    pub database: String,
}

impl Upstream {
    /// A small database that tests only read: about 14 MB, 60 files.
    pub fn small() -> Self {
        Self::generated("t_small", 500, 60)
    }

    /// A database that takes some seconds to copy.
    pub fn slow() -> Self {
        Self::generated("t_slow", 10_000, 60)
    }

    /// A database of a test's own, to be changed. It is made anew.
    pub fn own(name: &str) -> Self {
        Self::anew(name, 500, 20)
    }

    /// A database of a test's own that takes some seconds to copy: its dumps may be ended.
    pub fn slow_own(name: &str) -> Self {
        Self::anew(name, 10_000, 60)
    }

    fn anew(name: &str, messages: u32, files: u32) -> Self {
        let database = format!("t_own_{name}");
        let turn = GENERATOR.lock().unwrap();
        lab(&["drop", &database]);
        drop(turn);
        Self::generated(&database, messages, files)
    }

    fn generated(database: &str, messages: u32, files: u32) -> Self {
        let _turn = GENERATOR.lock().unwrap();
        let (messages, files) = (messages.to_string(), files.to_string());
        let shape = ["--partners", "200", "--messages", &messages, "--files", &files];
        lab(&[&["generate", database][..], &shape[..]].concat());
        Self {
            database: database.to_owned(),
        }
    }

    /// Rows as `psql -At` prints them.
    #[track_caller]
    pub fn sql(&self, sql: &str) -> String {
        self.sql_as("odoo", sql)
    }

    /// The same as another role: `postgres` is the superuser.
    #[track_caller]
    pub fn sql_as(&self, role: &str, sql: &str) -> String {
        docker(&[
            "exec",
            "--user",
            role,
            CONTAINER,
            "psql",
            "-XAt",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            &self.database,
            "-c",
            sql,
        ])
    }

    pub fn filestore(&self) -> String {
        format!("/opt/odoo/local_data/filestore/{}", self.database)
    }

    /// All that would differ if anything had been written: rows counted by the server itself, and every file with
    /// size, owner, mode and the times of its last writing and last change.
    ///
    /// Catalogues that all databases share are left out: other tests make databases meanwhile.
    pub fn fingerprint(&self) -> String {
        let rows = self.sql(
            "SELECT sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_del) FROM pg_stat_all_tables JOIN pg_class c ON c.oid = relid
              WHERE NOT c.relisshared;
             SELECT tup_inserted, tup_updated, tup_deleted FROM pg_stat_database WHERE datname = current_database();
             SELECT count(*) FROM pg_class; SELECT count(*) FROM pg_roles;
             SELECT shobj_description(oid, 'pg_database'), datacl, datdba FROM pg_database WHERE datname = current_database()",
        );
        let folder = self.filestore();
        let find = format!("find {folder} -printf '%P %s %m %U %T@ %C@\\n' | sort | sha256sum");
        let files = docker(&["exec", CONTAINER, "bash", "-o", "pipefail", "-c", &find]);
        format!("{rows}\n{files}")
    }

    /// Paths of its files that attachments may name, with their contents' hashes.
    pub fn files(&self) -> Vec<String> {
        let find = format!(
            "cd {} && find . -path './??/*' -type f -exec sha1sum {{}} +",
            self.filestore()
        );
        let mut files: Vec<String> = docker(&["exec", CONTAINER, "sh", "-c", &find])
            .lines()
            .map(str::to_owned)
            .collect();
        files.sort();
        files
    }

    /// Has its `pg_dump` refuse what PostgreSQL 15's does not know, for as long as the value lives. Other databases' is as it was.
    pub fn with_old_pg_dump(&self) -> OldPgDump {
        let asked = format!("/tmp/{}.asked", self.database);
        let script = OLD_PG_DUMP.replace("DATABASE", &self.database).replace("ASKED", &asked);
        let install = format!("rm -f {asked}; cat > {OLD}.new && chmod 755 {OLD}.new && mv {OLD}.new {OLD}");
        let mut shell = Command::new("docker")
            .args(["exec", "--interactive", CONTAINER, "sh", "-c", &install])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
        OldPgDump { asked }
    }

    /// Puts a file into its filestore and tells the name under which attachments would name it.
    #[track_caller]
    pub fn add_file(&self, content: &str) -> String {
        let script = format!(
            "cd {} && name=$(printf %s '{content}' | sha1sum | cut -c1-40) && name=$(printf %.2s $name)/$name && \
             mkdir -p ${{name%/*}} && printf %s '{content}' > $name && echo $name",
            self.filestore()
        );
        docker(&["exec", "--user", "odoo", CONTAINER, "sh", "-c", &script])
    }

    /// Removes it.
    pub fn drop(self) {
        lab(&["drop", &self.database]);
    }
}

/// Where sudo looks before it finds the real one.
const OLD: &str = "/usr/local/bin/pg_dump";

/// Words and exit status are those of PostgreSQL 15.
const OLD_PG_DUMP: &str = r#"#!/bin/sh
for database in "$@"; do :; done
[ "$database" = DATABASE ] || exec /usr/bin/pg_dump "$@"
echo "$3 $*" >> ASKED
case $3 in
    *[!0-9]*) echo "pg_dump: error: invalid value \"$3\" for option -Z/--compress" >&2; exit 1 ;;
esac
exec /usr/bin/pg_dump "$@"
"#;

/// A database's old `pg_dump`.
pub struct OldPgDump {
    asked: String,
}

impl OldPgDump {
    /// The compressions that it was asked for, each with its whole line.
    pub fn asked(&self) -> Vec<(String, String)> {
        let text = docker(&["exec", CONTAINER, "cat", &self.asked]);
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        lines.map(|(level, line)| (level.to_owned(), line.to_owned())).collect()
    }
}

impl Drop for OldPgDump {
    fn drop(&mut self) {
        docker(&["exec", CONTAINER, "rm", "-f", OLD, &self.asked]);
    }
}

#[track_caller]
fn lab(arguments: &[&str]) {
    let lab = concat!(env!("CARGO_MANIFEST_DIR"), "/docker/lab/lab");
    let output = Command::new(lab).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "docker/lab/lab {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
