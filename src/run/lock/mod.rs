//! One run at a time changes a stack. The lock is a file in the stack's state root, on the machine where that lies, and is
//! held by that machine's kernel (`flock`): by this process, or by a small shell there that ends with the connection. So runs
//! on the host itself and runs from any other machine meet at one lock, and it goes with whoever holds it.

mod error;
mod holder;
mod local;
mod remote;

use camino::Utf8PathBuf;
use tokio_util::sync::CancellationToken;

pub use error::LockError;
pub use holder::Holder;

use crate::host::Host;
use crate::process::Processes;
use crate::stack::Stack;

/// The right to change a stack. It goes when the value goes, or with the process, however that ends.
#[derive(Debug)]
pub struct StackLock {
    kept: Kept,
    lost: CancellationToken,
    stack: String,
    host: Host,
}

#[derive(Debug)]
enum Kept {
    Here { _lock: local::Lock },
    There(remote::Lock),
}

impl StackLock {
    /// Takes the lock where the stack's state root lies. That is where the state root comes to be.
    ///
    /// # Errors
    /// [`LockError::Held`] and [`LockError::AtWork`] with who has the stack; else what kept it from being taken.
    pub async fn take(stack: &Stack, holder: &Holder, processes: &Processes) -> Result<Self, LockError> {
        let lost = CancellationToken::new();
        let kept = match &stack.host {
            Host::Local => Kept::Here {
                _lock: local::take(stack, holder)?,
            },
            Host::Ssh(target) => Kept::There(remote::take(stack, target, holder, processes, lost.clone()).await?),
        };
        Ok(Self {
            kept,
            lost,
            stack: stack.name.clone(),
            host: stack.host.clone(),
        })
    }

    /// Is cancelled when the lock is lost: the connection to the host broke, or the shell there was ended.
    #[must_use]
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// The error that the loss of the lock is, if it was lost.
    #[must_use]
    pub fn loss(&self) -> Option<LockError> {
        self.lost.is_cancelled().then(|| LockError::Lost {
            stack: self.stack.clone(),
            host: self.host.to_string(),
        })
    }

    /// Lets the lock go; whoever asks for it next gets it.
    pub async fn release(self) {
        match self.kept {
            Kept::Here { .. } => {}
            Kept::There(lock) => lock.release().await,
        }
    }
}

/// The lock's path as it is told: with its machine, if that is another one.
fn told(stack: &Stack) -> String {
    let path: Utf8PathBuf = stack.paths.lock();
    match &stack.host {
        Host::Local => path.to_string(),
        Host::Ssh(target) => format!("{path} on {target}"),
    }
}
