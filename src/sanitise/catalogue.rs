//! What the database has: tables, columns and their kinds, read once.

use std::collections::{BTreeMap, BTreeSet};

use postgres_protocol::escape::escape_identifier;
use tokio_postgres::GenericClient;

use super::error::SanitiseError;

/// How values of a column are written and cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `text`, `varchar`, `char`.
    Text,
    /// `jsonb` and `json`: a translated text, a company-dependent value or data.
    Json,
    /// `bytea`.
    Bytes,
    /// Anything else.
    Other,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its type as SQL writes it.
    pub sql_type: String,
    /// How its values are written and cleared.
    pub kind: Kind,
    /// Whether it refuses NULL.
    pub not_null: bool,
    /// Whether it is computed by the server and cannot be set.
    pub generated: bool,
    /// Whether a unique index stands on it, alone or with others.
    pub unique: bool,
    /// Whether its table numbers its rows (`id`).
    pub numbered: bool,
    /// Whether Odoo knows it as a choice from a list, whose values are no secrets.
    pub selection: bool,
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Its name as SQL writes it, with its schema where that is not `public`.
    pub relation: String,
    /// Whether it is one of several partitions put together.
    pub partitioned: bool,
    /// The sequence that numbers its rows (`id`), as SQL writes it.
    pub sequence: Option<String>,
    /// Its columns.
    pub columns: BTreeMap<String, Column>,
}

/// What the database has, in every schema but PostgreSQL's own: people keep backups, logs and reports beside Odoo's
/// tables. Tables of `public` go by their name, as rules write it; others by `schema.table`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    tables: BTreeMap<String, Table>,
    odoo: u16,
    modules: BTreeSet<String>,
}

/// A domain is read as the type it stands on.
const COLUMNS: &str = "
SELECT n.nspname::text, c.relname::text, c.relkind = 'p', a.attname::text, format_type(a.atttypid, a.atttypmod),
       coalesce(format_type(nullif(t.typbasetype, 0), NULL), format_type(a.atttypid, NULL)),
       a.attnotnull, a.attgenerated <> '',
       EXISTS (SELECT FROM pg_index i
               WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey::int2[])),
       EXISTS (SELECT FROM pg_attribute k WHERE k.attrelid = c.oid AND k.attname = 'id' AND k.attnum > 0)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
WHERE";

const TABLES: &str = "c.relkind IN ('r', 'p') AND NOT c.relispartition";

/// One that holds no data cannot be read.
const MATERIALISED_VIEWS: &str = "c.relkind = 'm' AND c.relispopulated";

/// By the default of the column, which a table may have inherited, or by its identity.
const SEQUENCES: &str = "
SELECT n.nspname::text, c.relname::text, quote_ident(own.nspname) || '.' || quote_ident(s.relname)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'id'
LEFT JOIN pg_attrdef f ON f.adrelid = c.oid AND f.adnum = a.attnum
JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass
  OR d.classid = 'pg_class'::regclass AND d.deptype = 'i' AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
     AND d.refobjsubid = a.attnum
JOIN pg_class s ON s.relkind = 'S' AND s.oid = CASE WHEN d.refobjid = c.oid THEN d.objid ELSE d.refobjid END
JOIN pg_namespace own ON own.oid = s.relnamespace
WHERE c.relkind IN ('r', 'p')";

const SELECTIONS: &str = "SELECT replace(model, '.', '_'), name::text FROM ir_model_fields WHERE ttype = 'selection'";

const MODULES: &str = "
SELECT name::text, latest_version::text FROM ir_module_module WHERE state IN ('installed', 'to upgrade', 'to remove')";

impl Catalogue {
    /// Reads it.
    ///
    /// # Errors
    /// When the server refuses, or when the database holds no Odoo.
    pub async fn read(client: &impl GenericClient) -> Result<Self, SanitiseError> {
        let mut catalogue = Self {
            tables: relations(client, TABLES).await?,
            ..Self::default()
        };
        for row in client
            .query(SEQUENCES, &[])
            .await
            .map_err(SanitiseError::server("read the sequences"))?
        {
            if let Some(table) = catalogue.tables.get_mut(&shown(row.get(0), row.get(1))) {
                table.sequence = Some(row.get(2));
            }
        }
        for needed in ["ir_module_module", "ir_config_parameter"] {
            if !catalogue.tables.contains_key(needed) {
                return Err(SanitiseError::NotOdoo {
                    reason: format!("there is no table `{needed}`"),
                });
            }
        }
        if catalogue.column("ir_model_fields", "ttype").is_some() {
            let rows = client
                .query(SELECTIONS, &[])
                .await
                .map_err(SanitiseError::server("read Odoo's fields"))?;
            for row in rows {
                let (table, name): (String, String) = (row.get(0), row.get(1));
                if let Some(column) = catalogue
                    .tables
                    .get_mut(&table)
                    .and_then(|table| table.columns.get_mut(&name))
                {
                    column.selection = true;
                }
            }
        }
        for row in client
            .query(MODULES, &[])
            .await
            .map_err(SanitiseError::server("read the installed modules"))?
        {
            let (name, version): (String, Option<String>) = (row.get(0), row.get(1));
            if name == "base" {
                catalogue.odoo = version.and_then(|version| major(&version)).unwrap_or_default();
            }
            catalogue.modules.insert(name);
        }
        if catalogue.odoo == 0 {
            return Err(SanitiseError::NotOdoo {
                reason: "module `base` is not installed".to_owned(),
            });
        }
        Ok(catalogue)
    }

    /// One that nobody was asked for.
    pub(super) fn imagined(tables: BTreeMap<String, Table>, odoo: u16, modules: BTreeSet<String>) -> Self {
        Self { tables, odoo, modules }
    }

    /// Odoo's major version.
    #[must_use]
    pub fn odoo(&self) -> u16 {
        self.odoo
    }

    /// The installed modules.
    pub fn modules(&self) -> impl Iterator<Item = &str> {
        self.modules.iter().map(String::as_str)
    }

    /// The table with this name.
    #[must_use]
    pub fn table(&self, table: &str) -> Option<&Table> {
        self.tables.get(table)
    }

    /// A table's name as SQL writes it.
    pub(super) fn relation(&self, table: &str) -> String {
        self.tables
            .get(table)
            .map_or_else(|| escape_identifier(table), |known| known.relation.clone())
    }

    /// The column with this name.
    #[must_use]
    pub fn column(&self, table: &str, column: &str) -> Option<&Column> {
        self.tables.get(table)?.columns.get(column)
    }

    /// All tables, by name.
    pub fn tables(&self) -> impl Iterator<Item = (&str, &Table)> {
        self.tables.iter().map(|(name, table)| (name.as_str(), table))
    }

    /// Whether what a rule requires, `table` or `table.column`, is there.
    #[must_use]
    pub fn has(&self, required: &str) -> bool {
        match required.split_once('.') {
            Some((table, column)) => self.column(table, column).is_some(),
            None => self.tables.contains_key(required),
        }
    }
}

/// The materialised views that hold data, named as tables are. Rules do not change them: they follow from tables.
pub(super) async fn materialised_views(client: &impl GenericClient) -> Result<BTreeMap<String, Table>, SanitiseError> {
    relations(client, MATERIALISED_VIEWS).await
}

/// The relations of one kind with their columns.
async fn relations(client: &impl GenericClient, kinds: &str) -> Result<BTreeMap<String, Table>, SanitiseError> {
    let rows = client
        .query(&format!("{COLUMNS} {kinds}"), &[])
        .await
        .map_err(SanitiseError::server("read the catalogue"))?;
    let mut relations = BTreeMap::<String, Table>::new();
    for row in rows {
        let (schema, name): (String, String) = (row.get(0), row.get(1));
        let relation = if schema == "public" {
            escape_identifier(&name)
        } else {
            format!("{}.{}", escape_identifier(&schema), escape_identifier(&name))
        };
        let table = relations.entry(shown(&schema, &name)).or_default();
        table.relation = relation;
        table.partitioned = row.get(2);
        let column = Column {
            sql_type: row.get(4),
            kind: kind(row.get(5)),
            not_null: row.get(6),
            generated: row.get(7),
            unique: row.get(8),
            numbered: row.get(9),
            selection: false,
        };
        table.columns.insert(row.get(3), column);
    }
    Ok(relations)
}

/// A table's name as rules and reports write it.
fn shown(schema: &str, name: &str) -> String {
    if schema == "public" {
        name.to_owned()
    } else {
        format!("{schema}.{name}")
    }
}

fn kind(sql_type: &str) -> Kind {
    match sql_type {
        "text" | "bpchar" | "citext" => Kind::Text,
        "jsonb" | "json" => Kind::Json,
        "bytea" => Kind::Bytes,
        other if other.starts_with("character") && !other.ends_with(']') => Kind::Text,
        _ => Kind::Other,
    }
}

/// `18.0.1.3` is 18; `saas~18.2.1.0` is 18 too.
pub(super) fn major(version: &str) -> Option<u16> {
    let version = version.trim_start_matches("saas~");
    version.split('.').next()?.parse().ok()
}
