//! What a database holds beside its tables that leads out of it, or that a credential can stand in.
//!
//! A restore brings foreign servers with their user mappings, functions, views, comments and defaults. It brings no large
//! objects, publications, subscriptions or settings of the database: they matter to an audit of copies made otherwise.

use regex::bytes::Regex;
use tokio_postgres::GenericClient;

use super::error::SanitiseError;
use super::finding::{Clue, Finding, Outcome};
use super::format::{self, Format};
use super::hunt::{Removal, Trace};
use super::statement::Sql;

/// Objects that must not be in a copy, and what removes them.
///
/// - Large objects are bytes without a name: no rule can say what they are, and Odoo keeps none. The server locks each:
///   where they are more than it has locks for (some ten thousand with stock settings) they stay, and are told.
/// - A user mapping holds the name and password with which a foreign server is entered. All of them go, those without a
///   password too: without a mapping no wrapper that logs in lets anybody through, and tables and views that stand on
///   the server can stay.
/// - A subscription pulls from production and holds its password. It stays and is told: dropping one whose tables are
///   not all in step calls its publisher, which is what a copy must not do.
const FORBIDDEN: &str = "
SELECT 'pg_largeobject', 'data', count(*), 'SELECT lo_unlink(oid) FROM pg_largeobject_metadata'
FROM pg_largeobject_metadata HAVING count(*) > 0
UNION ALL
SELECT 'pg_user_mapping', srvname || ' for ' || usename, 1,
       format('DROP USER MAPPING IF EXISTS FOR %s SERVER %I', CASE umuser WHEN 0 THEN 'PUBLIC' ELSE quote_ident(usename) END, srvname)
FROM pg_user_mappings
UNION ALL
SELECT 'pg_subscription', subname, 1, NULL
FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Options of foreign servers, their wrappers and their tables, and what removes one.
const OPTIONS: &str = "
SELECT 'pg_foreign_server', srvname::text, option_name, option_value,
       format('ALTER SERVER %I OPTIONS (DROP %I)', srvname, option_name)
FROM pg_foreign_server, pg_options_to_table(srvoptions)
UNION ALL
SELECT 'pg_foreign_data_wrapper', fdwname::text, option_name, option_value,
       format('ALTER FOREIGN DATA WRAPPER %I OPTIONS (DROP %I)', fdwname, option_name)
FROM pg_foreign_data_wrapper, pg_options_to_table(fdwoptions)
UNION ALL
SELECT 'pg_foreign_table', ftrelid::regclass::text, option_name, option_value,
       format('ALTER FOREIGN TABLE %s OPTIONS (DROP %I)', ftrelid::regclass, option_name)
FROM pg_foreign_table, pg_options_to_table(ftoptions)";

/// Texts that people wrote into the schema: what functions do, what views select, what comments say, what a column gets
/// when nothing is given, what triggers are told, what is set for the database.
const TEXTS: &str = "
SELECT 'pg_proc', 'pg_proc'::regclass::oid, p.oid, 0, p.prosrc
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang AND l.lanname NOT IN ('c', 'internal')
WHERE p.oid >= 16384
UNION ALL
SELECT 'pg_class', 'pg_class'::regclass, c.oid, 0, pg_get_viewdef(c.oid)
FROM pg_class c WHERE c.relkind IN ('v', 'm') AND c.oid >= 16384
UNION ALL
SELECT 'pg_attrdef', 'pg_attrdef'::regclass, d.oid, 0, pg_get_expr(d.adbin, d.adrelid)
FROM pg_attrdef d WHERE d.oid >= 16384
UNION ALL
SELECT 'pg_description', classoid, objoid, objsubid, description
FROM pg_description WHERE objoid >= 16384
UNION ALL
SELECT 'pg_trigger', 'pg_trigger'::regclass, t.oid, 0, encode(t.tgargs, 'escape')
FROM pg_trigger t WHERE t.tgnargs > 0 AND NOT t.tgisinternal
UNION ALL
SELECT 'pg_db_role_setting', 'pg_database'::regclass, s.setdatabase, 0, array_to_string(s.setconfig, E'\\n')
FROM pg_db_role_setting s WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// What leads out of the database and is no credential: foreign servers, and functions in languages that may do
/// anything. Reported, because whether it is wanted in the copy only people can tell.
const OUTGOING: &str = "
SELECT 'pg_foreign_server', srvname::text FROM pg_foreign_server
UNION ALL
SELECT 'pg_proc', p.oid::regprocedure::text
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang AND NOT l.lanpltrusted AND l.lanname NOT IN ('c', 'internal')
WHERE p.oid >= 16384
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
ORDER BY 1, 2";

/// What must not be in a copy.
pub(super) async fn run(client: &impl GenericClient) -> Result<Vec<Trace>, SanitiseError> {
    let doing = || SanitiseError::server("look at what is no table");
    let formats = format::formats()?;
    let mark = format::any_mark_here(&formats)?;
    let mut traces = Vec::new();
    for row in client.query(FORBIDDEN, &[]).await.map_err(doing())? {
        let (table, removal): (String, Option<String>) = (row.get(0), row.get(3));
        let clue = if table == "pg_largeobject" {
            Clue::Opaque
        } else {
            Clue::Reach
        };
        traces.push(trace(table, row.get(1), row.get(2), clue, removal));
    }
    for row in client.query(OPTIONS, &[]).await.map_err(doing())? {
        let (object, name, value): (String, String, String) = (row.get(1), row.get(2), row.get(3));
        let clues = if format::names_a_credential(&name) {
            vec![Clue::Name]
        } else {
            looks(client, &value, &formats, &mark).await?
        };
        let removal: String = row.get(4);
        let trace = |clue| trace(row.get(0), format!("{object}.{name}"), 1, clue, Some(removal.clone()));
        traces.extend(clues.into_iter().take(1).map(trace));
    }
    for row in client.query(TEXTS, &[]).await.map_err(doing())? {
        let text: Option<&str> = row.get(4);
        for clue in looks(client, text.unwrap_or_default(), &formats, &mark).await? {
            let (class, object, part): (u32, u32, i32) = (row.get(1), row.get(2), row.get(3));
            let named = "SELECT identity FROM pg_identify_object($1, $2, $3)";
            let named = client
                .query_one(named, &[&class, &object, &part])
                .await
                .map_err(doing())?;
            let name: Option<String> = named.get(0);
            traces.push(trace(row.get(0), name.unwrap_or_default(), 1, clue, None));
        }
    }
    Ok(traces)
}

/// What leads out of the database, to be reported.
pub(super) async fn findings(client: &impl GenericClient) -> Result<Vec<Finding>, SanitiseError> {
    let rows = client
        .query(OUTGOING, &[])
        .await
        .map_err(SanitiseError::server("look for what leads out of the database"))?;
    let finding = |row: &tokio_postgres::Row| Finding {
        table: row.get(0),
        column: row.get(1),
        count: 1,
        clue: Clue::Reach,
        outcome: Outcome::Reported,
    };
    Ok(rows.iter().map(finding).collect())
}

/// The formats that a text holds. The patterns are PostgreSQL's, so it is asked, about texts that bear a mark.
async fn looks(
    client: &impl GenericClient,
    text: &str,
    formats: &[Format],
    mark: &Regex,
) -> Result<Vec<Clue>, SanitiseError> {
    if !mark.is_match(text.as_bytes()) {
        return Ok(Vec::new());
    }
    let patterns: Vec<&str> = formats.iter().map(|format| format.pattern.as_str()).collect();
    let found = client
        .query(
            "SELECT at FROM unnest($1::text[]) WITH ORDINALITY AS known (pattern, at) WHERE $2::text ~ pattern ORDER BY at",
            &[&patterns, &text],
        )
        .await
        .map_err(SanitiseError::server("look for credentials"))?;
    let format = |row: &tokio_postgres::Row| formats.get(usize::try_from(row.get::<_, i64>(0) - 1).ok()?);
    let names = found.iter().filter_map(format).map(|format| format.name.to_string());
    Ok(names.map(Clue::Value).collect())
}

fn trace(table: String, column: String, count: i64, clue: Clue, removal: Option<String>) -> Trace {
    Trace {
        table,
        column,
        clue,
        count,
        removal: removal.map(|text| {
            Removal::Sql(Sql {
                text,
                parameters: Vec::new(),
            })
        }),
        own: false,
    }
}
