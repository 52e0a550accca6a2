//! What sanitising promises, on a real PostgreSQL.
#![cfg(feature = "lab")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "sanitise/audits.rs"]
mod audits;
#[path = "sanitise/beside.rs"]
mod beside;
#[path = "sanitise/files.rs"]
mod files;
#[path = "sanitise/guide.rs"]
mod guide;
#[path = "sanitise/interrupted.rs"]
mod interrupted;
#[path = "sanitise/keys.rs"]
mod keys;
#[path = "sanitise/line.rs"]
mod line;
#[path = "sanitise/look.rs"]
mod look;
#[path = "sanitise/odoo.rs"]
mod odoo;
#[path = "sanitise/parity.rs"]
mod parity;
#[path = "sanitise/people.rs"]
mod people;
#[path = "sanitise/people_edges.rs"]
mod people_edges;
#[path = "sanitise/promises.rs"]
mod promises;
#[path = "sanitise/schemas.rs"]
mod schemas;
#[path = "sanitise/server.rs"]
mod server;
#[path = "sanitise/service.rs"]
mod service;
