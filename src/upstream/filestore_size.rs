//! How much of an upstream's filestore would travel.

/// What a pull of the filestore would bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FilestoreSize {
    /// How many files would travel: those that no older copy has.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

impl FilestoreSize {
    /// Reads what `rsync --stats` says. None where it does not say both.
    #[must_use]
    pub fn parse(stats: &str) -> Option<Self> {
        let number = |what: &str| {
            let rest = stats.lines().find_map(|line| line.trim().strip_prefix(what))?;
            // rsync before 3.1 parts thousands whatever it is told.
            let digits: String = rest.chars().filter(|c| !matches!(c, ',' | '.')).collect();
            digits.split_whitespace().next()?.parse().ok()
        };
        Some(Self {
            files: number("Number of regular files transferred:")?,
            bytes: number("Total transferred file size:")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_numbers_are_read() {
        let stats = "\nNumber of files: 7 (reg: 5, dir: 2)\nNumber of regular files transferred: 3\n\
                     Total file size: 25000 bytes\nTotal transferred file size: 15000 bytes\n";
        assert_eq!(
            FilestoreSize::parse(stats),
            Some(FilestoreSize {
                files: 3,
                bytes: 15_000
            })
        );
        assert_eq!(FilestoreSize::parse("rsync error"), None);
    }
}
