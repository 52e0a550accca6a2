//! A command as a value: it can be shown as the line a person could type before it is run.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

use crate::secret::{MASK, Secret};
use crate::shell_words::{quote, quote_always};

/// The value of an environment variable given to a child.
#[derive(Debug, Clone)]
pub enum Env {
    /// Shown as it is.
    Plain(String),
    /// Shown as stars; visible to the same user only (`/proc/PID/environ`), never in an argument list.
    Secret(Secret),
    /// Not passed on to the child, even if this process has it.
    Unset,
}

/// A program with its arguments, environment and folder.
///
/// Arguments are plain text by type: a [`Secret`] cannot become one, because every user of a machine can read argument
/// lists. Secrets go through [`Command::env`].
#[derive(Debug, Clone)]
pub struct Command {
    program: String,
    args: Vec<String>,
    env: Vec<(String, Env)>,
    secrets: Vec<(String, Secret)>,
    folder: Option<Utf8PathBuf>,
    discreet: bool,
    frame: Option<Frame>,
}

/// How a command that was wrapped for another machine is shown and read.
#[derive(Debug, Clone)]
struct Frame {
    /// The line that a person could type.
    shown: String,
    /// The line after which its standard output is its own: what a login script printed stands before.
    begin: String,
    /// What it reads before all else.
    first: Option<Secret>,
}

impl Command {
    /// A program, found on `PATH` when it is run.
    #[must_use]
    pub fn new(program: impl Into<String>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            secrets: Vec::new(),
            folder: None,
            discreet: false,
            frame: None,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I, S>(mut self, args: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets, or takes away, a variable of the child's environment.
    #[must_use]
    pub fn env(mut self, key: impl Into<String>, value: Env) -> Self {
        self.env.push((key.into(), value));
        self
    }

    /// Gives the child secrets that it may need, in its environment. They are not shown: which of them it reads is its own
    /// matter. Unlike those of [`Command::env`] they go to another machine too, through the input of the script that runs the
    /// command there.
    #[must_use]
    pub fn secrets(mut self, secrets: impl IntoIterator<Item = (String, Secret)>) -> Self {
        self.secrets.extend(secrets);
        self
    }

    /// The folder in which the child begins.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<Utf8PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Keeps values of rows out of what is shown of the child's lines: for programs that handle production's database, and
    /// quote it when they complain.
    #[must_use]
    pub fn discreet(mut self) -> Self {
        self.discreet = true;
        self
    }

    /// Whether values of rows are kept out of what is shown.
    #[must_use]
    pub fn is_discreet(&self) -> bool {
        self.discreet
    }

    /// Shows the command as this line, reads its standard output from behind the line `begin` on, and holds its standard
    /// input open for as long as it is wanted: for commands that a script on another machine runs.
    #[must_use]
    pub(crate) fn framed(mut self, shown: String, begin: String) -> Self {
        self.frame = Some(Frame {
            shown,
            begin,
            first: None,
        });
        self
    }

    /// Has a framed command read this before all else.
    #[must_use]
    pub(crate) fn reading_first(mut self, text: Secret) -> Self {
        if let Some(frame) = &mut self.frame {
            frame.first = Some(text);
        }
        self
    }

    /// What it reads before all else, if it is framed.
    pub(crate) fn first_input(&self) -> Option<&Secret> {
        self.frame.as_ref()?.first.as_ref()
    }

    /// The line behind which its standard output begins, if it is framed.
    pub(crate) fn frame(&self) -> Option<&str> {
        self.frame.as_ref().map(|frame| frame.begin.as_str())
    }

    /// The program's name or path.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// The arguments without the program.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        &self.args
    }

    /// Changes to the environment, in order; a later one of the same name wins.
    #[must_use]
    pub fn environment(&self) -> &[(String, Env)] {
        &self.env
    }

    /// Secrets that it may need.
    #[must_use]
    pub fn secret_environment(&self) -> &[(String, Secret)] {
        &self.secrets
    }

    /// The folder, if it is not this process's own.
    #[must_use]
    pub fn working_folder(&self) -> Option<&Utf8Path> {
        self.folder.as_deref()
    }

    /// Program and arguments quoted for a POSIX shell, without environment and folder: what is sent to a remote shell.
    #[must_use]
    pub fn shell_words(&self) -> String {
        // A first word with `=` in it would be an assignment.
        let program = if self.program.contains('=') {
            quote_always(&self.program)
        } else {
            quote(&self.program)
        };
        let words = std::iter::once(program).chain(self.args.iter().map(|word| quote(word)));
        words.collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(frame) = &self.frame {
            return f.write_str(&frame.shown);
        }
        for (key, value) in &self.env {
            match value {
                Env::Plain(text) => write!(f, "{key}={} ", quote(text))?,
                Env::Secret(_) => write!(f, "{key}={MASK} ")?,
                Env::Unset => {}
            }
        }
        f.write_str(&self.shell_words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_a_person_could_type() {
        let command = Command::new("docker")
            .args(["compose", "run", "it's here"])
            .env("PGPASSWORD", Env::Secret(Secret::new("CANARY")))
            .env("COMPOSE_BAKE", Env::Plain("a b".into()))
            .env("HIDDEN", Env::Unset);
        assert_eq!(
            command.to_string(),
            r#"PGPASSWORD=*** COMPOSE_BAKE='a b' docker compose run "it's here""#
        );
    }

    #[test]
    fn an_assignment_in_front_is_a_program_all_the_same() {
        assert_eq!(Command::new("a=b").arg("c=d").shell_words(), "'a=b' c=d");
    }
}
