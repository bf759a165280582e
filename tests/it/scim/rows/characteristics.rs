//! Characteristics of attributes and their defaults. Checklist §2.2; RFC 7643 §2.2, §7.

use super::acme::{ACME, SHOWN, app};
use crate::harness::{ENT, TestApp, USER, Value, json, patch, user};

/// A published definition, by schema and attribute path.
fn definition(app: &TestApp, schema: &str, path: &str) -> Value {
    let published = app.scim().get(&format!("/Schemas/{schema}"));
    let mut level = published.expect(200).json["attributes"].clone();
    let mut found = Value::Null;
    for name in path.split('.') {
        found = level
            .as_array()
            .into_iter()
            .flatten()
            .find(|one| one["name"] == name)
            .unwrap_or_else(|| panic!("{schema} has no {path}"))
            .clone();
        level = found["subAttributes"].clone();
    }
    found
}

#[test]
fn what_a_definition_leaves_out_has_its_default() {
    // M-20: `{"name": "shift", "type": "string"}` in the file
    let app = app();
    let shift = definition(&app, SHOWN, "shift");
    assert_eq!(shift["type"], "string");
    assert_eq!(shift["multiValued"], false);
    assert_eq!(shift["required"], false);
    assert_eq!(shift["caseExact"], false);
    assert_eq!(shift["mutability"], "readWrite");
    assert_eq!(shift["returned"], "default");
    assert_eq!(shift["uniqueness"], "none");
    assert!(shift.get("canonicalValues").is_none());
}

#[test]
fn what_is_read_only_is_ignored_in_bodies_and_refused_as_a_path() {
    // M-21
    let app = TestApp::new();
    let ada = app.user("ada");
    let path = format!("/Users/{ada}");
    let before = app.scim().get(&path).json;
    let mut body = user("ada");
    body["id"] = json!("other");
    body["groups"] = json!([{ "value": "x" }]);
    body["meta"] = json!({ "created": "2000-01-01T00:00:00Z" });
    assert_eq!(app.scim().put(&path, &body).expect(200).json, before);
    for target in [
        "id",
        "groups",
        "meta.created",
        "groups[value eq \"x\"].display",
    ] {
        let change = json!([{ "op": "replace", "path": target, "value": "x" }]);
        app.scim()
            .patch(&path, &patch(change))
            .scim_error("mutability");
    }
    assert_eq!(app.scim().get(&path).json, before);
}

#[test]
fn what_is_read_write_is_set_changed_and_read() {
    // M-22
    let app = TestApp::new();
    let mut body = user("ada");
    body["title"] = json!("Engineer");
    let made = app.scim().post("/Users", &body);
    let path = format!("/Users/{}", made.id());
    assert_eq!(made.json["title"], "Engineer");
    body["title"] = json!("Director");
    app.scim().put(&path, &body).expect(200);
    assert_eq!(app.scim().get(&path).json["title"], "Director");
    let change = json!([{ "op": "replace", "path": "title", "value": "Boss" }]);
    app.scim().patch(&path, &patch(change)).expect(200);
    assert_eq!(app.scim().get(&path).json["title"], "Boss");
}

#[test]
fn what_is_immutable_is_set_while_empty_and_never_changed() {
    // M-23: by POST, PUT and PATCH
    let app = app();
    let scim = app.scim();
    let with = |name: &str, serial: &str| {
        let mut body = user(name);
        body[ACME] = json!({ "serial": serial });
        body
    };
    let serial = format!("{ACME}:serial");
    let made = scim.post("/Users", &with("ada", "A-1"));
    let path = format!("/Users/{}", made.expect(201).id());
    scim.put(&path, &with("ada", "A-2"))
        .scim_error("mutability");
    scim.patch(
        &path,
        &patch(json!([{ "op": "replace", "path": serial, "value": "A-2" }])),
    )
    .scim_error("mutability");
    scim.put(&path, &with("ada", "A-1")).expect(200);
    assert_eq!(scim.get(&path).json[ACME]["serial"], "A-1");

    let empty = format!("/Users/{}", app.user("bo"));
    let set = scim.put(&empty, &with("bo", "B-1"));
    assert_eq!(set.expect(200).json[ACME]["serial"], "B-1");
    let empty = format!("/Users/{}", app.user("cy"));
    let set = scim.patch(
        &empty,
        &patch(json!([{ "op": "add", "path": serial, "value": "C-1" }])),
    );
    assert_eq!(set.expect(200).json[ACME]["serial"], "C-1");
}

#[test]
fn what_may_only_be_written_or_is_never_returned_stands_in_no_answer() {
    // M-24, M-26: `password`, and an attribute of an operator that is returned never
    let app = app();
    let scim = app.scim();
    let secret = "Corr3ct-Horse";
    let body = json!({ "schemas": [USER, SHOWN], "userName": "ada", "password": secret, SHOWN: { "pin": secret, "shift": "late" } });
    let made = scim.post("/Users", &body);
    let path = format!("/Users/{}", made.expect(201).id());
    let change = json!([{ "op": "replace", "path": "password", "value": secret }, { "op": "replace", "path": format!("{SHOWN}:pin"), "value": secret }]);
    let answers = [
        made,
        scim.put(&path, &body),
        scim.patch(&path, &patch(change)),
        scim.get(&path),
        scim.get(&format!("{path}?attributes=password,{SHOWN}:pin")),
        scim.get("/Users"),
        scim.get("/"),
        super::acme::search(&scim, "/Users", "userName eq \"ada\""),
        scim.get(&format!("/Users?filter=password eq \"{secret}\"")),
        scim.get(&format!("/Users?filter={SHOWN}:pin eq \"{secret}\"")),
    ];
    for answer in &answers {
        answer.expect_below_500();
        assert!(!answer.text.contains(secret), "{answer:?}");
        assert!(
            !answer.text.contains("\"password\"") && !answer.text.contains("\"pin\""),
            "{answer:?}"
        );
    }
    assert_eq!(scim.get(&path).json[SHOWN], json!({ "shift": "late" }));
}

#[test]
fn returned_says_when_an_attribute_is_shown() {
    // M-25 (always), M-27 (default), M-28 (request)
    let app = app();
    let scim = app.scim();
    let ours = json!({ "badgeCode": "B1", "remark": "quiet", "shift": "late" });
    let body = json!({ "schemas": [USER, SHOWN], "userName": "ada", SHOWN: ours });
    let made = scim.post("/Users", &body);
    assert_eq!(made.expect(201).json[SHOWN], ours, "named by the request");
    let path = format!("/Users/{}", made.id());
    let shown = |query: &str| scim.get(&format!("{path}{query}")).expect(200).json.clone();
    assert_eq!(
        shown("")[SHOWN],
        json!({ "badgeCode": "B1", "shift": "late" })
    );
    let only_name = shown("?attributes=userName");
    assert_eq!(only_name[SHOWN], json!({ "badgeCode": "B1" }));
    assert_eq!(only_name["id"], json!(made.id()));
    let without = shown(&format!(
        "?excludedAttributes=id,{SHOWN}:badgeCode,{SHOWN}:shift"
    ));
    assert_eq!(without[SHOWN], json!({ "badgeCode": "B1" }));
    assert_eq!(without["id"], json!(made.id()));
    assert_eq!(
        shown(&format!("?attributes={SHOWN}:remark"))[SHOWN],
        json!({ "badgeCode": "B1", "remark": "quiet" })
    );
    let change = json!([{ "op": "replace", "path": format!("{SHOWN}:shift"), "value": "early" }]);
    let other = scim.patch(&path, &patch(change));
    assert_eq!(
        other.expect(200).json[SHOWN],
        json!({ "badgeCode": "B1", "shift": "early" }),
        "a change of something else does not show it"
    );
    let change = json!([{ "op": "replace", "path": format!("{SHOWN}:remark"), "value": "loud" }]);
    let named = scim.patch(&path, &patch(change));
    assert_eq!(
        named.expect(200).json[SHOWN]["remark"],
        "loud",
        "a change of it does"
    );
    let put = scim.put(&path, &body);
    assert_eq!(put.expect(200).json[SHOWN]["remark"], "quiet");
}

#[test]
fn case_is_kept_and_counts_only_where_the_schema_says_so() {
    // M-29, M-30
    let app = TestApp::new();
    let mut body = user("Ada@Acme.Test");
    body["externalId"] = json!("HR-001");
    body["title"] = json!("EnGineer");
    let made = app.scim().post("/Users", &body);
    assert_eq!(made.expect(201).json["userName"], "Ada@Acme.Test");
    assert_eq!(made.json["title"], "EnGineer");
    let total = |filter: &str| {
        let found = app.scim().get(&format!("/Users?filter={filter}"));
        found.expect(200).json["totalResults"].clone()
    };
    assert_eq!(total("userName eq \"ada@acme.test\""), 1);
    assert_eq!(total("title sw \"engin\""), 1);
    assert_eq!(total("externalId eq \"HR-001\""), 1);
    assert_eq!(total("externalId eq \"hr-001\""), 0);
    assert_eq!(total("externalId sw \"hr\""), 0);
}

#[test]
fn what_is_unique_on_the_server_is_409_for_post_put_and_patch() {
    // M-31, M-32
    let app = TestApp::new();
    let scim = app.scim();
    app.user("ada");
    let path = format!("/Users/{}", app.user("bo"));
    let before = scim.get(&path).json;
    scim.post("/Users", &user("Ada")).scim_error("uniqueness");
    scim.put(&path, &user("ADA")).scim_error("uniqueness");
    let change = json!([{ "op": "replace", "path": "userName", "value": "adA" }]);
    scim.patch(&path, &patch(change)).scim_error("uniqueness");
    assert_eq!(scim.get(&path).json, before);
    let (theirs, _) = app.other_tenant();
    theirs.post("/Users", &user("ada")).expect(201);
}

#[test]
fn what_is_required_is_there_after_every_write() {
    // M-33
    let app = TestApp::new();
    let scim = app.scim();
    let path = format!("/Users/{}", app.user("ada"));
    for name in [json!(null), json!("")] {
        let body = json!({ "schemas": [USER], "userName": name });
        scim.post("/Users", &body).scim_error("invalidValue");
        scim.put(&path, &body).scim_error("invalidValue");
        let change = json!([{ "op": "replace", "path": "userName", "value": name }]);
        scim.patch(&path, &patch(change)).scim_failure(400);
    }
    let none = json!({ "schemas": [USER], "title": "x" });
    scim.post("/Users", &none).scim_error("invalidValue");
    scim.put(&path, &none).scim_error("invalidValue");
    let change = json!([{ "op": "remove", "path": "userName" }]);
    scim.patch(&path, &patch(change)).scim_error("mutability");
    assert_eq!(scim.get(&path).json["userName"], "ada");
}

#[test]
fn suggested_values_are_suggestions_and_keep_their_spelling() {
    // M-34
    let app = TestApp::new();
    let mut body = user("ada");
    body["emails"] = json!([{ "value": "a@x.test", "type": "WORK" }, { "value": "b@x.test", "type": "mobile2" }]);
    let made = app.scim().post("/Users", &body);
    assert_eq!(made.expect(201).json["emails"][0]["type"], "work");
    assert_eq!(made.json["emails"][1]["type"], "mobile2");
}

#[test]
fn references_and_only_they_say_what_they_point_at() {
    // M-35
    let app = TestApp::new();
    let group = "urn:ietf:params:scim:schemas:core:2.0:Group";
    assert_eq!(
        definition(&app, group, "members.$ref")["referenceTypes"],
        json!(["User"])
    );
    assert_eq!(
        definition(&app, USER, "groups.$ref")["referenceTypes"],
        json!(["Group"])
    );
    assert_eq!(
        definition(&app, USER, "profileUrl")["referenceTypes"],
        json!(["external"])
    );
    assert_eq!(
        definition(&app, ENT, "manager.$ref")["referenceTypes"],
        json!(["User"])
    );
    for name in ["userName", "active", "emails.value", "name"] {
        assert!(
            definition(&app, USER, name).get("referenceTypes").is_none(),
            "{name}"
        );
    }
}

#[test]
fn a_complex_attribute_has_neither_case_nor_uniqueness() {
    // M-37
    let app = app();
    for (schema, name) in [
        (USER, "name"),
        (USER, "emails"),
        (ENT, "manager"),
        (SHOWN, "locker"),
    ] {
        let definition = definition(&app, schema, name);
        assert_eq!(definition["type"], "complex");
        assert!(definition.get("caseExact").is_none(), "{definition}");
        assert!(definition.get("uniqueness").is_none(), "{definition}");
    }
}

#[test]
fn the_common_attributes_behave_alike_in_every_schema() {
    // M-36: `id` and `externalId` are case exact and found as such, `meta` is the server's, for users and groups
    let app = TestApp::new();
    let ada = app.user("ada");
    let group = app.group("Ops", &[]);
    for (endpoint, id) in [("/Users", &ada), ("/Groups", &group)] {
        let path = format!("{endpoint}/{id}");
        let change = json!([{ "op": "replace", "path": "externalId", "value": "X-1" }]);
        app.scim().patch(&path, &patch(change)).expect_below_500();
        let total = |filter: String| {
            app.scim()
                .get(&format!("{endpoint}?filter={filter}"))
                .expect(200)
                .json["totalResults"]
                .clone()
        };
        assert_eq!(total(format!("id eq \"{id}\"")), 1);
        assert_eq!(total(format!("id eq \"{}\"", id.to_uppercase())), 0);
        assert_eq!(total("externalId eq \"X-1\"".to_owned()), 1);
        assert_eq!(total("externalId eq \"x-1\"".to_owned()), 0);
        for target in ["id", "meta.lastModified"] {
            let change = json!([{ "op": "replace", "path": target, "value": "x" }]);
            app.scim()
                .patch(&path, &patch(change))
                .scim_error("mutability");
        }
    }
}

#[test]
fn extensions_bring_neither_core_names_nor_data_types_of_their_own() {
    // M-11
    const TYPES: [&str; 8] = [
        "string",
        "boolean",
        "decimal",
        "integer",
        "dateTime",
        "reference",
        "binary",
        "complex",
    ];
    let app = app();
    let names = |schema: &str| -> Vec<(String, Value)> {
        let published = app.scim().get(&format!("/Schemas/{schema}"));
        let all = published.expect(200).json["attributes"].clone();
        let all = all.as_array().cloned().unwrap_or_default();
        all.iter()
            .map(|one| {
                let name = one["name"].as_str().unwrap_or_default();
                (name.to_lowercase(), one["type"].clone())
            })
            .collect()
    };
    let types = app.scim().get("/ResourceTypes");
    let mut seen = 0;
    for one in types.expect(200).json["Resources"]
        .as_array()
        .expect("types")
    {
        let core = names(one["schema"].as_str().expect("a URN"));
        for extension in one["schemaExtensions"].as_array().expect("extensions") {
            for (name, kind) in names(extension["schema"].as_str().expect("a URN")) {
                seen += 1;
                assert!(!core.iter().any(|(known, _)| *known == name), "{name}");
                assert!(TYPES.iter().any(|known| kind == *known), "{name}: {kind}");
            }
        }
    }
    assert!(seen > 15);
}

#[test]
fn the_canonical_form_is_shown_in_display_to_who_asks_for_it() {
    // M-57, M-30: by name, where the client gave none; `value` and every other answer are as sent
    let app = TestApp::new();
    let scim = app.scim();
    let mut ada = user("ada");
    ada["emails"] = json!([{ "value": "Ada.O@ACME.Test", "type": "work" }, { "value": "ada@home.test", "type": "home" },
        { "value": "A@X.TEST", "display": "mine" }]);
    ada["phoneNumbers"] = json!([{ "value": "+1-201-555-0123", "type": "work" }, { "value": "555 0123", "type": "home" }]);
    let made = scim.post("/Users", &ada);
    assert_eq!(made.expect(201).json["emails"], ada["emails"]);
    let path = format!("/Users/{}", made.id());
    let asked = scim.get(&format!("{path}?attributes=emails,phoneNumbers"));
    let display = |attribute: &str| -> Vec<Value> {
        let elements = asked.json[attribute].as_array().expect("elements");
        elements.iter().map(|one| one["display"].clone()).collect()
    };
    assert_eq!(
        asked.expect(200).json["emails"][0]["value"],
        "Ada.O@ACME.Test"
    );
    assert_eq!(
        display("emails"),
        [json!("Ada.O@acme.test"), Value::Null, json!("mine")]
    );
    assert_eq!(
        display("phoneNumbers"),
        [json!("tel:+12015550123"), Value::Null]
    );
    let parts = scim.get(&format!("{path}?attributes=phoneNumbers.display"));
    assert_eq!(
        parts.json["phoneNumbers"],
        json!([{ "display": "tel:+12015550123" }])
    );
    let values = scim.get(&format!("{path}?attributes=emails.value"));
    assert!(!values.text.contains("display"), "{values:?}");
    assert_eq!(scim.get(&path).json, made.json);
}
