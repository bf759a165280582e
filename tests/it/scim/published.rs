//! What `/Schemas` publishes of every attribute is what the server does with it. SH-10.

use crate::harness::{ENT, GROUP, LEARNER_GROUP, TestApp, USER, Value, json, patch};

/// A value of a published type, and how it comes back.
fn fitting(definition: &Value) -> Value {
    let single = match definition["type"].as_str().unwrap_or_default() {
        "boolean" => json!(true),
        "integer" => json!(7),
        "decimal" => json!(1.5),
        "dateTime" => json!("2026-03-01T12:00:00.000Z"),
        "binary" => json!("QUJD"),
        "complex" => {
            let parts = parts(definition);
            // `$ref` follows from `value` (T-13)
            let own = parts
                .iter()
                .filter(|part| part["mutability"] != "readOnly" && name(part) != "$ref");
            let object = own.map(|part| (name(part).to_owned(), fitting(part)));
            Value::Object(object.collect())
        }
        _ if name(definition) == "color" => json!("#2563EB"),
        _ => match definition["canonicalValues"].get(0) {
            Some(suggested) => suggested.clone(),
            None => json!("a@x.test"),
        },
    };
    if definition["multiValued"] == true {
        json!([single])
    } else {
        single
    }
}

/// A value that the published type does not have.
fn misfit(definition: &Value) -> Value {
    let single = match definition["type"].as_str().unwrap_or_default() {
        "complex" => json!(7),
        "boolean" => json!("perhaps"),
        _ => json!({ "x": 1 }),
    };
    if definition["multiValued"] == true {
        json!([single])
    } else {
        single
    }
}

fn name(definition: &Value) -> &str {
    definition["name"].as_str().unwrap_or_default()
}

fn parts(definition: &Value) -> Vec<Value> {
    let parts = definition["subAttributes"].as_array();
    parts.cloned().unwrap_or_default()
}

/// A resource of an endpoint with one attribute more.
fn body(endpoint: &str, urn: &str, number: usize, attribute: &str, value: &Value) -> Value {
    let mut body = match endpoint {
        "/Users" => json!({ "schemas": [USER], "userName": format!("u{number}") }),
        _ => json!({ "schemas": [GROUP], "displayName": format!("g{number}") }),
    };
    if [USER, GROUP].contains(&urn) {
        body[attribute] = value.clone();
    } else {
        body[urn] = json!({ attribute: value });
    }
    body
}

#[test]
fn every_attribute_behaves_as_its_published_definition_says() {
    // SH-10: type, multiValued, mutability, returned and the operators of filters, attribute by attribute
    let app = TestApp::new();
    let scim = app.scim();
    let (mut number, mut seen) = (0, 0);
    for (endpoint, urn) in [
        ("/Users", USER),
        ("/Users", ENT),
        ("/Groups", GROUP),
        ("/Groups", LEARNER_GROUP),
    ] {
        let schema = scim.get(&format!("/Schemas/{urn}"));
        for definition in schema.expect(200).json["attributes"]
            .as_array()
            .expect("attributes")
        {
            let attribute = name(definition);
            let path = match urn {
                USER | GROUP => attribute.to_owned(),
                _ => format!("{urn}:{attribute}"),
            };
            seen += 1;
            number += 1;
            let kind = definition["type"].as_str().unwrap_or_default();
            let search = |test: &str| scim.get(&format!("{endpoint}?filter={path} {test}"));
            if definition["returned"] == "never" {
                search("pr").scim_error("invalidFilter");
                continue;
            }
            search("pr").expect(200);
            if kind == "boolean" || kind == "binary" {
                search("gt \"QUJD\"").scim_error("invalidFilter");
            }
            // members and the unique names need values of their own; they have tests of their own
            if attribute == "members" || definition["uniqueness"] == "server" {
                continue;
            }
            let value = fitting(definition);
            let sent = body(endpoint, urn, number, attribute, &value);
            if definition["mutability"] == "readOnly" {
                let made = scim.post(endpoint, &sent);
                let shown = made.expect(201).json.get(attribute);
                assert!(shown.is_none_or(|shown| *shown != value), "{made:?}");
                let change = patch(json!([{ "op": "replace", "path": path, "value": value }]));
                let at = format!("{endpoint}/{}", made.id());
                scim.patch(&at, &change).scim_error("mutability");
                continue;
            }
            let wrong = body(endpoint, urn, number, attribute, &misfit(definition));
            let refused = scim.post(endpoint, &wrong);
            refused.scim_error("invalidValue");
            assert!(refused.text.contains(attribute), "{refused:?}");
            let shape = if definition["multiValued"] == true {
                json!("x")
            } else {
                json!([value, value])
            };
            scim.post(endpoint, &body(endpoint, urn, number, attribute, &shape))
                .scim_error("invalidValue");
            let made = scim.post(endpoint, &sent);
            made.expect(201);
            let read = scim.get(&format!("{endpoint}/{}?attributes={path}", made.id()));
            let of = |json: &Value| match urn {
                USER | GROUP => json[attribute].clone(),
                _ => json[urn][attribute].clone(),
            };
            let shown = of(&read.expect(200).json);
            match value.as_object() {
                // what the server computes may stand beside what was sent
                Some(object) => {
                    for (part, value) in object {
                        assert_eq!(&shown[part], value, "{path}: {read:?}");
                    }
                }
                None => assert_eq!(shown, value, "{path}: {read:?}"),
            }
            let plain = scim.get(&format!("{endpoint}/{}", made.id()));
            assert_eq!(
                of(&plain.json).is_null(),
                definition["returned"] == "request",
                "{path}"
            );
        }
    }
    assert!(seen > 30, "{seen}");
}
