//! JSON → definitions, strictly: a schema file with a mistake stops the start, naming file, place and what to fix.
//!
//! The files are RFC 7643 §6 and §7 documents. One key is ours and is never published: `rollcall`, which on an attribute
//! holds `detached` and `derived` (see [`AttributeDef`](super::AttributeDef)), and on an operator's schema `extends` (the
//! resource type it is an extension of) and `required`. An operator's file holds one document or an array of them.
//! Not here: the published form (`publish`) and the look-ups (`registry`).

mod attributes;
mod collisions;
mod documents;
mod node;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use super::attribute::Schema;
use super::registry::Registry;
use super::resource_type::{Extension, ResourceType, lasting};
use documents::{Document, SchemaDocument, TypeDocument};
use node::Node;

pub use attributes::is_attribute_name;
pub use node::LoadError;

/// The embedded schema files, in the order of `/Schemas`.
const SCHEMA_FILES: [(&str, &str); 8] = [
    (
        "user.json",
        include_str!("../../../../scim-schemas/user.json"),
    ),
    (
        "enterprise-user.json",
        include_str!("../../../../scim-schemas/enterprise-user.json"),
    ),
    (
        "learner-user.json",
        include_str!("../../../../scim-schemas/learner-user.json"),
    ),
    (
        "group.json",
        include_str!("../../../../scim-schemas/group.json"),
    ),
    (
        "learner-group.json",
        include_str!("../../../../scim-schemas/learner-group.json"),
    ),
    (
        "service-provider-config.json",
        include_str!("../../../../scim-schemas/service-provider-config.json"),
    ),
    (
        "resource-type.json",
        include_str!("../../../../scim-schemas/resource-type.json"),
    ),
    (
        "schema.json",
        include_str!("../../../../scim-schemas/schema.json"),
    ),
];
const RESOURCE_TYPES_FILE: (&str, &str) = (
    "resource-types.json",
    include_str!("../../../../scim-schemas/resource-types.json"),
);
/// The draft *draft-zollner-scim-group-membership*: its schema and its type, which a server speaks when it is told to.
const MEMBERSHIP_SCHEMA: (&str, &str) = (
    "group-membership.json",
    include_str!("../../../../scim-schemas/group-membership.json"),
);
const MEMBERSHIP_TYPE: (&str, &str) = (
    "group-membership-type.json",
    include_str!("../../../../scim-schemas/group-membership-type.json"),
);
const COMMON_FILE: (&str, &str) = (
    "common.json",
    include_str!("../../../../scim-schemas/common.json"),
);

/// Files in the operator's folder, and the size of each.
const MAX_FILES: usize = 100;
const MAX_FILE: u64 = 1 << 20;
/// Operator schemas per server (E29).
const MAX_OPERATOR_SCHEMAS: usize = 20;

/// The URN of [`MEMBERSHIP_SCHEMA`].
const MEMBERSHIP_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:GroupMembership";

fn builtin_schema((file, text): &(&str, &str)) -> Result<Arc<Schema>, LoadError> {
    let value = documents::parse_json(file, text)?;
    let node = Node::new(file, String::new(), None, &value)?;
    Ok(Arc::new(documents::parse_schema(&node, true)?.schema))
}

impl Registry {
    /// The schemas and resource types the server is built with.
    ///
    /// # Errors
    /// When an embedded file has a mistake; a test keeps that from being shipped.
    pub fn builtin() -> Result<Self, LoadError> {
        let schemas = SCHEMA_FILES
            .iter()
            .map(builtin_schema)
            .collect::<Result<Vec<_>, LoadError>>()?;
        let mut registry = Self {
            schemas,
            resource_types: Vec::new(),
            common: documents::parse_common(COMMON_FILE.0, COMMON_FILE.1)?,
        };
        let (file, text) = RESOURCE_TYPES_FILE;
        let types = documents::parse_json(file, text)?;
        for (index, item) in types.as_array().into_iter().flatten().enumerate() {
            let node = Node::new(file, format!("[{index}]"), None, item)?;
            registry.add_type(documents::parse_resource_type(&node)?)?;
        }
        Ok(registry)
    }

    /// Adds the resource type of single memberships (*draft-zollner-scim-group-membership*).
    ///
    /// # Errors
    /// As [`Registry::builtin`].
    pub fn with_group_memberships(mut self) -> Result<Self, LoadError> {
        self.schemas.push(builtin_schema(&MEMBERSHIP_SCHEMA)?);
        let (file, text) = MEMBERSHIP_TYPE;
        let value = documents::parse_json(file, text)?;
        let node = Node::new(file, String::new(), None, &value)?;
        self.add_type(documents::parse_resource_type(&node)?)?;
        Ok(self)
    }

    /// Adds what an operator's folder holds: every `*.json` in it, by name.
    ///
    /// # Errors
    /// When the folder cannot be read, or a file has a mistake or collides with another or with what is built in.
    pub fn with_directory(mut self, dir: &Path) -> Result<Self, LoadError> {
        let folder = dir.display().to_string();
        let unreadable =
            |error: std::io::Error| LoadError::of_file(&folder, format!("cannot be read: {error}"));
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
            {
                paths.push(path);
            }
        }
        paths.sort();
        if paths.len() > MAX_FILES {
            return Err(LoadError::of_file(
                &folder,
                format!("holds more than {MAX_FILES} schema files"),
            ));
        }
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let file = path.display().to_string();
            let fault = |reason: String| LoadError::of_file(&file, reason);
            let size = std::fs::metadata(&path)
                .map_err(|error| fault(format!("cannot be read: {error}")))?
                .len();
            if size > MAX_FILE {
                return Err(fault(format!("is larger than {MAX_FILE} bytes")));
            }
            let text = std::fs::read_to_string(&path)
                .map_err(|error| fault(format!("cannot be read: {error}")))?;
            files.push((file, text));
        }
        self.extend(&files)?;
        Ok(self)
    }

    /// Adds one operator's file.
    ///
    /// # Errors
    /// As [`Registry::with_directory`]; then nothing is added.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), LoadError> {
        let mut next = self.clone();
        next.extend(&[(file.to_owned(), text.to_owned())])?;
        *self = next;
        Ok(())
    }

    /// Adds files that may refer to each other, in any order: all schemas first, then the types, then the extensions.
    fn extend(&mut self, files: &[(String, String)]) -> Result<(), LoadError> {
        let (mut schemas, mut types) = (Vec::new(), Vec::new());
        for (file, text) in files {
            for document in documents::parse_file(file, text)? {
                match document {
                    Document::Schema(schema) => schemas.push(schema),
                    Document::ResourceType(one) => types.push(one),
                }
            }
        }
        let known = self.schemas.iter().filter(|schema| schema.custom).count();
        if known + schemas.len() > MAX_OPERATOR_SCHEMAS {
            let file = schemas
                .last()
                .map(|schema| schema.at.file.as_str())
                .unwrap_or_default();
            return Err(LoadError::of_file(
                file,
                format!("there are more than {MAX_OPERATOR_SCHEMAS} schemas of your own"),
            ));
        }
        for document in &schemas {
            self.add_schema(document)?;
        }
        for document in types {
            self.add_type(document)?;
        }
        for document in &schemas {
            self.add_extension(document)?;
        }
        for document in &schemas {
            self.check_schema(document)?;
        }
        Ok(())
    }

    fn add_schema(&mut self, document: &SchemaDocument) -> Result<(), LoadError> {
        self.check_urn_is_free(document)?;
        self.schemas.push(Arc::new(document.schema.clone()));
        Ok(())
    }

    fn add_type(&mut self, document: TypeDocument) -> Result<(), LoadError> {
        self.check_type_is_free(&document)?;
        let schema = self.schema_for(&document, "schema", &document.schema)?;
        let mut extensions = Vec::with_capacity(document.extensions.len());
        for (index, (urn, required)) in document.extensions.iter().enumerate() {
            let key = format!("schemaExtensions[{index}].schema");
            let schema = self.schema_for(&document, &key, urn)?;
            self.check_extension(&document, &key, &schema)?;
            extensions.push(Extension {
                schema,
                required: *required,
            });
        }
        self.resource_types.push(Arc::new(ResourceType {
            name: lasting(&document.name),
            endpoint: document.endpoint,
            description: document.description,
            schema,
            extensions,
            common: self.common.clone(),
        }));
        Ok(())
    }

    fn schema_for(
        &self,
        document: &TypeDocument,
        key: &str,
        urn: &str,
    ) -> Result<Arc<Schema>, LoadError> {
        self.schema(urn).cloned().ok_or_else(|| {
            document
                .at
                .fault(key, format!("no schema file defines {urn}"))
        })
    }

    /// Puts a schema with `rollcall.extends` under the type it names.
    fn add_extension(&mut self, document: &SchemaDocument) -> Result<(), LoadError> {
        let Some((extends, required)) = &document.extends else {
            return Ok(());
        };
        let names = self.type_names();
        let Some(place) = self
            .resource_types
            .iter_mut()
            .find(|resource_type| resource_type.name == extends)
        else {
            return Err(document.at.fault(
                "rollcall.extends",
                format!("there is no resource type {extends}; there are {names}"),
            ));
        };
        if place.schema.id == MEMBERSHIP_URN {
            return Err(document.at.fault(
                "rollcall.extends",
                format!("{extends} takes no extensions: a membership has nothing of its own"),
            ));
        }
        if place.schema_of(&document.schema.id).is_some() {
            return Err(document.at.fault(
                "rollcall.extends",
                format!("{extends} has this schema already; leave `rollcall.extends` out"),
            ));
        }
        let schema = self
            .schemas
            .iter()
            .find(|schema| schema.id == document.schema.id);
        if let Some(schema) = schema {
            let mut changed = ResourceType::clone(place);
            changed.extensions.push(Extension {
                schema: schema.clone(),
                required: *required,
            });
            *place = Arc::new(changed);
        }
        Ok(())
    }

    /// The resource types there are, for messages.
    fn type_names(&self) -> String {
        let names: Vec<&str> = self.resource_types.iter().map(|one| one.name).collect();
        names.join(", ")
    }
}
