//! What a restore must know of a database: whose it is, what it is made of.

use serde::Deserialize;
use tokio_postgres::Client;

use super::error::PostgresError;
use super::extension::Extension;
use super::locale::Locale;

/// One `SELECT` that answers with one JSON document, [`DatabaseFacts`]. It only reads, so it can be sent to an upstream
/// too: `psql -XAtq -c`.
///
/// `ir_config_parameter` may not exist, and a statement that names a missing table fails as a whole; so those two values
/// are read through `query_to_xml`, which takes a query as text.
pub const FACTS: &str = r#"
SELECT json_build_object(
    'name', d.datname,
    'owner', pg_get_userbyid(d.datdba),
    'server_version', current_setting('server_version_num')::int,
    'size', pg_database_size(d.oid),
    'locale', json_build_object(
        'encoding', pg_encoding_to_char(d.encoding),
        'collate', d.datcollate,
        'ctype', d.datctype,
        'icu', CASE WHEN to_jsonb(d) ->> 'datlocprovider' = 'i' THEN
            coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') END),
    'extensions', (
        SELECT coalesce(json_agg(json_build_object('name', e.extname, 'schema', n.nspname, 'version', e.extversion)
                                 ORDER BY e.oid), '[]')
          FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace),
    'privileged', (
        SELECT coalesce(json_agg(made.oid::bigint ORDER BY made.oid), '[]') FROM (
            SELECT p.oid FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
              LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
             WHERE NOT l.lanpltrusted AND p.prokind <> 'a' OR p.proleakproof OR p.prosupport <> 0
                OR 'internal'::regtype IN (a.aggtranstype, a.aggmtranstype)
                OR EXISTS (
                    SELECT FROM unnest(p.proconfig) AS given JOIN pg_settings s ON s.name = split_part(given, '=', 1)
                     WHERE s.context NOT IN ('user', 'internal'))
            UNION
            SELECT t.oid FROM pg_type t
             WHERE t.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)) AS made
         WHERE made.oid >= 16384 AND NOT EXISTS (
            SELECT FROM pg_depend e
             WHERE e.classid IN ('pg_proc'::regclass, 'pg_type'::regclass) AND e.objid = made.oid AND e.deptype = 'e')),
    'unaccent_immutable', EXISTS (
        SELECT FROM pg_proc WHERE proname = 'unaccent' AND provolatile = 'i'),
    'odoo', to_regclass('public.ir_module_module') IS NOT NULL,
    'odoo_version', CASE WHEN to_regclass('public.ir_module_module') IS NOT NULL THEN
        (xpath('/table/row/v/text()', query_to_xml(
            'SELECT latest_version AS v FROM public.ir_module_module WHERE name = ''base''',
            false, false, '')))[1]::text END,
    'uuid', CASE WHEN to_regclass('public.ir_config_parameter') IS NOT NULL THEN
        (xpath('/table/row/v/text()', query_to_xml(
            'SELECT value AS v FROM public.ir_config_parameter WHERE key = ''database.uuid''',
            false, false, '')))[1]::text END
)::text
FROM pg_database d WHERE d.datname = current_database()"#;

/// What [`FACTS`] answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DatabaseFacts {
    /// The database's name.
    pub name: String,
    /// The role that owns it.
    pub owner: String,
    /// The server's version as a number: `170012` for 17.12.
    pub server_version: u32,
    /// Its size on disk, in bytes.
    pub size: u64,
    /// Its encoding and collation.
    pub locale: Locale,
    /// Its extensions in the order in which they were made, which is one that satisfies their dependencies.
    pub extensions: Vec<Extension>,
    /// The functions and types that only a superuser can make, by their numbers there: those in C or in languages without
    /// bounds, base types, functions that set what only a superuser sets. What comes with an extension is not among them.
    #[serde(default)]
    pub privileged: Vec<u32>,
    /// Whether a function `unaccent` is immutable, as Odoo makes it.
    pub unaccent_immutable: bool,
    /// Whether it is a database of Odoo.
    pub odoo: bool,
    /// The version of the module `base`, as `18.0.1.3`.
    pub odoo_version: Option<String>,
    /// `database.uuid`, by which Odoo tells a database from its copies. Guards compare it.
    pub uuid: Option<String>,
}

impl DatabaseFacts {
    /// Reads the answer of [`FACTS`].
    ///
    /// # Errors
    /// When the text is no such answer.
    pub fn parse(answer: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(answer.trim())
    }

    /// Asks the database that the session is in.
    ///
    /// # Errors
    /// [`PostgresError::Statement`], [`PostgresError::Answer`].
    pub async fn of(client: &Client) -> Result<Self, PostgresError> {
        let row = client
            .query_one(FACTS, &[])
            .await
            .map_err(PostgresError::doing("asking for the database's facts"))?;
        Self::parse(row.get(0)).map_err(PostgresError::Answer)
    }
}
