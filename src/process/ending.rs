//! How a child ended.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// How a child ended: with a status of its own choice, or by a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It exited with this status, 0 to 255; 0 is success.
    Exited(u8),
    /// This signal ended it.
    Signalled(i32),
}

impl Ending {
    /// Whether the child exited with status 0.
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Self::Exited(0)
    }
}

impl From<ExitStatus> for Ending {
    fn from(status: ExitStatus) -> Self {
        match status.signal() {
            Some(signal) => Self::Signalled(signal),
            // wait(2) hands over the low 8 bits only, so the fallback cannot be reached; it is no success either way.
            None => Self::Exited(
                status
                    .code()
                    .and_then(|code| u8::try_from(code).ok())
                    .unwrap_or(u8::MAX),
            ),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit status {code}"),
            Self::Signalled(signal) => match name(*signal) {
                Some(name) => write!(f, "signal {signal} ({name})"),
                None => write!(f, "signal {signal}"),
            },
        }
    }
}

/// The names of the signals that end programs in practice; their numbers are the same on Linux and macOS.
fn name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_status_and_signal() {
        assert_eq!(Ending::from(ExitStatus::from_raw(3 << 8)).to_string(), "exit status 3");
        assert_eq!(Ending::from(ExitStatus::from_raw(9)).to_string(), "signal 9 (SIGKILL)");
        assert_eq!(Ending::from(ExitStatus::from_raw(31)).to_string(), "signal 31");
        assert!(Ending::from(ExitStatus::from_raw(0)).is_success());
        assert!(!Ending::Exited(255).is_success());
    }
}
