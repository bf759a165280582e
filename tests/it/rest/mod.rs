//! The REST API: its description, dry runs, problems, and who may do what.

mod dry_run;
mod openapi;
