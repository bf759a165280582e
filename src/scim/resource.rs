//! A resource whose document has passed its schema.

use serde_json::{Map, Value};

use super::schema::Attr;

/// The stored attributes of one resource: canonical spelling, checked types, no `null`, no `[]`, no `""`.
///
/// Holds neither `id`, `meta`, `schemas` nor detached or derived attributes; extension attributes stand in an
/// object under the extension's URN. Only [`super::validate`] and [`super::patch`] make one from input.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Resource {
    document: Map<String, Value>,
}

impl Resource {
    /// Takes a document that is known to be valid: one that was stored, or one validation has just built.
    #[must_use]
    pub const fn from_valid(document: Map<String, Value>) -> Self {
        Self { document }
    }

    /// The document.
    #[must_use]
    pub const fn document(&self) -> &Map<String, Value> {
        &self.document
    }

    /// The document, taken out.
    #[must_use]
    pub fn into_document(self) -> Map<String, Value> {
        self.document
    }

    /// The value at a resolved attribute (its container and name; not its sub-attribute).
    #[must_use]
    pub fn value(&self, attr: &Attr) -> Option<&Value> {
        match &attr.extension {
            Some(schema) => self.document.get(&schema.id)?.get(&attr.def.name),
            None => self.document.get(&attr.def.name),
        }
    }

    /// A core string attribute, or a sub-attribute of one: `text("name", Some("familyName"))`.
    #[must_use]
    pub fn text(&self, name: &str, sub: Option<&str>) -> Option<&str> {
        let value = self.document.get(name)?;
        match sub {
            Some(sub) => value.get(sub)?.as_str(),
            None => value.as_str(),
        }
    }
}
