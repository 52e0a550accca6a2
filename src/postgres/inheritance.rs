//! What a new live database takes over from the one whose name it gets: people's grants and settings belong to the name.

use tokio_postgres::Client;

use super::error::PostgresError;
use super::identifier::{Identifier, Literal};

/// Settings whose value is a list of names, each quoted by itself in the catalogue (`GUC_LIST_QUOTE` in the server's
/// source, `guc_tables.c`). All others are one text.
const LISTS: [&str; 6] = [
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// Statements that give `heir` what PostgreSQL gives every new database: `CONNECT` and `TEMPORARY` for everyone.
pub(crate) fn defaults(heir: &Identifier) -> String {
    format!("GRANT CONNECT, TEMPORARY ON DATABASE {heir} TO PUBLIC;")
}

/// Statements that give `heir` the grants, the connection limit and the settings of `from`. The owner is not taken over.
///
/// # Errors
/// [`PostgresError::Statement`].
pub(crate) async fn inherit(client: &Client, from: &Identifier, heir: &Identifier) -> Result<String, PostgresError> {
    let reading = || PostgresError::doing(format!("reading the grants and settings of `{}`", from.as_str()));
    let grants = client
        .query(
            "SELECT a.privilege_type, a.is_grantable, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END
               FROM pg_database d
              CROSS JOIN aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
               LEFT JOIN pg_roles r ON r.oid = a.grantee
              WHERE d.datname = $1 AND a.grantee <> d.datdba AND (a.grantee = 0 OR r.oid IS NOT NULL)",
            &[&from.as_str()],
        )
        .await
        .map_err(reading())?;
    let settings = client
        .query(
            "SELECT quote_ident(r.rolname), c
               FROM pg_db_role_setting s
               JOIN pg_database d ON d.oid = s.setdatabase
              CROSS JOIN unnest(s.setconfig) AS c
               LEFT JOIN pg_roles r ON r.oid = s.setrole
              WHERE d.datname = $1 AND (s.setrole = 0 OR r.oid IS NOT NULL)",
            &[&from.as_str()],
        )
        .await
        .map_err(reading())?;
    let limit: i32 = client
        .query_one(
            "SELECT datconnlimit FROM pg_database WHERE datname = $1",
            &[&from.as_str()],
        )
        .await
        .map_err(reading())?
        .get(0);

    let mut sql = format!("ALTER DATABASE {heir} CONNECTION LIMIT {limit};");
    for row in &grants {
        let (privilege, grantable, grantee): (&str, bool, &str) = (row.get(0), row.get(1), row.get(2));
        let option = if grantable { " WITH GRANT OPTION" } else { "" };
        sql += &format!("GRANT {privilege} ON DATABASE {heir} TO {grantee}{option};");
    }
    for row in &settings {
        let (role, setting): (Option<&str>, &str) = (row.get(0), row.get(1));
        if let Some(assignment) = assignment(setting)? {
            sql += &match role {
                Some(role) => format!("ALTER ROLE {role} IN DATABASE {heir} SET {assignment};"),
                None => format!("ALTER DATABASE {heir} SET {assignment};"),
            };
        }
    }
    Ok(sql)
}

/// `name=value` as the catalogue has it, as what follows `SET`. An empty list cannot be written, and says nothing.
fn assignment(setting: &str) -> Result<Option<String>, PostgresError> {
    let Some((name, value)) = setting.split_once('=') else {
        return Ok(None);
    };
    let quoted = Identifier::new(name)?;
    if !LISTS.contains(&name) {
        return Ok(Some(format!("{quoted} TO {}", Literal(value))));
    }
    let items: Vec<String> = items(value).iter().map(|item| Literal(item).to_string()).collect();
    Ok((!items.is_empty()).then(|| format!("{quoted} TO {}", items.join(", "))))
}

/// The names of a list as the catalogue writes it: `"$user", public`.
fn items(list: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut rest = list.trim_start();
    while !rest.is_empty() {
        let (item, tail) = match rest.strip_prefix('"') {
            Some(inner) => quoted_item(inner),
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].trim_end().to_owned(), &rest[end..])
            }
        };
        items.push(item);
        rest = tail.trim_start().trim_start_matches(',').trim_start();
    }
    items
}

/// A quoted name without its first quote, and what follows it.
fn quoted_item(inner: &str) -> (String, &str) {
    let mut item = String::new();
    let mut rest = inner;
    while let Some(end) = rest.find('"') {
        item += &rest[..end];
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                item.push('"');
                rest = after;
            }
            None => return (item, rest),
        }
    }
    (item + rest, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(setting: &str) -> Option<String> {
        assignment(setting).unwrap()
    }

    #[test]
    fn a_setting_is_one_literal() {
        assert_eq!(set("work_mem=64MB").unwrap(), r#""work_mem" TO '64MB'"#);
        assert_eq!(set("app.note=it's a, b=c").unwrap(), r#""app.note" TO 'it''s a, b=c'"#);
    }

    #[test]
    fn a_list_is_a_literal_for_each_name() {
        assert_eq!(
            set(r#"search_path="$user", public,"a""b, c""#).unwrap(),
            r#""search_path" TO '$user', 'public', 'a"b, c'"#
        );
        assert_eq!(set(r#"search_path="""#).unwrap(), r#""search_path" TO ''"#);
        assert_eq!(set("session_preload_libraries="), None);
    }
}
