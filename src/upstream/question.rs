//! What an upstream's database can be asked.

use crate::postgres::facts::FACTS;

/// A question to an upstream's database, with its one fixed statement. There is no variant for SQL of another's making.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// What database are you? Answered by [`DatabaseFacts`](crate::postgres::DatabaseFacts).
    Facts,
    /// How large are your tables? Answered by a list of [`TableSize`](super::TableSize).
    TableSizes,
    /// Which modules are installed? Answered by a list of [`InstalledModule`](super::InstalledModule). Only for a database of
    /// Odoo, which [`Question::Facts`] tells.
    Modules,
}

impl Question {
    /// All questions there are.
    pub const ALL: [Self; 3] = [Self::Facts, Self::TableSizes, Self::Modules];

    /// The statement: one row of one column, which is JSON. It is one line, so that an upstream can keep a list of the
    /// lines that it lets through; none of its literals holds white space that counts.
    #[must_use]
    pub fn sql(self) -> String {
        let text = match self {
            Self::Facts => FACTS,
            Self::TableSizes => TABLE_SIZES,
            Self::Modules => MODULES,
        };
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Size without indexes, which are built anew, but with what is stored out of line; rows as the planner estimates them.
const TABLE_SIZES: &str = "\
SELECT coalesce(json_agg(json_build_object('schema', n.nspname, 'table', c.relname, \
'bytes', pg_table_size(c.oid), 'rows', greatest(c.reltuples, 0)::bigint) ORDER BY pg_table_size(c.oid) DESC, c.oid), '[]') \
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'";

/// The modules whose code Odoo loads. Imported ones, such as that of Studio, live in the database and have no code elsewhere;
/// the column that tells them is not in every database.
const MODULES: &str = "\
SELECT coalesce(json_agg(json_build_object('name', m.name, 'author', to_jsonb(m) ->> 'author', \
'website', to_jsonb(m) ->> 'website') ORDER BY m.name), '[]') FROM public.ir_module_module m \
WHERE m.state IN ('installed', 'to upgrade', 'to remove') AND coalesce(to_jsonb(m) ->> 'imported', '') <> 'true'";
