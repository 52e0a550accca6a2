//! A project in a folder of its own, and the built program run in it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What every manifest needs.
pub const HEAD: &str = "[project]\nname = \"demo\"\n";

/// A folder with `tasks.toml`. Its `home/` is the program's `HOME`; nothing else of the test's environment is passed on.
pub struct Project {
    folder: tempfile::TempDir,
    path: Option<PathBuf>,
    variables: Vec<(String, String)>,
}

impl Project {
    /// A project whose manifest is [`HEAD`] and this.
    pub fn new(manifest: &str) -> Self {
        Self::empty().with("tasks.toml", &format!("{HEAD}{manifest}"))
    }

    /// A folder without a manifest.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        Self {
            folder,
            path: None,
            variables: Vec::new(),
        }
    }

    /// The same with a file more.
    pub fn with(self, path: &str, text: &str) -> Self {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// The same with a program on `PATH`, a script for `sh`.
    pub fn with_program(mut self, name: &str, script: &str) -> Self {
        self = self.with(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(self.at(&format!("bin/{name}")), fs::Permissions::from_mode(0o755)).unwrap();
        let usual = std::env::var("PATH").unwrap();
        self.path = Some(format!("{}:{usual}", self.at("bin").display()).into());
        self
    }

    /// The same with a `PATH` on which there is nothing.
    pub fn without_programs(mut self) -> Self {
        fs::create_dir_all(self.at("nothing")).unwrap();
        self.path = Some(self.at("nothing"));
        self
    }

    /// The same with a variable in the program's environment.
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A path in the folder.
    pub fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The text of a file in the folder.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The permission bits of a file or folder.
    pub fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.at(path)).unwrap().permissions().mode() & 0o7777
    }

    /// The program with these arguments, ready to be run.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opw-task"));
        let path = match &self.path {
            Some(path) => path.clone().into_os_string(),
            None => std::env::var_os("PATH").unwrap(),
        };
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.at("home"))
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.ran(self.command(args).output().unwrap())
    }

    /// What a run left, with what differs from run to run replaced.
    pub fn ran(&self, output: Output) -> Ran {
        let Output { status, stdout, stderr } = output;
        Ran {
            code: status.code(),
            out: self.steady(&String::from_utf8(stdout).unwrap()),
            err: self.steady(&String::from_utf8(stderr).unwrap()),
        }
    }

    /// The text with the folder, run identities and durations replaced.
    fn steady(&self, text: &str) -> String {
        let here = self.folder.path().canonicalize().unwrap();
        let text = text.replace(here.to_str().unwrap(), "HERE");
        let text = text.replace(self.folder.path().to_str().unwrap(), "HERE");
        text.split_inclusive('\n').map(steady_line).collect()
    }

    /// Everything that all runs of this project wrote into their journals.
    pub fn journal(&self) -> String {
        let mut all = String::new();
        for path in files_below(&self.at(".opw-task")) {
            all.push_str(&fs::read_to_string(path).unwrap());
        }
        all
    }
}

/// A line with run identities and durations replaced.
fn steady_line(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in line.split(' ') {
        let bare = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        let unit = matches!(bare, "ms" | "s" | "min" | "h");
        let number = words.last().is_some_and(|last| last.parse::<f64>().is_ok());
        if unit && number {
            words.pop();
            // `1 min 23 s` is one time.
            if words.last().is_some_and(|last| last == "TIME") {
                words.pop();
            }
            words.push(format!("TIME{}", &word[bare.len()..]));
        } else {
            let steady = |part: &str| {
                if is_run_id(part) {
                    "RUN".to_owned()
                } else {
                    part.to_owned()
                }
            };
            let parts = word.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
            let parts = parts.map(|part| {
                let name = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
                steady(name) + &part[name.len()..]
            });
            words.push(parts.collect());
        }
    }
    words.join(" ")
}

/// Whether a word looks like `20261122t134501x7k2`.
fn is_run_id(word: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    word.len() > 15
        && word.is_char_boundary(15)
        && digits(&word[..8])
        && word.as_bytes()[8] == b't'
        && digits(&word[9..15])
}

/// What a run left.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The run ended with this code.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Exit code, standard output and standard error as one text.
    pub fn whole(&self) -> String {
        let code = self.code.map_or("a signal".to_owned(), |code| code.to_string());
        format!("exit code: {code}\n--- stdout\n{}--- stderr\n{}", self.out, self.err)
    }
}

/// All files below a folder, sorted; none where there is no folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The root of this repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether these are the tests of a published package, which lacks what stands at the repository's root as an example.
pub fn is_published() -> bool {
    // Written by `cargo package` beside its own Cargo.toml; no checkout can have it.
    let is_published = repository().join("Cargo.toml.orig").exists();
    if is_published {
        // Past the harness, which shows what a test prints only if it fails.
        let _ = std::io::stderr().write_all(b"skipped: the published package has no estate\n");
    }
    is_published
}

/// The repository's estate as git has it, in a checkout of its own: no env files of anybody's, no programs, no hosts in reach.
/// None in a published package.
pub fn estate() -> Option<Project> {
    if is_published() {
        return None;
    }
    let files = ["tasks.toml", "docker/config/base.env", "docker/sanitise/shopify.toml"];
    let project = Project::empty().without_programs();
    Some(files.iter().fold(project, |project, path| {
        project.with(path, &fs::read_to_string(repository().join(path)).unwrap())
    }))
}
