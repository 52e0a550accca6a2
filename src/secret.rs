//! A value that cannot be printed.
//!
//! Secrets enter through env layers and leave through two doors only: a child's environment ([`crate::process`]) and a
//! PostgreSQL connection ([`crate::postgres`]). Everything else may pass a [`Secret`] on, but cannot write it: there is
//! no `Display`, no `Serialize`, and `Debug` shows stars.

mod credentials;

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

pub use credentials::{LONGEST as LONGEST_CREDENTIALS, credentials, decoded};

/// What stands where a secret would have stood.
pub const MASK: &str = "***";

/// A secret text. It is zeroed when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a text as secret from here on.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text in clear. Callers are the two doors named in the module's text, files written with mode 0600, and the
    /// redactor, which must know what to look for.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether there is anything to keep secret.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_stars() {
        let secret = Secret::new("CANARY");
        assert_eq!(format!("{secret:?}"), MASK);
        assert_eq!(format!("{:?}", Some(secret)), "Some(***)");
    }
}
