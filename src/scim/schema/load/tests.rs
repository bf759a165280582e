//! What loads, and what is refused with which words.

use super::*;
use crate::scim::schema::attribute::{Mutability, Returned, Type, Uniqueness};

fn refusal(attribute: &str) -> LoadError {
    let text = format!(
        r#"{{"id":"urn:x:1","name":"X","attributes":[{attribute}],"rollcall":{{"extends":"User"}}}}"#
    );
    Registry::builtin()
        .unwrap()
        .add("x.json", &text)
        .expect_err(attribute)
}

#[test]
fn the_embedded_files_load() {
    let registry = Registry::builtin().unwrap();
    assert_eq!(registry.schemas.len(), 8);
    let user = registry.resource_type("User").unwrap();
    assert_eq!(user.extensions.len(), 2);
    assert!(user.core_attribute("ID").unwrap().case_exact);
    assert!(user.attr("manager.displayname").unwrap().leaf().derived);
    let group = registry.resource_type("Group").unwrap();
    assert!(group.core_attribute("members").unwrap().detached);
    assert!(group.core_attribute("displayName").unwrap().required);
}

#[test]
fn an_attribute_with_only_a_name_has_the_defaults() {
    let mut registry = Registry::builtin().unwrap();
    let text = r#"{"id":"urn:x:1","name":"X","attributes":[{"name":"x"}],"rollcall":{"extends":"User","required":true}}"#;
    registry.add("x.json", text).unwrap();
    let user = registry.resource_type("User").unwrap();
    let def = user.attr("URN:X:1:X").unwrap().def;
    assert_eq!(def.attribute_type, Type::String);
    assert!(!def.multi_valued && !def.required && !def.case_exact && !def.detached && !def.derived);
    assert_eq!(def.mutability, Mutability::ReadWrite);
    assert_eq!(def.returned, Returned::Default);
    assert_eq!(def.uniqueness, Uniqueness::None);
    assert!(def.canonical_values.is_empty());
    assert!(user.extensions.last().unwrap().required);
}

#[test]
fn a_mistake_is_refused_with_file_attribute_and_reason() {
    let cases = [
        (r#"{"name":"a","type":"text"}"#, "a", "unknown type"),
        (r#"{"name":"a"},{"name":"A"}"#, "A", "twice"),
        (r#"{"name":"a","type":"complex"}"#, "a", "subAttributes"),
        (
            r#"{"name":"a","type":"complex","subAttributes":[]}"#,
            "a",
            "at least one",
        ),
        (
            r#"{"name":"a","type":"complex","subAttributes":[{"name":"b","type":"complex","subAttributes":[{"name":"c"}]}]}"#,
            "a.b",
            "cannot be complex",
        ),
        (
            r#"{"name":"a","subAttributes":[{"name":"b"}]}"#,
            "a",
            "does not apply",
        ),
        (r#"{"name":"a","mutability":"writeOnly"}"#, "a", "never"),
        (
            r#"{"name":"a","mutable":true}"#,
            "a",
            "unknown key `mutable`",
        ),
        (r#"{"name":"2a"}"#, "2a", "letter"),
        (r#"{"type":"string"}"#, "(unnamed)", "`name` is missing"),
        (r#"{"name":"a","required":"yes"}"#, "a", "true or false"),
        (
            r#"{"name":"a","type":"boolean","caseExact":true}"#,
            "a",
            "does not apply",
        ),
        (r#"{"name":"a","type":"reference"}"#, "a", "referenceTypes"),
        (
            r#"{"name":"a","referenceTypes":["User"]}"#,
            "a",
            "does not apply",
        ),
        (
            r#"{"name":"a","rollcall":{"derived":true}}"#,
            "a",
            "built-in",
        ),
        (
            r#"{"name":"a","returned":"sometimes"}"#,
            "a",
            "unknown returned",
        ),
        (
            r#"{"name":"a","type":"complex","mutability":"readOnly","subAttributes":[{"name":"b"}]}"#,
            "a",
            "readOnly too",
        ),
    ];
    for (attribute, name, reason) in cases {
        let error = refusal(attribute);
        assert_eq!(error.file, "x.json");
        assert_eq!(error.attribute.as_deref(), Some(name), "{attribute}");
        assert!(
            error.reason.contains(reason),
            "{attribute}: {}",
            error.reason
        );
    }
}

#[test]
fn a_schema_with_a_taken_urn_or_no_type_to_use_it_is_refused() {
    let registry = Registry::builtin().unwrap();
    let cases = [
        (
            r#"{"id":"urn:x:1","name":"X","attributes":[{"name":"x"}]}"#,
            "extends",
        ),
        (
            r#"{"id":"urn:x:1","name":"X","attributes":[{"name":"x"}],"rollcall":{"extends":"Car"}}"#,
            "Car",
        ),
        (
            r#"{"id":"x","name":"X","attributes":[{"name":"x"}],"rollcall":{"extends":"User"}}"#,
            "URN",
        ),
        (
            r#"{"id":"URN:ietf:params:scim:schemas:core:2.0:User","name":"X","attributes":[{"name":"x"}],"rollcall":{"extends":"User"}}"#,
            "twice",
        ),
        ("{", "EOF"),
    ];
    for (text, reason) in cases {
        let error = registry.clone().add("x.json", text).expect_err(text);
        assert!(error.to_string().contains(reason), "{error}");
    }
}

const BADGE: &str = r#"[
    {"name": "Badge", "endpoint": "/Badges", "schema": "urn:x:params:Badge",
     "schemaExtensions": [{"schema": "urn:x:params:BadgeMore", "required": true}]},
    {"id": "urn:x:params:Badge", "name": "Badge", "attributes": [
        {"name": "serial", "required": true, "uniqueness": "server"},
        {"name": "holder", "type": "reference", "referenceTypes": ["User", "Badge", "external"]}]},
    {"id": "urn:x:params:BadgeMore", "name": "BadgeMore", "attributes": [{"name": "color"}]}
]"#;

#[test]
fn a_file_may_hold_a_type_with_its_schemas_in_any_order() {
    let mut registry = Registry::builtin().unwrap();
    registry.add("badge.json", BADGE).unwrap();
    let badge = registry.resource_type("Badge").unwrap();
    assert_eq!(badge.endpoint, "/Badges");
    assert!(badge.schema.custom && badge.extensions[0].required);
    assert!(badge.core_attribute("externalId").is_some());
    assert!(badge.attr("urn:x:params:badgemore:COLOR").is_some());
    registry.add("more.json", r#"{"id": "urn:x:params:Third", "name": "T", "attributes": [{"name": "t"}], "rollcall": {"extends": "Badge"}}"#).unwrap();
    assert_eq!(registry.resource_type("Badge").unwrap().extensions.len(), 2);
}

#[test]
fn what_collides_is_refused_with_its_place_and_what_to_do() {
    let kind = |changes: &str| {
        let mut kind: serde_json::Map<String, serde_json::Value> = serde_json::from_str(
            r#"{"name": "Lamp", "endpoint": "/Lamps", "schema": "urn:x:params:Lamp"}"#,
        )
        .unwrap();
        kind.extend(serde_json::from_str::<serde_json::Map<_, _>>(changes).unwrap());
        format!(
            r#"[{}, {{"id": "urn:x:params:Lamp", "name": "Lamp", "attributes": [{{"name": "watt"}}]}}]"#,
            serde_json::Value::Object(kind)
        )
    };
    let core = |attribute: &str| {
        format!(
            r#"[{{"name": "Lamp", "endpoint": "/Lamps", "schema": "urn:x:params:Lamp"}},
                {{"id": "urn:x:params:Lamp", "name": "Lamp", "attributes": [{attribute}]}}]"#
        )
    };
    let extension = |id: &str| {
        format!(
            r#"{{"id": "{id}", "name": "E", "attributes": [{{"name": "a"}}], "rollcall": {{"extends": "User"}}}}"#
        )
    };
    for (text, path, reason) in [
        (
            kind(r#"{"name": "user"}"#),
            "[0].name",
            "defined twice; to extend it",
        ),
        (
            kind(r#"{"name": "BADGE"}"#),
            "[0].name",
            "defined twice; choose another",
        ),
        (
            kind(r#"{"name": "Schema"}"#),
            "[0].name",
            "discovery document",
        ),
        (kind(r#"{"name": "a b"}"#), "[0].name", "letters"),
        (kind(r#"{"id": "Other"}"#), "[0].id", "must equal `name`"),
        (
            kind(r#"{"endpoint": "/users"}"#),
            "[0].endpoint",
            "that of User",
        ),
        (
            kind(r#"{"endpoint": "/me"}"#),
            "[0].endpoint",
            "of the protocol",
        ),
        (
            kind(r#"{"endpoint": "Lamps"}"#),
            "[0].endpoint",
            "a slash and one word",
        ),
        (
            kind(r#"{"endpoint": "/Lamps/x"}"#),
            "[0].endpoint",
            "a slash and one word",
        ),
        (
            kind(r#"{"endpoint": "/.search"}"#),
            "[0].endpoint",
            "a slash and one word",
        ),
        (
            kind(r#"{"endpoint": "/{id}"}"#),
            "[0].endpoint",
            "a slash and one word",
        ),
        (
            kind(r#"{"schema": "urn:x:params:None"}"#),
            "[0].schema",
            "no schema file defines",
        ),
        (
            kind(r#"{"schema": "urn:ietf:params:scim:schemas:core:2.0:User"}"#),
            "[0].schema",
            "the core schema of User",
        ),
        (
            kind(
                r#"{"schemaExtensions": [{"schema": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}]}"#,
            ),
            "[0].schemaExtensions[0].schema",
            "built in for other types",
        ),
        (
            kind(r#"{"schemaExtensions": [{"schema": "urn:x:params:Lamp"}]}"#),
            "[0].schemaExtensions[0].schema",
            "named twice",
        ),
        (
            kind(r#"{"color": "red"}"#),
            "[0]",
            "unknown key `color`; known are",
        ),
        (
            core(r#"{"name": "ID"}"#),
            "[1].attributes[0]",
            "every resource has",
        ),
        (
            core(r#"{"name": "externalId", "type": "integer"}"#),
            "[1].attributes[0]",
            "every resource has",
        ),
        (
            core(
                r#"{"name": "of", "type": "complex", "subAttributes": [{"name": "r", "type": "reference", "referenceTypes": ["Car"]}]}"#,
            ),
            "[1].attributes[0].subAttributes[0].referenceTypes",
            "no resource type Car; use User, Group, Badge, Lamp, external or uri",
        ),
        (
            core(r#"{"name": "a"}, {"name": "a"}"#),
            "[1].attributes[1]",
            "twice",
        ),
        (
            core(r#"{"name": "a", "required": true, "mutability": "readOnly"}"#),
            "[1].attributes[0].required",
            "nobody could ever supply it",
        ),
        (
            core(r#"{"name": "a", "type": "decimal", "uniqueness": "server"}"#),
            "[1].attributes[0].uniqueness",
            "use a string",
        ),
        (
            core(r#"{"name": "a", "type": "text"}"#),
            "[1].attributes[0].type",
            "use one of string, boolean",
        ),
        (
            extension("urn:X:params:badge"),
            "id",
            "another of your schemas",
        ),
        (
            extension("urn:x:params:Badge:serial"),
            "id",
            "reads as the attribute serial",
        ),
        (extension("urn:x:a b"), "id", "must be a URN"),
        (extension("urn:x"), "id", "must be a URN"),
        (
            extension("urn:ietf:params:scim:api:messages:2.0:Mine"),
            "id",
            "messages",
        ),
        (
            r#"{"id": "urn:x:params:Lamp", "name": "L", "attributes": [{"name": "a"}]}"#.to_owned(),
            "",
            "no resource type uses urn:x:params:Lamp",
        ),
        (r#"{"name": "x"}"#.to_owned(), "", "neither a schema"),
        ("[1]".to_owned(), "[0]", "must be a JSON object"),
        ("7".to_owned(), "", "must be a JSON object"),
        (r#"{"id": "a", "id": "b"}"#.to_owned(), "", "id"),
        ("{".to_owned(), "", "the file is not readable as JSON"),
    ] {
        let mut registry = Registry::builtin().unwrap();
        registry.add("badge.json", BADGE).unwrap();
        let known = registry.schemas.len();
        let error = registry.add("x.json", &text).expect_err(&text);
        assert_eq!(
            (error.file.as_str(), error.path.as_str()),
            ("x.json", path),
            "{text}: {error}"
        );
        assert!(error.reason.contains(reason), "{text}: {error}");
        assert_eq!(registry.schemas.len(), known, "nothing is added");
    }
}
