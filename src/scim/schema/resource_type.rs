//! A resource type: endpoint, core schema and extensions. RFC 7643 §6.

use std::sync::Arc;

use super::attribute::{AttributeDef, Schema};

/// An extension of a resource type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    pub schema: Arc<Schema>,
    pub required: bool,
}

/// One kind of resource. `common` holds `id`, `externalId`, `meta` and `schemas` (RFC 7643 §3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// Also its `id` (RT-03).
    pub name: String,
    /// With a leading slash: `/Users`.
    pub endpoint: String,
    pub description: String,
    pub schema: Arc<Schema>,
    pub extensions: Vec<Extension>,
    pub common: Vec<Arc<AttributeDef>>,
}
