//! A command's line, short enough for the title of an error.

/// How long a title's command may be, in characters.
const LONGEST: usize = 100;

/// The line without ssh's options, and without its end if it is long. The whole line stands in the error's notes.
pub(super) fn brief(line: &str) -> String {
    let line = without_ssh_options(line);
    let end = line.char_indices().nth(LONGEST).map(|(end, _)| end);
    // A script's further lines do not belong into a title either.
    match line.find('\n').into_iter().chain(end).min() {
        Some(end) => format!("{} …", line[..end].trim_end()),
        None => line,
    }
}

/// Leaves out what [`SshTarget`](crate::host::SshTarget) puts between `ssh` and the destination; none of these options has
/// a blank in its value.
fn without_ssh_options(line: &str) -> String {
    let Some(mut rest) = line.strip_prefix("ssh ") else {
        return line.to_owned();
    };
    while ["-o ", "-i ", "-p "].iter().any(|option| rest.starts_with(option)) {
        rest = rest.splitn(3, ' ').nth(2).unwrap_or_default();
    }
    format!("ssh {rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_destination_and_what_runs_there_are_seen() {
        let line = "ssh -o BatchMode=yes -i /k -p 22 root@h 'cd / && pg_dump -o opw'";
        assert_eq!(brief(line), "ssh root@h 'cd / && pg_dump -o opw'");
        assert_eq!(brief("docker compose up"), "docker compose up");
        assert_eq!(brief("ssh -o"), "ssh -o");
        assert_eq!(brief("sh -c 'set -e\nrm x'"), "sh -c 'set -e …");
        let long = brief(&"ü".repeat(500));
        assert_eq!(long.chars().count(), LONGEST + 2);
    }
}
