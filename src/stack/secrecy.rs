//! Which variables hold secrets: told by their names, because env files cannot mark them, and by what stands in them.

use std::ops::Range;
use std::sync::LazyLock;

use crate::manifest::{Manifest, Text};
use crate::sanitise::CredentialFormats;
use crate::secret::credentials;

/// Parts of names that make a secret wherever they stand, whatever stands beside them.
const ANYWHERE: [&str; 7] = [
    "PASSW",
    "PASSPHRASE",
    "TOKEN",
    "SECRET",
    "CREDENTIAL",
    "APIKEY",
    "PRIVATE_KEY",
];

/// Words that make a secret where they are one whole word of a name, as `KEY` is in `API_KEY_2` and not in `KEYBOARD`.
///
/// From the keys that env files of Odoo projects and of the services beside them hold.
const WORDS: [&str; 24] = [
    "AUTH",
    "AUTHORIZATION",
    "BEARER",
    "COOKIE",
    "COOKIES",
    "CREDS",
    "DSN",
    "HMAC",
    "JWT",
    "KEY",
    "KEYS",
    "MASTERPASS",
    "OTP",
    "PASS",
    "PASSCODE",
    "PASSKEY",
    "PGPASS",
    "PIN",
    "PSK",
    "PW",
    "PWD",
    "SALT",
    "TOTP",
    "WEBHOOK",
];

/// Endings of such words that do the same, as in `DBPASS` and `SSHKEY`, and words that end so by chance.
const ENDINGS: [&str; 4] = ["PASS", "PWD", "KEY", "KEYS"];
const BY_CHANCE: [&str; 12] = [
    "BYPASS",
    "COMPASS",
    "DONKEY",
    "ENCOMPASS",
    "HOCKEY",
    "HOTKEY",
    "HOTKEYS",
    "JOCKEY",
    "MONKEY",
    "OVERPASS",
    "TURKEY",
    "WHISKEY",
];

/// Words at the end of a name that make it speak about a credential instead of holding one, where only a word of [`WORDS`]
/// made it a secret.
const ABOUT: [&str; 32] = [
    "ALGORITHM",
    "BACKEND",
    "COUNT",
    "DAYS",
    "DOMAIN",
    "ENABLED",
    "EXPIRY",
    "HOST",
    "HOURS",
    "LENGTH",
    "LIFETIME",
    "LIMIT",
    "MAX",
    "METHOD",
    "MIN",
    "MINUTES",
    "MODE",
    "NAME",
    "PLUGIN",
    "POLICY",
    "PORT",
    "PROTOCOL",
    "PROVIDER",
    "REALM",
    "REQUIRED",
    "SECONDS",
    "SIZE",
    "TIMEOUT",
    "TTL",
    "TYPE",
    "USER",
    "USERNAME",
];

/// Endings of names that hold a place in the file system.
const PLACES: [&str; 7] = ["FILE", "FILES", "PATH", "DIR", "FOLDER", "FILENAME", "SOCK"];

/// Names of the patterns above that hold no secret: a file name, and the shell's own folders.
const EXCEPTIONS: [&str; 3] = ["RESTORE_SSH_KEY", "PWD", "OLDPWD"];

/// Built once: it is some thirty expressions.
static FORMATS: LazyLock<CredentialFormats> = LazyLock::new(CredentialFormats::new);

/// Tells which variables hold secrets.
#[derive(Debug, Clone, Default)]
pub struct Secrecy {
    secrets: Vec<String>,
    not_secrets: Vec<String>,
}

impl Secrecy {
    /// The built-in patterns with a project's own over them, in which `*` matches any run of characters.
    #[must_use]
    pub fn new(secrets: Vec<String>, not_secrets: Vec<String>) -> Self {
        Self { secrets, not_secrets }
    }

    /// What a manifest says.
    #[must_use]
    pub fn of(manifest: &Manifest) -> Self {
        let names = |texts: &[Text]| texts.iter().map(|text| text.get_ref().clone()).collect();
        let project = &manifest.project.def;
        Self::new(names(&project.secrets), names(&project.not_secrets))
    }

    /// Whether the variable of this name holds a secret. A project's word wins; in doubt it is one.
    #[must_use]
    pub fn is_secret(&self, name: &str) -> bool {
        matches_any(&self.secrets, name) || (!self.is_said_to_be_none(name) && is_secret_by_name(name))
    }

    /// Whether this value of the variable is a secret: by its name, or because it holds a URL's password or has the look of
    /// a known kind of key. A project's word wins.
    #[must_use]
    pub fn is_secret_value(&self, name: &str, text: &str) -> bool {
        self.is_secret(name)
            || (!self.is_said_to_be_none(name) && (!credentials(text).is_empty() || !keys(text).is_empty()))
    }

    /// Whether the project says that the variable holds none.
    #[must_use]
    pub fn is_said_to_be_none(&self, name: &str) -> bool {
        matches_any(&self.not_secrets, name) && !matches_any(&self.secrets, name)
    }
}

/// Whether this name speaks of some key, which may be one that locks (`ODOO_KEY`) or one that finds (`STORE_URL_KEY`), and
/// of nothing stronger.
pub(super) fn names_some_key(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace(['-', '.'], "_");
    is_secret_by_name(&name) && !ANYWHERE.iter().any(|part| name.contains(part))
}

/// Where a text holds keys of known kinds, as ranges of bytes. A URL's password is none: [`credentials`] finds those, and
/// placeholders.
#[must_use]
pub fn keys(text: &str) -> Vec<Range<usize>> {
    FORMATS.find_in(text)
}

fn is_secret_by_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace(['-', '.'], "_");
    if EXCEPTIONS.contains(&name.as_str()) {
        return false;
    }
    let words: Vec<&str> = name.split('_').filter(|word| !word.is_empty()).collect();
    let last = words.last().copied().unwrap_or_default();
    if words.len() > 1 && PLACES.contains(&last) {
        return false;
    }
    let is_about = words.len() > 1 && ABOUT.contains(&last);
    ANYWHERE.iter().any(|part| name.contains(part))
        || (!is_about && words.iter().any(|word| is_secret_word(without_number(word))))
}

fn is_secret_word(word: &str) -> bool {
    WORDS.contains(&word) || (!BY_CHANCE.contains(&word) && ENDINGS.iter().any(|ending| word.ends_with(ending)))
}

/// `KEY2` is a `KEY`.
fn without_number(word: &str) -> &str {
    word.trim_end_matches(|c: char| c.is_ascii_digit())
}

fn matches_any(patterns: &[String], name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    patterns
        .iter()
        .any(|pattern| matches(&pattern.to_ascii_uppercase(), &name))
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
            "SHOPIFY_STORE_URL_KEY",
            "HARMLESS",
            "MAIL_PASS",
            "PGPASS",
            "PGPASSWORD",
            "DBPASS",
            "SMTP_USERPWD",
            "SSHKEY",
            "PASSWORT",
            "API_KEYS",
            "KEY",
            "key",
            "api-key",
            "OPENAI_APIKEY",
            "KEY_2",
            "SSH_KEY2",
            "PASSPHRASE",
            "AUTH",
            "BASIC_AUTH",
            "COOKIE",
            "PWD_DB",
            "DB_PWD",
            "PRIVATE_KEY_BASE64",
            "PRIVATE_KEY_TYPE",
            "SENTRY_DSN",
            "DSN",
            "SLACK_WEBHOOK_URL",
            "TOKEN_COUNT",
            "JWT",
            "SECRETS",
        ] {
            assert!(secrecy.is_secret(secret), "{secret}");
        }
        for plain in [
            "ODOO_DB_NAME",
            "RESTORE_SSH_KEY",
            "SSH_KEY_FILE",
            "SSH_AUTH_SOCK",
            "POSTGRES_PASSWORD_FILE",
            "MY_TOKEN_COUNT",
            "ODOO_BASE_URL",
            "COMPASS_URL",
            "KEYBOARD",
            "MONKEY",
            "MONKEY_COUNT",
            "AUTHOR",
            "AUTH_METHOD",
            "KEY_LENGTH",
            "COOKIE_DOMAIN",
            "PWD",
            "PASSENGERS",
            "BYPASS",
        ] {
            assert!(!secrecy.is_secret(plain), "{plain}");
        }
    }

    #[test]
    fn contents_tell_unless_the_project_knows_better() {
        let secrecy = Secrecy::new(Vec::new(), vec!["LOCAL_URL".into()]);
        for text in [
            "postgres://u:canary-0000@h/d",
            "ghp_0123456789abcdefghijABCDEFGHIJ012345",
            "https://hooks.slack.com/services/T000/B000/xyz",
            "host=db user=odoo password=hunter2",
            "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----",
        ] {
            assert!(secrecy.is_secret_value("HARMLESS", text), "{text}");
            assert!(!secrecy.is_secret_value("LOCAL_URL", text), "{text}");
        }
        for text in [
            "https://example.com/a@b",
            "/srv/data",
            "18.0",
            "-----BEGIN CERTIFICATE-----",
        ] {
            assert!(!secrecy.is_secret_value("HARMLESS", text), "{text}");
        }
    }
}
