//! Whether two ssh targets are one machine under two names.

use super::SshTarget;
use crate::process::{Command, ProcessError, Processes};

/// Whether both targets lead to the same machine, as far as ssh's configuration tells (`ssh -G`: aliases, host names,
/// ports). Nothing is contacted. Where ssh cannot be asked, the names themselves are compared.
///
/// Two names that only DNS knows as one are not seen here; whoever guards something precious compares the identity of
/// what it finds there as well.
///
/// # Errors
///
/// Only if the run is cancelled meanwhile.
pub async fn same_machine(a: &SshTarget, b: &SshTarget, processes: &Processes) -> Result<bool, ProcessError> {
    Ok(resolved(a, processes).await? == resolved(b, processes).await?)
}

/// Host name, in lower case, and port.
async fn resolved(target: &SshTarget, processes: &Processes) -> Result<(String, u16), ProcessError> {
    let literal = (target.host().to_ascii_lowercase(), target.port().unwrap_or(22));
    let question = Command::new("ssh")
        .arg("-G")
        .args(target.options())
        .arg(target.destination());
    let answer = match processes.try_capture(&question).await {
        Ok(answer) if answer.ending.is_success() => answer.text,
        Err(error) if error.is_cancelled() => return Err(error),
        Ok(_) | Err(_) => return Ok(literal),
    };
    let value = |key: &str| {
        answer
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
    };
    let host = value("hostname").map_or(literal.0, str::to_ascii_lowercase);
    let port = value("port").and_then(|port| port.parse().ok()).unwrap_or(literal.1);
    Ok((host, port))
}
