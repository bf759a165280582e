//! Use cases: one synchronous function each, one transaction each, run as `store.write(…)` or `store.read(…)`.
//!
//! The only layer that knows SCIM, learning and rows at a time. Not here: HTTP, threads, the system clock.

pub mod error;
pub mod scope;

pub use error::ServiceError;
pub use scope::{Actor, Connection, Scope};
