//! The SCIM face: `/scim/v2`. Handlers are generic over the kind of resource.

mod asked;
pub mod bulk;
pub mod discovery;
pub mod exchange;
pub mod me;
mod members;
mod own;
pub mod read;
pub mod respond;
pub mod search;
pub mod write;
