//! What may stand in a column instead of what a person left there.

use std::collections::BTreeMap;

use postgres_protocol::escape::{escape_identifier, escape_literal};
use serde::Deserialize;

use super::choice::{Anonymise, FreeText};
use crate::sanitise::catalogue::{Column, Kind};

/// Where unlinked people of a table have their addresses, and where partners have: `.invalid` is nobody's (RFC 2606).
const DOMAIN: &str = "people.invalid";

/// A kind of stand-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fake {
    /// A person's name, in the letters of the one that stood there.
    Name,
    /// Only the given name of it.
    GivenName,
    /// The rest of it.
    FamilyName,
    /// A company's name.
    Company,
    /// The name of a partner with that of its company before it, as Odoo shows it.
    CompleteName,
    /// A mail address.
    Email,
    /// A telephone number.
    Phone,
    /// Another one.
    Mobile,
    /// Street and number.
    Street,
    /// A town.
    City,
    /// A postal code of the same region.
    Zip,
    /// A tax number.
    Vat,
    /// The number of a passport, an insurance, a permit.
    Number,
    /// A bank account: a valid IBAN of the same bank where there was one.
    BankAccount,
    /// A day of the same year.
    Birthday,
    /// A title without people: the record's kind and its id.
    Title,
    /// A free text: it stays or goes by the policy's choice.
    Text,
    /// A free text of which Odoo wants something to be left: it stays, or becomes a title.
    RequiredText,
}

/// A stand-in, and whose.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Whose {
    /// Its kind.
    pub fake: Fake,
    /// The column that names the partner it is of, where that is not the rule's person.
    pub of: Option<String>,
    /// The column that tells companies from people: a company gets a company's name.
    pub company: Option<String>,
}

/// A column of a row for which a stand-in is made.
pub(in crate::sanitise) struct Cell<'a> {
    /// The table.
    pub table: &'a str,
    /// The column, quoted.
    pub column: &'a str,
    /// Whose it is: SQL of a `bigint`.
    pub person: &'a str,
    /// Whether that is a partner: SQL of a condition, or a constant.
    pub is_partner: &'a str,
    /// The table's columns: what a stand-in reads beside its own may not be there in every version.
    pub columns: &'a BTreeMap<String, Column>,
    /// How many letters the column takes, where it takes not any number.
    pub room: Option<u32>,
    /// What the policy says of texts.
    pub policy: &'a Anonymise,
}

/// Whether a column of this type can hold such a stand-in.
pub(in crate::sanitise) fn fits(fake: Fake, column: &Column) -> bool {
    match fake {
        Fake::Birthday => column.sql_type == "date",
        Fake::Text => column.kind != Kind::Other,
        _ => matches!(column.kind, Kind::Text | Kind::Json),
    }
}

/// What a row gets instead of what it holds.
pub(in crate::sanitise) enum Made {
    /// What it holds: the policy lets it be.
    Kept,
    /// Nothing.
    Nothing,
    /// The value of an expression.
    Sql(String),
}

impl Whose {
    /// The stand-in for a row that holds something there.
    pub(in crate::sanitise) fn made(&self, cell: &Cell<'_>) -> Made {
        let column = cell.column;
        let has = |name: &str| cell.columns.contains_key(name);
        let of = self.of.as_deref().filter(|name| has(name)).map(escape_identifier);
        let person = match &of {
            Some(of) => format!("coalesce({of}, id)::bigint * 2"),
            None => cell.person.to_owned(),
        };
        let n = &person;
        // What is cut may have lost the letter by which its script was known: such a column gets plain ones.
        let lettered = match self.fake {
            Fake::Zip | Fake::Vat | Fake::BankAccount => true,
            _ => cell.room.is_none(),
        };
        let alike = if lettered {
            format!("{column}::text")
        } else {
            "''::text".to_owned()
        };
        let made = match self.fake {
            Fake::CompleteName if NAME_PARTS.iter().all(|part| has(part)) => complete_name(n),
            Fake::CompleteName => name(n, &alike, Some("is_company").filter(|flag| has(flag))),
            Fake::Name => name(n, &alike, self.company.as_deref().filter(|flag| has(flag))),
            Fake::GivenName => format!("pg_temp.fake_given({n}, {alike})"),
            Fake::FamilyName => format!("pg_temp.fake_family({n}, {alike})"),
            Fake::Company => format!("pg_temp.fake_company({n}, {alike})"),
            Fake::Email => format!("pg_temp.fake_email({n}, {})", domain(cell)),
            Fake::Phone => format!("pg_temp.fake_phone({n}, '20')"),
            Fake::Mobile => format!("pg_temp.fake_phone({n}, '70')"),
            Fake::Street => format!("pg_temp.fake_street({n}, {alike})"),
            Fake::City => format!("pg_temp.fake_city({n}, {alike})"),
            Fake::Zip => format!("pg_temp.fake_zip({alike})"),
            Fake::Vat => format!("pg_temp.fake_vat({n}, {alike})"),
            Fake::Number => format!("'ID' || lpad(({n})::text, greatest(8, length(({n})::text)), '0')"),
            Fake::BankAccount => format!("pg_temp.fake_account({n}, {alike})"),
            Fake::Birthday => format!(
                "CASE WHEN isfinite({column}) THEN make_date(extract(year FROM {column})::int, 1, 1)
      + (abs(({n}) % 365) * 97 % 365)::int ELSE {column} END"
            ),
            Fake::RequiredText if cell.policy.free_text == FreeText::Keep => return Made::Kept,
            Fake::Title | Fake::RequiredText => format!("{} || id", escape_literal(&title(cell.table))),
            Fake::Text => match cell.policy.free_text {
                FreeText::Keep => return Made::Kept,
                FreeText::Blank | FreeText::Drop => return Made::Nothing,
            },
        };
        let made = match (cell.room, self.fake) {
            (None, _) | (_, Fake::Birthday) => made,
            // A part of an address may be somebody's.
            (Some(room), Fake::Email) => format!("CASE WHEN length({made}) <= {room} THEN {made} ELSE '' END"),
            (Some(room), _) => format!("left({made}, {room})"),
        };
        Made::Sql(match of {
            // The company whose copy this is keeps its name, also where others bear it.
            Some(of) => format!("CASE WHEN {of} IN (SELECT partner_id FROM res_company) THEN {column} ELSE {made} END"),
            None => made,
        })
    }
}

/// A name, of a company where the flag says so.
fn name(n: &str, alike: &str, company: Option<&str>) -> String {
    let person = format!("pg_temp.fake_person({n}, {alike})");
    match company {
        Some(flag) => {
            let flag = escape_identifier(flag);
            format!("CASE WHEN {flag} THEN pg_temp.fake_company({n}, {alike}) ELSE {person} END")
        }
        None => person,
    }
}

/// Of what a partner's complete name is made.
const NAME_PARTS: [&str; 6] = [
    "name",
    "is_company",
    "parent_id",
    "company_name",
    "commercial_company_name",
    "commercial_partner_id",
];

/// As Odoo composes it (`res.partner`, `_get_complete_name`, 16 to 19): a person's name stands behind that of the company.
fn complete_name(n: &str) -> String {
    format!(
        "CASE
      WHEN NOT is_company IS TRUE AND commercial_company_name <> '' AND (parent_id IS NOT NULL OR company_name <> '')
      THEN concat_ws(', ',
        CASE WHEN commercial_partner_id IN (SELECT partner_id FROM res_company) THEN commercial_company_name
             ELSE pg_temp.fake_company(coalesce(commercial_partner_id, id)::bigint * 2, commercial_company_name) END,
        CASE WHEN name <> '' THEN pg_temp.fake_person({n}, name) END)
      WHEN NOT is_company IS TRUE AND parent_id IS NOT NULL
      THEN concat_ws(', ',
        pg_temp.fake_person(parent_id::bigint * 2, name), CASE WHEN name <> '' THEN pg_temp.fake_person({n}, name) END)
      WHEN is_company THEN pg_temp.fake_company({n}, name)
      ELSE pg_temp.fake_person({n}, name)
    END"
    )
}

fn domain(cell: &Cell<'_>) -> String {
    let own = escape_literal(&format!("{}.invalid", cell.table.replace('_', "-")));
    match cell.is_partner {
        "true" => format!("'{DOMAIN}'"),
        "false" => own,
        condition => format!("CASE WHEN {condition} THEN '{DOMAIN}' ELSE {own} END"),
    }
}

/// `crm_lead` is a "Lead".
fn title(table: &str) -> String {
    let word = table.rsplit('_').next().unwrap_or(table);
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    format!("{}{} ", first.map(String::from).unwrap_or_default(), letters.as_str())
}
