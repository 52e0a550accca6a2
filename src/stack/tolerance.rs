//! How many of the files that a copy's attachments name may be missing.

use std::fmt;
use std::str::FromStr;

/// A share of all files, or a number of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// Percent of all files.
    Percent(f64),
    /// So many files.
    Files(usize),
}

impl Tolerance {
    /// Where a stack says nothing. Productions that have lived for years miss a few files: contents that were lost in a
    /// move, or whose garbage was collected too early.
    pub const DEFAULT: Self = Self::Percent(1.0);

    /// Whether so many may be missing of so many. Part of a file counts as one, so that a small database may miss one; that
    /// all are missing is never a few, unless it is said so.
    #[must_use]
    pub fn allows(self, missing: usize, of: usize) -> bool {
        match self {
            _ if missing == 0 => true,
            Self::Files(files) => missing <= files,
            Self::Percent(percent) if percent >= 100.0 => true,
            Self::Percent(0.0) => false,
            Self::Percent(percent) => missing < of && missing as f64 <= (of as f64 * percent / 100.0).ceil(),
        }
    }
}

impl FromStr for Tolerance {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WHY: &str = "write a share such as `1%`, or a number of files";
        match text.trim().strip_suffix('%') {
            Some(percent) => match percent.trim().parse() {
                Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Self::Percent(percent)),
                _ => Err(WHY),
            },
            None => text.trim().parse().map(Self::Files).map_err(|_| WHY),
        }
    }
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent} %"),
            Self::Files(files) => write!(f, "{files} files"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_numbers() {
        for (text, missing, of, allowed) in [
            ("1%", 0, 0, true),
            ("1%", 1, 20, true),
            ("1%", 2, 20, false),
            ("1%", 1, 1, false),
            ("1%", 30, 30, false),
            ("1%", 100, 10_000, true),
            ("1%", 101, 10_000, false),
            ("0%", 1, 10_000, false),
            ("0", 1, 10_000, false),
            ("0.5 %", 50, 10_000, true),
            ("100%", 30, 30, true),
            (" 20 ", 20, 21, true),
            ("20", 21, 1000, false),
        ] {
            let tolerance: Tolerance = text.parse().unwrap();
            assert_eq!(tolerance.allows(missing, of), allowed, "{missing} of {of} by {text}");
        }
        for text in ["", "%", "-1%", "101%", "NaN%", "inf%", "1,5%", "-3", "many"] {
            assert!(text.parse::<Tolerance>().is_err(), "{text}");
        }
    }
}
