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
            let here = processes_with(&[&self.project]).is_empty();
            (here && self.at_work_on_a_copy().is_empty()).then_some(())
        });
        let mut containers = self.containers();
        containers.retain(|line| line.contains("-modules-"));
        assert!(containers.is_empty(), "{when}: {containers:?}");
        assert!(!self.path("state/compose/.modules.yaml").exists(), "{when}");
    }

    /// Processes that name a copy, in this stack's folder or in its database's container: other tests have theirs.
    fn at_work_on_a_copy(&self) -> Vec<String> {
        let (folder, container) = (self.path("state"), self.container("database").unwrap_or_default());
        let is_ours = |(pid, line): &(u32, String)| {
            let cgroup = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
            line.contains(folder.to_str().unwrap()) || (!container.is_empty() && cgroup.contains(&container))
        };
        let named = processes_with(&["__incoming_"]).into_iter().filter(is_ours);
        named.map(|(_, line)| line).collect()
    }
}
