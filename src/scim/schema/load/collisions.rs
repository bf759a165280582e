//! What two documents of one server must not share: URNs, names, endpoints, words that mean something already.

use std::sync::Arc;

use super::documents::{SchemaDocument, TypeDocument};
use super::node::LoadError;
use crate::scim::schema::attribute::{AttributeDef, Schema, Type};
use crate::scim::schema::registry::Registry;

/// Endpoints of the protocol itself, without the slash.
const RESERVED_ENDPOINTS: [&str; 5] = [
    "Bulk",
    "Me",
    "Schemas",
    "ResourceTypes",
    "ServiceProviderConfig",
];
/// Names `meta.resourceType` has for discovery documents.
const RESERVED_NAMES: [&str; 3] = ["Schema", "ResourceType", "ServiceProviderConfig"];
/// The type that a setting adds. Nobody else takes its name, whether the setting is on or off.
const OPTIONAL_TYPE: (&str, &str) = ("GroupMembership", "GroupMemberships");
/// Common attributes, which no schema may define anew (SH-09).
const COMMON: [&str; 3] = ["id", "meta", "schemas"];
const EXTERNAL_ID: &str = "externalId";

impl Registry {
    /// URNs are unique, letter case ignored (E8475), and none reads as an attribute of another.
    pub(super) fn check_urn_is_free(&self, document: &SchemaDocument) -> Result<(), LoadError> {
        let urn = document.schema.id.as_str();
        for known in &self.schemas {
            if known.id.eq_ignore_ascii_case(urn) {
                let whose = if known.custom {
                    "another of your schemas has it"
                } else {
                    "it is built in"
                };
                return Err(document.at.fault(
                    "id",
                    format!("the schema URN {urn} is defined twice: {whose}; choose another `id`"),
                ));
            }
            for (long, short) in [
                (&document.schema, known.as_ref()),
                (known, &document.schema),
            ] {
                if let Some(name) = attribute_after(&long.id, short) {
                    return Err(document.at.fault(
                        "id",
                        format!(
                            "the URN {} reads as the attribute {name} of {}; choose another `id`",
                            long.id, short.id
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Names and endpoints are unique, letter case ignored, and not those of the protocol.
    pub(super) fn check_type_is_free(&self, document: &TypeDocument) -> Result<(), LoadError> {
        let (name, endpoint) = (document.name.as_str(), document.endpoint.as_str());
        if RESERVED_NAMES
            .iter()
            .any(|word| word.eq_ignore_ascii_case(name))
        {
            return Err(document.at.fault(
                "name",
                format!("the name {name} is that of a discovery document; choose another"),
            ));
        }
        if RESERVED_ENDPOINTS
            .iter()
            .any(|word| endpoint.trim_start_matches('/').eq_ignore_ascii_case(word))
        {
            return Err(document.at.fault(
                "endpoint",
                format!("the endpoint {endpoint} is one of the protocol; choose another"),
            ));
        }
        let (optional, its_endpoint) = OPTIONAL_TYPE;
        let is_ours = self
            .schema(&document.schema)
            .is_some_and(|schema| schema.name == optional && !schema.custom);
        if !is_ours
            && (name.eq_ignore_ascii_case(optional)
                || endpoint
                    .trim_start_matches('/')
                    .eq_ignore_ascii_case(its_endpoint))
        {
            return Err(document.at.fault(
                "name",
                format!(
                    "{optional} at /{its_endpoint} is built in; choose another name and endpoint"
                ),
            ));
        }
        for known in &self.resource_types {
            if known.name.eq_ignore_ascii_case(name) {
                let advice = if known.schema.custom {
                    "choose another name"
                } else {
                    "to extend it, give your schema `\"rollcall\": {\"extends\": …}`"
                };
                return Err(document.at.fault(
                    "name",
                    format!("the resource type {name} is defined twice; {advice}"),
                ));
            }
            if known.endpoint.eq_ignore_ascii_case(endpoint) {
                return Err(document.at.fault(
                    "endpoint",
                    format!(
                        "the endpoint {endpoint} is that of {}; choose another",
                        known.name
                    ),
                ));
            }
            if known.schema.id.eq_ignore_ascii_case(&document.schema) {
                return Err(document.at.fault(
                    "schema",
                    format!(
                        "{} is the core schema of {}; a type needs one of its own",
                        document.schema, known.name
                    ),
                ));
            }
        }
        Ok(())
    }

    /// An extension of an operator's type is one of the operator's schemas, once.
    pub(super) fn check_extension(
        &self,
        document: &TypeDocument,
        key: &str,
        schema: &Arc<Schema>,
    ) -> Result<(), LoadError> {
        let of_builtin_type = self
            .schema(&document.schema)
            .is_some_and(|core| !core.custom);
        if !schema.custom && !of_builtin_type {
            return Err(document.at.fault(
                key,
                format!(
                    "{} is built in for other types; write a schema of your own",
                    schema.id
                ),
            ));
        }
        let times = document
            .extensions
            .iter()
            .filter(|(urn, _)| urn.eq_ignore_ascii_case(&schema.id))
            .count();
        if times > 1 || document.schema.eq_ignore_ascii_case(&schema.id) {
            return Err(document.at.fault(
                key,
                format!("{} is named twice by {}", schema.id, document.name),
            ));
        }
        Ok(())
    }

    /// What can only be told once everything is loaded.
    pub(super) fn check_schema(&self, document: &SchemaDocument) -> Result<(), LoadError> {
        let urn = document.schema.id.as_str();
        let users: Vec<_> = self
            .resource_types
            .iter()
            .filter(|one| one.schema_of(urn).is_some())
            .collect();
        if users.is_empty() {
            return Err(document.at.fault(
                "",
                format!(
                    "no resource type uses {urn}: add `\"rollcall\": {{\"extends\": \"User\"}}` to extend a type, \
                     or a document with `endpoint` and `schema` for a type of its own"
                ),
            ));
        }
        let is_core = users
            .iter()
            .any(|one| one.schema.id.eq_ignore_ascii_case(urn));
        for (index, def) in document.schema.attributes.iter().enumerate() {
            let key = format!("attributes[{index}]");
            if is_core {
                check_not_common(document, &key, def)?;
            }
            self.check_reference_types(document, &key, "", def)?;
            for (sub_index, sub) in def.sub_attributes.iter().enumerate() {
                let key = format!("{key}.subAttributes[{sub_index}]");
                self.check_reference_types(document, &key, &format!("{}.", def.name), sub)?;
            }
        }
        Ok(())
    }

    fn check_reference_types(
        &self,
        document: &SchemaDocument,
        key: &str,
        prefix: &str,
        def: &AttributeDef,
    ) -> Result<(), LoadError> {
        let unknown = def.reference_types.iter().find(|kind| {
            !matches!(kind.as_str(), "external" | "uri") && self.resource_type(kind).is_none()
        });
        match unknown {
            None => Ok(()),
            Some(kind) => Err(LoadError {
                attribute: Some(format!("{prefix}{}", def.name)),
                ..document.at.fault(
                    &format!("{key}.referenceTypes"),
                    format!(
                        "there is no resource type {kind}; use {}, external or uri",
                        self.type_names()
                    ),
                )
            }),
        }
    }
}

/// The name that `urn` reads as behind the URN of `schema`.
fn attribute_after<'u>(urn: &'u str, schema: &Schema) -> Option<&'u str> {
    let (head, rest) = urn.split_at_checked(schema.id.len())?;
    let name = rest.strip_prefix(':')?;
    let (first, _) = name.split_once('.').unwrap_or((name, ""));
    (head.eq_ignore_ascii_case(&schema.id) && schema.attribute(first).is_some()).then_some(name)
}

fn check_not_common(
    document: &SchemaDocument,
    key: &str,
    def: &AttributeDef,
) -> Result<(), LoadError> {
    let fault = |reason: &str| LoadError {
        attribute: Some(def.name.clone()),
        ..document.at.fault(key, reason)
    };
    if COMMON
        .iter()
        .any(|name| name.eq_ignore_ascii_case(&def.name))
    {
        return Err(fault(
            "is an attribute that every resource has; leave it out",
        ));
    }
    let is_external_id = def.name.eq_ignore_ascii_case(EXTERNAL_ID);
    if is_external_id
        && (def.name != EXTERNAL_ID || def.attribute_type != Type::String || def.multi_valued)
    {
        return Err(fault(
            "is an attribute that every resource has: one string named externalId; leave it out",
        ));
    }
    Ok(())
}
