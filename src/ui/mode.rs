//! How a run is shown.

/// What `--output` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Bars on a terminal, plain lines elsewhere and in continuous integration.
    #[default]
    Auto,
    /// A line a running node, redrawn in place. Without a terminal there is nothing to redraw: plain lines.
    Bars,
    /// One line an event, no control characters.
    Plain,
    /// One JSON object an event on standard output, nothing on standard error.
    Json,
    /// Nothing but failures.
    Quiet,
}

impl Mode {
    /// Every mode with its name on the command line.
    pub const ALL: [(&'static str, Self); 5] = [
        ("auto", Self::Auto),
        ("bars", Self::Bars),
        ("plain", Self::Plain),
        ("json", Self::Json),
        ("quiet", Self::Quiet),
    ];

    /// The mode of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let known = Self::ALL.iter().find(|(known, _)| *known == name);
        known.map(|(_, mode)| *mode)
    }
}

/// Whether the lines that children print are shown while all goes well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verbosity {
    /// Only the journal has them.
    #[default]
    Normal,
    /// Commands and every line of their output are shown.
    Verbose,
}
