//! One test binary for everything that is not a unit test: `mod` lines only.
//!
//! It runs on SQLite, or on PostgreSQL when `TEST_DATABASE_URL` names a server; nothing in a test file may ask which.
//! `tests/run` does both.
#![allow(
    clippy::disallowed_methods,
    reason = "tests read their own environment"
)]

mod coverage;
mod crash;
mod csv;
mod harness;
mod laws;
mod layers;
mod learning;
mod operations;
mod replay;
mod rest;
mod scim;
mod smoke;
mod two_nodes;
#[path = "../wire/mod.rs"]
mod wire;
