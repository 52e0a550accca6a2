//! What can go wrong while sanitising, told to the person who waits for it.

use thiserror::Error;

use super::policy::PolicyPart;
use crate::error::{Diagnostic, ExitCode, Explain, Place};
use crate::postgres::evidence_beside_rows;

/// A rule file that cannot be used.
#[derive(Debug, Error)]
pub enum RuleError {
    /// The text is no rule file.
    #[error("this is no rule file: {message}")]
    Syntax {
        /// What the TOML reader says.
        message: String,
        /// Where.
        place: Place,
    },
    /// A rule that cannot mean anything.
    #[error("sanitise rule `{rule}` cannot be applied: {reason}")]
    Meaningless {
        /// Its name.
        rule: String,
        /// Why not.
        reason: &'static str,
        /// Where.
        place: Place,
    },
    /// Two rules have one name.
    #[error("two sanitise rules have the name `{rule}`")]
    NameTaken {
        /// The name.
        rule: String,
        /// Where the second stands.
        place: Place,
    },
    /// The policy speaks of a rule that nothing bears.
    #[error("{key} of [sanitise] names `{rule}`, which is no sanitise rule")]
    Unknown {
        /// `skip-rules` or `change-rules`.
        key: &'static str,
        /// The name.
        rule: String,
        /// The name that was meant, if one is near enough.
        meant: Option<String>,
        /// Where, once somebody knows.
        place: Option<Box<Place>>,
    },
    /// The policy wants of a rule what cannot be.
    #[error("{key} of [sanitise] cannot be applied to the rule `{rule}`: {reason}")]
    Exception {
        /// `skip-rules` or `change-rules`.
        key: &'static str,
        /// The rule.
        rule: String,
        /// Why not.
        reason: &'static str,
        /// Where, once somebody knows.
        place: Option<Box<Place>>,
    },
}

impl RuleError {
    /// The same with the place of what the policy says, which is known to whoever read the manifest.
    #[must_use]
    pub fn said_in(mut self, parts: &[PolicyPart]) -> Self {
        if let Self::Unknown { key, rule, place, .. } | Self::Exception { key, rule, place, .. } = &mut self {
            let name = format!("{key}.{rule}");
            let of_rule = |part: &&PolicyPart| part.name == name || part.name.starts_with(&format!("{name}."));
            let said = parts.iter().find(of_rule).and_then(|part| part.places.last());
            *place = said.cloned().map(Box::new);
        }
        self
    }
}

/// Sanitising or verifying did not come to its end. Nothing of the attempt is left in the database.
#[derive(Debug, Error)]
pub enum SanitiseError {
    /// The policy and the rules do not fit together.
    #[error(transparent)]
    Policy(#[from] RuleError),
    /// A rule's statement failed.
    #[error("sanitise rule `{rule}` failed on table `{table}`")]
    Rule {
        /// The rule.
        rule: String,
        /// Its table.
        table: String,
        /// The statement, secrets masked.
        sql: String,
        /// What the server says.
        source: tokio_postgres::Error,
    },
    /// A module's own file does more than change data.
    #[error("{path}:{line}: {word} is refused in the neutralize.sql of module `{module}`")]
    FileRefused {
        /// The module.
        module: String,
        /// The file, in the stack's image.
        path: String,
        /// The line of the statement.
        line: usize,
        /// For what it is refused.
        word: String,
    },
    /// A statement of a module's own file failed.
    #[error("{path}:{line}: the neutralize.sql of module `{module}` failed")]
    File {
        /// The module.
        module: String,
        /// The file, in the stack's image.
        path: String,
        /// The line of the statement.
        line: usize,
        /// What the server says.
        source: tokio_postgres::Error,
    },
    /// Another statement failed.
    #[error("could not {doing}")]
    Server {
        /// What was being done.
        doing: &'static str,
        /// What the server says.
        source: tokio_postgres::Error,
    },
    /// A parameter's value speaks of production.
    #[error("system parameter `{key}` would be set to a value of production: it contains `{indicator}`")]
    Production {
        /// The parameter.
        key: String,
        /// The indicator found in its value.
        indicator: String,
    },
    /// A rule that the database's columns do not allow.
    #[error("sanitise rule `{rule}` cannot be applied to `{table}`: {reason}")]
    Unfit {
        /// The rule.
        rule: String,
        /// Its table.
        table: String,
        /// Why not.
        reason: String,
    },
    /// This is no Odoo database.
    #[error("the database holds no Odoo: {reason}")]
    NotOdoo {
        /// What is missing.
        reason: String,
    },
    /// Credentials that no rule names, where the policy says to fail.
    #[error("{} places hold what looks like a credential that no rule names", .findings.len())]
    Unknown {
        /// Where: table, column and count, never a value.
        findings: Vec<String>,
    },
    /// The policy asks for a value that is not known.
    #[error("the base address of the stack is not known")]
    NoBaseUrl,
    /// The built-in looks of credentials cannot be read: a fault of the program.
    #[error("the list of known credential formats cannot be read: {reason}")]
    Formats {
        /// Why not.
        reason: String,
    },
    /// The built-in words of stand-ins cannot be read: a fault of the program.
    #[error("the words of stand-ins cannot be read: {reason}")]
    Words {
        /// Why not.
        reason: String,
    },
    /// A model of which no rule knows personal data.
    #[error("no rule anonymises the model `{model}`")]
    UnknownModel {
        /// The model.
        model: String,
        /// Those that rules know.
        known: Vec<String>,
    },
    /// An API key that Odoo could not look up, or that could be guessed.
    #[error("the API key of service user `{login}` is shorter than {least} characters")]
    ShortKey {
        /// The user.
        login: String,
        /// The least length.
        least: usize,
    },
    /// Two users with one API key: Odoo finds the user by the key, and would find one of them.
    #[error("service users `{}` and `{}` have the same API key", .logins[0], .logins[1])]
    SharedKey {
        /// The users.
        logins: [String; 2],
    },
    /// A rule speaks of a variable that the stack does not have.
    #[error("a sanitise rule reads the variable `{name}`, which the stack does not have")]
    NoVariable {
        /// The variable.
        name: String,
    },
    /// A password could not be hashed.
    #[error("the password could not be hashed: {reason}")]
    Password {
        /// Why not.
        reason: String,
    },
}

impl SanitiseError {
    pub(super) fn server(doing: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |source| Self::Server { doing, source }
    }
}

impl Explain for RuleError {
    fn explain(&self) -> Diagnostic {
        let usage = Diagnostic::new(ExitCode::Usage, self.to_string());
        match self {
            Self::Syntax { place, .. } | Self::Meaningless { place, .. } | Self::NameTaken { place, .. } => {
                usage.at(Some(place.clone()))
            }
            Self::Unknown { meant, place, .. } => {
                let hint = match meant {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "`opw-task sanitise STACK --dry-run` shows the rules by name".to_owned(),
                };
                usage.at(place.as_deref().cloned()).hint(hint)
            }
            Self::Exception { place, .. } => usage
                .at(place.as_deref().cloned())
                .hint("docs/guides/sanitise.md, \"Rules that do not fit\", says what can be changed"),
        }
    }
}

impl Explain for SanitiseError {
    fn explain(&self) -> Diagnostic {
        let title = self.to_string();
        let untouched = "everything ran in one transaction: the database is as it was before";
        match self {
            Self::Policy(error) => error.explain(),
            Self::Rule { sql, source, .. } => Diagnostic::new(ExitCode::Failed, title)
                .evidence(evidence_beside_rows(source))
                .evidence(sql.lines().map(str::to_owned))
                .note(untouched)
                .hint("mend the rule, or name it in `skip-rules` or `change-rules` of `[sanitise]`, and run the restore again"),
            Self::FileRefused { module, .. } => Diagnostic::new(ExitCode::Refused, title)
                .note("such a file may INSERT, UPDATE, DELETE and TRUNCATE, as a role that can do nothing else")
                .hint(format!(
                    "mend the module, or write rules for it and add `{module}` to `skip-module-files` in `[sanitise]`"
                )),
            Self::File { module, source, .. } => Diagnostic::new(ExitCode::Failed, title)
                .evidence(evidence_beside_rows(source))
                .note(untouched)
                .hint(format!(
                    "mend the module, or write rules for it and add `{module}` to `skip-module-files` in `[sanitise]`"
                )),
            Self::Server { source, .. } => Diagnostic::new(ExitCode::Failed, title)
                .evidence(evidence_beside_rows(source))
                .note(untouched),
            Self::Production { key, .. } => Diagnostic::new(ExitCode::Refused, title)
                .note("the indicators stand in `[sanitise] production-indicators`")
                .hint(format!(
                    "give `{key}` the value of a test account, or leave it empty: an empty value deletes it"
                )),
            Self::Unfit { .. } => Diagnostic::new(ExitCode::Failed, title).note(untouched),
            Self::NotOdoo { .. } => Diagnostic::new(ExitCode::Failed, title).hint(
                "check that the copy of the database came to its end and that the upstream names the right database",
            ),
            Self::Unknown { findings } => Diagnostic::new(ExitCode::Refused, title)
                .evidence(findings.iter().cloned())
                .note("`[sanitise] unknown-secrets` is \"fail\"")
                .note(untouched)
                .hint("write a rule for each, or an `allow` entry with its reason"),
            Self::NoBaseUrl => Diagnostic::new(ExitCode::Usage, title)
                .note("a copy that keeps production's `web.base.url` sends people to production")
                .hint("set `base-url` in the stack"),
            Self::ShortKey { .. } => Diagnostic::new(ExitCode::Usage, title)
                .note(untouched)
                .hint("make one with `openssl rand -hex 20`, as long as Odoo's own"),
            Self::SharedKey { .. } => Diagnostic::new(ExitCode::Usage, title)
                .note(untouched)
                .note("Odoo finds the user by the key, and would find one of them only")
                .hint("give each a variable of its own"),
            Self::NoVariable { name } => Diagnostic::new(ExitCode::Usage, title)
                .note(untouched)
                .hint(format!("set `{name}` in an env file of the stack; it may be empty")),
            Self::UnknownModel { known, .. } => Diagnostic::new(ExitCode::Usage, title)
                .note(format!("rules know {}", known.join(", ")))
                .hint("write a rule with `when = { anonymise = \"…\" }` for it, or take it from `anonymise` in `[sanitise]`"),
            Self::Password { .. } | Self::Formats { .. } | Self::Words { .. } => Diagnostic::new(ExitCode::Failed, title).note(untouched),
        }
    }
}
