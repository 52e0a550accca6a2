//! Databases with the tables and columns of an Odoo version, made from the facts in `tests/data`.

use std::collections::{BTreeMap, BTreeSet};

use opw_task::sanitise::{Facts, Passwords, Policy, RuleSet};
use tokio_postgres::Client;

/// One line of `tests/data/odoo-neutralise.tsv`.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) odoo: u16,
    pub(crate) module: String,
    pub(crate) table: String,
    pub(crate) row: String,
    pub(crate) column: String,
    pub(crate) becomes: String,
}

pub(crate) fn facts(odoo: u16) -> Vec<Fact> {
    let lines = include_str!("../../data/odoo-neutralise.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1);
    let facts = lines.map(|line| {
        let cells: Vec<_> = line.split('\t').map(|cell| cell.replace("\\n", "\n")).collect();
        let [version, module, table, row, column, becomes] = cells.try_into().unwrap();
        Fact {
            odoo: version.parse().unwrap(),
            module,
            table,
            row,
            column,
            becomes,
        }
    });
    facts.filter(|fact| fact.odoo == odoo).collect()
}

/// The policy of tests that are not about passwords: hashing takes its time by design.
pub(crate) fn policy() -> Policy {
    Policy {
        passwords: Passwords::Keep,
        ..Policy::default()
    }
}

pub(crate) fn rules() -> RuleSet {
    RuleSet::builtin().unwrap()
}

pub(crate) fn stack() -> Facts {
    Facts {
        base_url: "https://copy.example".to_owned(),
        ..Facts::default()
    }
}

const FRAME: &str = "
CREATE TABLE ir_module_module (id serial PRIMARY KEY, name varchar, state varchar, latest_version varchar);
CREATE TABLE ir_model_data (id serial PRIMARY KEY, module varchar, name varchar, model varchar, res_id int);
CREATE TABLE res_lang (id serial PRIMARY KEY, code varchar);
CREATE TABLE res_partner (id serial PRIMARY KEY, email varchar);
CREATE TABLE ir_config_parameter (id serial PRIMARY KEY, key varchar NOT NULL UNIQUE, value text NOT NULL);
CREATE TABLE res_users (id serial PRIMARY KEY, partner_id int, login varchar NOT NULL, password varchar, active boolean, share boolean);
CREATE TABLE ir_cron (id serial PRIMARY KEY, cron_name varchar, active boolean);
CREATE TABLE ir_mail_server (id serial PRIMARY KEY, name varchar NOT NULL, smtp_port int, smtp_host varchar,
  smtp_encryption varchar NOT NULL, smtp_authentication varchar NOT NULL, smtp_user varchar, smtp_pass varchar, active boolean);
INSERT INTO res_lang (code) VALUES ('en_US');
INSERT INTO res_partner (email) VALUES ('a@shop.example'), ('b@shop.example'), ('c@shop.example');
INSERT INTO res_users (partner_id, login, password, active, share) VALUES
  (1, 'admin', 'CANARY-admin', true, false), (2, 'ann', 'CANARY-ann', true, false), (3, 'public', NULL, false, true);
INSERT INTO ir_model_data (module, name, model, res_id) VALUES
  ('base', 'user_admin', 'res.users', 1), ('base', 'public_user', 'res.users', 3), ('base', 'autovacuum_job', 'ir.cron', 1);
INSERT INTO ir_cron (cron_name, active) VALUES ('Base: auto-vacuum', true), ('Mail: send', true);
INSERT INTO ir_mail_server (name, smtp_port, smtp_host, smtp_encryption, smtp_authentication, smtp_user, smtp_pass, active)
VALUES ('relay', 587, 'smtp.shop.example', 'starttls', 'login', 'shop', 'CANARY-smtp', true);
INSERT INTO ir_config_parameter (key, value) VALUES
  ('web.base.url', 'https://odoo.shop.example'), ('database.uuid', 'CANARY-uuid'), ('database.secret', 'CANARY-secret');
";

/// An Odoo of this version in which everything that a fact is about has its value of production: `CANARY…` in texts,
/// `true` where Odoo wants `false`.
pub(crate) async fn database(name: &str, odoo: u16) -> Client {
    let client = crate::sanitise::server::database(name).await;
    client.batch_execute(FRAME).await.unwrap();
    let facts = facts(odoo);
    let mut modules: BTreeSet<&str> = facts.iter().map(|fact| fact.module.as_str()).collect();
    modules.insert("base");
    for module in modules {
        let version = format!("{odoo}.0.1.0");
        let insert = "INSERT INTO ir_module_module (name, state, latest_version) VALUES ($1, 'installed', $2)";
        client.execute(insert, &[&module, &version]).await.unwrap();
    }
    let mut tables = BTreeMap::<&str, Vec<&Fact>>::new();
    for fact in &facts {
        tables.entry(&fact.table).or_default().push(fact);
    }
    for (table, facts) in tables {
        match table {
            "ir_mail_server" | "ir_cron" => continue,
            "ir_config_parameter" => parameters(&client, &facts).await,
            _ => fill(&client, table, &facts).await,
        }
    }
    client
}

async fn parameters(client: &Client, facts: &[&Fact]) {
    for fact in facts {
        let key = fact.row.strip_prefix("key=").unwrap();
        let insert =
            "INSERT INTO ir_config_parameter (key, value) VALUES ($1, 'CANARY-parameter') ON CONFLICT DO NOTHING";
        client.execute(insert, &[&key]).await.unwrap();
    }
}

async fn fill(client: &Client, table: &str, facts: &[&Fact]) {
    let mut columns = BTreeMap::<&str, &str>::new();
    for fact in facts {
        if let Some((column, _)) = fact.row.split_once('=') {
            columns.entry(column).or_insert("varchar");
        }
        let sql_type = match fact.becomes.as_str() {
            "true" | "false" => "boolean",
            "(null)" if fact.column.ends_with("_id") && fact.column.contains("journal") => "int",
            _ => "varchar",
        };
        if !fact.column.is_empty() {
            columns.insert(&fact.column, sql_type);
        }
    }
    let create: Vec<_> = columns
        .iter()
        .map(|(name, sql_type)| format!(", {name} {sql_type}"))
        .collect();
    client
        .batch_execute(&format!(
            "CREATE TABLE IF NOT EXISTS {table} (id serial PRIMARY KEY, planted varchar)"
        ))
        .await
        .unwrap();
    client
        .batch_execute(&format!("ALTER TABLE {table} ADD COLUMN IF NOT EXISTS planted varchar"))
        .await
        .unwrap();
    for column in create {
        client
            .batch_execute(&format!(
                "ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {}",
                &column[2..]
            ))
            .await
            .unwrap();
    }
    let rows: BTreeSet<&str> = facts.iter().map(|fact| fact.row.as_str()).collect();
    for row in rows {
        let planted = row.split_once('=');
        let (mut names, mut values) = (vec!["planted".to_owned()], vec![format!("'{row}'")]);
        if table == "res_users" {
            names.push("login".to_owned());
            values.push("'planted'".to_owned());
        }
        for (column, sql_type) in &columns {
            names.push((*column).to_owned());
            values.push(match (planted, *sql_type) {
                (Some((name, value)), _) if name == *column => format!("'{value}'"),
                (_, "boolean") => {
                    let wanted = facts
                        .iter()
                        .any(|fact| fact.column == *column && fact.becomes == "false");
                    wanted.to_string()
                }
                (_, "int") => "7".to_owned(),
                _ if facts
                    .iter()
                    .any(|fact| fact.column == *column && (fact.row == row || fact.row.is_empty())) =>
                {
                    format!("'CANARY-{column}'")
                }
                _ => "'other'".to_owned(),
            });
        }
        let insert = format!(
            "INSERT INTO {table} ({}) VALUES ({})",
            names.join(", "),
            values.join(", ")
        );
        client.batch_execute(&insert).await.unwrap();
    }
}

/// How often `CANARY` stands anywhere in the database.
pub(crate) async fn canaries(client: &Client) -> Vec<String> {
    let tables = client
        .query("SELECT c.relname::text FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1", &[])
        .await
        .unwrap();
    let mut found = Vec::new();
    for table in tables {
        let table: String = table.get(0);
        let select = format!(
            "SELECT t::text FROM \"{table}\" t WHERE t::text LIKE '%CANARY%' OR t::text LIKE '%\\\\x43414e415259%'"
        );
        for row in client.query(&select, &[]).await.unwrap() {
            found.push(format!("{table}: {}", row.get::<_, String>(0)));
        }
    }
    found
}
