//! Users for programs, each with an API key of the copy's own: they exist in the copy whether production has them or not.
//!
//! Rows of Odoo's tables have columns that no rule can know, of modules that are installed here and not there. What a
//! column must not be without is therefore taken from the administrator's own rows.

use postgres_protocol::escape::escape_identifier;

use super::bindings::Bindings;
use super::catalogue::Catalogue;
use super::error::SanitiseError;
use super::policy::{Policy, ServiceUser};
use super::statement::{Parameter, Sql, Statement};
use crate::secret::Secret;

/// The administrator's id.
const ADMIN: &str =
    "(SELECT res_id FROM ir_model_data WHERE model = 'res.users' AND module = 'base' AND name = 'user_admin')";

/// An API key has so many characters at least: Odoo finds it by its first eight.
const SHORTEST_KEY: usize = 16;

/// What makes the users; it runs before the rules, so that those of passwords see them.
pub(super) fn users(catalogue: &Catalogue, bindings: &Bindings<'_>) -> Result<Vec<Statement>, SanitiseError> {
    let mut statements = Vec::new();
    if !is_possible(catalogue) {
        return Ok(statements);
    }
    if let Some(logins) = bindings.policy.users_of_one_key() {
        return Err(SanitiseError::SharedKey {
            logins: logins.map(str::to_owned),
        });
    }
    for user in wanted(bindings) {
        if user.api_key.expose().chars().count() < SHORTEST_KEY {
            return Err(SanitiseError::ShortKey {
                login: user.login.clone(),
                least: SHORTEST_KEY,
            });
        }
        statements.push(create(user, catalogue));
        statements.extend(own_partner(user, catalogue));
        statements.push(activate(user, catalogue));
        statements.extend(company(user, catalogue));
        statements.extend(groups(user, catalogue));
    }
    Ok(statements)
}

/// What gives them their keys; it runs after the rules, which delete all others.
pub(super) fn keys(catalogue: &Catalogue, bindings: &Bindings<'_>) -> Vec<Statement> {
    if !is_possible(catalogue) || catalogue.column("res_users_apikeys", "index").is_none() {
        return Vec::new();
    }
    let keys = wanted(bindings).zip(&bindings.hashes.service);
    keys.map(|(user, hash)| {
        let (mut sql, mut surface) = (Sql::default(), Sql::default());
        let there = |sql: &mut Sql| {
            let (login, hash) = (text(sql, &user.login), sql.bind(Parameter::Secret(hash.clone())));
            format!(
                "SELECT FROM res_users_apikeys k JOIN res_users u ON u.id = k.user_id WHERE u.login = {login} AND k.key = {hash}"
            )
        };
        let exists = there(&mut sql);
        let (login, key) = (text(&mut sql, &user.login), sql.bind(Parameter::Secret(hash.clone())));
        let first: String = user.api_key.expose().chars().take(8).collect();
        let index = sql.bind(Parameter::Secret(Secret::new(first)));
        sql.text = format!(
            "INSERT INTO res_users_apikeys (name, user_id, index, key)\nSELECT 'opw-task', u.id, {index}, {key}\n\
             FROM res_users u\nWHERE u.login = {login}\n  AND NOT EXISTS ({exists})"
        );
        let exists = there(&mut surface);
        surface.text = format!("SELECT (NOT EXISTS ({exists}))::int::bigint");
        statement(user, "res_users_apikeys", sql, surface)
    })
    .collect()
}

/// The users that have a key in this environment; the others are not made.
pub(super) fn wanted<'a>(bindings: &Bindings<'a>) -> impl Iterator<Item = &'a ServiceUser> + use<'a> {
    with_key(bindings.policy)
}

/// The same of a policy.
pub(super) fn with_key(policy: &Policy) -> impl Iterator<Item = &ServiceUser> {
    policy.service_users.iter().filter(|user| !user.api_key.is_empty())
}

impl Policy {
    /// Two service users with one API key, by their logins. Odoo finds the user by the key, and would find whichever
    /// row comes first.
    #[must_use]
    pub fn users_of_one_key(&self) -> Option<[&str; 2]> {
        with_key(self).enumerate().find_map(|(at, user)| {
            let same = |other: &&ServiceUser| other.api_key.expose() == user.api_key.expose();
            let other = with_key(self).take(at).find(same)?;
            Some([other.login.as_str(), user.login.as_str()])
        })
    }
}

fn is_possible(catalogue: &Catalogue) -> bool {
    [
        "res_users.partner_id",
        "res_users.login",
        "res_partner.name",
        "ir_model_data.res_id",
    ]
    .iter()
    .all(|needed| catalogue.has(needed))
}

/// The user with its partner, in one statement: neither is left without the other.
fn create(user: &ServiceUser, catalogue: &Catalogue) -> Statement {
    let (mut sql, mut surface) = (Sql::default(), Sql::default());
    let (login, name) = (text(&mut sql, &user.login), text(&mut sql, &user.name));
    let email = format!("{login} || '@localhost'");
    let partner = columns(
        catalogue,
        "res_partner",
        &[
            ("name", name.clone()),
            ("complete_name", name.clone()),
            ("display_name", name),
            ("email", email.clone()),
            ("email_normalized", email),
            ("active", "true".into()),
            ("type", "'contact'".into()),
            ("is_company", "false".into()),
            ("employee", "false".into()),
            ("partner_share", "false".into()),
            ("lang", "t.lang".into()),
            ("tz", "t.tz".into()),
            ("commercial_partner_id", "NULL".into()),
            ("parent_id", "NULL".into()),
        ],
    );
    let row = columns(
        catalogue,
        "res_users",
        &[
            ("login", login.clone()),
            ("partner_id", "made.id".into()),
            ("company_id", "t.company_id".into()),
            ("active", "true".into()),
            ("share", "false".into()),
        ],
    );
    sql.text = format!(
        "WITH made AS (\n  INSERT INTO res_partner ({})\n  SELECT {}\n  FROM res_partner t\n  \
         WHERE t.id = (SELECT partner_id FROM res_users WHERE id = {ADMIN})\n    \
         AND NOT EXISTS (SELECT FROM res_users WHERE login = {login})\n  RETURNING id)\n\
         INSERT INTO res_users ({})\nSELECT {}\nFROM res_users t, made\nWHERE t.id = {ADMIN}",
        partner.0, partner.1, row.0, row.1
    );
    let login = text(&mut surface, &user.login);
    surface.text = format!("SELECT (NOT EXISTS (SELECT FROM res_users WHERE login = {login}))::int::bigint");
    statement(user, "res_users", sql, surface)
}

/// Names and values of an INSERT: those that are given and there, and from the row `t` what the table insists on.
fn columns(catalogue: &Catalogue, table: &str, given: &[(&str, String)]) -> (String, String) {
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for (name, column) in catalogue.table(table).into_iter().flat_map(|table| &table.columns) {
        let value = given
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone());
        let insists = column.not_null && !column.generated && name != "id";
        let quoted = escape_identifier(name);
        if let Some(value) = value.or_else(|| insists.then(|| format!("t.{quoted}"))) {
            names.push(quoted);
            values.push(value);
        }
    }
    (names.join(", "), values.join(", "))
}

/// A partner without a company of its own is its own commercial entity.
fn own_partner(user: &ServiceUser, catalogue: &Catalogue) -> Option<Statement> {
    catalogue.column("res_partner", "commercial_partner_id")?;
    let (mut sql, mut surface) = (Sql::default(), Sql::default());
    let these = |sql: &mut Sql| {
        let login = text(sql, &user.login);
        format!("commercial_partner_id IS NULL AND id IN (SELECT partner_id FROM res_users WHERE login = {login})")
    };
    sql.text = format!(
        "UPDATE res_partner\nSET commercial_partner_id = id\nWHERE {}",
        these(&mut sql)
    );
    surface.text = format!("SELECT count(*) FROM res_partner WHERE {}", these(&mut surface));
    Some(statement(user, "res_partner", sql, surface))
}

/// A user of that login that production has may be switched off there.
fn activate(user: &ServiceUser, catalogue: &Catalogue) -> Statement {
    let (mut sql, mut surface) = (Sql::default(), Sql::default());
    let has_share = catalogue.column("res_users", "share").is_some();
    let (set, off) = if has_share {
        (", share = false", " OR share IS NOT FALSE")
    } else {
        ("", "")
    };
    let login = text(&mut sql, &user.login);
    sql.text =
        format!("UPDATE res_users\nSET active = true{set}\nWHERE login = {login}\n  AND (active IS NOT TRUE{off})");
    let login = text(&mut surface, &user.login);
    surface.text = format!("SELECT count(*) FROM res_users WHERE login = {login} AND (active IS NOT TRUE{off})");
    statement(user, "res_users", sql, surface)
}

fn company(user: &ServiceUser, catalogue: &Catalogue) -> Option<Statement> {
    if !catalogue.has("res_company_users_rel.cid") || !catalogue.has("res_users.company_id") {
        return None;
    }
    let (mut sql, mut surface) = (Sql::default(), Sql::default());
    let missing = |sql: &mut Sql| {
        let login = text(sql, &user.login);
        format!(
            "FROM res_users u\nWHERE u.login = {login}\n  AND NOT EXISTS (SELECT FROM res_company_users_rel r \
             WHERE r.user_id = u.id AND r.cid = u.company_id)"
        )
    };
    sql.text = format!(
        "INSERT INTO res_company_users_rel (cid, user_id)\nSELECT u.company_id, u.id\n{}",
        missing(&mut sql)
    );
    surface.text = format!("SELECT count(*) {}", missing(&mut surface));
    Some(statement(user, "res_company_users_rel", sql, surface))
}

/// The groups and those that they imply: Odoo writes both.
fn groups(user: &ServiceUser, catalogue: &Catalogue) -> Option<Statement> {
    if !catalogue.has("res_groups_users_rel.gid") {
        return None;
    }
    let implied = if catalogue.has("res_groups_implied_rel.hid") {
        "\n  UNION SELECT i.hid FROM res_groups_implied_rel i JOIN wanted ON i.gid = wanted.id"
    } else {
        ""
    };
    let (mut sql, mut surface) = (Sql::default(), Sql::default());
    let names = sql.bind(Parameter::List(user.groups.clone()));
    let login = text(&mut sql, &user.login);
    sql.text = format!(
        "WITH RECURSIVE wanted (id) AS (\n  SELECT res_id FROM ir_model_data\n  \
         WHERE model = 'res.groups' AND module || '.' || name = ANY ({names}){implied})\n\
         INSERT INTO res_groups_users_rel (gid, uid)\nSELECT wanted.id, u.id\nFROM wanted, res_users u\n\
         WHERE u.login = {login}\n  AND NOT EXISTS (SELECT FROM res_groups_users_rel r WHERE r.gid = wanted.id AND r.uid = u.id)"
    );
    let names = surface.bind(Parameter::List(user.groups.clone()));
    let login = text(&mut surface, &user.login);
    surface.text = format!(
        "SELECT count(*) FROM unnest({names}) AS wanted (name) WHERE NOT EXISTS (\
         SELECT FROM ir_model_data d JOIN res_groups_users_rel r ON r.gid = d.res_id JOIN res_users u ON u.id = r.uid \
         WHERE d.model = 'res.groups' AND d.module || '.' || d.name = wanted.name AND u.login = {login})"
    );
    Some(statement(user, "res_groups_users_rel", sql, surface))
}

fn text(sql: &mut Sql, text: &str) -> String {
    sql.bind(Parameter::Text(text.to_owned()))
}

fn statement(user: &ServiceUser, table: &str, sql: Sql, surface: Sql) -> Statement {
    Statement {
        rule: format!("service user {}: {table}", user.login),
        modules: vec!["[sanitise]".to_owned()],
        table: table.to_owned(),
        why: "A program of the project's own works on the copy, with a key that opens nothing else".to_owned(),
        sql,
        sample: None,
        surface,
        rewrite: None,
    }
}
