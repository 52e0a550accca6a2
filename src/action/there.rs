//! Commands that change a stack: on another machine they go on to their end when the connection breaks.

use tokio_util::sync::CancellationToken;

use super::{ActionError, Scene};
use crate::host::{Host, Pass};
use crate::process::{Command, Ending};

/// What becomes of a command on another machine when the run is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interrupted {
    /// It is waited for: ended half-way it would leave services stopped.
    Waits,
    /// It is asked to end, as a program at a terminal would be: it may be one that never ends by itself.
    Asks,
}

impl Scene {
    /// Runs a command on the stack's host that changes the stack there. On this machine it is ended with the run; on another
    /// one neither a broken connection nor an interruption cuts it off in the middle of its work.
    ///
    /// # Errors
    /// The command's failure; [`ActionError::LineLost`]; the run's cancellation.
    pub(super) async fn change_there(&self, command: Command, interrupted: Interrupted) -> Result<(), ActionError> {
        let stack = self.stack()?;
        let Host::Ssh(target) = &stack.host else {
            return self.run_there(command).await;
        };
        let (lock, work) = (stack.paths.lock(), stack.paths.work());
        let pass = Pass {
            lock: &lock,
            work: &work,
            run: &self.run,
        };
        let command = stack.host.command_to_its_end(command, &pass)?;
        self.report.command(&command);
        let over = self.processes.cancellation();
        let processes = match interrupted {
            Interrupted::Waits => self.processes.with_cancellation(CancellationToken::new()),
            Interrupted::Asks => self.processes.clone(),
        };
        if over.is_cancelled() {
            return Err(ActionError::Interrupted);
        }
        let sink = self.report.sink();
        let mut running = std::pin::pin!(processes.run(&command, &sink));
        let result = tokio::select! {
            biased;
            result = &mut running => result,
            () = over.cancelled(), if interrupted == Interrupted::Waits => {
                self.report.warn(format!(
                    "it is let run to its end on {target}; interrupted once more, it does so by itself"
                ));
                running.await
            }
        };
        match result {
            Err(error) if matches!(error.ending(), Some(Ending::Signalled(_))) && over.is_cancelled() => {
                self.report.warn(format!(
                    "left alone: it goes on to its end on {target}, and the stack is locked until then"
                ));
                Err(ActionError::Interrupted)
            }
            // ssh's own; the script there gives no other end that number.
            Err(error) if error.ending() == Some(Ending::Exited(255)) => Err(ActionError::LineLost {
                stack: stack.name.clone(),
                host: target.to_string(),
                error: Box::new(error),
            }),
            result => Ok(result?),
        }
    }
}
