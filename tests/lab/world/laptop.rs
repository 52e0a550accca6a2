//! Another checkout of an estate's project, from which its stack is reached by ssh.

use std::fs;
use std::path::Path;

use super::estate::Estate;
use super::run::{Run, Running};
use super::sshd::Sshd;

/// A folder `laptop` in the estate's own: the same stack, on the host `node`.
pub struct Laptop<'a> {
    estate: &'a Estate,
}

impl<'a> Laptop<'a> {
    pub fn of(estate: &'a Estate, sshd: &Sshd) -> Self {
        let laptop = Self { estate };
        let there = |path: &str| estate.path(path).display().to_string();
        let manifest = fs::read_to_string(estate.path("tasks.toml")).unwrap();
        let manifest = manifest
            .replace(
                "state-root = \"state\"",
                &format!("state-root = \"{}\"", there("state")),
            )
            .replace("\"secrets.env\"", &format!("\"{}\"", there("secrets.env")))
            .replace(
                "[stacks.shop]",
                &format!(
                    "{}\n[stacks.shop]\nhost = \"node\"\npath = \"{}\"",
                    sshd.manifest(),
                    there(".")
                ),
            );
        estate.write("laptop/tasks.toml", &manifest);
        laptop.refresh();
        laptop
    }

    /// Takes the estate's templates over as they are now.
    pub fn refresh(&self) {
        let (from, to) = (
            self.estate.path("templates/compose"),
            self.estate.path("laptop/templates/compose"),
        );
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(from).unwrap().flatten() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }

    pub fn start(&self, words: &[&str]) -> Running {
        let manifest = self.estate.path("laptop/tasks.toml");
        let file = Path::to_str(&manifest).unwrap();
        self.estate.start(&[&["--file", file], words].concat())
    }

    pub fn run(&self, words: &[&str]) -> Run {
        self.start(words).end()
    }
}
