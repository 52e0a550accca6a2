//! Databases with the tables, columns and constraints of a real Odoo, from the facts in `tests/data`, and rows that satisfy
//! them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use opw_task::sanitise::{Change, Constant, RuleSet, Test, Value};
use tokio_postgres::Client;

/// What CHECKs want of a column: rows are otherwise filled by type.
const WANTED: [(&str, &str, &str); 22] = [
    ("account_move_line", "credit", "0"),
    ("auth_totp_device", "index", "'abcdefgh'"),
    ("discuss_channel", "group_public_id", "NULL"),
    ("discuss_channel", "livechat_status", "NULL"),
    ("discuss_channel", "parent_channel_id", "NULL"),
    ("discuss_channel_member", "guest_id", "NULL"),
    // The answer of somebody in their own words.
    ("event_registration_answer", "value_answer_id", "NULL"),
    ("hr_work_entry", "date_stop", "'2030-01-01'"),
    ("ir_cron", "active", "true"),
    ("ir_module_module", "state", "'installed'"),
    ("mail_presence", "guest_id", "NULL"),
    ("payment_provider", "custom_mode", "NULL"),
    ("project_task", "parent_id", "NULL"),
    ("res_partner", "type", "'contact'"),
    ("res_partner", "is_company", "false"),
    ("res_users", "active", "true"),
    ("res_users", "notification_type", "'email'"),
    ("res_users", "share", "false"),
    ("res_users_apikeys", "index", "'abcdefgh'"),
    ("survey_survey", "certification", "false"),
    ("survey_survey", "is_time_limited", "false"),
    ("survey_user_input_line", "answer_type", "'char_box'"),
];

/// Who is who: the administrator's partner is that of a company, as merging contacts makes it.
const PEOPLE: &str = "
INSERT INTO ir_module_module (name, state, latest_version) VALUES ('base', 'installed', '{odoo}.0.1.3');
UPDATE res_users SET share = true WHERE id = 3;
INSERT INTO ir_model_data (module, name, model, res_id) VALUES
  ('base', 'user_admin', 'res.users', 1), ('base', 'public_user', 'res.users', 3), ('base', 'autovacuum_job', 'ir.cron', 1),
  ('base', 'group_user', 'res.groups', 1);
UPDATE res_company SET partner_id = id;
UPDATE res_users SET partner_id = id;
INSERT INTO ir_attachment (name, res_model, res_field, res_id, mimetype, type, url, store_fname) VALUES
  ('passport.pdf', 'res.partner', NULL, 5, 'application/pdf', 'binary', NULL, 'aa/passport'),
  ('face', 'res.partner', 'image_1920', 5, 'image/png', 'binary', NULL, 'aa/face'),
  ('INV/1', 'account.move', 'invoice_pdf_report_file', 1, 'application/pdf', 'binary', NULL, 'aa/invoice'),
  ('elsewhere', 'res.partner', NULL, 5, NULL, 'url', 'https://files.shop.example/passport', NULL),
  ('Header', 'quotation.document', NULL, 1, 'application/pdf', 'binary', NULL, 'aa/header');
UPDATE account_edi_proxy_client_user SET company_id = 1, active = true;
";

struct Column {
    name: String,
    sql_type: String,
    not_null: bool,
    refers: Option<(String, char)>,
}

#[derive(Default)]
struct Table {
    columns: Vec<Column>,
    constraints: Vec<String>,
}

/// A database of this version in which every rule finds something to do.
pub(crate) async fn database(name: &str, odoo: u16, rules: &RuleSet) -> Client {
    let client = crate::sanitise::server::database(name).await;
    let tables = read(match odoo {
        18 => include_str!("../../data/odoo-18.schema"),
        _ => include_str!("../../data/odoo-19.schema"),
    });
    let mut script = String::new();
    for (name, table) in &tables {
        script += &create(name, table);
    }
    for (name, table) in &tables {
        for row in rows(name, table, rules) {
            let _ = writeln!(script, "{row}");
        }
    }
    let versions = PEOPLE.replace("{odoo}", &odoo.to_string());
    script += &versions;
    for rule in rules.iter() {
        for module in rule.modules.iter().filter(|module| *module != "base") {
            let _ = writeln!(
                script,
                "INSERT INTO ir_module_module (name, state, latest_version) VALUES ('{module}', 'installed', '1.0') ON CONFLICT DO NOTHING;"
            );
        }
        if let Change::Parameters { keys, .. } = &rule.change {
            for key in keys {
                let _ = writeln!(
                    script,
                    "INSERT INTO ir_config_parameter (key, value) SELECT '{key}', 'CANARY'
                     WHERE NOT EXISTS (SELECT FROM ir_config_parameter WHERE key = '{key}');"
                );
            }
        }
    }
    for (name, table) in &tables {
        for column in &table.columns {
            if let Some((refers, action)) = &column.refers {
                let action = match action {
                    'c' => "CASCADE",
                    'n' => "SET NULL",
                    _ => "RESTRICT",
                };
                let other = if column.not_null { "1" } else { "NULL" };
                let column = &column.name;
                // Rows were made before what they refer to.
                let _ = writeln!(
                    script,
                    "UPDATE \"{name}\" SET \"{column}\" = {other} WHERE \"{column}\" NOT IN (SELECT id FROM \"{refers}\");
                     ALTER TABLE \"{name}\" ADD FOREIGN KEY (\"{column}\") REFERENCES \"{refers}\" (id) ON DELETE {action};"
                );
            }
        }
    }
    if let Err(error) = client.batch_execute(&script).await {
        panic!("{:?}", error.as_db_error());
    }
    client
}

fn read(text: &str) -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::<String, Table>::new();
    let mut last = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_once('\t').unwrap();
        if name.is_empty() {
            tables.get_mut(&last).unwrap().constraints.push(rest.to_owned());
            continue;
        }
        name.clone_into(&mut last);
        let columns = rest.split(' ').map(column).collect();
        let table = Table {
            columns,
            constraints: Vec::new(),
        };
        tables.insert(name.to_owned(), table);
    }
    tables
}

fn column(text: &str) -> Column {
    let (name, rest) = text.split_once(':').unwrap();
    let (kind, refers) = match rest.split_once('>') {
        Some((kind, refers)) => {
            let (table, action) = refers.split_once('/').unwrap_or((refers, "r"));
            (kind, Some((table.to_owned(), action.chars().next().unwrap())))
        }
        None => (rest, None),
    };
    let not_null = kind.ends_with('!');
    let kind = kind.trim_end_matches('!');
    let (short, length) = match kind.split_once('(') {
        Some((short, length)) => (short, format!("({length}")),
        None => (kind, String::new()),
    };
    let long = match short {
        "v" => "varchar",
        "t" => "text",
        "i" => "integer",
        "b" => "boolean",
        "ts" => "timestamp",
        "d" => "date",
        "n" => "numeric",
        "f" => "double precision",
        "j" => "jsonb",
        "y" => "bytea",
        other => unreachable!("{other}"),
    };
    Column {
        name: name.to_owned(),
        sql_type: format!("{long}{length}"),
        not_null,
        refers,
    }
}

fn create(name: &str, table: &Table) -> String {
    let mut parts = Vec::new();
    for column in &table.columns {
        let Column { name, sql_type, .. } = column;
        let null = if column.not_null { " NOT NULL" } else { "" };
        parts.push(match name.as_str() {
            "id" => "id serial PRIMARY KEY".to_owned(),
            _ => format!("\"{name}\" {sql_type}{null}"),
        });
    }
    let mut script = String::new();
    for constraint in &table.constraints {
        match constraint.split_once(' ').unwrap() {
            ("check", expression) => parts.push(format!("CHECK ({expression})")),
            (_, columns) => {
                let _ = writeln!(script, "CREATE UNIQUE INDEX ON \"{name}\" {columns};");
            }
        }
    }
    format!("CREATE TABLE \"{name}\" ({});\n{script}", parts.join(", "))
}

/// Three rows, more partners than users, and one for each rule that is about particular ones.
fn rows(name: &str, table: &Table, rules: &RuleSet) -> Vec<String> {
    let mut wanted: Vec<BTreeMap<&str, String>> = vec![BTreeMap::new(); if name == "res_partner" { 6 } else { 3 }];
    for rule in rules.iter().filter(|rule| rule.table == name) {
        let changed = match &rule.change {
            Change::Set(assignments) => assignments.as_slice(),
            Change::Delete | Change::Json(_) => &[],
            Change::Create(_) | Change::Parameters { .. } => continue,
        };
        let mut tests: BTreeMap<_, _> = rule
            .condition
            .tests
            .iter()
            .filter_map(|(column, test)| Some((column.as_str(), literal(test)?)))
            .collect();
        if tests.is_empty() {
            continue;
        }
        for (column, value) in changed {
            if let Value::Constant(Constant::Bool(value)) = value {
                tests.insert(column.as_str(), (!value).to_string());
            }
        }
        wanted.push(tests);
    }
    let columns: Vec<_> = table.columns.iter().filter(|column| column.name != "id").collect();
    let names: Vec<_> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    let insert = |(at, row): (usize, &BTreeMap<&str, String>)| {
        let values = columns.iter().map(|column| {
            let particular = WANTED
                .iter()
                .find(|(table, known, _)| *table == name && *known == column.name)
                .map(|(_, _, value)| (*value).to_owned());
            let by_rule = row.get(column.name.as_str()).cloned();
            by_rule.or(particular).unwrap_or_else(|| value(name, column, at + 1))
        });
        let values = values.collect::<Vec<_>>().join(", ");
        format!("INSERT INTO \"{name}\" ({}) VALUES ({values});", names.join(", "))
    };
    wanted.iter().enumerate().map(insert).collect()
}

/// A value that meets a test; none where any does.
fn literal(test: &Test) -> Option<String> {
    let constant = match test {
        Test::Is(constant) => constant,
        Test::In(list) => list.first()?,
        Test::Like(pattern) => return Some(format!("'{}'", pattern.replace('%', ""))),
        Test::Set(false) => return Some("NULL".to_owned()),
        Test::Set(true) | Test::Not(_) | Test::NotIn(_) => return None,
    };
    Some(match constant {
        Constant::Bool(value) => value.to_string(),
        Constant::Integer(value) => value.to_string(),
        Constant::Text(text) => format!("'{text}'"),
    })
}

/// A value by type, different in every row where that is possible.
fn value(table: &str, column: &Column, row: usize) -> String {
    let Column { name, sql_type, .. } = column;
    if column.refers.as_ref().is_some_and(|(refers, _)| refers == table) && !column.not_null {
        return "NULL".to_owned();
    }
    let text = if name.contains("email") {
        format!("somebody-{row}@{}.example", table.replace('_', "-"))
    } else {
        format!("{name}-{row}")
    };
    match sql_type.split('(').next().unwrap() {
        "varchar" => {
            let length = sql_type.trim_start_matches("varchar").trim_matches(['(', ')']);
            let room = length.parse().unwrap_or(usize::MAX);
            let from = text.len().saturating_sub(room);
            format!("'{}'", &text[from..])
        }
        "text" => format!("'{text}'"),
        "integer" => row.to_string(),
        "boolean" => "true".to_owned(),
        "timestamp" | "date" => format!("'2024-01-{:02}'", row.min(28)),
        "numeric" | "double precision" => "1".to_owned(),
        "jsonb" => format!("'{{\"en_US\": \"{text}\"}}'"),
        _ => format!("convert_to('{text}', 'UTF8')"),
    }
}
