//! A production system that is copied from.

use camino::{Utf8Path, Utf8PathBuf};
use serde::de::DeserializeOwned;

use super::names::{local_folder, name, remote_folder};
use super::{Compression, InstalledModule, Question, ReadOnly, TableSize, UpstreamError};
use crate::host::SshTarget;
use crate::postgres::DatabaseFacts;
use crate::process::{Command, Processes};

/// rsync's exit status when files vanished from the upstream between listing and reading: its garbage collection does that.
/// What is missing is then to be counted against the database, which is what tells whether it matters.
pub const VANISHED: u8 = 24;

/// What narrows a dump down to one small table that every Odoo has.
const PROBE: &[&str] = &["--table=res_lang"];

/// A production system that is copied from, and never anything else.
#[derive(Debug, Clone)]
pub struct Upstream {
    name: String,
    target: SshTarget,
    database: String,
    database_user: String,
    filestore: Utf8PathBuf,
}

impl Upstream {
    /// An upstream by its name in the manifest; its database, the user as whom PostgreSQL's tools run there, and the folder of
    /// that database's filestore.
    ///
    /// # Errors
    ///
    /// [`UpstreamError::Name`] or [`UpstreamError::Remote`] for what could be read as anything else than a name.
    pub fn new(
        name: impl Into<String>,
        target: SshTarget,
        database: &str,
        database_user: &str,
        filestore: impl Into<Utf8PathBuf>,
    ) -> Result<Self, UpstreamError> {
        Ok(Self {
            name: name.into(),
            target,
            database: self::name("database", database)?,
            database_user: self::name("user", database_user)?,
            filestore: remote_folder(filestore.into())?,
        })
    }

    /// Its name in the manifest.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the machine, as the manifest writes it. Only for messages and for telling production's names.
    #[must_use]
    pub fn machine(&self) -> &str {
        self.target.host()
    }

    /// The database's name there.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The user as whom PostgreSQL's tools run there.
    #[must_use]
    pub fn database_user(&self) -> &str {
        &self.database_user
    }

    /// The folder of the filestore there.
    #[must_use]
    pub fn filestore(&self) -> &Utf8Path {
        &self.filestore
    }

    /// Returns the command that dumps the database as an archive on standard output.
    ///
    /// Large objects are left out, for the reasons beside the option `-B`.
    #[must_use]
    pub fn pg_dump(&self, compression: Compression) -> ReadOnly {
        self.line(self.dump_there(compression, &[]))
    }

    /// The same for one small table that every Odoo has. Read by a `pg_restore` it tells whether both sides know the
    /// compression.
    #[must_use]
    pub fn probe(&self, compression: Compression) -> ReadOnly {
        self.line(self.dump_there(compression, PROBE))
    }

    /// The answer to a question, on standard output as one line of JSON.
    #[must_use]
    pub fn ask(&self, question: Question) -> ReadOnly {
        self.line(self.ask_there(question))
    }

    /// Every line that is sent to a shell of the upstream, whatever a restore meets. The filestore is beside them: its
    /// `rsync --server --sender` is written by rsync itself.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let questions = Question::ALL.into_iter().map(|question| self.ask_there(question));
        let dumps = Compression::PREFERENCE
            .into_iter()
            .flat_map(|compression| [self.dump_there(compression, PROBE), self.dump_there(compression, &[])]);
        questions.chain(dumps).collect()
    }

    fn ask_there(&self, question: Question) -> String {
        let sql = question.sql();
        let psql = [
            "psql",
            // Neither the user's start-up file nor anything but the answer.
            "-X",
            "-q",
            "-At",
            "-v",
            "ON_ERROR_STOP=1",
            "--no-password",
            "-c",
            "BEGIN TRANSACTION READ ONLY",
            "-c",
            &sql,
            "-c",
            "COMMIT",
            &self.database,
        ];
        // A question that takes a minute is a burden, not a question.
        self.postgres("-c default_transaction_read_only=on -c statement_timeout=60s", &psql)
    }

    /// Asks who the database is.
    ///
    /// # Errors
    ///
    /// If it cannot be asked, or the answer is not understood.
    pub async fn facts(&self, processes: &Processes) -> Result<DatabaseFacts, UpstreamError> {
        self.answer(Question::Facts, processes).await
    }

    /// Asks how large the tables are, the largest first.
    ///
    /// # Errors
    ///
    /// If it cannot be asked, or the answer is not understood.
    pub async fn table_sizes(&self, processes: &Processes) -> Result<Vec<TableSize>, UpstreamError> {
        self.answer(Question::TableSizes, processes).await
    }

    /// Asks which modules are installed, by name.
    ///
    /// # Errors
    ///
    /// If it cannot be asked, or the answer is not understood.
    pub async fn modules(&self, processes: &Processes) -> Result<Vec<InstalledModule>, UpstreamError> {
        self.answer(Question::Modules, processes).await
    }

    /// Pulls the filestore into a folder of this machine, whose parent exists. What an older copy (`link_dest`) has already
    /// becomes a hard link to it and does not travel. With `chown`, which needs root, everything belongs to that user and group.
    ///
    /// A filestore is addressed by content: a file's name is the SHA-1 of what is in it, and it is never changed in place.
    /// The options follow from that.
    ///
    /// # Errors
    ///
    /// [`UpstreamError::Local`] unless both folders are plain absolute paths: the destination can be nothing but a folder here.
    pub fn pull_filestore(
        &self,
        into: &Utf8Path,
        link_dest: Option<&Utf8Path>,
        chown: Option<(u32, u32)>,
    ) -> Result<ReadOnly, UpstreamError> {
        // Progress of the whole in plain numbers, each when it is known.
        let telling = ["--info=progress2", "--no-human-readable", "--outbuf=L"];
        self.rsync(into, link_dest, chown, &telling)
    }

    /// The same without bringing anything: rsync compares, and says how much would travel. Its answer is for
    /// [`FilestoreSize::parse`](super::FilestoreSize::parse).
    ///
    /// # Errors
    ///
    /// As [`Upstream::pull_filestore`].
    pub fn measure_filestore(&self, into: &Utf8Path, link_dest: Option<&Utf8Path>) -> Result<ReadOnly, UpstreamError> {
        self.rsync(into, link_dest, None, &["--dry-run", "--stats", "--no-human-readable"])
    }

    fn rsync(
        &self,
        into: &Utf8Path,
        link_dest: Option<&Utf8Path>,
        chown: Option<(u32, u32)>,
        telling: &[&str],
    ) -> Result<ReadOnly, UpstreamError> {
        let mut rsync = Command::new("rsync").args([
            // Folders and plain files; no links and devices, which Odoo never makes.
            "--recursive",
            // Same name and size is same content. Times are neither compared nor kept: a file that two Odoos stored on their
            // own has two times, and rsync would copy it instead of linking it (tried).
            "--size-only",
            // For new files and folders. Without `--perms`, so that other modes of older files do not keep them from being
            // linked, and the modes of linked files, which the live copy shares, are never touched.
            "--chmod=D0750,F0640",
            // Odoo's list of what to collect as garbage: it is about the files of the upstream, not of the copy.
            "--exclude=/checklist/",
            // What opw-task writes into filestores that it brought, where the upstream is such a copy.
            "--exclude=/.opw-task-run",
            // The whole list first, so that the progress knows its total; 100 bytes of memory a file.
            "--no-inc-recursive",
        ]);
        rsync = rsync.args(telling.iter().copied());
        if let Some(link_dest) = link_dest {
            rsync = rsync.arg(format!("--link-dest={}/", local_folder(link_dest)?));
        }
        if let Some((user, group)) = chown {
            // `--chown` has an effect only with these two; rsync 3.2.4 and newer imply them.
            rsync = rsync
                .args(["--owner", "--group"])
                .arg(format!("--chown={user}:{group}"));
        }
        let from = format!(
            "{}:{}/",
            self.target.rsync_destination(),
            self.filestore.as_str().trim_end_matches('/')
        );
        let into = format!("{}/", local_folder(into)?);
        Ok(ReadOnly::new(
            rsync.arg(format!("--rsh={}", self.target.rsh())).arg(from).arg(into),
        ))
    }

    fn dump_there(&self, compression: Compression, only: &[&str]) -> String {
        let mut pg_dump = vec![
            "pg_dump",
            // An archive knows its own end; plain SQL that is cut in the middle restores half with success.
            "-Fc",
            "-Z",
            compression.argument(),
            // Nobody is there to type one.
            "--no-password",
            // No large objects, in the word that every pg_dump knows: Odoo keeps none, no rule could look into one, and a role
            // that may only read tables fails at the first.
            "-B",
            // Someone there who alters a table holds its lock: say so instead of waiting with a queue of users behind us.
            "--lock-wait-timeout=60s",
        ];
        pg_dump.extend(only);
        pg_dump.push(&self.database);
        self.postgres("-c default_transaction_read_only=on", &pg_dump)
    }

    /// Runs one of PostgreSQL's tools there as the database user, in a folder that every user may enter.
    fn postgres(&self, options: &str, tool: &[&str]) -> String {
        let options = format!("PGOPTIONS={options}");
        let remote = if self.target.user() == Some(self.database_user.as_str()) {
            Command::new("env").arg(options)
        } else {
            // -n: no prompt. The variable stands behind sudo, which would not let it through.
            Command::new("sudo")
                .args(["-n", "-u", &self.database_user, "env"])
                .arg(options)
        };
        let remote = remote.args(tool.iter().copied());
        format!("cd / && {}", remote.shell_words())
    }

    fn line(&self, line: String) -> ReadOnly {
        ReadOnly::new(self.target.line(line).discreet())
    }

    async fn answer<T: DeserializeOwned>(&self, question: Question, processes: &Processes) -> Result<T, UpstreamError> {
        let text = processes.capture(self.ask(question).command()).await?;
        serde_json::from_str(&text).map_err(|source| UpstreamError::Answer {
            upstream: self.name.clone(),
            source,
        })
    }
}
