//! What keeps every role but the restore role out of a database, superusers too.
//!
//! A superuser passes every privilege and every connection limit, and the stock PostgreSQL image makes Odoo's role one.
//! But each login loads the libraries of `session_preload_libraries`, and a library that does not exist makes it fail
//! (`FATAL: could not access file "opw_task_this_database_is_closed"`). Set for the database, this holds for every role;
//! the restore role gets an empty list of its own for this database, which weighs more. It costs nothing, it is
//! transactional, and `ALTER … RESET` in the swap's transaction takes it away. Measured on PostgreSQL 17: background
//! workers of a parallel index build, autovacuum, and a server-wide `session_preload_libraries` are not disturbed.
//!
//! What remains: a superuser who puts `options=-c session_preload_libraries=` into the connection. No program does that
//! unasked; against it stands `ALLOW_CONNECTIONS false` whenever nothing of ours has to log in.

use std::fmt::Write as _;

use tokio_postgres::Client;

use super::identifier::{Identifier, Literal};
use super::role::RESTORE;

/// The library that does not exist. Its name is what a shut-out client reads.
const NO_SUCH_LIBRARY: &str = "opw_task_this_database_is_closed";

/// Statements that seal `database`. They belong into one transaction.
///
/// A role's own setting weighs more than the database's, so the roles that have one, and the role of Odoo in case it
/// gets one meanwhile, are sealed out by name too.
pub(crate) async fn seal(
    client: &Client,
    database: &Identifier,
    odoo: &Identifier,
) -> Result<String, tokio_postgres::Error> {
    let rows = client
        .query(
            "SELECT quote_ident(r.rolname) FROM pg_roles r
              WHERE r.rolname <> $1
                AND (r.rolname = $2 OR EXISTS (
                    SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS c
                     WHERE s.setrole = r.oid AND s.setdatabase = 0 AND starts_with(c, 'session_preload_libraries=')))",
            &[&RESTORE, &odoo.as_str()],
        )
        .await?;
    let library = Literal(NO_SUCH_LIBRARY);
    let mut sql = format!("ALTER DATABASE {database} SET session_preload_libraries = {library};");
    for row in rows {
        let role: &str = row.get(0);
        // Writing to a String cannot fail.
        let _ = write!(
            sql,
            "ALTER ROLE {role} IN DATABASE {database} SET session_preload_libraries = {library};"
        );
    }
    // `SET … = ''` would be a list of one library without a name, and fail (measured); the empty list can only be taken
    // over from the current setting.
    let _ = write!(
        sql,
        "SELECT set_config('session_preload_libraries', '', true);
         ALTER ROLE {RESTORE} IN DATABASE {database} SET session_preload_libraries FROM CURRENT;"
    );
    Ok(sql)
}

/// Statements that take the seal off `database`, with everything else that was set for it and what the restore role may.
pub(crate) async fn unseal(client: &Client, database: &Identifier) -> Result<String, tokio_postgres::Error> {
    let rows = client
        .query(
            "SELECT quote_ident(r.rolname)
               FROM pg_db_role_setting s
               JOIN pg_database d ON d.oid = s.setdatabase
               JOIN pg_roles r ON r.oid = s.setrole
              WHERE d.datname = $1",
            &[&database.as_str()],
        )
        .await?;
    let roles: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    Ok(unseal_for(database, &roles))
}

/// The same, where the roles that have settings in the database are known. Their names are quoted already.
pub(crate) fn unseal_for(database: &Identifier, roles: &[&str]) -> String {
    let mut sql = format!("ALTER DATABASE {database} RESET ALL; REVOKE ALL ON DATABASE {database} FROM {RESTORE};");
    for role in roles {
        let _ = write!(sql, "\nALTER ROLE {role} IN DATABASE {database} RESET ALL;");
    }
    sql
}
