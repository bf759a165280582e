//! Look-ups over the loaded schemas: by URN, name and attribute path, letter case ignored (M-02, M-06).

use std::sync::Arc;

use super::attribute::{AttributeDef, Schema};
use super::resource_type::ResourceType;

/// Every schema and resource type the server knows. Built once by `load`.
#[derive(Clone, Debug)]
pub struct Registry {
    /// All schemas served at `/Schemas`, in file order, those of the discovery documents included.
    pub schemas: Vec<Arc<Schema>>,
    pub resource_types: Vec<Arc<ResourceType>>,
    /// `id`, `externalId`, `meta` and `schemas`, which every type has.
    pub(super) common: Vec<Arc<AttributeDef>>,
}

/// A resolved attribute: which container, which attribute, which sub-attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attr {
    /// The extension's URN; `None` for core and common attributes.
    pub extension: Option<Arc<Schema>>,
    pub def: Arc<AttributeDef>,
    pub sub: Option<Arc<AttributeDef>>,
}

impl Attr {
    /// The definition the path ends at: the sub-attribute where there is one.
    #[must_use]
    pub fn leaf(&self) -> &Arc<AttributeDef> {
        self.sub.as_ref().unwrap_or(&self.def)
    }

    /// `urn:…:department`, `name.givenName`: the path in the schema's spelling.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        if let Some(extension) = &self.extension {
            path.push_str(&extension.id);
            path.push(':');
        }
        path.push_str(&self.def.name);
        if let Some(sub) = &self.sub {
            path.push('.');
            path.push_str(&sub.name);
        }
        path
    }
}

impl Registry {
    /// The resource type of this name (`User`), or `None`.
    #[must_use]
    pub fn resource_type(&self, name: &str) -> Option<&Arc<ResourceType>> {
        self.resource_types
            .iter()
            .find(|resource_type| resource_type.name == name)
    }

    /// The schema with this URN, letter case ignored.
    #[must_use]
    pub fn schema(&self, urn: &str) -> Option<&Arc<Schema>> {
        self.schemas
            .iter()
            .find(|schema| schema.id.eq_ignore_ascii_case(urn))
    }
}

impl ResourceType {
    /// The core schema or extension with this URN, letter case ignored.
    #[must_use]
    pub fn schema_of(&self, urn: &str) -> Option<&Arc<Schema>> {
        if self.schema.id.eq_ignore_ascii_case(urn) {
            return Some(&self.schema);
        }
        self.extension(urn)
    }

    /// The extension with this URN, letter case ignored.
    #[must_use]
    pub fn extension(&self, urn: &str) -> Option<&Arc<Schema>> {
        self.extensions
            .iter()
            .map(|extension| &extension.schema)
            .find(|schema| schema.id.eq_ignore_ascii_case(urn))
    }

    /// Whether a key of a stored document is the URN of an extension that this type does not have (any more).
    #[must_use]
    pub fn is_forgotten(&self, key: &str) -> bool {
        key.contains(':') && self.extension(key).is_none()
    }

    /// A core or common attribute by its bare name.
    #[must_use]
    pub fn core_attribute(&self, name: &str) -> Option<&Arc<AttributeDef>> {
        self.schema.attribute(name).or_else(|| {
            self.common
                .iter()
                .find(|def| def.name.eq_ignore_ascii_case(name))
        })
    }

    /// Splits `urn:…:Name.sub` at the longest schema URN of this type that is followed by `:`.
    /// Returns the URN's schema and the rest, or `None` and the whole text.
    #[must_use]
    pub fn split_urn<'t>(&self, text: &'t str) -> (Option<&Arc<Schema>>, &'t str) {
        let all = std::iter::once(&self.schema)
            .chain(self.extensions.iter().map(|extension| &extension.schema));
        let longest = all
            .filter(|schema| {
                let urn = schema.id.as_str();
                text.len() > urn.len()
                    && text.as_bytes().get(urn.len()) == Some(&b':')
                    && text
                        .get(..urn.len())
                        .is_some_and(|head| head.eq_ignore_ascii_case(urn))
            })
            .max_by_key(|schema| schema.id.len());
        match longest {
            Some(schema) => (Some(schema), &text[schema.id.len() + 1..]),
            None => (None, text),
        }
    }

    /// The one extension that defines a bare name (D-13). An operator's schema never takes a name from a built-in one.
    fn unqualified(&self, name: &str) -> Option<(Option<Arc<Schema>>, &Arc<AttributeDef>)> {
        let found = |custom: bool| {
            self.extensions
                .iter()
                .map(|extension| &extension.schema)
                .filter(move |schema| schema.custom == custom)
                .filter_map(|schema| Some((schema, schema.attribute(name)?)))
        };
        let (schema, def) = match found(false).next() {
            Some(builtin) if found(false).nth(1).is_none() => builtin,
            Some(_) => return None,
            None if found(true).nth(1).is_some() => return None,
            None => found(true).next()?,
        };
        Some((Some(schema.clone()), def))
    }

    /// Resolves `[urn:]name[.sub]`; an unqualified name falls back to the one extension that defines it (D-13).
    /// `None` when nothing has this name.
    #[must_use]
    pub fn attr(&self, text: &str) -> Option<Attr> {
        let (schema, rest) = self.split_urn(text);
        let (name, sub_name) = match rest.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (rest, None),
        };
        let (extension, def) = match schema {
            Some(schema) if Arc::ptr_eq(schema, &self.schema) => (None, self.core_attribute(name)?),
            Some(schema) => (Some(schema.clone()), schema.attribute(name)?),
            None => match self.core_attribute(name) {
                Some(def) => (None, def),
                None => self.unqualified(name)?,
            },
        };
        let sub = match sub_name {
            Some(sub) => Some(def.sub(sub)?.clone()),
            None => None,
        };
        Some(Attr {
            extension,
            def: def.clone(),
            sub,
        })
    }
}
