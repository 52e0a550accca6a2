//! What can be asked of a production system: a closed set.
//!
//! An [`Upstream`] gives out nothing but [`ReadOnly`] commands, and only this module can make one: a dump, a probe of a
//! dump, the answer to a fixed [`Question`], a pull of the filestore or what it would bring. Its ssh target is not given out, so no other command
//! can be built from it. Names and paths that could be read as options or by a shell are refused when it is made.
//!
//! This is one of two locks. The other hangs on the upstream itself: a database role without the privilege to write, and a
//! forced command in `authorized_keys`.
mod compression;
mod error;
mod filestore_size;
mod installed_module;
mod names;
mod pull_progress;
mod question;
mod read_only;
mod table_size;
#[cfg(test)]
mod tests;
#[allow(clippy::module_inception, reason = "the module is named after its main type")]
mod upstream;

pub use compression::Compression;
pub use error::UpstreamError;
pub use filestore_size::FilestoreSize;
pub use installed_module::InstalledModule;
pub use pull_progress::PullProgress;
pub use question::Question;
pub use read_only::ReadOnly;
pub use table_size::TableSize;
pub use upstream::{Upstream, VANISHED};
