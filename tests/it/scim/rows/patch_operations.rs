//! `add`, `replace` and `remove`, one by one. Checklist §19.2 to §19.4.

use rollcall::scim::switches::Switches;

use super::acme::{ACME, SHOWN, app};
use crate::harness::{USER, Value, group, json, patch};
use crate::scim::people::people;

// PA-31, PA-32, PA-33, PA-35, PA-36, PA-36a, PA-36b
#[test]
fn add_sets_merges_appends_and_creates() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Users/{}", p.u2);
    let run = |operation: Value| scim.patch(&path, &patch(json!([operation])));
    assert_eq!(
        run(json!({ "op": "add", "path": "title", "value": "Lead" }))
            .expect(200)
            .json["title"],
        "Lead"
    );
    assert_eq!(
        run(json!({ "op": "add", "path": "name", "value": { "givenName": "Bo" } }))
            .expect(200)
            .json["name"],
        json!({ "familyName": "Li", "givenName": "Bo" })
    );
    let emails = |reply: &crate::harness::Reply| reply.expect(200).json["emails"].clone();
    assert_eq!(emails(&run(json!({ "op": "add", "path": "emails", "value": [{ "value": "b@home.test", "type": "home" }] }))).as_array().map(Vec::len), Some(2));
    let merged = emails(&run(
        json!({ "op": "add", "path": "emails", "value": [{ "value": "bo@acme.test", "type": "work", "display": "Office" }] }),
    ));
    assert_eq!(
        merged[0],
        json!({ "value": "bo@acme.test", "type": "work", "display": "Office" })
    );
    let through = emails(&run(
        json!({ "op": "add", "path": "emails[type eq \"home\"].display", "value": "Home" }),
    ));
    assert_eq!(through[1]["display"], "Home");
    let created = emails(&run(
        json!({ "op": "add", "path": "emails[type eq \"other\" and display eq \"X\"].value", "value": "x@x.test" }),
    ));
    assert_eq!(
        created[2],
        json!({ "type": "other", "display": "X", "value": "x@x.test" })
    );
    run(json!({ "op": "add", "path": "emails[type sw \"q\"].value", "value": "q@x.test" }))
        .scim_error("noTarget");
    assert_eq!(
        emails(&run(
            json!({ "op": "add", "path": "emails.type", "value": "work" })
        ))
        .as_array()
        .map(|all| all.iter().all(|one| one["type"] == "work")),
        Some(true)
    );
    run(json!({ "op": "add", "path": "phoneNumbers.type", "value": "work" }))
        .scim_error("noTarget");
    assert_eq!(
        run(json!({ "op": "add", "path": "title", "value": "" }))
            .expect(200)
            .json
            .get("title"),
        None
    );
    let before = scim.get(&path).json.clone();
    for nothing in [json!([]), Value::Null] {
        assert_eq!(
            run(json!({ "op": "add", "path": "emails", "value": nothing }))
                .expect(200)
                .json,
            before
        );
    }
}

// PA-37, PA-39, PA-40, PA-41, PA-42, PA-43
#[test]
fn replace_replaces_what_is_there() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Users/{}", p.u1);
    let run = |operation: Value| scim.patch(&path, &patch(json!([operation])));
    let before = scim.get(&path).json.clone();
    run(json!({ "op": "replace", "path": "emails[type eq \"fax\"].value", "value": "x@x.test" }))
        .scim_error("noTarget");
    run(json!({ "op": "replace", "path": "emails[type eq \"fax\"]", "value": { "value": "x@x.test" } })).scim_error("noTarget");
    assert_eq!(
        run(json!({ "op": "replace", "path": "emails[type eq \"fax\"].value", "value": "" }))
            .expect(200)
            .json,
        before
    );
    let creating = p.app.scim_with(
        "creating",
        Switches {
            replace_creates: true,
            ..Switches::default()
        },
    );
    let made = creating.patch(&path, &patch(json!([{ "op": "replace", "path": "emails[type eq \"other\"].value", "value": "x@x.test" }])));
    assert_eq!(
        made.expect(200).json["emails"][2],
        json!({ "type": "other", "value": "x@x.test" })
    );
    let logged = p.app.logged("the patch", |row| {
        row["operation"] == "patch" && row["outcome"] == "success"
    });
    assert!(
        logged["warnings"].to_string().contains("replace_created"),
        "{logged}"
    );
    assert_eq!(
        run(json!({ "op": "replace", "path": "nickName", "value": "Ad" }))
            .expect(200)
            .json["nickName"],
        "Ad"
    );
    assert_eq!(
        run(json!({ "op": "replace", "path": "name", "value": { "givenName": "A" } }))
            .expect(200)
            .json["name"],
        json!({ "givenName": "A", "familyName": "Okafor" })
    );
    let merged = run(
        json!({ "op": "replace", "path": "emails[type eq \"work\"]", "value": { "display": "Work" } }),
    );
    assert_eq!(
        merged.expect(200).json["emails"][0],
        json!({ "value": "ada@acme.test", "type": "work", "primary": true, "display": "Work" })
    );
    let cleared =
        run(json!({ "op": "replace", "path": "emails[type eq \"home\"].value", "value": null }));
    assert_eq!(
        cleared.expect(200).json["emails"].as_array().map(Vec::len),
        Some(2)
    );
    let deleted = run(json!({ "op": "replace", "path": "emails[type eq \"other\"]", "value": [] }));
    assert_eq!(
        deleted.expect(200).json["emails"].as_array().map(Vec::len),
        Some(1)
    );
    for value in [json!([]), Value::Null] {
        run(json!({ "op": "replace", "path": "emails", "value": [{ "value": "z@x.test" }] }))
            .expect(200);
        assert_eq!(
            run(json!({ "op": "replace", "path": "emails", "value": value }))
                .expect(200)
                .json
                .get("emails"),
            None
        );
    }
}

// PA-44, PA-45, PA-46, PA-47, PA-50, PA-53
#[test]
fn remove_takes_what_was_named_and_no_more() {
    let app = app();
    let scim = app.scim();
    let body = json!({ "schemas": [USER, ACME], "userName": "eve", "title": "x", "emails": [{ "value": "a@x.test", "type": "work", "primary": true }, { "value": "b@x.test", "type": "home" }, { "value": "c@x.test", "type": "other" }], ACME: { "tags": ["red", "Blue"] } });
    let path = format!("/Users/{}", scim.post("/Users", &body).expect(201).id());
    let run = |operation: Value| {
        scim.patch(&path, &patch(json!([operation])))
            .expect(200)
            .json
            .clone()
    };
    let values = |after: &Value| -> Vec<String> {
        after["emails"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| one["value"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(
        values(&run(
            json!({ "op": "Remove", "path": "emails", "value": [{ "value": "B@x.test" }, { "value": "nobody@x.test" }] })
        )),
        ["a@x.test", "c@x.test"]
    );
    assert_eq!(
        values(&run(
            json!({ "op": "remove", "path": "emails", "value": [] })
        )),
        ["a@x.test", "c@x.test"]
    );
    assert_eq!(
        values(&run(
            json!({ "op": "remove", "path": "emails", "value": [{ "value": "c@x.test", "type": "work" }] })
        )),
        ["a@x.test", "c@x.test"]
    );
    assert_eq!(
        values(&run(
            json!({ "op": "remove", "path": "emails[type eq \"work\"].value" })
        )),
        ["c@x.test"],
        "an element of labels only is dropped"
    );
    assert_eq!(
        run(json!({ "op": "remove", "path": "emails[value ew \"x.test\"]" })).get("emails"),
        None
    );
    assert_eq!(
        run(json!({ "op": "remove", "path": "title" })).get("title"),
        None
    );
    assert_eq!(
        run(json!({ "op": "remove", "path": format!("{ACME}:tags eq \"Blue\"") }))[ACME]["tags"],
        json!(["red"])
    );
    assert_eq!(
        run(json!({ "op": "remove", "path": format!("{ACME}:tags[value eq \"red\"]") })).get(ACME),
        None
    );
    let members = app.users(3);
    let ids: Vec<&str> = members.iter().map(String::as_str).collect();
    let group = format!(
        "/Groups/{}",
        scim.post("/Groups", &group("Ops", &ids)).expect(201).id()
    );
    let list = json!([{ "op": "remove", "path": "members", "value": [{ "value": ids[1] }] }]);
    scim.patch(&group, &patch(list.clone())).expect(204);
    assert_eq!(scim.get(&group).members().len(), 2);
    let strict = app.scim_with("strict", Switches::strict());
    strict.patch(&group, &patch(list)).scim_failure(400);
    assert_eq!(
        scim.get(&group).members().len(),
        2,
        "a strict reading must not empty the group"
    );
    scim.patch(
        &group,
        &patch(json!([{ "op": "remove", "path": "members", "value": null }])),
    )
    .expect(204);
    assert!(scim.get(&group).members().is_empty());
}

// PA-26, M-23: immutable values, also inside elements
#[test]
fn an_immutable_value_is_added_once() {
    let app = app();
    let scim = app.scim();
    let path = format!("/Users/{}", app.user("eve"));
    let run = |op: &str, target: String, value: Value| {
        scim.patch(
            &path,
            &patch(json!([{ "op": op, "path": target, "value": value }])),
        )
    };
    run("add", format!("{ACME}:serial"), json!("S1")).expect(200);
    let tag = scim.get(&path).etag();
    assert_eq!(
        run("replace", format!("{ACME}:serial"), json!("S1"))
            .expect(200)
            .etag(),
        tag
    );
    run("add", format!("{ACME}:serial"), json!("S2")).scim_error("mutability");
    run("remove", format!("{ACME}:serial"), Value::Null).scim_error("mutability");
    run("remove", ACME.to_owned(), Value::Null).scim_error("mutability");
    run(
        "add",
        format!("{SHOWN}:devices"),
        json!([{ "value": "phone", "serial": "P-1", "label": "a" }, { "value": "tablet" }]),
    )
    .expect(200);
    let inside = |part: &str| format!("{SHOWN}:devices[value eq \"phone\"].{part}");
    run("replace", inside("serial"), json!("P-2")).scim_error("mutability");
    run("remove", inside("serial"), Value::Null).scim_error("mutability");
    run(
        "add",
        format!("{SHOWN}:devices"),
        json!([{ "value": "phone", "serial": "P-2" }]),
    )
    .scim_error("mutability");
    run(
        "replace",
        format!("{SHOWN}:devices"),
        json!([{ "value": "phone", "serial": "P-2" }]),
    )
    .scim_error("mutability");
    run("replace", inside("label"), json!("b")).expect(200);
    run(
        "add",
        format!("{SHOWN}:devices[value eq \"tablet\"].serial"),
        json!("T-1"),
    )
    .expect(200);
    let devices = scim.get(&path).json[SHOWN]["devices"].clone();
    assert_eq!(
        devices,
        json!([{ "value": "phone", "serial": "P-1", "label": "b" }, { "value": "tablet", "serial": "T-1" }])
    );
    let gone = run(
        "remove",
        format!("{SHOWN}:devices[value eq \"phone\"]"),
        Value::Null,
    );
    assert_eq!(
        gone.expect(200).json[SHOWN]["devices"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}
