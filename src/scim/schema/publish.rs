//! The published form of schemas and resource types: `/Schemas` and `/ResourceTypes`. RFC 7643 §6, §7.
//!
//! Written from the same definitions that validate (SH-10), every applicable characteristic spelled out (SH-06).

use serde_json::{Map, Value, json};

use super::attribute::{AttributeDef, Mutability, Returned, Schema, Type, Uniqueness};
use super::registry::Registry;
use super::resource_type::ResourceType;

/// The URN of schema documents.
pub const SCHEMA_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
/// The URN of resource type documents.
pub const RESOURCE_TYPE_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";

impl Type {
    /// The keyword of RFC 7643 §7.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Decimal => "decimal",
            Self::Integer => "integer",
            Self::DateTime => "dateTime",
            Self::Binary => "binary",
            Self::Reference => "reference",
            Self::Complex => "complex",
        }
    }
}

impl Mutability {
    /// The keyword of RFC 7643 §7.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::ReadOnly => "readOnly",
            Self::ReadWrite => "readWrite",
            Self::Immutable => "immutable",
            Self::WriteOnly => "writeOnly",
        }
    }
}

impl Returned {
    /// The keyword of RFC 7643 §7.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Never => "never",
            Self::Default => "default",
            Self::Request => "request",
        }
    }
}

impl Uniqueness {
    /// The keyword of RFC 7643 §7.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Server => "server",
            Self::Global => "global",
        }
    }
}

impl Registry {
    /// One schema as `/Schemas` serves it; `base` is the base URI without a slash at its end.
    #[must_use]
    pub fn schema_json(&self, schema: &Schema, base: &str) -> Value {
        let location = format!("{base}/Schemas/{}", schema.id);
        json!({
            "schemas": [SCHEMA_URN],
            "id": schema.id,
            "name": schema.name,
            "description": schema.description,
            "attributes": schema.attributes.iter().map(|def| attribute_json(def)).collect::<Vec<_>>(),
            "meta": { "resourceType": "Schema", "location": location },
        })
    }

    /// One resource type as `/ResourceTypes` serves it.
    #[must_use]
    pub fn resource_type_json(&self, resource_type: &ResourceType, base: &str) -> Value {
        let location = format!("{base}/ResourceTypes/{}", resource_type.name);
        let extensions: Vec<Value> = resource_type
            .extensions
            .iter()
            .filter(|extension| is_shared(&extension.schema))
            .map(|extension| json!({ "schema": extension.schema.id, "required": extension.required }))
            .collect();
        json!({
            "schemas": [RESOURCE_TYPE_URN],
            "id": resource_type.name,
            "name": resource_type.name,
            "endpoint": resource_type.endpoint,
            "description": resource_type.description,
            "schema": resource_type.schema.id,
            "schemaExtensions": extensions,
            "meta": { "resourceType": "ResourceType", "location": location },
        })
    }
}

/// Whether a client can write the extension or meets it unasked. One it can only ask for is in `/Schemas`, but a resource
/// type does not announce it: clients that fill in every extension they are told of would fail on it.
fn is_shared(schema: &Schema) -> bool {
    schema
        .attributes
        .iter()
        .any(|def| def.mutability != Mutability::ReadOnly || def.returned != Returned::Request)
}

fn attribute_json(def: &AttributeDef) -> Value {
    // Case and uniqueness mean nothing for these two (M-37, SH-11).
    let plain = !matches!(def.attribute_type, Type::Boolean | Type::Complex);
    let mut out = Map::new();
    out.insert("name".to_owned(), json!(def.name));
    out.insert("type".to_owned(), json!(def.attribute_type.keyword()));
    out.insert("multiValued".to_owned(), json!(def.multi_valued));
    out.insert("description".to_owned(), json!(def.description));
    out.insert("required".to_owned(), json!(def.required));
    if !def.canonical_values.is_empty() {
        out.insert("canonicalValues".to_owned(), json!(def.canonical_values));
    }
    if plain {
        out.insert("caseExact".to_owned(), json!(def.case_exact));
    }
    out.insert("mutability".to_owned(), json!(def.mutability.keyword()));
    out.insert("returned".to_owned(), json!(def.returned.keyword()));
    if plain {
        out.insert("uniqueness".to_owned(), json!(def.uniqueness.keyword()));
    }
    if def.attribute_type == Type::Reference {
        out.insert("referenceTypes".to_owned(), json!(def.reference_types));
    }
    if def.attribute_type == Type::Complex {
        let subs: Vec<Value> = def
            .sub_attributes
            .iter()
            .map(|sub| attribute_json(sub))
            .collect();
        out.insert("subAttributes".to_owned(), Value::Array(subs));
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(attribute: &Value, is_sub: bool) {
        let object = attribute.as_object().unwrap();
        assert!(object.values().all(|value| !value.is_null()));
        assert!(!object.contains_key("rollcall"));
        for key in [
            "name",
            "type",
            "multiValued",
            "description",
            "required",
            "mutability",
            "returned",
        ] {
            assert!(object.contains_key(key), "{attribute} lacks {key}");
        }
        let kind = object["type"].as_str().unwrap();
        let plain = kind != "boolean" && kind != "complex";
        assert_eq!(object.contains_key("caseExact"), plain);
        assert_eq!(object.contains_key("uniqueness"), plain);
        assert_eq!(object.contains_key("referenceTypes"), kind == "reference");
        assert_eq!(object.contains_key("subAttributes"), kind == "complex");
        assert!(!(is_sub && kind == "complex"));
        for sub in object
            .get("subAttributes")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            check(sub, true);
        }
    }

    #[test]
    fn every_published_attribute_is_explicit() {
        let registry = Registry::builtin().unwrap();
        for schema in &registry.schemas {
            let json = registry.schema_json(schema, "https://x.test");
            assert_eq!(json["schemas"], json!([SCHEMA_URN]));
            assert_eq!(json["meta"]["resourceType"], "Schema");
            assert_eq!(
                json["meta"]["location"],
                format!("https://x.test/Schemas/{}", schema.id)
            );
            for attribute in json["attributes"].as_array().unwrap() {
                check(attribute, false);
            }
        }
    }

    #[test]
    fn every_resource_type_names_served_schemas() {
        let registry = Registry::builtin().unwrap();
        for resource_type in &registry.resource_types {
            let json = registry.resource_type_json(resource_type, "https://x.test");
            assert_eq!(json["id"], json["name"]);
            assert_eq!(
                json["meta"]["location"],
                format!("https://x.test/ResourceTypes/{}", resource_type.name)
            );
            assert!(registry.schema(json["schema"].as_str().unwrap()).is_some());
            for extension in json["schemaExtensions"].as_array().unwrap() {
                assert!(
                    registry
                        .schema(extension["schema"].as_str().unwrap())
                        .is_some()
                );
                assert_eq!(extension["required"], false);
            }
        }
    }

    #[test]
    fn the_discovery_schemas_are_served_under_their_names() {
        let registry = Registry::builtin().unwrap();
        for name in ["ServiceProviderConfig", "ResourceType", "Schema"] {
            assert!(registry.schemas.iter().any(|schema| schema.name == name));
        }
    }
}
