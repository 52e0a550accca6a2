//! The statements of a swap, for those who carry it out and for those who want to read them before.
//!
//! Where a statement depends on what stands on the server, the printed script says so in a comment.

use super::error::PostgresError;
use super::exchange::{BEGIN, COMMIT, end_sessions_of};
use super::identifier::{Identifier, Literal};
use super::inheritance;
use super::marker::{Comment, Marker, State};
use super::names::Names;
use super::role::RESTORE;
use super::seal;

/// Statements that give the older previous database another name, until it is dropped after the commit.
pub(super) fn retire(previous: &Identifier, retired: &Identifier, comment: &Comment) -> String {
    format!(
        "ALTER DATABASE {previous} RENAME TO {retired};\n{}",
        says(retired, comment)
    )
}

/// The statement that takes the live name from the database that served.
pub(super) fn step_down(live: &Identifier, to: &Identifier) -> String {
    format!("ALTER DATABASE {live} RENAME TO {to}")
}

/// The statement that gives the live name to another database.
pub(super) fn take_name(heir: &Identifier, live: &Identifier) -> String {
    format!("ALTER DATABASE {heir} RENAME TO {live}")
}

/// Statements that make a database, once it has the live name, what the one before it was. `unseal` and `inherit` depend on
/// the server.
pub(super) fn succeed(live: &Identifier, owner: &Identifier, unseal: &str, inherit: &str, comment: &Comment) -> String {
    format!(
        "ALTER DATABASE {live} OWNER TO {owner};\n{unseal}\n{inherit}\n{}",
        open(live, comment)
    )
}

/// Statements that open a database to everybody who has a right to it.
pub(super) fn open(name: &Identifier, comment: &Comment) -> String {
    format!(
        "ALTER DATABASE {name} IS_TEMPLATE false ALLOW_CONNECTIONS true;\n{}",
        says(name, comment)
    )
}

/// Statements that close a database, and keep programs that look for databases from finding it.
pub(super) fn close(name: &Identifier, comment: &Comment) -> String {
    format!(
        "ALTER DATABASE {name} IS_TEMPLATE true ALLOW_CONNECTIONS false;\n{}",
        says(name, comment)
    )
}

fn says(name: &Identifier, comment: &Comment) -> String {
    format!("COMMENT ON DATABASE {name} IS {};\n", Literal(&comment.to_string()))
}

/// The script of an activation: the verified database of `run` becomes the live one, which is kept.
///
/// # Errors
/// [`PostgresError::Name`] where the run's id or the role is no name.
pub fn activation_script(names: &Names, run: &str, owner: &str, source: &str) -> Result<String, PostgresError> {
    let (live, previous) = (names.live(), names.previous());
    let (heir, owner) = (names.incoming(run)?, Identifier::new(owner)?);
    let restore = Identifier::ours(RESTORE);
    Ok([
        around(&[heir.as_str(), live.as_str()]),
        format!(
            "{BEGIN};\n\
             -- where {previous} is there, it first becomes {}, and is dropped after the commit\n\
             -- where {live} is not there, it need not be renamed and closed\n",
            names.retired(run)?
        ),
        format!("{};\n{};\n", step_down(live, previous), take_name(&heir, live)),
        succeed(
            live,
            &owner,
            &(seal::unseal_for(live, &[&owner.to_string(), &restore.to_string()])
                + "\n-- and so for each other role that has settings of its own in it"),
            &(inheritance::defaults(live)
                + "\n-- and what else was granted on the database before, its connection limit and its settings"),
            &marked(Marker::now(State::Live, run, source)),
        ),
        "-- in both comments: also what people wrote there; in this one what the copy's own says of its treatment\n"
            .into(),
        close(previous, &marked(Marker::now(State::Previous, "", ""))),
        "-- in this one the run and the source that its own names\n".into(),
        format!("{COMMIT};"),
    ]
    .concat())
}

/// The script of a rollback: the live and the previous database change places.
///
/// # Errors
/// [`PostgresError::Name`] where the run's id is no name.
pub fn rollback_script(names: &Names, run: &str) -> Result<String, PostgresError> {
    let (live, previous, aside) = (names.live(), names.previous(), names.retired(run)?);
    Ok([
        around(&[previous.as_str(), live.as_str()]),
        format!("{BEGIN};\n-- where {live} is not there, it need not be renamed and closed\n"),
        go_back(
            names,
            &aside,
            Some(&marked(Marker::now(State::Previous, "", ""))),
            &marked(Marker::now(State::Live, "", "")),
        ),
        "-- in each comment: also what people wrote there, and the run, the source and the treatment that it had\n"
            .into(),
        format!("{COMMIT};"),
    ]
    .concat())
}

/// Statements that exchange the live and the previous database; `served` is what the live one's comment becomes, if there is
/// one.
pub(super) fn go_back(names: &Names, aside: &Identifier, served: Option<&Comment>, kept: &Comment) -> String {
    let (live, previous) = (names.live(), names.previous());
    let mut sql = String::new();
    if served.is_some() {
        sql += &format!("{};\n", step_down(live, aside));
    }
    sql += &format!("{};\n", take_name(previous, live));
    sql += &open(live, kept);
    if let Some(served) = served {
        sql += &format!("{};\n", take_name(aside, previous));
        sql += &close(previous, served);
    }
    sql
}

fn marked(marker: Marker) -> Comment {
    Comment::default().marked(marker)
}

/// What a second session does while the transaction waits for the databases.
fn around(databases: &[&str]) -> String {
    let names: Vec<String> = databases.iter().map(|name| Literal(name).to_string()).collect();
    let statement = end_sessions_of(&format!("ARRAY[{}]", names.join(", ")));
    format!("-- meanwhile, in a second session, until it is through: {statement}\n")
}
