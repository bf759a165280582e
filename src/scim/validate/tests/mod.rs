//! One table per group of rules; the ids are those of `scim-conformance.md`.

mod bodies;
mod laws;
mod values;

use serde_json::{Value, json};

use super::accept::KEPT_EXTENSION;
use super::note::MAX_NOTES;
use super::*;
use crate::scim::error::ScimError;
use crate::scim::error::ScimErrorKind;
use crate::scim::resource::Resource;
use crate::scim::schema::{Registry, ResourceType};
use crate::scim::switches::{OmittedMembers, Switches};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const ACME: &str = "urn:example:scim:schemas:acme:1.0:User";
const ACME_FILE: &str = r#"{"id":"urn:example:scim:schemas:acme:1.0:User","name":"Acme","rollcall":{"extends":"User"},
    "attributes":[{"name":"badge","type":"integer"},{"name":"score","type":"decimal"},{"name":"vip","type":"boolean"},
    {"name":"tags","multiValued":true,"caseExact":true},{"name":"hired","type":"dateTime"},
    {"name":"blob","type":"binary"},{"name":"serial","mutability":"immutable"},
    {"name":"desk","type":"complex","subAttributes":[{"name":"floor","mutability":"immutable"},{"name":"room","required":true}]}]}"#;

fn types() -> (ResourceType, ResourceType) {
    let mut registry = Registry::builtin().unwrap();
    registry.add("acme.json", ACME_FILE).unwrap();
    let of = |name| registry.resource_type(name).unwrap().as_ref().clone();
    (of("User"), of("Group"))
}

fn user(mut attributes: Value) -> Value {
    attributes["schemas"] = json!([USER]);
    attributes
}

fn post(attributes: Value) -> Result<Accepted, ScimError> {
    accept(
        &types().0,
        user(attributes),
        Context::Create,
        &Switches::default(),
    )
}

fn post_kind(attributes: Value) -> Result<Value, ScimErrorKind> {
    post(attributes)
        .map(|accepted| Value::Object(accepted.resource.into_document()))
        .map_err(|error| error.kind)
}

fn put(before: Value, attributes: Value) -> Result<Value, ScimErrorKind> {
    let before = Resource::from_valid(before.as_object().unwrap().clone());
    accept(
        &types().0,
        user(attributes),
        Context::Replace { before: &before },
        &Switches::default(),
    )
    .map(|accepted| Value::Object(accepted.resource.into_document()))
    .map_err(|error| error.kind)
}

/// The stored form of one attribute of a new user.
fn stored(name: &str, value: Value) -> Result<Option<Value>, ScimErrorKind> {
    let document = post_kind(json!({"userName": "ada", name: value}))?;
    Ok(document.get(name).cloned())
}

/// The same inside the made-up extension.
fn acme(name: &str, value: Value) -> Result<Option<Value>, ScimErrorKind> {
    let document = post_kind(json!({"userName": "ada", ACME: {name: value}}))?;
    Ok(document
        .get(ACME)
        .and_then(|container| container.get(name))
        .cloned())
}

fn codes(accepted: &Accepted) -> Vec<(&str, &str)> {
    accepted
        .notes
        .iter()
        .map(|note| (note.code, note.path.as_str()))
        .collect()
}

const BAD: ScimErrorKind = ScimErrorKind::InvalidValue;
