//! The SCIM 2.0 engine: RFC 7643 (schema) and RFC 7644 (protocol) as pure functions.
//!
//! A body walks `serde_json::Value` → [`resource::Resource`] (only [`validate`] makes one) → stored document;
//! a stored document leaves through [`project`]. `scim-schemas/*.json` is the only truth about attributes.
//! Not here: HTTP, SQL, courses, the clock.

pub mod bulk;
mod canonical;
pub mod error;
pub mod filter;
pub mod fold;
pub mod message;
pub mod patch;
pub mod path;
pub mod project;
pub mod quirks;
pub mod resource;
pub mod rights;
pub mod schema;
pub mod switches;
pub mod validate;
pub mod version;
