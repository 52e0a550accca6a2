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

/// Lets through what a child says but for values of rows.
#[derive(Debug, Default)]
pub(super) struct Discretion {
    /// The last line ended in the midst of something that is not shown.
    hiding: bool,
}

impl Discretion {
    /// What may be shown of a line; nothing, if it may be the rest of a value.
    pub(super) fn pass<'l>(&mut self, line: &'l str) -> Option<Cow<'l, str>> {
        let program = PROGRAMS.iter().find(|program| line.starts_with(*program));
        let words = &line[program.map_or(0, |program| program.len())..];
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
    let value = [": \"", "value \"", "Key (", "row contains ("];
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
        let mut discretion = Discretion::default();
        lines
            .iter()
            .filter_map(|line| discretion.pass(line).map(Cow::into_owned))
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
