//! One resource as filters and sorting see it: stored attributes, envelope and derived attributes side by side.
//!
//! The only place that knows where the value of an attribute lives. RFC 7643 §3.1.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::checked::is_schemas;
use crate::clock::Instant;
use crate::scim::resource::Resource;
use crate::scim::schema::{Attr, ResourceType};

/// A resource with what its stored document leaves out.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub resource: &'a Resource,
    pub id: &'a str,
    pub resource_type: &'a ResourceType,
    pub created: Instant,
    pub modified: Instant,
    /// Derived and detached attributes in the shape clients see: `groups`, `members`, an extension's URN with its
    /// derived attributes, `meta` with `version` and `location` where they matter.
    pub derived: &'a Map<String, Value>,
}

impl<'a> Subject<'a> {
    /// The value of an attribute (not of its sub-attribute), assigned or not.
    #[must_use]
    pub fn value(&self, attr: &Attr) -> Option<Cow<'a, Value>> {
        if attr.extension.is_none() {
            match attr.def.name.as_str() {
                "id" => return Some(Cow::Owned(Value::from(self.id))),
                "meta" => return Some(Cow::Owned(self.meta())),
                _ if is_schemas(attr) => return Some(Cow::Owned(self.schemas())),
                _ => {}
            }
        }
        let stored = self.resource.value(attr);
        let derived = || find(self.derived, attr);
        // A derived part of a stored attribute (`manager.displayName`) is not in the document.
        let part = attr.sub.as_ref().is_some_and(|sub| sub.derived);
        let value = if part {
            derived().or(stored)
        } else {
            stored.or_else(derived)
        };
        value.map(Cow::Borrowed)
    }

    /// `meta` as clients are shown it.
    fn meta(&self) -> Value {
        let mut meta = json!({
            "resourceType": self.resource_type.name,
            "created": self.created.to_string(),
            "lastModified": self.modified.to_string(),
        });
        if let (Some(meta), Some(Value::Object(more))) =
            (meta.as_object_mut(), self.derived.get("meta"))
        {
            meta.extend(
                more.iter()
                    .map(|(name, value)| (name.clone(), value.clone())),
            );
        }
        meta
    }

    /// `schemas` as clients are shown it (C-04): the core URN, then every extension that has a value.
    fn schemas(&self) -> Value {
        let used = self
            .resource_type
            .extensions
            .iter()
            .map(|extension| extension.schema.id.as_str())
            .filter(|urn| {
                self.resource.document().contains_key(*urn) || self.derived.contains_key(*urn)
            });
        std::iter::once(self.resource_type.schema.id.as_str())
            .chain(used)
            .map(Value::from)
            .collect()
    }
}

/// The value of an attribute in a document.
fn find<'a>(document: &'a Map<String, Value>, attr: &Attr) -> Option<&'a Value> {
    match &attr.extension {
        Some(schema) => document.get(&schema.id)?.get(&attr.def.name),
        None => document.get(&attr.def.name),
    }
}
