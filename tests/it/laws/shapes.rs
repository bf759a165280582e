//! Laws over HTTP, tried on random users, filters and projections: a search is the list, what was read can be put
//! back, a projection leaks nothing and loses nothing, a PATCH is the PUT that says the same.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::ground::runner;
use super::people;
use crate::harness::{Client, ENT, TestApp, USER, Value, json, patch};

const SCHEMAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/scim/schemas");
const SHOWN: &str = "urn:example:scim:schemas:shown:1.0:User";
const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

fn app() -> TestApp {
    TestApp::with_schemas(SCHEMAS, "2026-03-02T09:00:00Z")
}

/// A server with these users, or fewer where a random one is refused; and their ids.
fn filled(users: &[Value]) -> (TestApp, Vec<String>) {
    let app = app();
    let mut ids = Vec::new();
    for user in users {
        app.clock.advance_millis(1_000);
        let made = app.scim().post("/Users", user);
        if made.status == 201 {
            ids.push(made.id());
        }
    }
    (app, ids)
}

/// A user with values of every kind of `returned`.
fn hidden(user: Value) -> Value {
    let mut user = user;
    user["schemas"] = json!([USER, ENT, SHOWN]);
    user["password"] = json!("pass-never-1");
    user[SHOWN] = json!({
        "badgeCode": "B-7", "pin": "pin-never-2", "remark": "remark", "shift": "early",
        "locker": { "number": "12", "code": "code-never-3", "note": "note", "color": "red" },
        "devices": [{ "value": "phone", "label": "work", "secret": "secret-never-4" }],
    });
    user
}

/// A query: a filter, an order, a page, a shape.
#[derive(Clone, Debug)]
struct Query {
    filter: Option<String>,
    sort: Option<(&'static str, &'static str)>,
    start: i64,
    count: i64,
    names: Option<(bool, Vec<String>)>,
}

fn names() -> impl Strategy<Value = Vec<String>> {
    let fixed = [
        "id",
        "schemas",
        "meta",
        "meta.version",
        "userName",
        "USERNAME",
        "name",
        "name.familyName",
        "emails",
        "emails.value",
        "emails.type",
        "phoneNumbers",
        "title",
        "active",
        "password",
        "groups",
        "nosuch",
        "externalId",
        ENT,
        SHOWN,
    ];
    let inside = [
        "pin",
        "remark",
        "shift",
        "badgeCode",
        "locker",
        "locker.code",
        "locker.note",
        "locker.color",
        "devices",
        "devices.secret",
        "devices.label",
    ];
    let all: Vec<String> = fixed
        .iter()
        .map(|name| (*name).to_owned())
        .chain(inside.iter().map(|name| format!("{SHOWN}:{name}")))
        .chain([format!("{ENT}:department")])
        .collect();
    prop::collection::vec(prop::sample::select(all), 1..6)
}

fn query() -> impl Strategy<Value = Query> {
    (
        prop::option::of(people::filter()),
        prop::option::of((
            prop::sample::select(vec![
                "userName",
                "title",
                "emails",
                "meta.created",
                "active",
                "nosuch",
                "name",
            ]),
            prop::sample::select(vec!["ascending", "descending"]),
        )),
        -1..6_i64,
        -1..6_i64,
        prop::option::of((any::<bool>(), names())),
    )
        .prop_map(|(filter, sort, start, count, names)| Query {
            filter,
            sort,
            start,
            count,
            names,
        })
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// The answers of the list and of the search.
fn both(scim: &Client, endpoint: &str, query: &Query) -> [(u16, Value); 2] {
    let mut url = format!(
        "{endpoint}?startIndex={}&count={}",
        query.start, query.count
    );
    let mut body = json!({ "schemas": [SEARCH], "startIndex": query.start, "count": query.count });
    if let Some(filter) = &query.filter {
        url.push_str(&format!("&filter={}", percent(filter)));
        body["filter"] = json!(filter);
    }
    if let Some((by, order)) = query.sort {
        url.push_str(&format!("&sortBy={by}&sortOrder={order}"));
        body["sortBy"] = json!(by);
        body["sortOrder"] = json!(order);
    }
    if let Some((only, names)) = &query.names {
        let parameter = if *only {
            "attributes"
        } else {
            "excludedAttributes"
        };
        url.push_str(&format!("&{parameter}={}", percent(&names.join(","))));
        body[parameter] = json!(names);
    }
    let listed = scim.get(&url);
    let found = scim.post(
        &format!("{}/.search", endpoint.trim_end_matches('/')),
        &body,
    );
    [(listed.status, listed.json), (found.status, found.json)]
}

// Q-13, TS-03
#[test]
fn a_search_is_the_list_for_every_query() {
    let app = app();
    let mut random = runner(48);
    let scim = app.scim();
    let found = random.run(
        &(people::users(4), prop::collection::vec(query(), 12)),
        |(users, queries)| {
            let made: Vec<String> = users
                .into_iter()
                .map(|user| scim.post("/Users", &hidden(user)))
                .filter(|reply| reply.status == 201)
                .map(|reply| reply.id())
                .collect();
            for query in &queries {
                for endpoint in ["/Users", "/"] {
                    let [listed, found] = both(&scim, endpoint, query);
                    prop_assert_eq!(&listed, &found, "{} {:?}", endpoint, query);
                    prop_assert!(
                        listed.0 == 200 || listed.0 == 400,
                        "{:?} {:?}",
                        listed,
                        query
                    );
                    prop_assert!(!listed.1.to_string().contains("never-"), "{}", listed.1);
                }
            }
            for id in made {
                scim.delete(&format!("/Users/{id}")).expect(204);
            }
            Ok(())
        },
    );
    if let Err(broken) = found {
        panic!("{broken}");
    }
}

// R-13, D-29
#[test]
fn what_was_read_can_be_put_back_whoever_it_is() {
    let mut random = runner(24);
    let found = random.run(&people::users(8), |users| {
        let (app, ids) = filled(&users.into_iter().map(hidden).collect::<Vec<_>>());
        let scim = app.scim();
        let group = app.group(
            "Everybody",
            &ids.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        for path in ids
            .iter()
            .map(|id| format!("/Users/{id}"))
            .chain([format!("/Groups/{group}")])
        {
            let before = scim.get(&path);
            app.clock.advance_millis(1_000);
            let put = scim
                .with_header("If-Match", &before.etag())
                .put(&path, &before.json);
            let after = scim.get(&path);
            // what is never shown, or only on request, was not in the body and is kept
            prop_assert_eq!(after.etag(), before.etag(), "{:?}", put);
            prop_assert_eq!(&after.json, &before.json);
            prop_assert_eq!(put.status, 200, "{:?}", put);
        }
        Ok(())
    });
    if let Err(broken) = found {
        panic!("{broken}");
    }
}

/// Every key of a resource, with the path to it.
fn paths(value: &Value, at: &str, into: &mut HashSet<String>) {
    match value {
        Value::Object(all) => {
            for (name, value) in all {
                let path = format!("{at}/{name}");
                paths(value, &path, into);
                into.insert(path);
            }
        }
        Value::Array(all) => all.iter().for_each(|value| paths(value, at, into)),
        _ => {}
    }
}

// a projection leaks nothing, and with its complement gives the whole
#[test]
fn a_projection_and_its_complement_are_the_whole() {
    let mut random = runner(24);
    let found = random.run(
        &(people::user(), prop::collection::vec(names(), 12)),
        |(user, wishes)| {
            let (app, ids) = filled(&[hidden(user)]);
            let Some(id) = ids.first() else { return Ok(()) };
            let get = |query: String| -> Result<Value, TestCaseError> {
                let reply = app.scim().get(&format!("/Users/{id}?{query}"));
                prop_assert_eq!(reply.status, 200, "{:?}", reply);
                prop_assert!(!reply.text.contains("never-"), "{:?}", reply);
                Ok(reply.json)
            };
            let whole = get(String::new())?;
            let (mut all, mut keys) = (HashSet::new(), HashSet::new());
            paths(&whole, "", &mut all);
            for names in wishes {
                let list = percent(&names.join(","));
                let only = get(format!("attributes={list}"))?;
                let rest = get(format!("excludedAttributes={list}"))?;
                for shown in [&only, &rest] {
                    prop_assert!(
                        shown["id"] == whole["id"] && shown["schemas"] == whole["schemas"],
                        "{}",
                        shown
                    );
                    prop_assert_eq!(&shown[SHOWN]["badgeCode"], &json!("B-7"));
                }
                keys.clear();
                paths(&rest, "", &mut keys);
                prop_assert!(
                    keys.is_subset(&all),
                    "{:?}: {} is no part of {}",
                    names,
                    rest,
                    whole
                );
                keys.clear();
                paths(&only, "", &mut keys);
                paths(&rest, "", &mut keys);
                let lost: Vec<&String> = all.difference(&keys).collect();
                prop_assert!(lost.is_empty(), "{:?} loses {:?}", names, lost);
            }
            Ok(())
        },
    );
    if let Err(broken) = found {
        panic!("{broken}");
    }
}

// TS-03: a PATCH is the PUT that says the same; done twice it is done once; taken back it never was
#[test]
fn a_patch_is_the_put_that_says_the_same() {
    let mut random = runner(32);
    let app = app();
    let scim = app.scim();
    let found = random.run(&(people::user(), people::user()), |(one, other)| {
        let made = scim.post("/Users", &one);
        if made.status != 201 {
            return Ok(());
        }
        let path = format!("/Users/{}", made.id());
        let plain = |value: &Value| { let mut one = value.clone(); one["meta"] = Value::Null; one };
        let before = scim.get(&path);
        let mut wanted = other.clone();
        wanted["active"] = json!(other["active"].as_bool().unwrap_or(true));
        let put = scim.put(&path, &wanted);
        if put.status != 200 {
            scim.delete(&path).expect(204);
            return Ok(());
        }
        let as_put = scim.get(&path).json;
        let back = scim.put(&path, &before.json);
        prop_assert_eq!(back.status, 200, "{:?}", back);
        prop_assert_eq!(plain(&back.json), plain(&before.json));
        let mut operations: Vec<Value> = Vec::new();
        for name in ["userName", "externalId", "displayName", "title", "emails", "phoneNumbers", "active"] {
            operations.push(match wanted.get(name).filter(|value| !value.is_null()) {
                Some(value) => json!({ "op": "replace", "path": name, "value": value }),
                None => json!({ "op": "remove", "path": name }),
            });
        }
        operations.push(json!({ "op": "remove", "path": "name" }));
        operations.push(json!({ "op": "add", "path": "name", "value": wanted["name"] }));
        operations.push(json!({ "op": "remove", "path": ENT }));
        operations.push(json!({ "op": "add", "value": { ENT: wanted[ENT] } }));
        let message = patch(json!(operations));
        // one that fails at the end undoes all
        let mut broken = operations.clone();
        broken.push(json!({ "op": "replace", "path": "emails[type eq \"nothing like it\"].value", "value": "x@x.test" }));
        let kept = scim.get(&path);
        prop_assert_eq!(scim.patch(&path, &patch(json!(broken))).status, 400);
        prop_assert_eq!(&scim.get(&path).json, &kept.json);
        let patched = scim.patch(&path, &message);
        prop_assert_eq!(patched.status, 200, "{:?}", patched);
        prop_assert_eq!(plain(&patched.json), plain(&as_put), "{}", message);
        let again = scim.patch(&path, &message);
        prop_assert_eq!(again.etag(), patched.etag(), "{:?}", again);
        scim.delete(&path).expect(204);
        Ok(())
    });
    if let Err(broken) = found {
        panic!("{broken}");
    }
}
