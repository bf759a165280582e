//! The whole method × endpoint matrix, and what holds of every path. Checklist §7.1; RFC 7644 §3.2.

use super::acme::SEARCH;
use crate::harness::{GROUP, Reply, TestApp, USER, Value, group, json, patch, user};

/// What a resource, a list or a query accepts.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

struct World {
    app: TestApp,
    ada: String,
    ops: String,
}

fn world() -> World {
    let app = TestApp::new();
    let ada = app.user("ada");
    let ops = app.group("Ops", &[&ada]);
    World { app, ada, ops }
}

impl World {
    /// Sends a method to a path with a body that fits both.
    fn ask(&self, method: &str, path: &str) -> Reply {
        let scim = self.app.scim();
        let is_group = path.starts_with("/Groups");
        let body: Option<Value> = match method {
            "POST" if path.ends_with("/.search") => {
                Some(json!({ "schemas": [SEARCH], "count": 1 }))
            }
            "POST" if path == "/Bulk" => Some(json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                "Operations": [{ "method": "DELETE", "path": "/Users/nobody" }],
            })),
            "POST" if is_group => Some(group("New", &[])),
            "POST" => Some(user("new")),
            "PUT" if is_group => Some(group("Ops", &[&self.ada])),
            "PUT" => Some(user("ada")),
            "PATCH" => Some(patch(
                json!([{ "op": "add", "path": "externalId", "value": "x" }]),
            )),
            _ => None,
        };
        let body = body.map(|body| body.to_string());
        scim.send(method, path, body.as_deref().map(str::as_bytes))
    }
}

#[test]
fn every_cell_of_the_matrix_answers_as_it_should() {
    // H-05, H-06, H-16: what is not possible is 405 with `Allow` and a SCIM body, what is not there 404
    let (none, missing) = (405, 404);
    let world = world();
    let (ada, ops) = (
        format!("/Users/{}", world.ada),
        format!("/Groups/{}", world.ops),
    );
    let schema = format!("/Schemas/{USER}");
    for (path, expected) in [
        ("/Users", [200, 201, none, none, none]),
        ("/Groups", [200, 201, none, none, none]),
        ("/Users/nobody", [missing, none, missing, missing, missing]),
        ("/Groups/nobody", [missing, none, missing, missing, missing]),
        ("/Users/.search", [none, 200, none, none, none]),
        ("/Groups/.search", [none, 200, none, none, none]),
        ("/.search", [none, 200, none, none, none]),
        ("/", [200, none, none, none, none]),
        ("", [200, none, none, none, none]),
        ("/Bulk", [none, 200, none, none, none]),
        ("/ServiceProviderConfig", [200, none, none, none, none]),
        ("/ResourceTypes", [200, none, none, none, none]),
        ("/ResourceTypes/User", [200, none, none, none, none]),
        ("/ResourceTypes/Robot", [missing, none, none, none, none]),
        ("/Schemas", [200, none, none, none, none]),
        (&schema, [200, none, none, none, none]),
        ("/Schemas/urn:nobody:1", [missing, none, none, none, none]),
        ("/Robots", [missing; 5]),
        ("/Users/x/y", [missing; 5]),
        ("/users", [missing; 5]),
        ("/Bulk/x", [missing; 5]),
        // last: these go
        (&ops, [200, none, 200, 204, 204]),
        (&ada, [200, none, 200, 200, 204]),
    ] {
        for (method, status) in METHODS.into_iter().zip(expected) {
            let reply = world.ask(method, path);
            if status < 400 {
                reply.expect(status);
                continue;
            }
            reply.scim_failure(status);
            if status == 405 {
                let allow = reply.header("allow");
                assert!(!allow.contains(method), "{method} {path}: {allow}");
                for (other, status) in METHODS.into_iter().zip(expected) {
                    assert_eq!(
                        allow.split(", ").any(|one| one == other),
                        status != 405,
                        "{path}: {allow}"
                    );
                }
                assert!(allow.contains("OPTIONS"), "{path}: {allow}");
            }
        }
    }
}

#[test]
fn methods_nobody_knows_are_405_too() {
    // H-06
    let world = world();
    for path in [
        "/Users",
        "/Bulk",
        "/Schemas",
        "/.search",
        "/ServiceProviderConfig",
    ] {
        for method in ["TRACE", "PROPFIND", "LINK"] {
            let reply = world.app.scim().send(method, path, None);
            reply.scim_failure(405);
            assert!(!reply.header("allow").is_empty());
        }
    }
}

#[test]
fn head_is_get_without_its_body_and_options_names_the_methods() {
    // H-13
    let world = world();
    let scim = world.app.scim();
    for path in [
        "/Users".to_owned(),
        "/Groups?count=1".to_owned(),
        format!("/Users/{}", world.ada),
        format!("/Groups/{}", world.ops),
        "/Users/nobody".to_owned(),
        "/".to_owned(),
        "/ServiceProviderConfig".to_owned(),
        "/ResourceTypes".to_owned(),
        "/ResourceTypes/Group".to_owned(),
        "/Schemas".to_owned(),
        format!("/Schemas/{GROUP}"),
    ] {
        let (got, head) = (scim.get(&path), scim.send("HEAD", &path, None));
        assert_eq!(head.status, got.status, "{path}");
        assert!(head.text.is_empty(), "{path}");
        for (name, value) in &got.headers {
            if name != "date" && name != "x-request-id" {
                assert_eq!(head.header(name), value, "{path}: {name}");
            }
        }
    }
    for path in [
        "/Users",
        "/Groups/x",
        "/.search",
        "/Bulk",
        "/Schemas",
        "/",
        "/ServiceProviderConfig",
    ] {
        let options = scim.send("OPTIONS", path, None);
        assert!(options.expect(204).text.is_empty());
        assert!(options.header("content-type").is_empty());
        let allow = options.header("allow");
        let refused = scim.send("TRACE", path, None);
        assert_eq!(allow, refused.header("allow"), "{path}");
        assert!(allow.contains("OPTIONS"), "{path}: {allow}");
    }
}

#[test]
fn the_version_stands_in_the_path_and_no_other_is_spoken() {
    // H-01, H-02, H-03, H-04
    let world = world();
    let token = world.app.token("scim", None, None);
    let root = world.app.client("", Some(&token));
    root.get("/scim/v2/Users").expect(200);
    for path in [
        "/scim/v1/Users",
        "/scim/v3/Users",
        "/scim/v1",
        "/scim/v20/Schemas",
    ] {
        for method in ["GET", "POST"] {
            root.send(method, path, None).scim_error("invalidVers");
        }
    }
    root.get("/scim/Users").scim_failure(404);
    root.get("/Users").scim_failure(404);
}

#[test]
fn resource_types_have_plural_endpoints_that_answer() {
    // H-08
    let world = world();
    let types = world.app.scim().get("/ResourceTypes");
    for one in types.expect(200).json["Resources"]
        .as_array()
        .expect("types")
    {
        let endpoint = one["endpoint"].as_str().unwrap_or_default();
        let name = one["name"].as_str().unwrap_or_default();
        assert_eq!(endpoint, format!("/{name}s"));
        world.app.scim().get(endpoint).expect(200);
    }
}

#[test]
fn paths_keep_their_case_and_may_end_in_a_slash() {
    // H-09
    let world = world();
    let scim = world.app.scim();
    for path in [
        "/Users/".to_owned(),
        format!("/Users/{}/", world.ada),
        "/Schemas/".to_owned(),
        "/ServiceProviderConfig/".to_owned(),
    ] {
        scim.get(&path).expect(200);
        assert_eq!(
            scim.get(&path).json["meta"],
            scim.get(path.trim_end_matches('/')).json["meta"]
        );
    }
    let searched = json!({ "schemas": [SEARCH] });
    scim.post("/Users/.search/", &searched).expect(200);
    scim.post("/Users/", &user("bo")).expect(201);
    for path in [
        "/users",
        "/USERS",
        "/groups",
        "/schemas",
        "/bulk",
        "/serviceproviderconfig",
        "/Users/.Search",
    ] {
        scim.get(path).scim_failure(404);
    }
}

#[test]
fn unknown_parameters_are_ignored_and_names_match_in_any_case() {
    // H-10, H-11
    let world = world();
    let scim = world.app.scim();
    world.app.user("bo");
    let plain = scim.get("/Users").json;
    for query in [
        "foo=1",
        "foo=1&foo=2",
        "aadOptscim062020",
        "=x",
        "&&",
        "$top=1",
    ] {
        assert_eq!(
            scim.get(&format!("/Users?{query}")).expect(200).json,
            plain,
            "{query}"
        );
    }
    let second = scim
        .get("/Users?startindex=2&COUNT=1&SORTBY=userName&sortorder=ASCENDING&ATTRIBUTES=userName");
    assert_eq!(second.expect(200).names("userName"), ["bo"]);
    assert_eq!(second.json["startIndex"], 2);
    assert!(second.json["Resources"][0].get("meta").is_none());
    let created = scim.post("/Users?foo=1", &user("cy"));
    created.expect(201);
}

#[test]
fn percent_signs_and_plus_signs_are_read() {
    // H-12
    let world = world();
    let scim = world.app.scim();
    let mut body = user("a+b c@acme.test");
    body["externalId"] = json!("50% & more");
    scim.post("/Users", &body).expect(201);
    for filter in [
        "userName+eq+%22a%2Bb+c%40acme.test%22",
        "userName%20eq%20%22a%2bb%20c@acme.test%22",
        "externalId+eq+%2250%25+%26+more%22",
    ] {
        let found = scim.get(&format!("/Users?filter={filter}"));
        assert_eq!(found.expect(200).json["totalResults"], 1, "{filter}");
    }
    let encoded = scim.get(&format!("/%55sers/{}", world.ada));
    assert_eq!(encoded.expect(200).id(), world.ada);
    for broken in ["filter=%zz", "filter=%", "filter=%f", "attributes=%ff"] {
        scim.get(&format!("/Users?{broken}"))
            .scim_error("invalidValue");
    }
}

#[test]
fn an_id_of_an_impossible_form_is_not_found() {
    // H-14
    let world = world();
    for id in [
        "not-a-uuid",
        "1",
        "0",
        "%20",
        "%22",
        "null",
        "%F0%9F%98%80",
        "..%2F..%2Fetc",
        &"x".repeat(5_000),
        "*",
        "%00",
    ] {
        for kind in ["Users", "Groups"] {
            let path = format!("/{kind}/{id}");
            for method in ["GET", "PUT", "PATCH", "DELETE"] {
                world.ask(method, &path).scim_failure(404);
            }
        }
    }
}

#[test]
fn what_is_wrong_first_is_said_first() {
    // H-15, D-02
    let world = world();
    let app = &world.app;
    let nobody = app.client("/scim/v2", None);
    let reader = app.client(
        "/scim/v2",
        Some(&app.token("scim", Some("scim:read"), None)),
    );
    let scim = app.scim();
    let (missing, ada) = ("/Users/nobody".to_owned(), format!("/Users/{}", world.ada));
    let text = |client: &crate::harness::Client| client.with_header("Content-Type", "text/plain");
    let stale = scim.with_header("If-Match", "W/\"99\"");
    let huge = vec![b'['; 3 << 20];
    let no_shape = json!({ "schemas": [USER] });
    let no_meaning = patch(json!([{ "op": "replace", "path": "favColor", "value": "red" }]));

    // 401 before 404 and 405
    nobody.get("/Robots").scim_failure(401);
    nobody.send("PATCH", "/Users", Some(b"{")).scim_failure(401);
    text(&nobody)
        .send("POST", "/Users", Some(b"x"))
        .scim_failure(401);
    // 404 and 405 before 403, 415, 413, 400
    reader.send("PATCH", "/Users", Some(b"{")).scim_failure(405);
    text(&reader)
        .send("POST", "/Robots", Some(b"x"))
        .scim_failure(404);
    scim.send("PUT", "/Users", Some(&huge)).scim_failure(405);
    // 403 before 415, 413, 400, 404
    text(&reader)
        .send("POST", "/Users", Some(b"x"))
        .scim_failure(403);
    reader.send("PUT", &missing, Some(b"{")).scim_failure(403);
    reader.delete(&missing).scim_failure(403);
    // 415 before 413 and 400
    text(&scim)
        .send("POST", "/Users", Some(&huge))
        .scim_failure(415);
    // 413 before 400
    scim.send("PUT", &missing, Some(&huge)).scim_failure(413);
    // 400 for what is no JSON before 404, 404 before what it means
    for method in ["PUT", "PATCH"] {
        scim.send(method, &missing, Some(b"{"))
            .scim_error("invalidSyntax");
    }
    scim.put(&missing, &no_shape).scim_failure(404);
    scim.patch(&missing, &no_shape).scim_failure(404);
    scim.patch(&missing, &no_meaning).scim_failure(404);
    // 404 before 412
    stale.put(&missing, &user("x")).scim_failure(404);
    stale.delete(&missing).scim_failure(404);
    // 412 before what it means
    stale.put(&ada, &no_shape).scim_failure(412);
    stale.patch(&ada, &no_meaning).scim_failure(412);
    stale.patch(&ada, &no_shape).scim_failure(412);
    scim.patch(&ada, &no_meaning).scim_error("invalidPath");
    assert_eq!(scim.get(&ada).etag(), "W/\"1\"");
}

#[test]
fn a_feature_that_is_known_but_not_offered_is_501() {
    // H-07: creating one's own account through `/Me`
    let world = world();
    world.app.scim().post("/Me", &user("me")).scim_failure(501);
}
