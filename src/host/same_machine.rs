//! Whether two ssh targets are one machine under two names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use super::SshTarget;
use crate::process::{Command, ProcessError, Processes};

/// A port has to be named where only a route is asked for.
const DISCARD: u16 = 9;

/// A host's name as it can be compared: lower case, no dot at the end, an address in its usual form.
#[must_use]
pub fn plain_name(host: &str) -> String {
    let name = host.trim().trim_end_matches('.').to_ascii_lowercase();
    match name.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => name,
    }
}

/// Whether a name, as [`plain_name`] gives it, means the machine itself. Behind the ports of such a name several
/// machines may stand (containers, tunnels).
#[must_use]
pub fn is_loopback(name: &str) -> bool {
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether both targets are written alike. The port counts for loopback addresses only: a machine that has a second sshd
/// is the same machine. [`same_machine`] knows aliases too.
#[must_use]
pub fn same_name(a: &SshTarget, b: &SshTarget) -> bool {
    written(a).is(&written(b))
}

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
    Ok(same_name(a, b) || resolved(a, processes).await?.is(&resolved(b, processes).await?))
}

/// Whether a target leads to the machine that we run on: ssh's configuration ends at this machine's own name, or at an address
/// of its own. Nothing is contacted and no name is looked up, so a name that only DNS knows for this machine is not seen.
///
/// Loopback addresses are nobody's: behind their ports other machines may stand.
///
/// # Errors
///
/// Only if the run is cancelled meanwhile.
pub async fn is_this_machine(target: &SshTarget, processes: &Processes) -> Result<bool, ProcessError> {
    let name = resolved(target, processes).await?.name;
    if is_loopback(&name) {
        return Ok(false);
    }
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let is_own_address = name.parse().is_ok_and(is_own_address);
    Ok(is_own_address || name == plain_name(&own))
}

/// Whether the address is one of this machine's: what is sent there would come from there. Connecting such a socket sends
/// nothing.
fn is_own_address(address: IpAddr) -> bool {
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let from = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((address, DISCARD))?;
        socket.local_addr()
    });
    from.is_ok_and(|from| from.ip() == address)
}

/// Where a target leads.
struct Address {
    name: String,
    port: u16,
}

impl Address {
    fn is(&self, other: &Self) -> bool {
        self.name == other.name && (self.port == other.port || !is_loopback(&self.name))
    }
}

/// Where a target leads if ssh's configuration has no word in it.
fn written(target: &SshTarget) -> Address {
    Address {
        name: plain_name(target.host()),
        port: target.port().unwrap_or(22),
    }
}

async fn resolved(target: &SshTarget, processes: &Processes) -> Result<Address, ProcessError> {
    let question = Command::new("ssh")
        .arg("-G")
        .args(target.options())
        .arg(target.destination());
    let literal = written(target);
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
    Ok(Address {
        name: value("hostname").map_or(literal.name, plain_name),
        port: value("port").and_then(|port| port.parse().ok()).unwrap_or(literal.port),
    })
}
