//! Passwords as Odoo stores them: passlib's `pbkdf2_sha512`.

use std::fmt::Write as _;

use pbkdf2::mcf::PasswordHash;
use pbkdf2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use pbkdf2::{Algorithm, Params, Pbkdf2};
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::error::SanitiseError;
use crate::secret::Secret;

/// The rounds that this version of Odoo asks for at least.
pub(super) fn rounds(odoo: u16) -> u32 {
    if odoo <= 16 { 350_000 } else { 600_000 }
}

/// The rounds with which Odoo hashes API keys.
pub(super) const KEY_ROUNDS: u32 = 6_000;

/// A version of Odoo that asks for as many rounds as any does.
const NEWEST: u16 = 19;

/// Enough to see how a salt is written.
const FEWEST_ROUNDS: u32 = 1_000;

/// Hashes a password in the format `$pbkdf2-sha512$rounds$salt$checksum`.
pub(super) fn hash(password: &Secret, salt: &[u8], rounds: u32) -> Result<String, SanitiseError> {
    let fault = |reason: String| SanitiseError::Password { reason };
    let parameters = Params::new_with_output_len(rounds, 64).map_err(|error| fault(error.to_string()))?;
    Pbkdf2::new(Algorithm::Pbkdf2Sha512, parameters)
        .hash_password_with_salt(password.expose().as_bytes(), salt)
        .map(|hash: PasswordHash| hash.to_string())
        .map_err(|error| fault(error.to_string()))
}

/// A password for the administrator of a new database.
#[derive(Debug)]
pub struct AdminPassword {
    /// As Odoo stores it.
    pub hash: Secret,
    /// The password itself, if none was chosen.
    pub generated: Option<Secret>,
}

impl AdminPassword {
    /// Hashes the chosen password, or one that it makes.
    ///
    /// # Errors
    /// [`SanitiseError::Password`].
    pub async fn make(chosen: Option<Secret>) -> Result<Self, SanitiseError> {
        let generated = chosen.is_none().then(generate);
        let password = chosen.or_else(|| generated.clone()).unwrap_or_else(generate);
        let salt = Uuid::new_v4().into_bytes();
        // It takes a third of a second by design.
        let work = spawn_blocking(move || hash(&password, &salt, rounds(NEWEST)));
        let hash = work.await.map_err(|error| SanitiseError::Password {
            reason: error.to_string(),
        })??;
        Ok(Self {
            hash: Secret::new(hash),
            generated,
        })
    }
}

/// Whether this is the password that Odoo stores so: by its hash, or as it is.
pub async fn matches_stored(password: &Secret, stored: &Secret) -> bool {
    let (password, stored) = (password.clone(), stored.clone());
    let work = spawn_blocking(move || {
        if password.expose() == stored.expose() {
            return true;
        }
        let Ok(hash) = PasswordHash::new(stored.expose()) else {
            return false;
        };
        Pbkdf2::default()
            .verify_password(password.expose().as_bytes(), &hash)
            .is_ok()
    });
    work.await.unwrap_or(false)
}

/// Whether a hash has this salt and so many rounds.
pub(super) fn is_made_with(hash: &str, salt: &[u8], rounds: u32) -> bool {
    let Ok(other) = self::hash(&Secret::new(""), salt, FEWEST_ROUNDS) else {
        return false;
    };
    let mut fields = hash.split('$').skip(1);
    let mut wanted = other.split('$').skip(1);
    fields.next() == wanted.next()
        && fields.next() == Some(rounds.to_string().as_str())
        && wanted.next().is_some()
        && fields.next() == wanted.next()
}

/// A password that a person can copy: four groups of five hexadecimal digits, 80 random bits.
pub(super) fn generate() -> Secret {
    let hex = digest(&format!("{}{}", Uuid::new_v4(), Uuid::new_v4()));
    let groups: Vec<&str> = (0..4).filter_map(|group| hex.get(group * 5..group * 5 + 5)).collect();
    Secret::new(groups.join("-"))
}

/// SHA-256 of a text, in hexadecimal digits.
pub(super) fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// The first half of the SHA-256 of a text.
pub(super) fn digest_16(text: &str) -> [u8; 16] {
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(Sha256::digest(text.as_bytes())) {
        *to = from;
    }
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_passlib_does() {
        // passlib.hash.pbkdf2_sha512.using(rounds=1000, salt=b"0123456789abcdef").hash("hello")
        let hash = hash(&Secret::new("hello"), b"0123456789abcdef", 1000).unwrap();
        assert_eq!(hash, EXPECTED);
    }

    #[test]
    fn a_hash_tells_with_what_it_was_made() {
        assert!(is_made_with(EXPECTED, b"0123456789abcdef", 1000));
        assert!(!is_made_with(EXPECTED, b"0123456789abcdef", 6000));
        assert!(!is_made_with(EXPECTED, b"0123456789abcdeg", 1000));
        assert!(!is_made_with("", b"0123456789abcdef", 1000));
    }

    #[test]
    fn hashes_api_keys_as_odoo_does() {
        // passlib.hash.pbkdf2_sha512.using(rounds=6000, salt=b"0123456789abcdef").hash("6f70…")
        let key = Secret::new("6f70772d7461736b2d6170692d6b65792d313233");
        assert_eq!(hash(&key, b"0123456789abcdef", KEY_ROUNDS).unwrap(), EXPECTED_KEY);
    }

    const EXPECTED_KEY: &str = "$pbkdf2-sha512$6000$MDEyMzQ1Njc4OWFiY2RlZg$JJYt7Pks5Bp7mpzO8KCHmSXAROrdLOQJ0Do69w86RXAVcttOS4o70AT7plSuE/noU/HE/WpW4hNc2PzQHmml1Q";

    const EXPECTED: &str = "$pbkdf2-sha512$1000$MDEyMzQ1Njc4OWFiY2RlZg$ole6Tm0wNK6UnOqXBn401pAtRoEJZH.LqiaJfmRCfRBKsO9HhT6hoQB/3k2DFSx5jm36ssU4s8yUZ3uADUl6Xw";

    #[tokio::test]
    async fn a_stored_password_is_recognised() {
        let hello = Secret::new("hello");
        assert!(matches_stored(&hello, &Secret::new(EXPECTED)).await);
        assert!(matches_stored(&hello, &Secret::new("hello")).await);
        for other in ["", "$pbkdf2-sha512$", "hell", EXPECTED_KEY] {
            assert!(!matches_stored(&hello, &Secret::new(other)).await, "{other}");
        }
        let made = AdminPassword::make(None).await.unwrap();
        assert!(matches_stored(&made.generated.unwrap(), &made.hash).await);
    }

    #[test]
    fn generated_passwords_differ_and_can_be_typed() {
        let (one, two) = (generate(), generate());
        assert_ne!(one.expose(), two.expose());
        assert_eq!(one.expose().len(), 23);
    }
}
