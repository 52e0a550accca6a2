//! The values that rules take from the policy and the stack.

use super::error::SanitiseError;
use super::facts::Facts;
use super::hashes::Hashes;
use super::own::Horizon;
use super::policy::{Mail, Policy};
use super::service_users;
use super::stamp::Stamp;
use super::statement::Parameter;
use super::value::Binding;
use crate::secret::Secret;

/// The values that rules take from the policy and the stack.
#[derive(Debug, Clone)]
pub struct Bindings<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The stack.
    pub facts: &'a Facts,
    /// The copy's memory.
    pub stamp: &'a Stamp,
    /// The password hashes.
    pub hashes: &'a Hashes,
    /// Whether the copy was verified and has lived since: what it made itself is its own.
    pub lived: bool,
}

impl Bindings<'_> {
    /// The value with this name.
    pub(super) fn value(&self, binding: Binding) -> Result<Parameter, SanitiseError> {
        let (host, port) = match &self.policy.mail {
            Mail::Off => (String::new(), 0),
            Mail::Catcher { host, port } => (host.clone(), *port),
        };
        Ok(match binding {
            Binding::BaseUrl if self.facts.base_url.is_empty() => {
                return Err(SanitiseError::NoBaseUrl);
            }
            Binding::BaseUrl => Parameter::Text(self.facts.base_url.clone()),
            Binding::MailHost => Parameter::Text(host),
            Binding::MailPort => Parameter::Text(port.to_string()),
            Binding::KeepCrons => Parameter::List(self.policy.keep_crons.clone()),
            Binding::AdminPassword => Parameter::Secret(self.hashes.admin.clone()),
            Binding::UserPassword => Parameter::Secret(self.hashes.users.clone()),
            Binding::ServiceKeys => Parameter::Secrets(self.hashes.service.clone()),
            Binding::DatabaseUuid => Parameter::Text(self.stamp.derive_uuid("database.uuid")),
            Binding::DatabaseSecret => Parameter::Secret(Secret::new(self.stamp.derive("database.secret"))),
            Binding::SanitisedAt => Parameter::Text(self.stamp.at.clone()),
            Binding::ServiceLogins => {
                let users = service_users::wanted(self);
                Parameter::List(users.map(|user| user.login.clone()).collect())
            }
            Binding::AttachmentTypes => {
                let types = self.policy.anonymise.attachments.iter();
                let escaped = types.map(|kind| kind.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
                Parameter::List(escaped.map(|kind| kind.replace('*', "%")).collect())
            }
        })
    }

    /// The variable of the stack with this name.
    pub(super) fn variable(&self, name: &str) -> Result<Parameter, SanitiseError> {
        match self.facts.variables.get(name) {
            Some(value) => Ok(Parameter::Secret(value.clone())),
            None => Err(SanitiseError::NoVariable { name: name.to_owned() }),
        }
    }

    /// Since when rows are the copy's own, if it lives.
    pub(super) fn own_since(&self) -> Option<Horizon> {
        self.lived.then(|| self.stamp.horizon())
    }

    /// The seed of this copy's random values.
    pub(super) fn seed(&self) -> Parameter {
        Parameter::Secret(Secret::new(self.stamp.seed.clone()))
    }
}
