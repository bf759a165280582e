//! Use cases: one synchronous function each, one transaction each, run as `store.write(…)` or `store.read(…)`.
//!
//! The only layer that knows SCIM, learning and rows at a time. Not here: HTTP, threads, the system clock.

pub mod assignments;
pub mod check;
pub mod courses;
pub mod enroll;
pub mod enrollments;
pub mod error;
pub mod groups;
pub mod learners;
pub mod members;
pub mod scope;

#[cfg(test)]
mod learning_tests;

pub use error::ServiceError;
pub use scope::{Actor, Connection, Scope};
