//! The one door for child processes: what is run, how it is shown, how it is ended.
//!
//! A [`Command`] is a value; [`Processes`] runs it. Every child leads a process group of its own, so that ending it ends
//! what it began as well, and a Ctrl-C at the terminal reaches us alone: we decide who is ended, in which order, and how
//! long it is waited for. Every line that a child prints passes the [`Redactor`] before anyone sees it.
mod brief;
mod capture;
pub mod command;
mod ending;
mod error;
mod find;
mod frame;
mod group;
mod held;
mod lines;
mod pipe;
mod processes;
mod redactor;
mod running;
mod sink;
mod tail;

pub use capture::Captured;
pub use command::{Command, Env};
pub use ending::Ending;
pub use error::ProcessError;
pub use group::GRACE;
pub use held::Held;
pub use pipe::Beginning;
pub use processes::Processes;
pub use redactor::Redactor;
pub use sink::{Sink, discard};
