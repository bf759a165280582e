//! The REST API: its description, dry runs, problems, and who may do what.

mod connections;
mod conventions;
mod dry_run;
mod examples;
mod idempotency;
mod isolation;
mod openapi;
mod settings;
mod tokens;
pub mod walk;
