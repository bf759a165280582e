//! Projections, one by one and by law: `returned` × what is asked.

use serde_json::json;

use super::*;
use crate::scim::error::ScimErrorKind;
use crate::scim::schema::Registry;

const ENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const LEARNER: &str = "urn:rollcall:params:scim:schemas:extension:learner:2.0:User";
const CUSTOM: &str = r#"{"id":"urn:x:1:User","name":"X","rollcall":{"extends":"User"},"attributes":[
    {"name":"badge","returned":"request"},
    {"name":"box","type":"complex","subAttributes":[
        {"name":"label"},{"name":"key","returned":"never"},{"name":"tag","returned":"always"},{"name":"size","returned":"request"}]}]}"#;

fn user() -> ResourceType {
    let mut registry = Registry::builtin().unwrap();
    registry.add("x.json", CUSTOM).unwrap();
    registry.resource_type("User").unwrap().as_ref().clone()
}

fn document() -> Map<String, Value> {
    let document = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENT, LEARNER, "urn:x:1:User"],
        "userName": "ada", "name": {"givenName": "Ada", "familyName": "Okafor"}, "password": "secret", "unheard": 1,
        "emails": [{"value": "a@x.test", "type": "work"}, {"value": "b@x.test"}],
        ENT: {"department": "Ops", "manager": {"value": "u3", "displayName": "Chloe"}},
        LEARNER: {"approval": "approved", "enrollments": {"total": 2}},
        "urn:x:1:User": {"badge": "7", "box": {"label": "l", "key": "k", "tag": "t", "size": "s"}},
        "id": "u1", "groups": [{"value": "g1"}],
        "meta": {"resourceType": "User", "version": "W/\"1\"", "lastModified": "2026-01-01T00:00:00.000Z"},
    });
    document.as_object().unwrap().clone()
}

fn shown(attributes: &str, excluded: &str) -> Value {
    let rt = user();
    Value::Object(
        Projection::parse(&rt, Some(attributes), Some(excluded))
            .unwrap()
            .apply(&rt, &document()),
    )
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

#[test]
fn attributes_replace_the_default_set() {
    let cases: [(&str, &[&str]); 13] = [
        ("userName", &["id", "schemas", "userName"]),
        ("USERNAME", &["id", "schemas", "userName"]),
        (
            "urn:ietf:params:scim:schemas:core:2.0:User:userName",
            &["id", "schemas", "userName"],
        ),
        ("nosuch", &["id", "schemas"]),
        ("password", &["id", "schemas"]),
        ("urn:no:body:1:User", &["id", "schemas"]),
        ("userName,, name ,", &["id", "name", "schemas", "userName"]),
        ("groups", &["groups", "id", "schemas"]),
        (ENT, &["id", "schemas", ENT]),
        (
            "urn:IETF:params:scim:schemas:extension:enterprise:2.0:user:DEPARTMENT",
            &["id", "schemas", ENT],
        ),
        ("department", &["id", "schemas", ENT]),
        ("emails[type eq \"a,b\"]", &["emails", "id", "schemas"]),
        ("badge", &["id", "schemas", "urn:x:1:User"]),
    ];
    for (attributes, expected) in cases {
        assert_eq!(keys(&shown(attributes, "")), expected, "{attributes}");
    }
}

#[test]
fn sub_attributes_select_inside_complex_values() {
    let value = shown("emails.value,name.givenName", "");
    assert_eq!(
        value["emails"],
        json!([{"value": "a@x.test"}, {"value": "b@x.test"}])
    );
    assert_eq!(value["name"], json!({"givenName": "Ada"}));
    assert_eq!(shown("name,name.givenName", "")["name"], document()["name"]);
    assert_eq!(
        shown("meta.lastModified", "")["meta"],
        json!({"lastModified": "2026-01-01T00:00:00.000Z"})
    );
    assert_eq!(
        shown("emails[type eq \"work\"].type", "")["emails"],
        json!([{"type": "work"}])
    );
}

#[test]
fn excluded_attributes_leave_the_rest_of_the_default_set() {
    let value = shown("", "id,schemas,emails,meta");
    assert!(value.get("emails").is_none() && value.get("meta").is_none());
    assert_eq!(
        (&value["id"], value["schemas"].as_array().unwrap().len()),
        (&json!("u1"), 4)
    );
    assert_eq!(
        shown("", "emails.value")["emails"],
        json!([{"type": "work"}])
    );
    assert!(
        shown("", "name.givenName,name.familyName")
            .get("name")
            .is_none()
    );
    assert!(shown("", ENT).get(ENT).is_none());
    assert_eq!(shown("", "manager")[ENT], json!({"department": "Ops"}));
}

#[test]
fn characteristics_decide_what_is_shown_without_a_wish() {
    let value = shown("", " ");
    assert!(value.get("password").is_none() && value.get("unheard").is_none());
    assert!(value.get(LEARNER).is_none());
    assert_eq!(shown(LEARNER, "")[LEARNER]["approval"], "approved");
    assert_eq!(
        value["urn:x:1:User"],
        json!({"box": {"label": "l", "tag": "t"}})
    );
    assert_eq!(
        shown("box.size", "")["urn:x:1:User"]["box"],
        json!({"tag": "t", "size": "s"})
    );
    assert_eq!(
        shown("box,box.size", "")["urn:x:1:User"]["box"],
        json!({"label": "l", "tag": "t", "size": "s"})
    );
    assert_eq!(shown("urn:x:1:User", "")["urn:x:1:User"]["badge"], "7");
    assert!(
        shown("", "urn:x:1:User:box.tag")["urn:x:1:User"]["box"]
            .get("tag")
            .is_some()
    );
}

#[test]
fn a_supplied_request_attribute_is_shown_in_the_answer() {
    let rt = user();
    let named = ["urn:x:1:User:badge".to_owned(), "userName".to_owned()];
    let value = Projection::standard(&rt)
        .with_supplied(&rt, &named)
        .apply(&rt, &document());
    assert_eq!(value["urn:x:1:User"]["badge"], "7");
    let only = Projection::parse(&rt, Some("userName"), None)
        .unwrap()
        .with_supplied(&rt, &named);
    assert!(only.apply(&rt, &document()).get("urn:x:1:User").is_none());
}

#[test]
fn what_is_not_shown_need_not_be_loaded() {
    let rt = user();
    let wants = |attributes, excluded| {
        let projection = Projection::parse(&rt, attributes, excluded).unwrap();
        (
            projection.is_default(),
            projection.wants(&rt, None, "groups"),
            projection.wants(&rt, None, "meta"),
        )
    };
    assert_eq!(wants(None, None), (true, true, true));
    assert_eq!(wants(Some("userName"), None), (false, false, false));
    assert_eq!(wants(Some("groups.value"), None), (false, true, false));
    assert_eq!(wants(None, Some("GROUPS")), (false, false, true));
    assert!(
        Projection::parse(&rt, Some("enrollments"), None)
            .unwrap()
            .wants(&rt, Some(LEARNER), "enrollments")
    );
    assert!(!Projection::standard(&rt).wants(&rt, Some(LEARNER), "enrollments"));
}

#[test]
fn malformed_names_and_contradictions_are_refused() {
    let rt = user();
    let refused = |attributes: &str, excluded: &str| {
        Projection::parse(&rt, Some(attributes), Some(excluded)).map_err(|error| error.kind)
    };
    let many = vec!["title"; 101].join(",");
    let long = "x".repeat(5000);
    for (attributes, excluded) in [
        ("userName", "emails"),
        ("2nd", ""),
        ("user name", ""),
        ("name.", ""),
        ("a.b.c", ""),
        ("emails[type", ""),
        ("", "@"),
        (&many, ""),
        (&long, ""),
    ] {
        assert_eq!(
            refused(attributes, excluded),
            Err(ScimErrorKind::InvalidValue),
            "{attributes} {excluded}"
        );
    }
}
