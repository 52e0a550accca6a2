//! What Docker says of a service's container, and whether that is well.

use serde::Deserialize;

/// How Docker is asked for a [`Look`].
pub(super) const FORMAT: &str = r#"{"State":{{json .State}},"RestartCount":{{json .RestartCount}}}"#;

/// So many restarts while it is watched are no accident any more.
const AGAIN: u64 = 2;

/// So many restarts before it is watched are none either, if it is dead when it is looked at.
const AND_AGAIN: u64 = 3;

/// A container at one moment.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Look {
    state: State,
    /// How often Docker has started it again since somebody started it.
    restart_count: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    status: String,
    exit_code: i32,
    health: Option<HealthState>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HealthState {
    status: String,
}

/// Whether a container is well.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Well,
    Waiting(String),
    Lost(String),
}

/// What is remembered of a container between two looks.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// How often it had been restarted when it was first looked at.
    before: Option<u64>,
}

impl Watch {
    /// Judges a container. One that is restarted once may get up; one that dies again and again will not.
    pub(super) fn judge(&mut self, look: &Look) -> Verdict {
        let (state, restarts) = (&look.state, look.restart_count);
        // Started anew by somebody, it counts from nothing again.
        let before = self.before.map_or(restarts, |before| before.min(restarts));
        self.before = Some(before);
        let is_dead = state.status == "restarting";
        if restarts >= before + AGAIN || (is_dead && restarts >= AND_AGAIN) {
            let exit = match is_dead {
                true => format!(", the last time with exit {}", state.exit_code),
                false => String::new(),
            };
            return Verdict::Lost(format!("dying again and again: restarted {restarts} times{exit}"));
        }
        match (
            state.status.as_str(),
            state.health.as_ref().map(|health| health.status.as_str()),
        ) {
            ("running", None | Some("healthy" | "none")) => Verdict::Well,
            ("running", Some("unhealthy")) => Verdict::Lost("unhealthy".into()),
            ("running", Some(other)) => Verdict::Waiting(other.to_owned()),
            ("exited" | "dead", _) => Verdict::Lost(format!("{} (exit {})", state.status, state.exit_code)),
            (other, _) => Verdict::Waiting(other.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(status: &str, restart_count: u64) -> Look {
        Look {
            state: State {
                status: status.into(),
                exit_code: 7,
                health: None,
            },
            restart_count,
        }
    }

    fn is_lost(looks: &[(&str, u64)]) -> bool {
        let mut watch = Watch::default();
        let verdicts = looks.iter().map(|(status, count)| watch.judge(&look(status, *count)));
        matches!(verdicts.last(), Some(Verdict::Lost(_)))
    }

    #[test]
    fn one_restart_is_an_accident_and_two_are_none() {
        assert!(!is_lost(&[("running", 0), ("restarting", 1), ("running", 1)]));
        assert!(is_lost(&[
            ("running", 0),
            ("restarting", 1),
            ("running", 1),
            ("restarting", 2)
        ]));
        assert!(
            is_lost(&[("running", 1), ("running", 3)]),
            "also when each death was missed"
        );
        assert!(is_lost(&[("restarting", 9)]), "it has been dying for long");
    }

    #[test]
    fn what_was_long_ago_does_not_count() {
        assert!(!is_lost(&[("running", 12), ("running", 13)]));
        assert!(
            !is_lost(&[("running", 12), ("running", 0), ("restarting", 1)]),
            "started anew"
        );
    }
}
