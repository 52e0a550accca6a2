//! What sanitising promises, on a real PostgreSQL.

mod audits;
mod beside;
mod every_rule;
mod exceptions;
mod files;
mod guide;
mod interrupted;
mod keyed;
mod keys;
mod line;
mod look;
mod odoo;
mod own;
mod parity;
mod people;
mod people_edges;
mod private_keys;
mod promises;
mod renewals;
mod schema;
mod schemas;
mod server;
mod service;
mod statements;
mod storages;
mod triggers;
