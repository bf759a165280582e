//! One test binary for everything that is not a unit test: `mod` lines only.
//!
//! It runs on SQLite, or on PostgreSQL when `TEST_DATABASE_URL` names a server; nothing in a test file may ask which.
//! `tests/run` does both.

mod layers;
