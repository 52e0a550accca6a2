//! Colours by what they mean.

use console::Style;

/// Paints text, or leaves it as it is where colours are not wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    colours: bool,
}

impl Paint {
    pub(super) fn new(colours: bool) -> Self {
        Self { colours }
    }

    /// Whether it paints at all.
    pub(super) fn colours(self) -> bool {
        self.colours
    }

    pub(super) fn good(self, text: &str) -> String {
        self.with(&Style::new().green(), text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.with(&Style::new().red().bold(), text)
    }

    pub(super) fn warn(self, text: &str) -> String {
        self.with(&Style::new().yellow(), text)
    }

    pub(super) fn help(self, text: &str) -> String {
        self.with(&Style::new().cyan().bold(), text)
    }

    pub(super) fn strong(self, text: &str) -> String {
        self.with(&Style::new().bold(), text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.with(&Style::new().dim(), text)
    }

    pub(super) fn accent(self, text: &str) -> String {
        self.with(&Style::new().cyan(), text)
    }

    fn with(self, style: &Style, text: &str) -> String {
        style.clone().force_styling(self.colours).apply_to(text).to_string()
    }
}
