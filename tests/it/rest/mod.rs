//! The REST API: its description, dry runs, problems, and who may do what.

mod connections;
mod conventions;
mod dry_run;
mod examples;
mod history;
mod idempotency;
mod isolation;
mod isolation_scim;
mod lists;
mod members;
mod openapi;
mod people;
mod places;
mod replay;
mod scopes;
mod sender;
mod settings;
mod starter;
mod tokens;
pub mod walk;
