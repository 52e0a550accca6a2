//! Extensions that must be there before the upstream's schema is.

use serde::{Deserialize, Serialize};

use super::error::PostgresError;
use super::identifier::Identifier;
use super::session::Session;

/// An extension of the upstream's database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// The schema of its objects.
    pub schema: String,
    /// Its version. Not asked for here: a dump does not carry it either, the server's default is taken.
    #[serde(default)]
    pub version: Option<String>,
}

/// Makes the extensions, all missing ones told at once, and `unaccent` immutable where the upstream's is.
///
/// Odoo alters `unaccent(text)` to `IMMUTABLE` so that it can stand in an index, and `pg_dump` does not carry that: the
/// restore of such an index into an empty database fails (measured). So it is altered here before `pg_restore` comes,
/// whose own `CREATE EXTENSION IF NOT EXISTS` then passes.
///
/// An extension in a schema that does not exist yet is only looked for on the server: its schema comes with the dump,
/// and a schema made beforehand would stop `pg_restore --exit-on-error`.
///
/// # Errors
/// [`PostgresError::ExtensionsMissing`], [`PostgresError::Statement`].
pub async fn prepare(
    session: &Session,
    extensions: &[Extension],
    unaccent_immutable: bool,
) -> Result<(), PostgresError> {
    let looking = || PostgresError::doing("looking for extensions");
    let wanted: Vec<&str> = extensions.iter().map(|extension| extension.name.as_str()).collect();
    let rows = session
        .query(
            "SELECT wanted FROM unnest($1::text[]) AS wanted
              WHERE wanted NOT IN (SELECT name FROM pg_available_extensions)",
            &[&wanted],
        )
        .await
        .map_err(looking())?;
    if !rows.is_empty() {
        return Err(PostgresError::ExtensionsMissing {
            names: rows.iter().map(|row| row.get(0)).collect(),
        });
    }
    for extension in extensions {
        let schema_there = session
            .query_opt("SELECT FROM pg_namespace WHERE nspname = $1", &[&extension.schema])
            .await
            .map_err(looking())?
            .is_some();
        if schema_there {
            let (name, schema) = (Identifier::new(&extension.name)?, Identifier::new(&extension.schema)?);
            // An extension such as plpgsql is there already, in a schema that it chose itself.
            session
                .batch_execute(&format!("CREATE EXTENSION IF NOT EXISTS {name} SCHEMA {schema}"))
                .await
                .map_err(PostgresError::doing(format!("making extension `{}`", extension.name)))?;
        }
    }
    if unaccent_immutable {
        make_unaccent_immutable(session).await
    } else {
        Ok(())
    }
}

/// Finishes extensions, those among them that came with the dump: `unaccent` becomes immutable where the upstream's is, and
/// what an extension keeps from everybody goes to `keeper`, a superuser.
///
/// The session's role has made the extensions and owns them, as the comments and settings in a dump need it. It will be
/// without rights when code of the copy runs as it, and must then not be able to call what even an owner of the database
/// cannot: `dblink_connect_u` logs in without a password.
///
/// # Errors
/// [`PostgresError::Statement`].
pub async fn finish(session: &Session, keeper: &Identifier, unaccent_immutable: bool) -> Result<(), PostgresError> {
    let keeping = || PostgresError::doing("keeping what an extension keeps from everybody");
    if unaccent_immutable {
        make_unaccent_immutable(session).await?;
    }
    let kept = session
        .query(
            "SELECT format('ALTER ROUTINE %s OWNER TO ', p.oid::regprocedure)
               FROM pg_proc p
               JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
              WHERE p.proowner = current_user::regrole AND p.proacl IS NOT NULL
                AND NOT EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE')",
            &[],
        )
        .await
        .map_err(keeping())?;
    let script: String = kept
        .iter()
        .map(|row| format!("{}{keeper};", row.get::<_, &str>(0)))
        .collect();
    session.batch_execute(&script).await.map_err(keeping())
}

async fn make_unaccent_immutable(session: &Session) -> Result<(), PostgresError> {
    let doing = || PostgresError::doing("altering unaccent to IMMUTABLE");
    let rows = session
        .query(
            "SELECT format('ALTER FUNCTION %s IMMUTABLE', p.oid::regprocedure)
               FROM pg_extension e
               JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
               JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
              WHERE e.extname = 'unaccent' AND p.proname = 'unaccent'",
            &[],
        )
        .await
        .map_err(doing())?;
    for row in rows {
        session.batch_execute(row.get(0)).await.map_err(doing())?;
    }
    Ok(())
}
