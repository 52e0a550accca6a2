//! What sanitising promises, on a real PostgreSQL.
#![cfg(feature = "lab")]

#[path = "sanitise/server.rs"]
mod server;
