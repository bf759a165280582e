//! The tolerance switches of a connection, one by one: what is taken with the switch on and refused with it off, by every
//! verb it concerns; and the strict mode with all of them off. Checklist §0.

use rollcall::scim::switches::{OmittedMembers, Switches, UnknownMember};

use crate::harness::{
    Client, ENT, GROUP, Reply, TestApp, USER, Value, add_members, group, json, patch, user,
};

/// The clients of two connections that differ in one switch only.
pub struct Pair {
    pub app: TestApp,
    pub on: Client,
    pub off: Client,
}

pub fn pair(set: impl Fn(&mut Switches, bool)) -> Pair {
    let app = TestApp::new();
    let client = |name: &str, on: bool| {
        let mut switches = Switches::default();
        set(&mut switches, on);
        app.scim_with(name, switches)
    };
    let (on, off) = (client("on", true), client("off", false));
    Pair { app, on, off }
}

impl Pair {
    /// POST, PUT and PATCH (with and without a path) of one attribute: taken with the switch on, refused with it off, and
    /// a refusal changes nothing.
    #[track_caller]
    pub fn attribute(&self, name: &str, value: &Value, stored: &Value, keyword: &str) {
        let path = format!("/Users/{}", self.app.user(&format!("{name} {value}")));
        let before = self.app.scim().get(&path).json;
        let body = |user_name: &str| {
            let mut body = user(user_name);
            set(&mut body, name, value);
            body
        };
        let mut whole = json!({});
        set(&mut whole, name, value);
        let ways = |client: &Client| -> Vec<Reply> {
            vec![
                client.post("/Users", &body(&format!("new {name} {value}"))),
                client.put(&path, &body(&format!("{name} {value}"))),
                client.patch(
                    &path,
                    &one(json!({ "op": "replace", "path": name, "value": value })),
                ),
                client.patch(&path, &one(json!({ "op": "add", "value": whole }))),
            ]
        };
        for refused in ways(&self.off) {
            refused.scim_error(keyword);
        }
        assert_eq!(self.app.scim().get(&path).json, before);
        for taken in ways(&self.on) {
            assert!(matches!(taken.status, 200 | 201), "{taken:?}");
            assert_eq!(&get(&taken.json, name), stored, "{taken:?}");
        }
    }
}

fn set(body: &mut Value, name: &str, value: &Value) {
    match name.rsplit_once(':') {
        Some((urn, name)) => body[urn] = json!({ name: value }),
        None => body[name] = value.clone(),
    }
}

fn get(body: &Value, name: &str) -> Value {
    match name.rsplit_once(':') {
        Some((urn, name)) => body[urn][name].clone(),
        None => body[name].clone(),
    }
}

pub fn one(operation: Value) -> Value {
    patch(json!([operation]))
}

#[test]
fn ci_ops_takes_operations_in_any_case() {
    // PA-06
    let pair = pair(|switches, on| switches.ci_ops = on);
    let path = format!("/Users/{}", pair.app.user("ada"));
    for op in ["Add", "REPLACE", "Replace"] {
        let change = one(json!({ "op": op, "path": "title", "value": op }));
        pair.off.patch(&path, &change).scim_error("invalidSyntax");
        assert_eq!(pair.on.patch(&path, &change).expect(200).json["title"], op);
    }
    let remove = one(json!({ "op": "Remove", "path": "title" }));
    pair.off.patch(&path, &remove).scim_error("invalidSyntax");
    assert!(
        pair.on
            .patch(&path, &remove)
            .expect(200)
            .json
            .get("title")
            .is_none()
    );
    let exact = one(json!({ "op": "add", "path": "title", "value": "x" }));
    pair.off.patch(&path, &exact).expect(200);
}

#[test]
fn bool_strings_takes_true_and_false_as_text() {
    // T-03, F-31
    let pair = pair(|switches, on| switches.bool_strings = on);
    pair.attribute("active", &json!("False"), &json!(false), "invalidValue");
    pair.attribute("active", &json!("true"), &json!(true), "invalidValue");
    let primary = json!([{ "value": "a@x.test", "primary": "True" }]);
    let stored = json!([{ "value": "a@x.test", "primary": true }]);
    pair.attribute("emails", &primary, &stored, "invalidValue");
    let filter = "/Users?filter=active eq \"False\"";
    pair.off.get(filter).scim_error("invalidFilter");
    assert_eq!(pair.on.get(filter).expect(200).json["totalResults"], 2);
    pair.off.get("/Users?filter=active eq false").expect(200);
}

#[test]
fn wrap_scalar_takes_a_bare_value_and_a_single_object() {
    // T-15, T-16, PA-17, PA-18
    let pair = pair(|switches, on| switches.wrap_scalar = on);
    let boss = pair.app.user("boss");
    let manager = format!("{ENT}:manager");
    let reference = format!("{}/Users/{boss}", pair.app.scim_base());
    let stored = json!({ "value": boss, "$ref": reference });
    pair.attribute(&manager, &json!(boss), &stored, "invalidValue");
    let email = json!({ "value": "a@x.test", "type": "work" });
    pair.attribute("emails", &email, &json!([email]), "invalidValue");
    let name = json!({ "givenName": "Ada" });
    pair.attribute("name", &json!([name]), &name, "invalidValue");
    let member = json!({ "schemas": [GROUP], "displayName": "Ops", "members": { "value": boss } });
    pair.off.post("/Groups", &member).scim_error("invalidValue");
    assert_eq!(
        pair.on.post("/Groups", &member).expect(201).members(),
        [boss.as_str()]
    );
}

#[test]
fn remove_value_list_removes_the_listed_members_only() {
    // PA-44
    let pair = pair(|switches, on| switches.remove_value_list = on);
    let (ada, bo) = (pair.app.user("ada"), pair.app.user("bo"));
    let path = format!("/Groups/{}", pair.app.group("Ops", &[&ada, &bo]));
    let change = one(json!({ "op": "remove", "path": "members", "value": [{ "value": ada }] }));
    let refused = pair.off.patch(&path, &change);
    refused.scim_failure(400);
    assert_eq!(pair.app.scim().get(&path).members().len(), 2, "nobody left");
    pair.on.patch(&path, &change).expect(204);
    assert_eq!(pair.app.scim().get(&path).members(), [bo.as_str()]);
}

#[test]
fn dotted_keys_are_paths() {
    // PA-16
    let pair = pair(|switches, on| switches.dotted_keys = on);
    let department = format!("{ENT}:department");
    let change = one(
        json!({ "op": "replace", "value": { "name.givenName": "Ada", department.as_str(): "Ops" } }),
    );
    let path = format!("/Users/{}", pair.app.user("ada"));
    let refused = pair.off.patch(&path, &change);
    refused.expect_below_500();
    let untouched = pair.app.scim().get(&path);
    assert!(untouched.json.get("name").is_none() && untouched.json.get(ENT).is_none());
    let taken = pair.on.patch(&path, &change);
    assert_eq!(
        taken.expect(200).json["name"],
        json!({ "givenName": "Ada" })
    );
    assert_eq!(taken.json[ENT], json!({ "department": "Ops" }));
}

#[test]
fn bracket_sub_filter_takes_a_part_behind_the_bracket() {
    // F-46, D-18
    let pair = pair(|switches, on| switches.bracket_sub_filter = on);
    let mut body = user("ada");
    body["emails"] = json!([{ "value": "a@x.test", "type": "work" }]);
    pair.app.scim().post("/Users", &body).expect(201);
    let path = "/Users?filter=emails[type eq \"work\"].value eq \"a@x.test\"";
    pair.off.get(path).scim_error("invalidFilter");
    assert_eq!(pair.on.get(path).expect(200).names("userName"), ["ada"]);
    pair.off
        .get("/Users?filter=emails[type eq \"work\" and value eq \"a@x.test\"]")
        .expect(200);
}

#[test]
fn ignore_unknown_attrs_leaves_out_what_no_schema_has() {
    // W-09, W-11
    let pair = pair(|switches, on| switches.ignore_unknown_attrs = on);
    pair.attribute(
        "name",
        &json!({ "givenName": "A", "preferred": "B" }),
        &json!({ "givenName": "A" }),
        "invalidValue",
    );
    let mut body = user("ada");
    body["favColor"] = json!("red");
    let refused = pair.off.post("/Users", &body);
    refused.scim_error("invalidValue");
    assert!(refused.text.contains("favColor"), "{refused:?}");
    let made = pair.on.post("/Users", &body);
    assert!(made.expect(201).json.get("favColor").is_none());
    let path = format!("/Users/{}", made.id());
    pair.off.put(&path, &body).scim_error("invalidValue");
    let change = one(json!({ "op": "add", "value": { "favColor": "red", "title": "x" } }));
    let refused = pair.off.patch(&path, &change);
    refused.scim_failure(400);
    assert!(pair.app.scim().get(&path).json.get("title").is_none());
    assert_eq!(pair.on.patch(&path, &change).expect(200).json["title"], "x");
}

#[test]
fn ignore_unknown_schemas_leaves_out_what_nobody_defined() {
    // W-10, D-08
    let pair = pair(|switches, on| switches.ignore_unknown_schemas = on);
    let path = format!("/Users/{}", pair.app.user("ada"));
    let named = json!({ "schemas": [USER, "urn:nobody:1"], "userName": "ada" });
    let contained = json!({ "schemas": [USER], "userName": "ada", "urn:nobody:1": { "x": 1 } });
    for body in [named, contained] {
        for refused in [pair.off.put(&path, &body), pair.off.post("/Users", &body)] {
            refused.scim_error("invalidValue");
            assert!(refused.text.contains("urn:nobody:1"), "{refused:?}");
        }
        assert!(
            !pair
                .on
                .put(&path, &body)
                .expect(200)
                .text
                .contains("nobody")
        );
    }
    let change = one(json!({ "op": "add", "value": { "title": "x", "urn:nobody:1": { "x": 1 } } }));
    pair.off.patch(&path, &change).scim_failure(400);
    assert!(pair.app.scim().get(&path).json.get("title").is_none());
    assert_eq!(pair.on.patch(&path, &change).expect(200).json["title"], "x");
}

#[test]
fn put_omitted_members_keeps_or_clears() {
    // R-12, D-20: an explicit list, empty or not, means the same under both
    let pair = pair(|switches, on| {
        switches.put_omitted_members = if on {
            OmittedMembers::Keep
        } else {
            OmittedMembers::Clear
        };
    });
    let ada = pair.app.user("ada");
    let path = format!("/Groups/{}", pair.app.group("Ops", &[&ada]));
    let body = json!({ "schemas": [GROUP], "displayName": "Ops" });
    assert_eq!(
        pair.on.put(&path, &body).expect(200).members(),
        [ada.as_str()]
    );
    assert!(pair.off.put(&path, &body).expect(200).members().is_empty());
    for client in [&pair.on, &pair.off] {
        assert_eq!(
            client
                .put(&path, &group("Ops", &[&ada]))
                .expect(200)
                .members(),
            [ada.as_str()]
        );
        assert!(
            client
                .put(&path, &group("Ops", &[]))
                .expect(200)
                .members()
                .is_empty()
        );
    }
}

#[test]
fn unknown_scim_member_skips_or_rejects() {
    // T-12, D-21
    let pair = pair(|switches, on| {
        switches.unknown_scim_member = if on {
            UnknownMember::SkipAndWarn
        } else {
            UnknownMember::Reject
        };
    });
    let ada = pair.app.user("ada");
    let path = format!("/Groups/{}", pair.app.group("Ops", &[]));
    let ghost = "0199a2c4-0000-7000-8000-000000000000";
    let change = patch(json!([add_members(&[&ada, ghost])]));
    for refused in [
        pair.off.patch(&path, &change),
        pair.off.put(&path, &group("Ops", &[&ada, ghost])),
        pair.off.post("/Groups", &group("New", &[&ada, ghost])),
    ] {
        refused.scim_error("invalidValue");
        assert!(
            refused.text.contains(ghost) && !refused.text.contains(&format!("`{ada}`")),
            "{refused:?}"
        );
    }
    assert!(pair.app.scim().get(&path).members().is_empty());
    assert_eq!(pair.app.scim().get("/Groups").json["totalResults"], 1);
    pair.on.patch(&path, &change).expect(204);
    assert_eq!(pair.app.scim().get(&path).members(), [ada.as_str()]);
    let put = pair.on.put(&path, &group("Ops", &[&ada, ghost]));
    assert_eq!(put.expect(200).members(), [ada.as_str()]);
}

#[test]
fn replace_creates_makes_the_element_that_is_not_there() {
    // PA-37
    let pair = pair(|switches, on| switches.replace_creates = on);
    let path = format!("/Users/{}", pair.app.user("ada"));
    let change = one(
        json!({ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "a@x.test" }),
    );
    pair.off.patch(&path, &change).scim_error("noTarget");
    assert!(pair.app.scim().get(&path).json.get("emails").is_none());
    let made = pair.on.patch(&path, &change);
    assert_eq!(
        made.expect(200).json["emails"],
        json!([{ "type": "work", "value": "a@x.test" }])
    );
    let entra = TestApp::with_entra();
    let path = format!("/Users/{}", entra.user("ada"));
    entra.scim().patch(&path, &change).expect(200);
}

#[test]
fn infer_schemas_takes_messages_that_do_not_say_what_they_are() {
    // W-03, D-07: resources, PATCH, search and bulk
    let pair = pair(|switches, on| switches.infer_schemas = on);
    let path = format!("/Users/{}", pair.app.user("ada"));
    let change = json!({ "Operations": [{ "op": "replace", "path": "title", "value": "x" }] });
    let bulk = json!({ "Operations": [{ "method": "DELETE", "path": "/Users/nobody" }] });
    let messages: [(&str, &str, Value); 7] = [
        ("POST", "/Users", json!({ "userName": "bo" })),
        ("POST", "/Users", json!({ "schemas": [], "userName": "cy" })),
        ("PUT", &path, json!({ "userName": "ada" })),
        ("PATCH", &path, change),
        ("POST", "/Users/.search", json!({ "count": 1 })),
        ("POST", "/.search", json!({ "count": 1 })),
        ("POST", "/Bulk", bulk),
    ];
    for (method, path, body) in &messages {
        let text = body.to_string();
        pair.off
            .send(method, path, Some(text.as_bytes()))
            .scim_error("invalidSyntax");
    }
    assert_eq!(pair.app.scim().get("/Users").json["totalResults"], 1);
    for (method, path, body) in &messages {
        let text = body.to_string();
        let taken = pair.on.send(method, path, Some(text.as_bytes()));
        assert!(matches!(taken.status, 200 | 201), "{taken:?}");
    }
    assert_eq!(pair.app.scim().get(&path).json["schemas"], json!([USER]));
}

#[test]
fn strict_mode_takes_what_the_rfc_says_and_nothing_else() {
    // every switch off at once: the RFC's own forms still pass
    let app = TestApp::new();
    let strict = app.scim_with("strict", Switches::strict());
    let boss = app.user("boss");
    let body = json!({
        "schemas": [USER, ENT], "userName": "ada", "active": true, "name": { "givenName": "Ada" },
        "emails": [{ "value": "a@x.test", "type": "work", "primary": true }], ENT: { "department": "Ops", "manager": { "value": boss } },
    });
    let made = strict.post("/Users", &body);
    let path = format!("/Users/{}", made.expect(201).id());
    let again = strict.put(&path, &made.json);
    assert_eq!(
        again.expect(200).json,
        made.json,
        "what was read can be sent back"
    );
    let changes = json!([
        { "op": "add", "path": "emails", "value": [{ "value": "b@x.test", "type": "home" }] },
        { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "c@x.test" },
        { "op": "replace", "value": { "title": "x", ENT: { "department": "Dev" } } },
        { "op": "remove", "path": "name.givenName" },
        { "op": "remove", "path": "emails[type eq \"home\"]" },
    ]);
    let changed = strict.patch(&path, &patch(changes));
    assert_eq!(
        changed.expect(200).json["emails"],
        json!([{ "value": "c@x.test", "type": "work", "primary": true }])
    );
    assert_eq!(
        (&changed.json["title"], &changed.json[ENT]["department"]),
        (&json!("x"), &json!("Dev"))
    );
    assert!(changed.json.get("name").is_none());
    let made = strict.post("/Groups", &group("Ops", &[&boss]));
    let ops = format!("/Groups/{}", made.expect(201).id());
    strict.put(&ops, &made.json).expect(200);
    let changes = json!([crate::harness::remove_member(&boss), add_members(&[&boss])]);
    strict.patch(&ops, &patch(changes)).expect(204);
    let before = (app.scim().get(&path).json, app.scim().get(&ops).json);
    for (target, change) in [
        (&path, json!({ "op": "Add", "path": "title", "value": "y" })),
        (
            &path,
            json!({ "op": "replace", "path": "active", "value": "False" }),
        ),
        (
            &path,
            json!({ "op": "replace", "value": { "name.givenName": "A" } }),
        ),
        (
            &path,
            json!({ "op": "replace", "path": "emails", "value": { "value": "z@x.test" } }),
        ),
        (
            &path,
            json!({ "op": "add", "value": { "favColor": "red" } }),
        ),
        (
            &path,
            json!({ "op": "add", "value": { "urn:nobody:1": { "x": 1 } } }),
        ),
        (
            &path,
            json!({ "op": "replace", "path": "emails[type eq \"other\"].value", "value": "z@x.test" }),
        ),
        (
            &ops,
            json!({ "op": "remove", "path": "members", "value": [{ "value": boss }] }),
        ),
        (
            &ops,
            json!({ "op": "add", "path": "members", "value": [{ "value": boss }, { "value": "ghost" }] }),
        ),
        (
            &ops,
            json!({ "op": "add", "path": "members", "value": boss }),
        ),
    ] {
        strict.patch(target, &one(change)).scim_failure(400);
    }
    assert_eq!(
        (app.scim().get(&path).json, app.scim().get(&ops).json),
        before
    );
    let emptied = strict.put(&ops, &json!({ "schemas": [GROUP], "displayName": "Ops" }));
    assert!(emptied.expect(200).members().is_empty());
}
