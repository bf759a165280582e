//! The REST API: its description, dry runs, problems, and who may do what.

mod connections;
mod conventions;
mod dry_run;
mod examples;
mod history;
mod idempotency;
mod isolation;
mod lists;
mod members;
mod openapi;
mod people;
mod replay;
mod settings;
mod tokens;
pub mod walk;
