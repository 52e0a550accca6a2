//! What a dump brings, in its order, and what of that only a superuser can make.
//!
//! `pg_restore` works as a role without rights, because code of the copy runs in it: CHECK constraints and generated columns of
//! the rows that it loads, indexes that it builds, materialised views that it computes. What PostgreSQL lets only superusers
//! make is none of an ordinary role's; making it runs no code of the copy.

/// Where the catalogue keeps functions and types, by the numbers that `pg_restore --list` names: `pg_proc` and `pg_type`.
const OF_FUNCTIONS_AND_TYPES: [&str; 2] = ["1255", "1247"];

/// How the entries begin that only a superuser can make, whatever they are in detail. A comment on one needs ownership only,
/// but stands next to it.
const BY_SUPERUSER: [&str; 14] = [
    "ACCESS METHOD ",
    "CAST ",
    "COMMENT - EXTENSION ",
    "COMMENT - SCHEMA public ",
    "EXTENSION ",
    "FOREIGN DATA WRAPPER ",
    "OPERATOR CLASS ",
    "OPERATOR FAMILY ",
    "PROCEDURAL LANGUAGE ",
    "SCHEMA - public ",
    "SHELL TYPE ",
    "TEXT SEARCH PARSER ",
    "TEXT SEARCH TEMPLATE ",
    "TRANSFORM ",
];

const EVENT_TRIGGERS: [&str; 2] = ["EVENT TRIGGER ", "COMMENT - EVENT TRIGGER "];

/// Neighbours in a dump that one role restores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Whether only a superuser can make what is in it.
    pub by_superuser: bool,
    /// Its entries, as `pg_restore --use-list` reads them.
    pub list: String,
}

/// What a dump brings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// What comes before the rows, up to the last entry for a superuser.
    pub before: Vec<Stretch>,
    /// Everything else, the rows among it, but event triggers.
    pub rest: String,
    /// The event triggers: they belong to superusers, and see what everybody does in the database.
    pub event_triggers: String,
}

impl Contents {
    /// Reads what `pg_restore --list` prints. The functions and types that only a superuser can make are named by their
    /// numbers in the database that was dumped.
    #[must_use]
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a str>, privileged: &[u32]) -> Self {
        let mut contents = Self::default();
        let mut rows_begun = false;
        for line in lines {
            let Some(entry) = Entry::read(line) else { continue };
            if entry.is_any_of(&EVENT_TRIGGERS) {
                add(&mut contents.event_triggers, line);
                continue;
            }
            rows_begun = rows_begun || entry.is_any_of(&["TABLE DATA "]);
            if rows_begun {
                add(&mut contents.rest, line);
                continue;
            }
            let by_superuser = entry.needs_superuser(privileged);
            match contents.before.last_mut() {
                Some(last) if last.by_superuser == by_superuser => add(&mut last.list, line),
                _ => contents.before.push(Stretch {
                    by_superuser,
                    list: format!("{line}\n"),
                }),
            }
        }
        if let Some(last) = contents.before.pop_if(|last| !last.by_superuser) {
            contents.rest.insert_str(0, &last.list);
        }
        contents
    }
}

fn add(list: &mut String, line: &str) {
    list.push_str(line);
    list.push('\n');
}

/// A line such as `215; 1255 16390 FUNCTION public f(text) odoo`.
struct Entry<'a> {
    catalogue: &'a str,
    object: &'a str,
    what: &'a str,
}

impl<'a> Entry<'a> {
    /// None for a comment of the list.
    fn read(line: &'a str) -> Option<Self> {
        let (number, rest) = line.split_once("; ")?;
        number.parse::<u32>().ok()?;
        let mut parts = rest.splitn(3, ' ');
        Some(Self {
            catalogue: parts.next()?,
            object: parts.next()?,
            what: parts.next()?,
        })
    }

    fn is_any_of(&self, beginnings: &[&str]) -> bool {
        beginnings.iter().any(|beginning| self.what.starts_with(beginning))
    }

    fn needs_superuser(&self, privileged: &[u32]) -> bool {
        let named = || self.object.parse().is_ok_and(|object| privileged.contains(&object));
        self.is_any_of(&BY_SUPERUSER) || (OF_FUNCTIONS_AND_TYPES.contains(&self.catalogue) && named())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As pg_restore 17 prints it.
    const LIST: &str = ";
; Archive created at 2026-11-25 19:17:59 UTC
;     TOC Entries: 45
;
11; 2615 16388 SCHEMA - ext odoo
4; 3079 16433 EXTENSION - dblink \n3563; 0 0 COMMENT - EXTENSION dblink \n329; 1255 16492 FUNCTION public f(text) odoo
328; 1255 16491 FUNCTION public imm(regdictionary, text) odoo
225; 1259 16491 TABLE public t odoo
3553; 0 16517 TABLE DATA public r odoo
3572; 0 0 SEQUENCE SET public t_id_seq odoo
3401; 1259 16503 INDEX public ti odoo
3396; 3466 16523 EVENT TRIGGER - e odoo
3573; 0 0 COMMENT - EVENT TRIGGER e odoo
3552; 0 16504 MATERIALIZED VIEW DATA public m odoo
";

    fn numbers(list: &str) -> Vec<&str> {
        list.lines().filter_map(|line| line.split(';').next()).collect()
    }

    #[test]
    fn a_dump_is_parted_by_who_can_make_what_in_its_own_order() {
        let contents = Contents::of(LIST.lines(), &[16491]);
        let before: Vec<_> = contents
            .before
            .iter()
            .map(|stretch| (stretch.by_superuser, numbers(&stretch.list)))
            .collect();
        assert_eq!(
            before,
            [
                (false, vec!["11"]),
                (true, vec!["4", "3563"]),
                (false, vec!["329"]),
                (true, vec!["328"])
            ]
        );
        assert_eq!(numbers(&contents.rest), ["225", "3553", "3572", "3401", "3552"]);
        assert_eq!(numbers(&contents.event_triggers), ["3396", "3573"]);
    }

    #[test]
    fn where_nobody_needs_a_superuser_it_is_restored_in_one_go() {
        let plain = LIST.lines().filter(|line| !line.contains("EXTENSION"));
        let contents = Contents::of(plain, &[]);
        assert_eq!(contents.before, []);
        assert_eq!(
            numbers(&contents.rest),
            ["11", "329", "328", "225", "3553", "3572", "3401", "3552"]
        );
    }
}
