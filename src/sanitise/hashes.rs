//! The password hashes that the rules put into the copy.

use super::error::SanitiseError;
use super::facts::Facts;
use super::password;
use super::policy::{Passwords, Policy};
use super::stamp::Stamp;
use crate::secret::{MASK, Secret};

/// The hashes that the password rules put into the copy.
#[derive(Debug, Clone)]
pub struct Hashes {
    /// The administrator's.
    pub admin: Secret,
    /// All other internal users'.
    pub users: Secret,
    /// Those of the service users' API keys, in the order of the policy; users without a key are left out.
    pub service: Vec<Secret>,
}

impl Hashes {
    /// Stand-ins for a plan that is only shown.
    #[must_use]
    pub fn masked(policy: &Policy) -> Self {
        let keys = policy.service_users.iter().filter(|user| !user.api_key.is_empty());
        Self {
            admin: Secret::new(MASK),
            users: Secret::new(MASK),
            service: keys.map(|_| Secret::new(MASK)).collect(),
        }
    }
}

/// The password hashes of this copy: remembered, or made now.
pub(super) async fn hashes(
    stamp: &mut Stamp,
    odoo: u16,
    policy: &Policy,
    facts: &Facts,
) -> Result<(Hashes, Option<Secret>), SanitiseError> {
    let service = service(stamp, policy)?;
    if policy.passwords == Passwords::Keep {
        let kept = Hashes {
            service,
            ..Hashes::masked(policy)
        };
        return Ok((kept, None));
    }
    let rounds = password::rounds(odoo);
    let (users, generated) = match &stamp.password {
        Some(hash) => (Secret::new(hash.clone()), None),
        None => {
            let generated = password::generate();
            let hash = hash(generated.clone(), stamp.derive("salt of the users"), rounds).await?;
            stamp.password = Some(hash.clone());
            (Secret::new(hash), Some(generated))
        }
    };
    let admin = match facts.admin_password.as_ref().filter(|password| !password.is_empty()) {
        Some(password) => Secret::new(hash(password.clone(), stamp.derive("salt of the administrator"), rounds).await?),
        None => users.clone(),
    };
    Ok((Hashes { admin, users, service }, generated))
}

/// The hashes of the service users' API keys. They take few rounds, as Odoo's own do: a key is random already.
pub(super) fn service(stamp: &Stamp, policy: &Policy) -> Result<Vec<Secret>, SanitiseError> {
    let keys = policy.service_users.iter().filter(|user| !user.api_key.is_empty());
    keys.map(|user| {
        let salt = password::digest_16(&stamp.derive(&format!("salt of the service user {}", user.login)));
        password::hash(&user.api_key, &salt, password::KEY_ROUNDS).map(Secret::new)
    })
    .collect()
}

/// Hashing takes a third of a second by design; it does so beside the event loop.
async fn hash(password: Secret, salt: String, rounds: u32) -> Result<String, SanitiseError> {
    let salt = password::digest_16(&salt);
    tokio::task::spawn_blocking(move || password::hash(&password, &salt, rounds))
        .await
        .map_err(|error| SanitiseError::Password {
            reason: error.to_string(),
        })?
}
