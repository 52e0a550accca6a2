//! What a run that did not come to its end must have left: nothing that is open to anybody.

use super::estate::Estate;
use super::world::processes_with;

impl Estate {
    /// No process, no container and no session of the run is left, and nobody can log in to the copy.
    #[track_caller]
    pub fn nothing_is_open(&self, when: &str) {
        let open =
            "SELECT datname FROM pg_database WHERE datname LIKE '%\\_\\_%' AND (datallowconn OR NOT datistemplate)";
        assert_eq!(self.sql(open), "", "{when}");
        let logins = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'opw_task%' AND (rolcanlogin OR rolsuper)";
        assert_eq!(self.sql(logins), "", "{when}");
        let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE '%\\_\\_%'";
        assert_eq!(self.sql(sessions), "0", "{when}");
        for left in [processes_with(&[&self.project]), processes_with(&["__incoming_"])] {
            assert!(left.is_empty(), "{when}: {left:#?}");
        }
        let mut containers = self.containers();
        containers.retain(|line| line.contains("-modules-"));
        assert!(containers.is_empty(), "{when}: {containers:?}");
        assert!(!self.path("state/compose/.modules.yaml").exists(), "{when}");
    }
}
