//! A resource type: endpoint, core schema and extensions. RFC 7643 §6.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

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
    /// Also its `id` (RT-03). It outlives the registry: see `lasting`.
    pub name: &'static str,
    /// With a leading slash: `/Users`.
    pub endpoint: String,
    pub description: String,
    pub schema: Arc<Schema>,
    pub extensions: Vec<Extension>,
    pub common: Vec<Arc<AttributeDef>>,
}

/// The same text for as long as the program runs, each kept once. For names of resource types, of which a server has a
/// few: so a kind of resource is a word to pass around, not something to share.
pub(super) fn lasting(text: &str) -> &'static str {
    static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    match kept.get(text) {
        Some(known) => known,
        None => {
            let new: &'static str = Box::leak(text.to_owned().into_boxed_str());
            kept.insert(new);
            new
        }
    }
}
