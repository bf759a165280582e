//! `/ServiceProviderConfig`. Checklist §8.1; RFC 7643 §5, RFC 9865 §4.

use rollcall::scim::switches::Switches;

use crate::harness::{Client, Reply, TestApp, Value, json, patch, user};

const URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

fn config(app: &TestApp) -> Reply {
    let config = app.scim().get("/ServiceProviderConfig");
    config.expect(200);
    config
}

#[test]
fn it_is_one_object_of_its_schema_without_an_id() {
    // SP-01, SP-03
    let app = TestApp::new();
    let config = config(&app);
    assert_eq!(config.json["schemas"], json!([URN]));
    assert!(config.json.get("id").is_none());
    assert!(config.json.get("Resources").is_none());
    assert_eq!(config.json["meta"]["resourceType"], "ServiceProviderConfig");
    assert_eq!(
        config.json["meta"]["location"],
        format!("{}/ServiceProviderConfig", app.scim_base())
    );
    for feature in ["patch", "bulk", "filter", "changePassword", "sort", "etag"] {
        assert!(config.json[feature]["supported"].is_boolean(), "{feature}");
    }
    for scheme in config.json["authenticationSchemes"]
        .as_array()
        .expect("schemes")
    {
        for part in ["type", "name", "description"] {
            assert!(
                scheme[part].as_str().is_some_and(|text| !text.is_empty()),
                "{scheme}"
            );
        }
    }
}

#[test]
fn every_attribute_of_it_is_in_its_published_schema() {
    // SP-01, SH-10: `etag` and `authenticationSchemes.type` too, which the RFC's own schema forgets
    let app = TestApp::new();
    let schema = app.scim().get(&format!("/Schemas/{URN}"));
    let attributes = schema.expect(200).json["attributes"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let find = |list: &[Value], name: &str| list.iter().find(|one| one["name"] == name).cloned();
    for (name, value) in config(&app).json.as_object().expect("an object") {
        if ["schemas", "meta"].contains(&name.as_str()) {
            continue;
        }
        let definition = find(&attributes, name).unwrap_or_else(|| panic!("{name} is published"));
        assert_eq!(definition["mutability"], "readOnly", "{name}");
        let subs = definition["subAttributes"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let first = value
            .as_array()
            .and_then(|all| all.first())
            .unwrap_or(value);
        for part in first.as_object().into_iter().flat_map(|all| all.keys()) {
            assert!(find(&subs, part).is_some(), "{name}.{part}");
        }
    }
}

#[test]
fn every_flag_tells_the_truth() {
    // SP-02: what is announced works, what is not announced is not done
    let app = TestApp::new();
    let scim = app.scim();
    let config = config(&app).json;
    let supported = |feature: &str| config[feature]["supported"] == true;
    let ada = format!("/Users/{}", app.user("ada"));
    app.user("bo");
    assert!(supported("patch"));
    let change = patch(json!([{ "op": "replace", "path": "title", "value": "x" }]));
    assert_eq!(scim.patch(&ada, &change).expect(200).json["title"], "x");
    assert!(supported("filter"));
    let found = scim.get("/Users?filter=title pr");
    assert_eq!(found.expect(200).names("userName"), ["ada"]);
    assert!(supported("sort"));
    let sorted = scim.get("/Users?sortBy=userName&sortOrder=descending");
    assert_eq!(sorted.expect(200).names("userName"), ["bo", "ada"]);
    assert!(supported("etag"));
    let stale = scim.with_header("If-Match", "W/\"1\"");
    stale.patch(&ada, &change).scim_failure(412);
    assert!(supported("bulk"));
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{ "method": "POST", "path": "/Users", "bulkId": "a", "data": user("cy") }],
    });
    let done = scim.post("/Bulk", &bulk);
    assert_eq!(done.expect(200).json["Operations"][0]["status"], "201");
    assert!(!supported("changePassword"));
    let secret = patch(json!([{ "op": "replace", "path": "password", "value": "x" }]));
    let tag = scim.get(&ada).etag();
    assert_eq!(
        scim.patch(&ada, &secret).expect(200).etag(),
        tag,
        "nothing was changed"
    );
    // no events are announced (SP-07), and there is no endpoint for them
    assert!(config.get("securityEvents").is_none());
}

#[test]
fn a_feature_that_is_off_is_announced_as_off_and_not_done() {
    // SP-02, B-01, PA-01, H-07, Q-22, S-01, K-01: each by itself, for the one connection whose switch it is
    let app = TestApp::new();
    let off = |name: &str| {
        let mut switches = json!({});
        switches[name] = json!(false);
        let connection = json!({ "name": name, "idp": "generic", "switches": switches });
        app.api().post("/connections", &connection).expect(201);
        app.client("/scim/v2", Some(&app.token("scim", None, Some(name))))
    };
    let ada = format!("/Users/{}", app.user("ada"));
    app.user("bo");
    let told = |client: &Client, expected: &[(&str, &str)]| {
        let mut config = client
            .get("/ServiceProviderConfig")
            .expect(200)
            .json
            .clone();
        for (feature, flag) in expected {
            assert_eq!(config[*feature][*flag], false, "{feature}.{flag}");
            config[*feature][*flag] = json!(true);
        }
        let usual = app.scim().get("/ServiceProviderConfig");
        assert_eq!(config, usual.json, "nothing else differs");
    };
    let change = patch(json!([{ "op": "replace", "path": "title", "value": "x" }]));
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{ "method": "PATCH", "path": ada, "data": change },
            { "method": "POST", "path": "/Users", "bulkId": "c", "data": user("cy") }],
    });

    let client = off("bulk");
    told(&client, &[("bulk", "supported")]);
    client.post("/Bulk", &bulk).scim_failure(501);
    client
        .send("POST", "/Bulk", Some(b"{ not json"))
        .scim_failure(501);

    let client = off("patch");
    told(&client, &[("patch", "supported")]);
    client.patch(&ada, &change).scim_failure(501);
    client.patch("/Users/nobody", &change).scim_failure(501);
    let done = client.post("/Bulk", &bulk);
    let operations = &done.expect(200).json["Operations"];
    assert_eq!(operations[0]["status"], "501");
    assert_eq!(operations[1]["status"], "201");
    assert!(app.scim().get(&ada).json["title"].is_null());
    client.put(&ada, &user("ada")).expect(200);

    let client = off("filter");
    told(&client, &[("filter", "supported")]);
    let filter = "userName eq \"ada\"";
    for path in ["/Users", "/Groups", "/"] {
        client
            .get(&format!("{path}?filter={filter}"))
            .scim_error("invalidFilter");
        client.get(path).expect(200);
    }
    let search = json!({ "schemas": [crate::scim::rows::acme::SEARCH], "filter": filter });
    client
        .post("/Users/.search", &search)
        .scim_error("invalidFilter");
    client.post("/.search", &search).scim_error("invalidFilter");

    let client = off("sort");
    told(&client, &[("sort", "supported")]);
    for query in [
        "sortBy=userName&sortOrder=descending",
        "sortBy=nosuch",
        "sortBy=userName&sortOrder=up",
    ] {
        let names = client
            .get(&format!("/Users?{query}"))
            .expect(200)
            .names("userName");
        assert_eq!(names, ["ada", "bo", "cy"], "{query}");
        client.get(&format!("/?{query}")).expect(200);
    }

    let client = off("cursors");
    told(&client, &[("pagination", "cursor")]);
    for query in ["cursor&count=1", "cursor=&count=1"] {
        let page = client.get(&format!("/Users?{query}"));
        assert_eq!(page.expect(200).json["startIndex"], 1, "{query}");
        assert!(page.json.get("nextCursor").is_none(), "{page:?}");
    }
    client.get("/Users?cursor=abc").scim_error("invalidCursor");

    // everybody else has them all, and a stranger reads the defaults (SP-04)
    assert_eq!(
        app.scim().post("/Bulk", &bulk).expect(200).json["Operations"][0]["status"],
        "200"
    );
    let stranger = app.client("/scim/v2", None).get("/ServiceProviderConfig");
    assert_eq!(stranger.json, config(&app).json);
}

#[test]
fn discovery_is_each_tenants_own() {
    // DC-05: flags by the switches of the caller's connection, types by the tenant's plan; what an operator's folder adds is
    // the server's
    let app = TestApp::on_starter();
    let (theirs, _) = app.other_tenant();
    let types = |client: &Client| client.get("/ResourceTypes").expect(200).names("name");
    assert_eq!(types(&app.scim()), ["User"]);
    assert_eq!(types(&theirs), ["User", "Group"]);
    let ours = app.scim_with(
        "plain",
        Switches {
            sort: false,
            ..Switches::default()
        },
    );
    let sorts = |client: &Client| {
        let config = client.get("/ServiceProviderConfig");
        config.expect(200).json["sort"]["supported"].clone()
    };
    assert_eq!(sorts(&ours), false);
    assert_eq!(sorts(&theirs), true);
}

#[test]
fn anybody_may_read_it_and_only_it() {
    // SP-04
    let app = TestApp::new();
    let nobody = app.client("/scim/v2", None);
    let anonymous = nobody.get("/ServiceProviderConfig");
    assert_eq!(anonymous.expect(200).json, config(&app).json);
    for path in [
        "/Schemas",
        "/ResourceTypes",
        "/ResourceTypes/User",
        "/Users",
    ] {
        nobody.get(path).scim_failure(401);
    }
    let forged = app.client("/scim/v2", Some("x.y.z"));
    forged.get("/ServiceProviderConfig").expect(200);
}

#[test]
fn the_limits_it_publishes_are_the_limits() {
    // SP-05
    let app = TestApp::new();
    let config = config(&app).json;
    let number = |feature: &str, name: &str| config[feature][name].as_u64().expect("a number");
    let most = number("filter", "maxResults");
    let page = app.scim().get(&format!("/Users?count={}", most + 1));
    assert_eq!(page.expect(200).json["totalResults"], 0);
    let largest = usize::try_from(number("bulk", "maxPayloadSize")).expect("a size");
    assert!(largest >= 1 << 20);
    let bulk = |padding: usize| {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{ "method": "DELETE", "path": "/Users/nobody" }],
        });
        let mut text = body.to_string();
        text.push_str(&" ".repeat(padding.saturating_sub(text.len())));
        text
    };
    app.scim()
        .send("POST", "/Bulk", Some(bulk(largest).as_bytes()))
        .expect(200);
    let refused = app
        .scim()
        .send("POST", "/Bulk", Some(bulk(largest + 1).as_bytes()));
    refused.scim_failure(413);
    assert!(refused.text.contains(&largest.to_string()), "{refused:?}");
    let many = usize::try_from(number("bulk", "maxOperations")).expect("a count");
    let operations: Vec<Value> = (0..=many)
        .map(|_| json!({ "method": "DELETE", "path": "/Users/x" }))
        .collect();
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations });
    let refused = app.scim().post("/Bulk", &body);
    refused.scim_failure(413);
    assert!(refused.text.contains(&many.to_string()), "{refused:?}");
}

#[test]
fn paging_is_published_as_it_is_done() {
    // SP-06
    let app = TestApp::new();
    let pagination = config(&app).json["pagination"].clone();
    assert_eq!(pagination["index"], true);
    assert_eq!(pagination["cursor"], true);
    assert_eq!(pagination["defaultPaginationMethod"], "index");
    let size = pagination["defaultPageSize"].as_u64().expect("a size");
    let most = pagination["maxPageSize"].as_u64().expect("a size");
    assert_eq!(config(&app).json["filter"]["maxResults"], most);
    assert!(size <= most);
    app.users(usize::try_from(size).expect("a size") + 1);
    let page = app.scim().get("/Users?attributes=id");
    assert_eq!(page.expect(200).json["itemsPerPage"], size);
}
