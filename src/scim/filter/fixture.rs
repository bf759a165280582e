//! What the tests of filters, sorting and paths share: the User type with the made-up `{ACME}` extension of
//! `scim-conformance.md` §33.1, and its four users.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::subject::Subject;
use crate::clock::Instant;
use crate::scim::resource::Resource;
use crate::scim::schema::{
    AttributeDef, Extension, Mutability, Registry, ResourceType, Returned, Schema, Type, Uniqueness,
};

pub const ENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub const ACME: &str = "urn:example:scim:schemas:acme:1.0:User";

/// The built-in resource type of this name.
pub fn builtin(name: &str) -> ResourceType {
    let registry = Registry::builtin().expect("the built-in schemas load");
    ResourceType::clone(registry.resource_type(name).expect("a built-in type"))
}

/// The User type with the `{ACME}` extension.
pub fn user_type() -> ResourceType {
    let attribute = |name: &str, attribute_type, multi_valued, case_exact, mutability| {
        Arc::new(AttributeDef {
            name: name.to_owned(),
            attribute_type,
            multi_valued,
            description: String::new(),
            required: false,
            canonical_values: Vec::new(),
            case_exact,
            mutability,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            reference_types: Vec::new(),
            sub_attributes: Vec::new(),
            detached: false,
            derived: false,
        })
    };
    let attributes = vec![
        attribute("badge", Type::Integer, false, false, Mutability::ReadWrite),
        attribute("score", Type::Decimal, false, false, Mutability::ReadWrite),
        attribute("tags", Type::String, true, true, Mutability::ReadWrite),
        attribute("vip", Type::Boolean, false, false, Mutability::ReadWrite),
        attribute("hired", Type::DateTime, false, false, Mutability::ReadWrite),
        attribute("blob", Type::Binary, false, false, Mutability::ReadWrite),
        attribute("serial", Type::String, false, false, Mutability::Immutable),
    ];
    let schema = Arc::new(Schema {
        id: ACME.to_owned(),
        name: "Acme".to_owned(),
        description: String::new(),
        attributes,
        custom: true,
    });
    let mut user = builtin("User");
    user.extensions.push(Extension {
        schema,
        required: false,
    });
    user
}

/// One user of the fixture, taken apart the way the store keeps it.
pub struct Person {
    pub id: String,
    pub resource: Resource,
    pub created: Instant,
    pub modified: Instant,
    pub derived: Map<String, Value>,
}

impl Person {
    /// This user as a filter sees it.
    pub fn subject<'a>(&'a self, resource_type: &'a ResourceType) -> Subject<'a> {
        Subject {
            resource: &self.resource,
            id: &self.id,
            resource_type,
            created: self.created,
            modified: self.modified,
            derived: &self.derived,
        }
    }
}

/// u1 to u4.
pub fn users() -> Vec<Person> {
    let text = include_str!("../../../tests/fixtures/scim/users.json");
    let documents: Vec<Map<String, Value>> =
        serde_json::from_str(text).expect("the fixture is JSON");
    documents.into_iter().map(person).collect()
}

fn person(mut document: Map<String, Value>) -> Person {
    let id = document.remove("id").expect("an id");
    let meta = document.remove("meta").expect("a meta");
    document.remove("schemas");
    let at = |name: &str| {
        meta[name]
            .as_str()
            .and_then(Instant::parse)
            .expect("an instant")
    };
    let derived = document
        .remove("groups")
        .map(|groups| ("groups".to_owned(), groups))
        .into_iter()
        .collect();
    Person {
        id: id.as_str().expect("a text").to_owned(),
        created: at("created"),
        modified: at("lastModified"),
        derived,
        resource: Resource::from_valid(document),
    }
}
