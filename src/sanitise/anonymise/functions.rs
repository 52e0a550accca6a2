//! Stand-ins as functions of SQL. They live in `pg_temp`: nothing of them is left in the database.
//!
//! PostgreSQL puts their bodies in place of their calls, so that a million rows cost no million calls: as long as nothing in
//! a body is less than IMMUTABLE. Numbers are therefore cast to text, because `||` with a number is STABLE.

use postgres_protocol::escape::escape_literal;

use super::words::{Script, scripts};
use crate::sanitise::error::SanitiseError;
use crate::sanitise::statement::{Sql, Statement};

/// Walks through all pairs of two lists: a prime longer than any list.
const STEP: usize = 7919;

/// The statements that make the functions, in order.
pub(in crate::sanitise) fn functions() -> Result<Vec<String>, SanitiseError> {
    let scripts = scripts()?;
    let Some(latin) = scripts.first() else {
        return Ok(Vec::new());
    };
    Ok(vec![
        define("fake_script(alike text) RETURNS integer", &script_of(scripts)),
        by_script("fake_person(n bigint, alike text)", scripts, person),
        by_script("fake_given(n bigint, alike text)", scripts, given),
        by_script("fake_family(n bigint, alike text)", scripts, family),
        by_script("fake_company(n bigint, alike text)", scripts, company),
        by_script("fake_street(n bigint, alike text)", scripts, |script| {
            format!(
                "{} || ' ' || (1 + abs(n % 180) * 31 % 180)::text",
                word(&script.street, "n")
            )
        }),
        by_script("fake_city(n bigint, alike text)", scripts, |script| {
            word(&script.city, &format!("n % {} * 7", script.city.len()))
        }),
        define("fake_email(n bigint, domain text) RETURNS text", &email(latin)),
        define("fake_phone(n bigint, kind text) RETURNS text", PHONE),
        define("fake_zip(alike text) RETURNS text", ZIP),
        define("fake_vat(n bigint, alike text) RETURNS text", VAT),
        define("fake_digits(letters text) RETURNS text", &digits()),
        define("fake_iban(country text, account text) RETURNS text", IBAN),
        define("fake_account(n bigint, alike text) RETURNS text", ACCOUNT),
    ])
}

/// The functions as one statement, for a dry run.
pub(in crate::sanitise) fn prelude() -> Result<Statement, SanitiseError> {
    Ok(Statement {
        rule: "stand-ins".to_owned(),
        modules: vec!["[sanitise]".to_owned()],
        table: String::new(),
        why: "What people get instead: functions of the session, which are gone with it".to_owned(),
        sql: Sql {
            text: functions()?.join(";\n"),
            parameters: Vec::new(),
        },
        sample: None,
        surface: Sql::default(),
        rewrite: None,
    })
}

/// +999 is a country code that nobody has (ITU-T E.164, list of assigned country codes).
const PHONE: &str = "'+999 ' || kind || ' ' || left(lpad(n::text, greatest(8, length(n::text)), '0'), 4)
    || ' ' || substr(lpad(n::text, greatest(8, length(n::text)), '0'), 5)";

/// The region stays, the place goes: taxes and delivery areas go by the beginning of a postal code.
const ZIP: &str =
    "left(alike, 2) || regexp_replace(regexp_replace(substr(alike, 3), '[0-9]', '0', 'g'), '[A-Za-z]', 'A', 'g')";

const VAT: &str = "coalesce(substring(alike FROM '^[A-Za-z]{2}'), '')
    || lpad(n::text, greatest(9, length(n::text)), '0')";

/// Country, check digits (ISO 7064, MOD 97-10) and account.
const IBAN: &str =
    "country || lpad((98 - pg_temp.fake_digits(account || country || '00')::numeric % 97)::text, 2, '0') || account";

/// An IBAN keeps country, bank and length and is valid; another number keeps its length. Blanks and dashes are no part of
/// either.
const ACCOUNT: &str = "CASE
    WHEN upper(regexp_replace(alike, '[^A-Za-z0-9]', '', 'g')) ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'
    THEN pg_temp.fake_iban(
      upper(left(regexp_replace(alike, '[^A-Za-z0-9]', '', 'g'), 2)),
      upper(substr(regexp_replace(alike, '[^A-Za-z0-9]', '', 'g'), 5, 4))
        || lpad(right(n::text, length(regexp_replace(alike, '[^A-Za-z0-9]', '', 'g')) - 8),
                length(regexp_replace(alike, '[^A-Za-z0-9]', '', 'g')) - 8, '0'))
    ELSE lpad(n::text, greatest(length(regexp_replace(alike, '[^A-Za-z0-9]', '', 'g')), length(n::text)), '0')
  END";

fn define(signature: &str, body: &str) -> String {
    format!("CREATE OR REPLACE FUNCTION pg_temp.{signature}\n  LANGUAGE sql IMMUTABLE PARALLEL SAFE\n  RETURN {body}")
}

/// The number of the script that a text is written in.
fn script_of(scripts: &[Script]) -> String {
    let patterns = scripts.iter().enumerate().filter_map(|(at, script)| {
        let pattern = script.pattern.as_ref()?;
        Some(format!(
            "\n    WHEN alike ~ {} THEN {at}",
            escape_literal(pattern).trim_start()
        ))
    });
    format!(
        "CASE\n    WHEN octet_length(alike) = char_length(alike) THEN 0{}\n    ELSE 0\n  END",
        patterns.collect::<String>()
    )
}

fn by_script(signature: &str, scripts: &[Script], expression: impl Fn(&Script) -> String) -> String {
    let cases = scripts
        .iter()
        .enumerate()
        .map(|(at, script)| format!("\n    WHEN {at} THEN {}", expression(script)));
    let body = format!("CASE pg_temp.fake_script(alike){}\n  END", cases.collect::<String>());
    define(&format!("{signature} RETURNS text"), &body)
}

/// Every id has a name of its own: all pairs of given and family name first, then all of them with each middle name, with
/// two, and then with a number.
fn person(script: &Script) -> String {
    let glue = escape_literal(&script.glue);
    let (given, family) = (given(script), plain_family(script));
    let middle = middle(script, script.given.len() * script.family.len());
    if script.family_first {
        format!("{family} || {glue} || {middle} || {given}")
    } else {
        format!("{given} || {glue} || {middle} || {family}")
    }
}

fn given(script: &Script) -> String {
    word(&script.given, &place(script))
}

fn plain_family(script: &Script) -> String {
    word(&script.family, &format!("{} / {}", place(script), script.given.len()))
}

/// The family name of a person whose given name stands apart. It takes the middle name along.
fn family(script: &Script) -> String {
    let middle = middle(script, script.given.len() * script.family.len());
    format!("{middle} || {}", plain_family(script))
}

fn place(script: &Script) -> String {
    steps(script.given.len() * script.family.len())
}

/// The place of `n` on the walk. The rest is taken first: an id may be as long as a `bigint` is.
fn steps(span: usize) -> String {
    format!("(abs(n % {span}) * {STEP} % {span})")
}

fn company(script: &Script) -> String {
    let span = script.family.len() * script.trade.len();
    let place = steps(span);
    let name = word(&script.family, &place);
    let trade = word(&script.trade, &format!("{place} / {}", script.family.len()));
    format!(
        "{name} || {} || {} || {trade}",
        escape_literal(&script.glue),
        middle(script, span)
    )
}

/// What tells apart those that share a pair of words, with its glue; `span` is how many pairs there are.
fn middle(script: &Script, span: usize) -> String {
    let (glue, count) = (escape_literal(&script.glue), script.middle.len());
    let one = word(&script.middle, &format!("n / {span} - 1"));
    let two = word(&script.middle, &format!("(n / {span} - 1) / {count} - 1"));
    let most = count * (count + 1);
    format!(
        "CASE WHEN n < {span} THEN '' WHEN n / {span} <= {count} THEN {one} || {glue} \
         WHEN n / {span} <= {most} THEN {two} || {glue} || {one} || {glue} ELSE (n / {span})::text || {glue} END"
    )
}

fn email(latin: &Script) -> String {
    format!(
        "lower({} || '.' || {}) || '.' || (n / 2)::text || '@' || domain",
        given(latin),
        plain_family(latin)
    )
}

/// The word at a place, counted round and round. Nothing keeps ids above zero.
fn word(words: &[String], at: &str) -> String {
    let list = words
        .iter()
        .map(|word| format!("\"{word}\""))
        .collect::<Vec<_>>()
        .join(",");
    format!(
        "({}::text[])[1 + abs(({at}) % {})]",
        escape_literal(&format!("{{{list}}}")),
        words.len()
    )
}

/// Letters as the numbers that check digits are made of: A is 10.
fn digits() -> String {
    let replaced = ('A'..='Z').zip(10..);
    replaced.fold("letters".to_owned(), |text, (letter, number)| {
        format!("replace({text}, '{letter}', '{number}')")
    })
}
