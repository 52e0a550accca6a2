//! Whose a row is.

use postgres_protocol::escape::escape_identifier;

use crate::sanitise::catalogue::{Catalogue, Column, Kind};
use crate::sanitise::plan::literals;
use crate::sanitise::policy::Policy;
use crate::sanitise::rule::Rule;
use crate::sanitise::service_users::with_key;
use crate::sanitise::value::Value;

/// Partners that people do not stand behind, or whose address a rule of its own sets: they are nobody's second record. They
/// keep their addresses, so that a second run would not find what the first one found.
fn nobody(policy: &Policy) -> String {
    let named = "SELECT u.partner_id FROM res_users u JOIN ir_model_data d ON d.res_id = u.id \
                 WHERE d.model = 'res.users' AND d.module = 'base' AND u.partner_id IS NOT NULL \
                 AND d.name IN ('user_root', 'user_admin', 'public_user', 'default_user', 'template_portal_user_id')";
    let programs = literals(with_key(policy).map(|user| user.login.as_str()));
    if programs.is_empty() {
        return named.to_owned();
    }
    format!(
        "{named}\n             UNION SELECT partner_id FROM res_users WHERE partner_id IS NOT NULL AND login IN ({programs})"
    )
}

/// Whether a table has the numbers that stand-ins are counted by. Odoo's tables have; a table of relations has not, and one
/// that somebody made may be counted otherwise.
pub(in crate::sanitise) fn is_counted(catalogue: &Catalogue, table: &str) -> bool {
    catalogue.column(table, "id").is_some_and(is_number)
}

fn is_number(column: &Column) -> bool {
    matches!(column.sql_type.as_str(), "smallint" | "integer" | "bigint")
}

/// Whether two rows must not be one person: where what they get stands in a column that takes each value once. The first
/// row is then the partner's, the others are somebody of their own.
fn is_once(rule: &Rule, catalogue: &Catalogue) -> bool {
    let fakes = rule
        .assignments()
        .iter()
        .filter(|(_, value)| matches!(value, Value::Fake(_)));
    let mut columns = fakes.filter_map(|(name, _)| catalogue.column(&rule.table, name));
    rule.person_once || columns.any(|column| column.unique)
}

/// Whose rows of a table are, as SQL.
pub(in crate::sanitise) struct Known {
    /// What is joined to the table, if anything: it has the columns `record` and `person`.
    pub from: Option<String>,
    /// Whose a row is: a `bigint`. Partners have the even numbers, so that nobody else gets the name of one.
    pub person: String,
    /// Whether that is a partner: a condition, `true` or `false`.
    pub is_partner: String,
}

/// Whose the rows of a rule's table are: the partner that one of the rule's links names, else the partner with the row's
/// mail address, else nobody but the row itself.
pub(in crate::sanitise) fn known(rule: &Rule, catalogue: &Catalogue, policy: &Policy) -> Known {
    let links: Vec<Link<'_>> = rule
        .person
        .iter()
        .filter_map(|text| Link::read(text, rule, catalogue))
        .collect();
    // Partners that keep their addresses would not be found a second time.
    let by_address = rule.person_email.as_deref().filter(|column| {
        policy.anonymise.covers("res.partner")
            && catalogue
                .column(&rule.table, column)
                .is_some_and(|column| column.kind == Kind::Text)
            && catalogue.has("res_partner.email_normalized")
            && catalogue.has("ir_model_data.res_id")
    });
    if rule.table == "res_partner" {
        return Known {
            from: None,
            person: "id::bigint * 2".to_owned(),
            is_partner: "true".to_owned(),
        };
    }
    // Rows that are not counted get nothing, whosever they are.
    if (links.is_empty() && by_address.is_none()) || !is_counted(catalogue, &rule.table) {
        return Known {
            from: None,
            person: "id::bigint * 2 + 1".to_owned(),
            is_partner: "false".to_owned(),
        };
    }
    let once = is_once(rule, catalogue);
    if !once && by_address.is_none() && links.iter().all(|link| link.through.is_none()) {
        let linked = coalesce(links.iter().map(|link| link.sql("")).collect());
        return Known {
            from: None,
            person: format!("coalesce({linked}::bigint * 2, id::bigint * 2 + 1)"),
            is_partner: format!("{linked} IS NOT NULL"),
        };
    }
    let table = catalogue.relation(&rule.table);
    let mut ways: Vec<_> = links.iter().map(|link| link.sql("t.")).collect();
    let mut join = String::new();
    if let Some(column) = by_address {
        let column = escape_identifier(column);
        let unlinked = if ways.is_empty() {
            String::new()
        } else {
            format!(" AND {} IS NULL", coalesce(ways.clone()))
        };
        let nobody = nobody(policy);
        // An address may stand between a name and brackets. Partners that share one are told apart by nothing: the oldest.
        join = format!(
            "\n  LEFT JOIN (SELECT email_normalized AS address, min(id) AS id FROM res_partner\n             \
             WHERE email_normalized LIKE '%@%' AND id NOT IN ({nobody})\n             GROUP BY 1) AS p\n    \
             ON p.address = lower(substring(t.{column} FROM '[^\\s<>,;\"]+@[^\\s<>,;\"]+')){unlinked}"
        );
        ways.push("p.id".to_owned());
    }
    let mut person = coalesce(ways);
    if once {
        person = format!("CASE WHEN row_number() OVER (PARTITION BY {person} ORDER BY t.id) = 1 THEN {person} END");
    }
    Known {
        from: Some(format!(
            "(SELECT t.id AS record, {person} AS person\n  FROM {table} t{join}) AS known"
        )),
        person: "coalesce(known.person::bigint * 2, id::bigint * 2 + 1)".to_owned(),
        is_partner: "known.person IS NOT NULL".to_owned(),
    }
}

/// A way from a row to a partner: `partner_id`, or `user_id -> res_users.partner_id`.
struct Link<'a> {
    column: &'a str,
    through: Option<(&'a str, &'a str)>,
}

impl<'a> Link<'a> {
    /// The link, where the database has it.
    fn read(text: &'a str, rule: &Rule, catalogue: &Catalogue) -> Option<Self> {
        let (column, through) = match text.split_once("->") {
            Some((column, way)) => (column.trim(), Some(way.trim().split_once('.')?)),
            None => (text.trim(), None),
        };
        catalogue
            .column(&rule.table, column)
            .filter(|column| is_number(column))?;
        if let Some((table, name)) = through {
            catalogue.column(table, name).filter(|column| is_number(column))?;
        }
        Some(Self { column, through })
    }

    fn sql(&self, of: &str) -> String {
        let column = format!("{of}{}", escape_identifier(self.column));
        match self.through {
            None => column,
            Some((table, name)) => format!(
                "(SELECT v.{} FROM {} v WHERE v.id = {column})",
                escape_identifier(name),
                escape_identifier(table)
            ),
        }
    }
}

fn coalesce(mut ways: Vec<String>) -> String {
    match ways.pop() {
        Some(only) if ways.is_empty() => only,
        Some(last) => format!("coalesce({}, {last})", ways.join(", ")),
        None => "NULL::integer".to_owned(),
    }
}
