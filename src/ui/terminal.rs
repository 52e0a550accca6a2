//! What the ui must know about the place it writes to.

use std::io::IsTerminal;

use console::Term;

/// Facts about the terminal, gathered once; everything that depends on them is given them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// Standard output is a terminal.
    pub stdout: bool,
    /// Standard error is a terminal whose cursor can be moved (`TERM` is not `dumb`).
    pub stderr: bool,
    /// The program runs in continuous integration (`CI` is set): its log keeps every redrawn line.
    pub ci: bool,
    /// Colours are allowed where there is a terminal: `NO_COLOR` is not set, `TERM` is not `dumb`.
    pub colours: bool,
    /// Columns, where there is a terminal.
    pub columns: Option<u16>,
}

impl Terminal {
    /// The facts of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            stdout: std::io::stdout().is_terminal(),
            stderr: std::io::stderr().is_terminal() && !dumb,
            ci: set("CI"),
            colours: !dumb && !set("NO_COLOR"),
            columns: Term::stderr().size_checked().map(|(_rows, columns)| columns),
        }
    }
}
