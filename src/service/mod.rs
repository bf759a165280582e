//! Use cases: one synchronous function each, one transaction each, run as `store.write(…)` or `store.read(…)`.
//!
//! The only layer that knows SCIM, learning and rows at a time. Not here: HTTP, threads, the system clock.

pub mod admins;
pub mod approvals;
pub mod assignments;
pub mod audit;
pub mod bulk;
pub mod check;
pub mod clients;
pub mod completions;
pub mod compliance;
pub mod connections;
pub mod courses;
pub mod cycles;
pub mod directory;
pub mod dry_run;
pub mod enroll;
pub mod enrollments;
pub mod erasure;
pub mod error;
pub mod exceptions;
pub mod explain;
pub mod exports;
pub mod group_list;
pub mod group_members;
pub mod groups;
pub mod idempotency;
pub mod imports;
pub mod jobs;
pub mod learners;
pub mod linking;
pub mod listing;
pub mod members;
pub mod obligations;
pub mod people;
pub mod replay;
pub mod reports;
pub mod restore;
pub mod retention;
pub mod schemas;
pub mod scope;
pub mod settings;
pub mod suggestions;
pub mod sync_log;
pub mod tenants;
pub mod timeline;
pub mod tokens;

#[cfg(test)]
mod learning_tests;

pub use error::ServiceError;
pub use scope::{Actor, Connection, Scope};
