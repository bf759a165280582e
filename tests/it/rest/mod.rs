//! The REST API: its description, dry runs, problems, and who may do what.

mod connections;
mod conventions;
mod dry_run;
mod idempotency;
mod openapi;
mod tokens;
