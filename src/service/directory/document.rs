//! The stored document and the response made of it. Reads splice text; no `serde_json::Value` on the read path.
//!
//! A user's stored document is the response without `id`, `groups` and `meta`, `schemas` first. A group's response is composed of its
//! columns and the document of its other extensions.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::clock::Instant;
use crate::scim::resource::Resource;
use crate::scim::schema::ResourceType;
use crate::scim::version::Version;

use super::super::ServiceError;

/// The URN of the extension that carries a group's description and color.
pub const GROUP_EXTENSION: &str = "urn:rollcall:params:scim:schemas:extension:group:2.0:Group";

/// The URN of the extension that tells of a user's learner.
pub const LEARNER_EXTENSION: &str = "urn:rollcall:params:scim:schemas:extension:learner:2.0:User";

/// The document as it is stored: `schemas` (C-03, C-04), then the attributes.
#[must_use]
pub fn stored(resource_type: &ResourceType, resource: &Resource) -> String {
    let mut urns = vec![Value::from(resource_type.schema.id.as_str())];
    for extension in &resource_type.extensions {
        if resource.document().contains_key(&extension.schema.id) {
            urns.push(Value::from(extension.schema.id.as_str()));
        }
    }
    // Data of an extension whose schema file is away; `shown` leaves it out until the file is back.
    urns.extend(
        resource
            .document()
            .keys()
            .filter(|key| resource_type.is_forgotten(key))
            .map(|key| Value::from(key.as_str())),
    );
    let mut whole = Map::with_capacity(resource.document().len() + 1);
    whole.insert("schemas".to_owned(), Value::Array(urns));
    whole.extend(
        resource
            .document()
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    Value::Object(whole).to_string()
}

/// The resource of a stored document.
pub fn parse(doc: &str) -> Result<Resource, ServiceError> {
    let mut document: Map<String, Value> = serde_json::from_str(doc).map_err(|error| {
        ServiceError::Bug(anyhow::Error::new(error).context("reading a stored document"))
    })?;
    document.remove("schemas");
    Ok(Resource::from_valid(document))
}

/// The resource of a stored document as far as these top-level members go; the others are passed over unread.
pub fn parse_members(doc: &str, names: &[&str]) -> Result<Resource, ServiceError> {
    let document = Members { names }
        .deserialize(&mut serde_json::Deserializer::from_str(doc))
        .map_err(|error| {
            ServiceError::Bug(anyhow::Error::new(error).context("reading a stored document"))
        })?;
    Ok(Resource::from_valid(document))
}

/// Reads the members of an object that have one of these names.
struct Members<'n> {
    names: &'n [&'n str],
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut document = Map::new();
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            if self.names.contains(&name.as_ref()) {
                document.insert(name.into_owned(), members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(document)
    }
}

/// A stored document as it may be shown: without extensions that no schema file defines any more. Nearly always that is
/// all of it, which its `schemas` tell without reading further.
#[must_use]
pub fn shown<'d>(resource_type: &ResourceType, doc: &'d str) -> Cow<'d, str> {
    let urns = doc
        .strip_prefix("{\"schemas\":[")
        .and_then(|rest| rest.split(']').next())
        .unwrap_or_default();
    let is_known = |urn: &str| resource_type.schema_of(urn.trim_matches('"')).is_some();
    if urns.split(',').all(is_known) {
        return Cow::Borrowed(doc);
    }
    match parse(doc) {
        Ok(resource) => {
            let known = without_forgotten(resource_type, resource);
            Cow::Owned(stored(resource_type, &known))
        }
        Err(_) => Cow::Borrowed(doc),
    }
}

/// A resource without the extensions that no schema file defines any more.
#[must_use]
pub fn without_forgotten(resource_type: &ResourceType, resource: Resource) -> Resource {
    let mut document = resource.into_document();
    document.retain(|key, _| !resource_type.is_forgotten(key));
    Resource::from_valid(document)
}

/// What the server adds to a document.
pub struct Envelope<'a> {
    pub resource_type: &'a ResourceType,
    pub base: &'a str,
    pub id: &'a str,
    pub version: Version,
    pub created: Instant,
    pub modified: Instant,
}

impl Envelope<'_> {
    /// `{"id":…, <stored>, <extra>, "meta":…}`; `extra` is a list of complete `"name":value` members.
    #[must_use]
    pub fn wrap(&self, stored: &str, extra: &[String]) -> String {
        let inner = stored
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .unwrap_or_default();
        let mut out = String::with_capacity(
            stored.len() + 320 + extra.iter().map(String::len).sum::<usize>(),
        );
        out.push('{');
        if !inner.is_empty() {
            out.push_str(inner);
            out.push(',');
        }
        out.push_str("\"id\":\"");
        out.push_str(self.id);
        out.push('"');
        for member in extra {
            out.push(',');
            out.push_str(member);
        }
        for part in [
            ",\"meta\":{\"resourceType\":\"",
            self.resource_type.name,
            "\",\"created\":\"",
        ] {
            out.push_str(part);
        }
        // writing to a String cannot fail
        let _ = write!(
            out,
            "{}\",\"lastModified\":\"{}",
            self.created, self.modified
        );
        for part in [
            "\",\"location\":\"",
            self.base,
            &self.resource_type.endpoint,
            "/",
            self.id,
        ] {
            out.push_str(part);
        }
        let _ = write!(out, "\",\"version\":\"W/\\\"{}\\\"\"}}}}", self.version.0);
        out
    }
}

/// A string as JSON.
#[must_use]
pub fn text(value: &str) -> String {
    Value::from(value).to_string()
}

/// Before and after of each top-level attribute that differs, for the sync log.
#[must_use]
pub fn difference(before: &Resource, after: &Resource) -> Value {
    let mut changes = Map::new();
    let names = before.document().keys().chain(
        after
            .document()
            .keys()
            .filter(|name| !before.document().contains_key(*name)),
    );
    for name in names {
        let (old, new) = (before.document().get(name), after.document().get(name));
        if old != new {
            changes.insert(
                name.clone(),
                serde_json::json!({ "before": old, "after": new }),
            );
        }
    }
    Value::Object(changes)
}

/// The URN of the enterprise extension.
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The same user without a manager; an extension left empty goes with it.
#[must_use]
pub fn without_manager(user: &Resource) -> Resource {
    let mut document = user.document().clone();
    if let Some(Value::Object(extension)) = document.get_mut(ENTERPRISE) {
        extension.remove("manager");
        if extension.is_empty() {
            document.remove(ENTERPRISE);
        }
    }
    Resource::from_valid(document)
}

/// The stored form of [`without_manager`], from the stored form before: `schemas` loses the extension that is gone (C-04).
#[must_use]
pub fn stored_without_manager(before: &str, after: &Resource) -> String {
    let schemas = serde_json::from_str::<Map<String, Value>>(before)
        .ok()
        .and_then(|mut whole| whole.remove("schemas"));
    let mut whole = Map::new();
    if let Some(Value::Array(mut urns)) = schemas {
        if !after.document().contains_key(ENTERPRISE) {
            urns.retain(|urn| urn != ENTERPRISE);
        }
        whole.insert("schemas".to_owned(), Value::Array(urns));
    }
    whole.extend(
        after
            .document()
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    Value::Object(whole).to_string()
}
