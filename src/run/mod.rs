//! A plan being carried out.
pub mod event;
