//! The SCIM face: `/scim/v2`. Handlers are generic over the kind of resource.

pub mod bulk;
pub mod discovery;
pub mod exchange;
pub mod resources;
pub mod respond;
