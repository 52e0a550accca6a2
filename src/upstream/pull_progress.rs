//! How far a pull of the filestore has come.

/// What a line of rsync's `--info=progress2` says, such as
/// `1238099 99%  146.38MB/s    0:00:08 (xfr#5, to-chk=169/396)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PullProgress {
    /// Bytes that have travelled, before compression.
    pub bytes: u64,
    /// Share of the bytes of all files, 0 to 100. Files that need not travel never count, so this may end below 100.
    pub percent: u8,
    /// Files, folders included, that are not looked at yet, and all of them; none while a large file is under way.
    pub files: Option<(u64, u64)>,
}

impl PullProgress {
    /// Reads a line; none if it is no line of progress.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let bytes = words.next()?.parse().ok()?;
        let percent = words
            .next()?
            .strip_suffix('%')?
            .parse()
            .ok()
            .filter(|percent| *percent <= 100)?;
        words.next().filter(|rate| rate.ends_with("B/s"))?;
        Some(Self {
            bytes,
            percent,
            files: files(line),
        })
    }
}

fn files(line: &str) -> Option<(u64, u64)> {
    let (_, counts) = line.strip_suffix(')')?.rsplit_once("-chk=")?;
    let (left, all) = counts.split_once('/')?;
    Some((left.parse().ok()?, all.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_progress_are_read_and_others_are_not() {
        let read = |line| PullProgress::parse(line);
        let expected = PullProgress {
            bytes: 1_238_099,
            percent: 99,
            files: Some((169, 396)),
        };
        assert_eq!(
            read("        1238099  99%  146.38kB/s    0:00:08 (xfr#5, to-chk=169/396)"),
            Some(expected)
        );
        let early = PullProgress {
            bytes: 0,
            percent: 0,
            files: None,
        };
        assert_eq!(
            read("              0   0%    0.00kB/s    0:00:00  "),
            Some(early)
        );
        for line in [
            "",
            "skipping non-regular file \"ab/link\"",
            "12 things",
            "12 300% 1kB/s",
            "rsync: [sender] 3 4%",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
