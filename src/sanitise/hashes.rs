//! The password hashes that the rules put into the copy.

use tokio::task::JoinHandle;

use super::error::SanitiseError;
use super::facts::Facts;
use super::password;
use super::policy::{Passwords, Policy};
use super::stamp::Stamp;
use super::statement::Sql;
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
    /// Whether a statement binds a password's hash.
    pub(super) fn are_bound_by(&self, sql: &Sql) -> bool {
        sql.binds(&self.admin) || sql.binds(&self.users)
    }

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

/// The password hashes of this copy in the making: remembered, or made now, beside the event loop and beside each other.
/// One takes a third of a second by design.
pub(super) struct Hashing {
    admin: Option<Admin>,
    users: Option<(Work, Secret)>,
    service: Vec<Secret>,
}

/// A pass that is given up leaves it to end by itself.
type Work = JoinHandle<Result<String, SanitiseError>>;

/// The administrator's.
enum Admin {
    /// An earlier pass of this run made it.
    Made(Secret),
    Begun(Work),
}

impl Hashing {
    /// Begins. With passwords that are kept there is nothing to hash but keys.
    pub(super) fn begin(stamp: &Stamp, odoo: u16, policy: &Policy, facts: &Facts) -> Result<Self, SanitiseError> {
        let mut hashing = Self {
            admin: None,
            users: None,
            service: service(stamp, policy)?,
        };
        if policy.passwords == Passwords::Keep {
            return Ok(hashing);
        }
        let rounds = password::rounds(odoo);
        if stamp.password.is_none() {
            let generated = password::generate();
            let work = hash(generated.clone(), stamp.derive("salt of the users"), rounds);
            hashing.users = Some((work, generated));
        }
        let admin = facts.admin_password.as_ref().filter(|password| !password.is_empty());
        hashing.admin = admin.map(|password| {
            let salt = stamp.derive("salt of the administrator");
            match facts
                .admin_hash
                .as_ref()
                .filter(|hash| is_made_with(hash, &salt, rounds))
            {
                Some(hash) => Admin::Made(hash.clone()),
                None => Admin::Begun(hash(password.clone(), salt, rounds)),
            }
        });
        Ok(hashing)
    }

    /// What can be planned with until they are made.
    pub(super) fn so_far(&self, policy: &Policy) -> Hashes {
        Hashes {
            service: self.service.clone(),
            ..Hashes::masked(policy)
        }
    }

    /// Waits for them; gives the password that was made for the users, and has the stamp remember its hash.
    pub(super) async fn end(
        self,
        stamp: &mut Stamp,
        policy: &Policy,
    ) -> Result<(Hashes, Option<Secret>), SanitiseError> {
        let mut hashes = self.so_far(policy);
        if policy.passwords == Passwords::Keep {
            return Ok((hashes, None));
        }
        let mut generated = None;
        if let Some((work, password)) = self.users {
            stamp.password = Some(made(work).await?);
            generated = Some(password);
        }
        let users = stamp.password.as_deref().map(Secret::new);
        if let Some(users) = users {
            hashes.admin = users.clone();
            hashes.users = users;
        }
        match self.admin {
            Some(Admin::Made(hash)) => hashes.admin = hash,
            Some(Admin::Begun(work)) => hashes.admin = Secret::new(made(work).await?),
            None => {}
        }
        Ok((hashes, generated))
    }
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

fn hash(password: Secret, salt: String, rounds: u32) -> Work {
    let salt = password::digest_16(&salt);
    tokio::task::spawn_blocking(move || password::hash(&password, &salt, rounds))
}

/// Whether a hash is one for this copy, whoever's password it is of.
fn is_made_with(hash: &Secret, salt: &str, rounds: u32) -> bool {
    password::is_made_with(hash.expose(), &password::digest_16(salt), rounds)
}

async fn made(work: Work) -> Result<String, SanitiseError> {
    work.await.map_err(|error| SanitiseError::Password {
        reason: error.to_string(),
    })?
}
