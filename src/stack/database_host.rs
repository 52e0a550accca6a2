//! Where the stack's Odoo finds its database: never on a machine of production.

use super::{Change, Production, Stack, StackError};
use crate::host::{SshTarget, is_loopback, plain_name, same_machine};
use crate::process::Processes;

/// The compose service that is the stack's own database, and the port inside the stack's network.
const OWN: [(&str, &str); 2] = [("ODOO_DB_HOST", "database"), ("ODOO_DB_PORT", "5432")];

impl Stack {
    /// Refuses a database on the machine of any upstream, as it is written; for changes of data also every other than the
    /// stack's own service: what is restored there is what Odoo must serve.
    ///
    /// # Errors
    /// [`StackError::OtherDatabase`].
    pub(super) fn guard_database(&self, change: Change) -> Result<(), StackError> {
        for host in self.database_hosts() {
            for production in &self.production {
                if host == plain_name(production.machine.host()) {
                    return Err(self.on_upstream(production));
                }
            }
        }
        for (name, own) in OWN {
            let value = self.variables.value(name).map_or(own, |value| value.expose());
            if change == Change::Data && value != own {
                return Err(self.other_database(name, format!("is not `{own}`, the stack's own database")));
            }
        }
        Ok(())
    }

    /// The same for other names of an upstream's machine, as ssh's configuration knows them.
    ///
    /// # Errors
    /// [`StackError::OtherDatabase`]; the run's cancellation.
    pub(super) async fn guard_database_machine(&self, processes: &Processes) -> Result<(), StackError> {
        for host in self.database_hosts() {
            // What cannot be a name for ssh is none of its configuration.
            let Ok(target) = host.parse::<SshTarget>() else {
                continue;
            };
            for production in &self.production {
                if same_machine(&target, &production.machine, processes).await? {
                    return Err(self.on_upstream(production));
                }
            }
        }
        Ok(())
    }

    /// The hosts of `ODOO_DB_HOST`, of which libpq takes several with commas, but for those that can only be the stack's
    /// own: its service, and a container's loopback.
    fn database_hosts(&self) -> Vec<String> {
        let (name, own) = OWN[0];
        let hosts = self.variables.value(name).map_or(own, |value| value.expose());
        let hosts = hosts.split(',').map(plain_name);
        hosts.filter(|host| host != own && !is_loopback(host)).collect()
    }

    fn on_upstream(&self, production: &Production) -> StackError {
        self.other_database(OWN[0].0, format!("is the upstream `{}`", production.upstream))
    }

    fn other_database(&self, name: &'static str, why: String) -> StackError {
        let origin = self.variables.origin(name);
        StackError::OtherDatabase {
            stack: self.name.clone(),
            name,
            why,
            origin: origin.map(ToString::to_string).unwrap_or_default(),
        }
    }
}
