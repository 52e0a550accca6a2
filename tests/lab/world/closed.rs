//! What a run that did not come to its end must have left: nothing that is open to anybody.

use std::time::Duration;

use super::estate::Estate;
use super::machine::{eventually, processes_with};

/// A backend whose client is gone looks at its socket twice a second (`client_connection_check_interval`).
const MOMENT: Duration = Duration::from_secs(5);

impl Estate {
    /// No process, no container and no session of the run is left, and nobody can log in to the copy.
    #[track_caller]
    pub fn nothing_is_open(&self, when: &str) {
        let open =
            "SELECT datname FROM pg_database WHERE datname LIKE '%\\_\\_%' AND (datallowconn OR NOT datistemplate)";
        assert_eq!(self.sql(open), "", "{when}");
        let logins = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'opw_task%' AND (rolcanlogin OR rolsuper)";
        assert_eq!(self.sql(logins), "", "{when}");
        // The server sees that a client is gone when it looks at the socket, and a backend takes a moment to end.
        eventually(&format!("{when}: no session is left"), MOMENT, || {
            let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE '%\\_\\_%'";
            (self.sql(sessions) == "0").then_some(())
        });
        eventually(&format!("{when}: no process is left"), MOMENT, || {
            let left = [processes_with(&[&self.project]), processes_with(&["__incoming_"])];
            left.iter().all(Vec::is_empty).then_some(())
        });
        let mut containers = self.containers();
        containers.retain(|line| line.contains("-modules-"));
        assert!(containers.is_empty(), "{when}: {containers:?}");
        assert!(!self.path("state/compose/.modules.yaml").exists(), "{when}");
    }
}
