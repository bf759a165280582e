//! The bulk message: what it asks, which operations refer to each other, in which order they can run. RFC 7644 §3.7.
//!
//! Pure: nothing here runs an operation; `service::bulk` does.

mod message;
mod order;
mod references;

pub use message::{
    Action, BulkOperation, BulkRequest, MAX_OPERATIONS, MAX_PAYLOAD, Planned, Refused, Target,
};
pub use order::{Unit, order};
pub use references::{Found, Shape, visit};
