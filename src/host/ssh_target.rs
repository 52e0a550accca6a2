//! Whom ssh is to reach, and how.

use std::fmt;
use std::str::FromStr;

use camino::{Utf8Path, Utf8PathBuf};

use super::{HostError, SshTargetError};
use crate::process::{Command, Env};
use crate::shell_words::quote;

/// A machine as ssh is told to reach it. Can only hold characters that neither ssh, nor rsync, nor a shell reads as
/// anything else than a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshTarget {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    identity: Option<Utf8PathBuf>,
    known_hosts: Option<Utf8PathBuf>,
}

impl SshTarget {
    /// The key to use, and no other.
    ///
    /// # Errors
    ///
    /// [`SshTargetError::Path`].
    pub fn with_identity(self, path: impl Into<Utf8PathBuf>) -> Result<Self, SshTargetError> {
        Ok(Self {
            identity: Some(plain(path.into())?),
            ..self
        })
    }

    /// The file of host keys to believe, instead of the user's own.
    ///
    /// # Errors
    ///
    /// [`SshTargetError::Path`].
    pub fn with_known_hosts(self, path: impl Into<Utf8PathBuf>) -> Result<Self, SshTargetError> {
        Ok(Self {
            known_hosts: Some(plain(path.into())?),
            ..self
        })
    }

    /// The user to log in as, if it is not for ssh's configuration to say.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The host's name, an address, or an alias of ssh's configuration.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, if it is not for ssh's configuration to say.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The key's file.
    #[must_use]
    pub fn identity(&self) -> Option<&Utf8Path> {
        self.identity.as_deref()
    }

    /// ssh's options for this target, the destination not among them.
    #[must_use]
    pub fn options(&self) -> Vec<String> {
        let mut options: Vec<String> = Vec::new();
        let fixed = [
            // Nobody is there to answer: without a key that works, fail at once.
            "BatchMode=yes",
            // An unknown or changed host key is refused; trusting a machine is a person's decision.
            "StrictHostKeyChecking=yes",
            // Seconds; TCP's own patience is two minutes.
            "ConnectTimeout=15",
            // A dead connection is noticed after a minute (4 times 15 seconds), also in the middle of a dump.
            "ServerAliveInterval=15",
            "ServerAliveCountMax=4",
            // What the user's configuration forwards would only fail here when a second connection does it again; and an
            // agent has no business on the other side.
            "ClearAllForwardings=yes",
            "ForwardAgent=no",
            // A terminal would turn every newline of an archive into two bytes, and a command of the configuration's own
            // excludes ours.
            "RequestTTY=no",
            "RemoteCommand=none",
            // Banners are no output of the command. Errors stay.
            "LogLevel=ERROR",
        ];
        for option in fixed {
            options.extend(["-o".to_owned(), option.to_owned()]);
        }
        if let Some(identity) = &self.identity {
            // IdentitiesOnly: an agent full of other keys uses up the server's patience before ours is tried.
            options.extend([
                "-i".to_owned(),
                identity.to_string(),
                "-o".to_owned(),
                "IdentitiesOnly=yes".to_owned(),
            ]);
        }
        if let Some(known_hosts) = &self.known_hosts {
            options.extend(["-o".to_owned(), format!("UserKnownHostsFile={known_hosts}")]);
        }
        if let Some(port) = self.port {
            options.extend(["-p".to_owned(), port.to_string()]);
        }
        options
    }

    /// `user@host`, as ssh takes it.
    #[must_use]
    pub fn destination(&self) -> String {
        match &self.user {
            Some(user) => format!("{user}@{}", self.host),
            None => self.host.clone(),
        }
    }

    /// `user@host`, as rsync takes it before `:/path`: an IPv6 address stands in brackets.
    #[must_use]
    pub fn rsync_destination(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        match &self.user {
            Some(user) => format!("{user}@{host}"),
            None => host,
        }
    }

    /// What rsync's `-e` gets: ssh with its options.
    #[must_use]
    pub fn rsh(&self) -> String {
        let words = std::iter::once("ssh".to_owned()).chain(self.options());
        words.map(|word| quote(&word)).collect::<Vec<_>>().join(" ")
    }

    /// The command that runs a command there. The folder and the plain part of the environment go along in the remote line.
    ///
    /// # Errors
    ///
    /// [`HostError::SecretInRemoteCommand`] if the environment holds a secret.
    pub fn command(&self, remote: &Command) -> Result<Command, HostError> {
        let command = self.line(self.remote_line(remote)?);
        Ok(if remote.is_discreet() {
            command.discreet()
        } else {
            command
        })
    }

    /// What the shell there is given for a command.
    pub(super) fn remote_line(&self, remote: &Command) -> Result<String, HostError> {
        let mut line = String::new();
        if let Some(folder) = remote.working_folder() {
            line.push_str(&format!("cd {} && ", quote(folder.as_str())));
        }
        let (mut unset, mut set) = (Vec::new(), Vec::new());
        for (key, value) in remote.environment() {
            match value {
                Env::Plain(text) => set.push(quote(&format!("{key}={text}"))),
                // It is in the environment already; see `attached`.
                Env::Unset if remote.secret_environment().iter().any(|(secret, _)| secret == key) => {}
                Env::Unset => unset.push(format!("-u {}", quote(key))),
                Env::Secret(_) => {
                    return Err(HostError::SecretInRemoteCommand {
                        key: key.clone(),
                        host: self.to_string(),
                    });
                }
            }
        }
        if !(unset.is_empty() && set.is_empty()) {
            line.push_str("env ");
            for word in unset.iter().chain(&set) {
                line.push_str(word);
                line.push(' ');
            }
        }
        line.push_str(&remote.shell_words());
        Ok(line)
    }

    /// What a person types to run a line there.
    #[must_use]
    pub fn line_by_hand(&self, line: &str) -> String {
        let port = self.port.map(|port| format!("-p {port} ")).unwrap_or_default();
        format!("ssh -t {port}{} {}", self.destination(), quote(line))
    }

    /// The command that hands a line to the shell there. Who calls this has quoted what is in it.
    pub(crate) fn line(&self, line: String) -> Command {
        Command::new("ssh")
            .args(self.options())
            .arg(self.destination())
            .arg(line)
    }
}

impl FromStr for SshTarget {
    type Err = SshTargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (rest, port) = match text.strip_prefix("ssh://") {
            Some(rest) => split_port(text, rest.strip_suffix('/').unwrap_or(rest))?,
            None => (text, None),
        };
        let (user, host) = match rest.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, rest),
        };
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match bracketed {
            Some(address) if address.parse::<std::net::Ipv6Addr>().is_ok() => address,
            _ if host.contains(':') => {
                return Err(SshTargetError::Colon { text: text.to_owned() });
            }
            _ => checked(text, host)?,
        };
        let user = user.map(|user| checked(text, user)).transpose()?;
        Ok(Self {
            user: user.map(str::to_owned),
            host: host.to_owned(),
            port,
            identity: None,
            known_hosts: None,
        })
    }
}

impl fmt::Display for SshTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "ssh://{}:{port}", self.rsync_destination()),
            None => f.write_str(&self.rsync_destination()),
        }
    }
}

/// Splits the port off what stands behind `ssh://`.
fn split_port<'t>(text: &str, rest: &'t str) -> Result<(&'t str, Option<u16>), SshTargetError> {
    match rest.rsplit_once(':') {
        // The colon of an IPv6 address without a port.
        Some((_, after)) if after.ends_with(']') => Ok((rest, None)),
        Some((before, port)) => match port.parse::<u16>() {
            Ok(number) if number > 0 && port.bytes().all(|byte| byte.is_ascii_digit()) => Ok((before, Some(number))),
            _ => Err(SshTargetError::Port {
                text: text.to_owned(),
                port: port.to_owned(),
            }),
        },
        None => Ok((rest, None)),
    }
}

/// A user's or a host's name.
fn checked<'t>(text: &str, part: &'t str) -> Result<&'t str, SshTargetError> {
    let odd = |character: char| !(character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-'));
    let why = if part.is_empty() {
        "is empty"
    } else if part.starts_with('-') {
        "begins with `-`, which ssh would read as an option"
    } else if part.contains(odd) {
        "has other characters than letters, digits, `.`, `_` and `-`"
    } else {
        return Ok(part);
    };
    Err(SshTargetError::Name {
        text: text.to_owned(),
        part: part.to_owned(),
        why,
    })
}

/// A path that ssh and rsync read as one path.
fn plain(path: Utf8PathBuf) -> Result<Utf8PathBuf, SshTargetError> {
    let odd = |character: char| {
        character.is_whitespace() || character.is_control() || matches!(character, '"' | '\'' | '%' | '$' | '\\')
    };
    if path.is_absolute() && !path.as_str().contains(odd) {
        Ok(path)
    } else {
        Err(SshTargetError::Path { path })
    }
}

#[cfg(test)]
mod tests;
