//! What an upstream's database can be asked.

/// A question to an upstream's database, with its one fixed statement. There is no variant for SQL of another's making.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Who are you? Answered by an [`Identity`](super::Identity).
    Identity,
    /// How large are your tables? Answered by a list of [`TableSize`](super::TableSize).
    TableSizes,
}

impl Question {
    /// The statement: one row of one column, which is JSON.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::Identity => IDENTITY,
            Self::TableSizes => TABLE_SIZES,
        }
    }
}

/// Columns that not every version has are asked for through `to_json(row)`, which gives null for a column that is not
/// there: `value` of Odoo's parameters once those are typed (odoo/odoo#223180), and the ICU locale of `pg_database` (15
/// and 16 `daticulocale`, since 17 `datlocale`).
const IDENTITY: &str = "\
SELECT json_build_object(\
'database', current_database(), \
'uuid', (SELECT to_json(p) ->> 'value' FROM ir_config_parameter p WHERE p.key = 'database.uuid'), \
'base_url', (SELECT to_json(p) ->> 'value' FROM ir_config_parameter p WHERE p.key = 'web.base.url'), \
'server_version', current_setting('server_version_num')::int, \
'system_identifier', (SELECT system_identifier::text FROM pg_control_system()), \
'bytes', pg_database_size(current_database()), \
'tables', (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'), \
'large_objects', (SELECT count(*) FROM pg_largeobject_metadata), \
'encoding', pg_encoding_to_char(d.encoding), \
'collate', d.datcollate, \
'ctype', d.datctype, \
'icu_locale', coalesce(to_json(d) ->> 'datlocale', to_json(d) ->> 'daticulocale'), \
'extensions', (SELECT coalesce(json_agg(json_build_object('name', e.extname, 'version', e.extversion) \
ORDER BY e.extname), '[]') FROM pg_extension e), \
'unaccent_immutable', (SELECT bool_or(p.provolatile = 'i') FROM pg_proc p WHERE p.proname = 'unaccent' AND p.pronargs = 1)\
) FROM pg_database d WHERE d.datname = current_database()";

/// Size without indexes, which are built anew, but with what is stored out of line; rows as the planner estimates them.
const TABLE_SIZES: &str = "\
SELECT coalesce(json_agg(json_build_object('schema', n.nspname, 'table', c.relname, \
'bytes', pg_table_size(c.oid), 'rows', greatest(c.reltuples, 0)::bigint) ORDER BY pg_table_size(c.oid) DESC, c.oid), '[]') \
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'";
