//! What sanitising promises, on a real PostgreSQL.
#![cfg(feature = "lab")]

#[path = "sanitise/fixture.rs"]
mod fixture;
#[path = "sanitise/server.rs"]
mod server;
