//! Databases of the lab's upstream.

use std::process::Command;
use std::sync::Mutex;

use super::world::docker;

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
        let database = format!("t_own_{name}");
        let _turn = GENERATOR.lock().unwrap();
        lab(&["drop", &database]);
        drop(_turn);
        Self::generated(&database, 500, 20)
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
    pub fn fingerprint(&self) -> String {
        let rows = self.sql(
            "SELECT sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_del) FROM pg_stat_all_tables;
             SELECT tup_inserted, tup_updated, tup_deleted FROM pg_stat_database WHERE datname = current_database();
             SELECT count(*) FROM pg_class; SELECT count(*) FROM pg_roles;
             SELECT shobj_description(oid, 'pg_database'), datacl, datdba FROM pg_database WHERE datname = current_database()",
        );
        let folder = self.filestore();
        let find = format!("find {folder} -printf '%P %s %m %U %T@ %C@\\n' | sort | sha256sum");
        let files = docker(&["exec", CONTAINER, "sh", "-c", &find]);
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
