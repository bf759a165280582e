//! Whole documents of a schema file: schemas and resource types. RFC 7643 §6, §7.

use std::sync::Arc;

use serde_json::Value;

use super::attributes::parse_attributes;
use super::node::{LoadError, Node};
use crate::scim::message;
use crate::scim::schema::attribute::{AttributeDef, Schema};

/// Attributes per schema (E29).
const MAX_ATTRIBUTES: usize = 100;
/// The longest URN.
const MAX_URN: usize = 200;

/// A document of a schema file, and where it stands.
pub(super) enum Document {
    Schema(SchemaDocument),
    ResourceType(TypeDocument),
}

pub(super) struct SchemaDocument {
    pub(super) at: Place,
    pub(super) schema: Schema,
    /// The resource type it extends, and whether every resource must carry it.
    pub(super) extends: Option<(String, bool)>,
}

pub(super) struct TypeDocument {
    pub(super) at: Place,
    pub(super) name: String,
    pub(super) endpoint: String,
    pub(super) description: String,
    pub(super) schema: String,
    /// URN, and whether it is required.
    pub(super) extensions: Vec<(String, bool)>,
}

/// Where a document stands.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) path: String,
}

impl Place {
    /// A mistake of one member of the document.
    pub(super) fn fault(&self, key: &str, reason: impl Into<String>) -> LoadError {
        let path = match (self.path.as_str(), key) {
            ("", key) => key.to_owned(),
            (path, "") => path.to_owned(),
            (path, key) => format!("{path}.{key}"),
        };
        LoadError {
            path,
            ..LoadError::of_file(&self.file, reason)
        }
    }
}

impl Node<'_> {
    fn place(&self) -> Place {
        Place {
            file: self.file.to_owned(),
            path: self.path.clone(),
        }
    }
}

/// The JSON of a file: no name twice in one object, no nesting beyond measure.
pub(super) fn parse_json(file: &str, text: &str) -> Result<Value, LoadError> {
    message::parse_json(text.as_bytes())
        .map_err(|error| LoadError::of_file(file, error.detail.replacen("the body", "the file", 1)))
}

/// The documents of an operator's file: one, or an array of them.
pub(super) fn parse_file(file: &str, text: &str) -> Result<Vec<Document>, LoadError> {
    let value = parse_json(file, text)?;
    let document = |path: String, value: &Value| {
        let node = Node::new(file, path, None, value)?;
        if node.object.contains_key("attributes") {
            parse_schema(&node, false).map(Document::Schema)
        } else if node.object.contains_key("endpoint") {
            parse_resource_type(&node).map(Document::ResourceType)
        } else {
            Err(node.fault(
                "is neither a schema, which has `attributes`, nor a resource type, which has an `endpoint`",
            ))
        }
    };
    match &value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| document(format!("[{index}]"), item))
            .collect(),
        single => Ok(vec![document(String::new(), single)?]),
    }
}

/// A schema document.
pub(super) fn parse_schema(node: &Node<'_>, builtin: bool) -> Result<SchemaDocument, LoadError> {
    node.only(&[
        "schemas",
        "id",
        "name",
        "description",
        "attributes",
        "meta",
        "rollcall",
    ])?;
    let id = node.required_text("id")?;
    check_urn(node, id)?;
    let name = node.required_text("name")?.to_owned();
    let attributes = parse_attributes(node, "attributes", "", builtin)?;
    if !builtin && attributes.len() > MAX_ATTRIBUTES {
        return Err(node.fault_at(
            "attributes",
            format!("more than {MAX_ATTRIBUTES} attributes"),
        ));
    }
    let extends = match node.ours(&["extends", "required"])? {
        Some(ours) => Some((
            ours.required_text("extends")?.to_owned(),
            ours.flag("required")?.unwrap_or(false),
        )),
        None => None,
    };
    Ok(SchemaDocument {
        at: node.place(),
        schema: Schema {
            id: id.to_owned(),
            name,
            description: node.free_text("description")?,
            attributes,
            custom: !builtin,
        },
        extends,
    })
}

/// A URN that can stand in paths and filters as it is.
fn check_urn(node: &Node<'_>, id: &str) -> Result<(), LoadError> {
    let parts: Vec<&str> = id.split(':').collect();
    let well_formed = parts.len() >= 3
        && parts
            .first()
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("urn"))
        && parts.iter().all(|part| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        });
    if !well_formed || id.len() > MAX_URN {
        return Err(node.fault_at(
            "id",
            "`id` must be a URN such as urn:example:params:scim:schemas:badge:1.0:Badge: \
             parts of letters, digits, `.`, `-` and `_`",
        ));
    }
    // C-06
    if id
        .to_ascii_lowercase()
        .starts_with("urn:ietf:params:scim:api:")
    {
        return Err(node.fault_at(
            "id",
            "URNs under urn:ietf:params:scim:api: are those of messages, not of schemas",
        ));
    }
    Ok(())
}

/// The attributes every resource has.
pub(super) fn parse_common(file: &str, text: &str) -> Result<Vec<Arc<AttributeDef>>, LoadError> {
    let value = parse_json(file, text)?;
    let node = Node::new(file, String::new(), None, &value)?;
    node.only(&["attributes"])?;
    parse_attributes(&node, "attributes", "", true)
}

/// A resource type document.
pub(super) fn parse_resource_type(node: &Node<'_>) -> Result<TypeDocument, LoadError> {
    node.only(&[
        "schemas",
        "id",
        "name",
        "endpoint",
        "description",
        "schema",
        "schemaExtensions",
        "meta",
    ])?;
    let name = node.required_text("name")?;
    let plain = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.len() <= 64
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    if !plain(name) {
        return Err(node.fault_at(
            "name",
            "`name` must be a letter followed by letters, digits, `-` or `_`",
        ));
    }
    if node.text("id")?.is_some_and(|id| id != name) {
        return Err(node.fault_at("id", format!("`id` must equal `name`, which is {name}")));
    }
    let endpoint = node.required_text("endpoint")?;
    if !endpoint.strip_prefix('/').is_some_and(plain) {
        return Err(node.fault_at(
            "endpoint",
            "`endpoint` must be a slash and one word, such as /Badges",
        ));
    }
    let mut extensions = Vec::new();
    for (index, extension) in node
        .array("schemaExtensions")?
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        let path = format!("{}[{index}]", node.at("schemaExtensions"));
        let extension = Node::new(node.file, path, None, extension)?;
        extension.only(&["schema", "required"])?;
        extensions.push((
            extension.required_text("schema")?.to_owned(),
            extension.flag("required")?.unwrap_or(false),
        ));
    }
    Ok(TypeDocument {
        at: node.place(),
        name: name.to_owned(),
        endpoint: endpoint.to_owned(),
        description: node.free_text("description")?,
        schema: node.required_text("schema")?.to_owned(),
        extensions,
    })
}
