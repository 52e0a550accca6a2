//! Which variables hold secrets: told by their names, because env files cannot mark them.

/// Names of variables that hold secrets, as patterns in which `*` matches any run of characters.
///
/// Taken from the keys that Odoo projects' env files hold; a project adds its own with `[project] secrets`.
const PATTERNS: [&str; 7] = [
    "*PASSWORD*",
    "*PASSWD*",
    "*TOKEN*",
    "*SECRET*",
    "*_KEY",
    "*CREDENTIAL*",
    "*_DSN",
];

/// Names that match a pattern above and hold no secret: file names.
const EXCEPTIONS: [&str; 2] = ["RESTORE_SSH_KEY", "*_KEY_FILE"];

/// Tells which variables hold secrets.
#[derive(Debug, Clone, Default)]
pub struct Secrecy {
    secrets: Vec<String>,
    not_secrets: Vec<String>,
}

impl Secrecy {
    /// The built-in patterns with a project's own over them.
    #[must_use]
    pub fn new(secrets: Vec<String>, not_secrets: Vec<String>) -> Self {
        Self { secrets, not_secrets }
    }

    /// Whether the variable of this name holds a secret. A project's word wins; in doubt it is one.
    #[must_use]
    pub fn is_secret(&self, name: &str) -> bool {
        let name = name.to_ascii_uppercase();
        let any = |patterns: &[String]| {
            patterns
                .iter()
                .any(|pattern| matches(&pattern.to_ascii_uppercase(), &name))
        };
        if any(&self.secrets) {
            return true;
        }
        if any(&self.not_secrets) || EXCEPTIONS.iter().any(|pattern| matches(pattern, &name)) {
            return false;
        }
        PATTERNS.iter().any(|pattern| matches(pattern, &name))
    }
}

/// Whether `name` matches `pattern`.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            let tails = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            tails.into_iter().any(|at| matches(after, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell() {
        let secrecy = Secrecy::new(vec!["HARMLESS".into()], vec!["MY_TOKEN*".into()]);
        for secret in [
            "ODOO_DB_PASSWORD",
            "GITHUB_TOKEN",
            "ODOO_KEY",
            "SHOPIFY_WEBHOOK_KEY",
            "HARMLESS",
        ] {
            assert!(secrecy.is_secret(secret), "{secret}");
        }
        for plain in ["ODOO_DB_NAME", "RESTORE_SSH_KEY", "MY_TOKEN_COUNT", "ODOO_BASE_URL"] {
            assert!(!secrecy.is_secret(plain), "{plain}");
        }
    }
}
