//! A plan being carried out.
pub mod event;
pub mod id;
pub mod journal;
