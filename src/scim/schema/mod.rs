//! Schemas: attribute definitions, resource types, their files and the look-ups over them. RFC 7643 §2, §6, §7.

mod attribute;
mod load;
mod publish;
mod registry;
mod resource_type;

pub use attribute::{AttributeDef, Mutability, Returned, Schema, Type, Uniqueness};
pub use load::{LoadError, is_attribute_name};
pub use publish::{RESOURCE_TYPE_URN, SCHEMA_URN};
pub use registry::{Attr, Registry};
pub use resource_type::{Extension, ResourceType};
