//! The OpenAPI document: what it describes is what the server routes, and the other way round.

use rollcall::http::api::ROUTES;

use crate::harness::{TestApp, Value};

#[test]
fn every_route_is_described_and_every_description_is_a_route() {
    let app = TestApp::new();
    let document = app
        .client("/api/v1", None)
        .get("/openapi.json")
        .expect(200)
        .json
        .clone();
    assert_eq!(document["openapi"], "3.1.0");
    let mut described: Vec<String> = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys() {
            described.push(format!("{method} {path}"));
        }
    }
    let mut routed: Vec<String> = ROUTES
        .iter()
        .flat_map(|(path, methods)| methods.iter().map(move |method| format!("{method} {path}")))
        .collect();
    described.sort();
    routed.sort();
    assert_eq!(described, routed);
}

#[test]
fn every_operation_says_what_it_needs_takes_and_answers() {
    let app = TestApp::new();
    let document = app
        .client("/api/v1", None)
        .get("/openapi.json")
        .expect(200)
        .json
        .clone();
    let mut problems = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let mut lacks = |what: &str| problems.push(format!("{method} {path}: {what}"));
            if operation["summary"].as_str().is_none_or(str::is_empty) {
                lacks("no summary");
            }
            if operation["security"][0]["token"].as_array().is_none() {
                lacks("no scope");
            }
            if operation["tags"][0].as_str().is_none() {
                lacks("no tag");
            }
            let named: Vec<&str> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|one| one["in"] == "path")
                .filter_map(|one| one["name"].as_str())
                .collect();
            let wanted: Vec<&str> = path
                .split('/')
                .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
                .collect();
            if named != wanted {
                lacks("its path parameters are others");
            }
            if ["post", "patch", "put"].contains(&method.as_str())
                && operation["requestBody"].is_object()
                && operation["requestBody"]["content"]["application/json"]["schema"].is_null()
            {
                lacks("its body has no schema");
            }
        }
    }
    // Every `$ref` leads somewhere.
    let text = document.to_string();
    for part in text.split("\"$ref\":\"").skip(1) {
        let target = part.split('"').next().unwrap_or_default();
        let name = target.trim_start_matches("#/components/schemas/");
        if document["components"]["schemas"][name] == Value::Null {
            problems.push(format!("{target} leads nowhere"));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}
