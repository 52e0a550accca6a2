//! What the programs of a database say, without the rows that they quote.

use std::borrow::Cow;

/// Stands in the place of a value.
const HIDDEN: &str = "[…]";

/// What a server's complaint consists of; the value of these may be a row's.
const TELLING: [&str; 5] = ["CONTEXT:", "DETAIL:", "QUERY:", "STATEMENT:", "LINE "];

/// How other lines begin. A value may hold line ends, so whatever follows one and does not begin so may be its rest.
const BEGINNINGS: [&str; 8] = [
    "ERROR:",
    "FATAL:",
    "PANIC:",
    "WARNING:",
    "NOTICE:",
    "INFO:",
    "HINT:",
    "Command was:",
];

/// Programs that name themselves at the beginning of a line.
const PROGRAMS: [&str; 6] = ["pg_restore: ", "pg_dump: ", "psql: ", "ssh: ", "sudo: ", "docker: "];

/// What is known of a program's own `detail:` to hold no row.
#[derive(Debug, Clone, Copy)]
enum Detail {
    /// Versions.
    Plain,
    /// What a server said, as behind `ERROR:`.
    Message,
    /// A statement of the program's own, in which names stand and no values.
    Statement,
}

/// How `pg_dump: detail:` and `pg_restore: detail:` go on where it is known what follows (`pg_dump.c`, `pg_backup_db.c`).
/// Anything else is hidden.
const DETAILS: [(&str, Detail); 4] = [
    ("server version:", Detail::Plain),
    ("Error message from server:", Detail::Message),
    ("Query was:", Detail::Statement),
    ("Command was:", Detail::Statement),
];

/// Statements that hold names alone, if nothing in them is quoted as a text.
const OF_NAMES: [&str; 2] = ["LOCK TABLE ", "COPY "];

/// How much of a statement is shown, in characters: one that locks a thousand tables says no more.
const STATEMENT: usize = 300;

/// Lets through what a child says but for values of rows.
#[derive(Debug, Default)]
pub struct MessageFilter {
    /// The last line ended in the midst of something that is not shown.
    hiding: bool,
}

impl MessageFilter {
    /// What may be shown of a line; nothing, if it may be the rest of a value.
    pub fn pass<'l>(&mut self, line: &'l str) -> Option<Cow<'l, str>> {
        let program = PROGRAMS.iter().find(|program| line.starts_with(*program));
        let words = &line[program.map_or(0, |program| program.len())..];
        if let Some(program) = program.filter(|program| program.starts_with("pg_"))
            && let Some(detail) = words
                .strip_prefix("detail:")
                .and_then(|detail| known(detail.trim_start()))
        {
            self.hiding = detail.ends_with(HIDDEN);
            return Some(Cow::Owned(format!("{program}detail: {detail}")));
        }
        let telling = TELLING.iter().any(|label| {
            let begin = words.get(..label.len());
            begin.is_some_and(|begin| begin.eq_ignore_ascii_case(label))
        });
        if telling {
            self.hiding = true;
            let program = program.copied().unwrap_or_default();
            return Some(Cow::Owned(format!("{program}{}", without_rest(words))));
        }
        let begins = program.is_some() || BEGINNINGS.iter().any(|word| line.starts_with(word));
        if self.hiding && !begins {
            return None;
        }
        let complaint = ["ERROR:", "FATAL:", "WARNING:"].iter().any(|word| line.contains(word));
        let shown = if complaint {
            without_values(line)
        } else {
            Cow::Borrowed(line)
        };
        self.hiding = matches!(shown, Cow::Owned(_));
        Some(shown)
    }
}

/// A program's own detail, if it is one of [`DETAILS`].
fn known(detail: &str) -> Option<String> {
    let (label, rest, kind) = DETAILS
        .iter()
        .find_map(|(label, kind)| Some((label, detail.strip_prefix(label)?.trim(), kind)))?;
    let is_plain = |text: &str| {
        text.chars()
            .all(|sign| sign.is_alphanumeric() || " .,;:_+~()/-".contains(sign))
    };
    let shown = match kind {
        Detail::Plain => is_plain(rest).then(|| rest.to_owned())?,
        Detail::Message => without_values(rest).into_owned(),
        Detail::Statement => {
            let is_of_names = OF_NAMES.iter().any(|begin| rest.starts_with(begin));
            (is_of_names && !rest.contains('\'')).then(|| shortened(rest))?
        }
    };
    Some(format!("{label} {shown}"))
}

fn shortened(statement: &str) -> String {
    match statement.char_indices().nth(STATEMENT) {
        Some((end, _)) => format!("{} …", &statement[..end]),
        None => statement.to_owned(),
    }
}

/// The words up to their value: in the context of a COPY behind the place, else behind the label.
fn without_rest(words: &str) -> String {
    let Some((label, rest)) = words.split_once(':') else {
        return HIDDEN.to_owned();
    };
    let is_copy = label.eq_ignore_ascii_case("CONTEXT") && rest.trim_start().starts_with("COPY ");
    match rest.find(": \"").filter(|_| is_copy) {
        Some(place) => format!("{label}:{}: {HIDDEN}", &rest[..place]),
        None => format!("{label}: {HIDDEN}"),
    }
}

/// A server's message without what it quotes of a row: `invalid input syntax for type integer: "…"`, `value "…" is out of
/// range`. Names of tables and constraints stay.
#[must_use]
pub fn without_values(message: &str) -> Cow<'_, str> {
    let value = [": \"", "value \"", "near \"", "Key (", "row contains ("];
    match value.iter().filter_map(|mark| Some((message.find(mark)?, mark))).min() {
        Some((begin, mark)) => {
            let kept = begin + mark.trim_end_matches(['"', '(']).len();
            Cow::Owned(format!("{}{HIDDEN}", &message[..kept]))
        }
        None => Cow::Borrowed(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lines: &[&str]) -> Vec<String> {
        let mut filter = MessageFilter::default();
        lines
            .iter()
            .filter_map(|line| filter.pass(line).map(Cow::into_owned))
            .collect()
    }

    #[test]
    fn rows_are_left_out_and_the_place_stays() {
        assert_eq!(
            shown(&[
                r#"pg_restore: processing data for table "public.res_partner""#,
                r#"pg_restore: error: COPY failed for table "res_partner": ERROR:  invalid input syntax for type integer: "CANARY"#,
                r#"CANARY""#,
                r#"CONTEXT:  COPY res_partner, line 3, column name: "CANARY"#,
                "CANARY",
                r#"pg_restore: error: could not execute query: ERROR:  could not create unique index "res_partner_email_key""#,
                "DETAIL:  Key (email)=(CANARY",
                "CANARY) is duplicated.",
                "Command was: CREATE UNIQUE INDEX res_partner_email_key ON public.res_partner USING btree (email);",
                "  with another line",
                r#"CONTEXT:  COPY res_partner, line 4: "7	CANARY""#,
                "QUERY:  SELECT 'CANARY'",
                "HINT:  try again",
                "pg_dump: detail: Query was: SELECT 'CANARY'",
                "LINE 1: SELECT CANARY FROM t",
                "               ^",
            ]),
            [
                r#"pg_restore: processing data for table "public.res_partner""#,
                r#"pg_restore: error: COPY failed for table "res_partner": ERROR:  invalid input syntax for type integer: […]"#,
                "CONTEXT:  COPY res_partner, line 3, column name: […]",
                r#"pg_restore: error: could not execute query: ERROR:  could not create unique index "res_partner_email_key""#,
                "DETAIL: […]",
                "Command was: CREATE UNIQUE INDEX res_partner_email_key ON public.res_partner USING btree (email);",
                "  with another line",
                "CONTEXT:  COPY res_partner, line 4: […]",
                "QUERY: […]",
                "HINT:  try again",
                "pg_dump: detail: […]",
                "LINE 1: […]",
            ]
        );
    }

    #[test]
    fn what_a_dump_says_of_its_failure_is_seen_and_its_values_are_not() {
        assert_eq!(
            shown(&[
                "pg_dump: error: aborting because of server version mismatch",
                "pg_dump: detail: server version: 17.6 (Debian 17.6-1.pgdg12+1); pg_dump version: 13.22",
                r#"pg_dump: error: Dumping the contents of table "a" failed: PQgetResult() failed."#,
                "pg_dump: detail: Error message from server: FATAL:  terminating connection due to administrator command",
                "server closed the connection unexpectedly",
                "\tThis probably means the server terminated abnormally",
                "pg_dump: detail: Command was: COPY public.a (id, name) TO stdout;",
                "pg_dump: error: query failed: ERROR:  permission denied for schema bi",
                "pg_dump: detail: Query was: LOCK TABLE bi.report, public.a IN ACCESS SHARE MODE",
                r#"pg_dump: detail: Error message from server: ERROR:  invalid input syntax for type integer: "CANARY"#,
                r#"CANARY""#,
                "DETAIL:  Key (email)=(CANARY) exists",
                r#"pg_dump: detail: Error message from server: ERROR:  syntax error at or near "CANARY""#,
                "pg_dump: detail: Query was: LOCK TABLE a; SELECT 'CANARY'",
                "pg_dump: detail: Query was: SELECT name FROM a WHERE name = CANARY",
                "pg_dump: detail: server version: \"CANARY\"",
                "pg_dump: detail: CANARY",
                "CANARY",
                "psql: detail: Error message from server: CANARY",
            ]),
            [
                "pg_dump: error: aborting because of server version mismatch",
                "pg_dump: detail: server version: 17.6 (Debian 17.6-1.pgdg12+1); pg_dump version: 13.22",
                r#"pg_dump: error: Dumping the contents of table "a" failed: PQgetResult() failed."#,
                "pg_dump: detail: Error message from server: FATAL:  terminating connection due to administrator command",
                "server closed the connection unexpectedly",
                "\tThis probably means the server terminated abnormally",
                "pg_dump: detail: Command was: COPY public.a (id, name) TO stdout;",
                "pg_dump: error: query failed: ERROR:  permission denied for schema bi",
                "pg_dump: detail: Query was: LOCK TABLE bi.report, public.a IN ACCESS SHARE MODE",
                "pg_dump: detail: Error message from server: ERROR:  invalid input syntax for type integer: […]",
                "DETAIL: […]",
                "pg_dump: detail: Error message from server: ERROR:  syntax error at or near […]",
                "pg_dump: detail: […]",
                "pg_dump: detail: […]",
                "pg_dump: detail: […]",
                "pg_dump: detail: […]",
                "psql: detail: […]",
            ]
        );
    }

    #[test]
    fn other_lines_stay_as_they_are() {
        let lines = [
            "pg_restore: creating TABLE \"public.a\"",
            "Permission denied (publickey).",
            "FATAL:  database \"x\" does not exist",
            "",
        ];
        assert_eq!(shown(&lines), lines);
    }
}
