//! Tenants are walls in SCIM, too: every endpoint that is advertised, every method that it allows, Bulk and searches.

use super::isolation::changes;
use super::places::{NEVER, NOBODY, same};
use super::walk::Site;
use crate::harness::build::rows;
use crate::harness::{Client, GROUP, Reply, TestApp, USER, Value, add_members, json, patch};

const BADGE: &str = "urn:example:params:scim:schemas:badge:1.0:Badge";

/// A server that has everything switched on.
fn app() -> TestApp {
    TestApp::configured(|config| {
        config.group_memberships = true;
        config.schemas =
            Some(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/schemas").into());
    })
}

/// What is advertised.
fn endpoints(scim: &Client) -> Vec<String> {
    let types = scim.get("/ResourceTypes").expect(200).json["Resources"].clone();
    let types = types.as_array().expect("types");
    let all: Vec<String> = types
        .iter()
        .map(|one| one["endpoint"].as_str().expect("an endpoint").to_owned())
        .collect();
    for known in ["/Users", "/Groups", "/GroupMemberships"] {
        assert!(all.iter().any(|one| one == known), "{all:?}");
    }
    all
}

/// The methods of an address, as it says itself.
fn methods(scim: &Client, path: &str) -> Vec<String> {
    let allow = scim.send("OPTIONS", path, None);
    let allow = allow.expect(204).header("allow").to_owned();
    let all = allow
        .split(", ")
        .filter(|one| *one != "OPTIONS" && *one != "HEAD");
    all.map(str::to_owned).collect()
}

/// A resource of a tenant at an endpoint.
fn one_of(site: &Site, endpoint: &str) -> String {
    match endpoint {
        "/Users" => site.user.clone(),
        "/Groups" => site.group.clone(),
        "/Badges" => {
            let badge = json!({"schemas": [BADGE], "serial": format!("{}-1", site.mark), "displayName": "One"});
            site.scim.post(endpoint, &badge).expect(201).id()
        }
        other => site.scim.get(other).expect(200).json["Resources"][0]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{other}: give the tenant one of them"))
            .to_owned(),
    }
}

/// A body for an endpoint that names a user and a group.
fn body(endpoint: &str, user: &str, team: &str, name: &str) -> Value {
    match endpoint {
        "/Users" => {
            json!({"schemas": [USER, crate::harness::ENT], "userName": format!("new-{name}"),
            crate::harness::ENT: {"manager": {"value": user}}})
        }
        "/Groups" => {
            json!({"schemas": [GROUP], "displayName": format!("new {name}"), "members": [{"value": user}]})
        }
        "/GroupMemberships" => {
            json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:GroupMembership"],
            "group": {"value": team}, "member": {"value": user}})
        }
        _ => {
            json!({"schemas": [BADGE], "serial": name, "displayName": "One", "holder": {"value": user}})
        }
    }
}

/// A PATCH for an endpoint.
fn change(endpoint: &str, user: &str) -> Value {
    match endpoint {
        "/Groups" => patch(json!([add_members(&[user])])),
        _ => patch(json!([{"op": "replace", "path": "externalId", "value": "x"}])),
    }
}

/// Filters that would find a tenant's resources by a value.
fn filters(value: &str) -> Vec<String> {
    [
        "id",
        "externalId",
        "userName",
        "displayName",
        "emails.value",
        "members.value",
        "groups.value",
        "manager.value",
        "group.value",
        "member.value",
        "serial",
        "holder.value",
    ]
    .iter()
    .flat_map(|name| {
        [
            format!("{name} eq \"{value}\""),
            format!("not ({name} ne \"{value}\")"),
        ]
    })
    .chain([
        format!("userName sw \"{value}\""),
        format!("displayName co \"{value}\""),
    ])
    .collect()
}

#[track_caller]
fn alike(foreign: &Reply, sent: &[&str], unknown: &Reply, never: &[&str]) {
    assert_eq!(
        same(foreign, sent),
        same(unknown, never),
        "{foreign:?}\n{unknown:?}"
    );
}

#[test]
fn every_endpoint_answers_for_another_tenants_resource_as_for_none() {
    let app = app();
    let ours = Site::of(&app, "wombat");
    let (scim, api) = app.other_tenant();
    let theirs = Site::fill_in(scim, api, "numbat");
    let ids: Vec<(String, String)> = endpoints(&ours.scim)
        .into_iter()
        .map(|endpoint| (endpoint.clone(), one_of(&ours, &endpoint)))
        .collect();
    let scim = &theirs.scim;
    for path in ["", "/Users", "/Groups", "/GroupMemberships", "/Badges"] {
        let all = scim.get(&format!("{path}?count=200"));
        assert!(!all.expect(200).text.contains("wombat"), "{all:?}");
        assert!(
            !ours.ids().iter().any(|id| all.text.contains(id)),
            "{all:?}"
        );
    }
    // reads are logged behind their answers
    app.logged("what was read last", |row| {
        row["path"] == "/scim/v2/GroupMemberships"
    });
    let rows = app.rows_of(app.tenant);
    let mut asked = 0;
    let mut ask = |method: &str,
                   paths: (&str, &str),
                   bodies: (Option<Value>, Option<Value>),
                   sent: &[&str]| {
        let send = |path: &str, body: Option<Value>| {
            let bytes = body.map(|body| body.to_string().into_bytes());
            scim.send(method, path, bytes.as_deref())
        };
        let foreign = send(paths.0, bodies.0);
        alike(&foreign, sent, &send(paths.1, bodies.1), &[NEVER, NOBODY]);
        asked += 1;
    };
    for (endpoint, id) in &ids {
        let (item, none) = (format!("{endpoint}/{id}"), format!("{endpoint}/{NEVER}"));
        for method in methods(scim, &item) {
            let bodies = match method.as_str() {
                "PUT" => {
                    let whole = |user| Some(body(endpoint, user, &theirs.group, "put"));
                    (whole(&theirs.user), whole(&theirs.user))
                }
                "PATCH" => (
                    Some(change(endpoint, &theirs.user)),
                    Some(change(endpoint, &theirs.user)),
                ),
                "GET" | "DELETE" => (None, None),
                other => panic!("{item} allows {other}, which nothing here sends"),
            };
            ask(&method, (&item, &none), bodies, &[id]);
        }
        for method in methods(scim, endpoint) {
            match method.as_str() {
                "GET" => {
                    for value in [
                        id.as_str(),
                        "wombat-ann@acme.test",
                        "wombat team",
                        "wombat-1",
                    ] {
                        for (filter, never) in filters(value).iter().zip(filters(NOBODY)) {
                            let find = |filter: &str| format!("{endpoint}?filter={filter}");
                            ask(
                                "GET",
                                (&find(filter), &find(&never)),
                                (None, None),
                                &[value],
                            );
                            let search = |filter: &str| {
                                Some(
                                    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter}),
                                )
                            };
                            let path = format!("{endpoint}/.search");
                            ask(
                                "POST",
                                (&path, &path),
                                (search(filter), search(&never)),
                                &[value],
                            );
                        }
                    }
                }
                "POST" => {
                    // never both: a body that names nobody of this tenant
                    let foreign = body(endpoint, &ours.user, &ours.group, "foreign");
                    let unknown = body(endpoint, NEVER, NEVER, "unknown");
                    let sent = [ours.user.as_str(), &ours.group, "foreign"];
                    let send = |body: &Value| scim.post(endpoint, body);
                    alike(&send(&foreign), &sent, &send(&unknown), &[NEVER, "unknown"]);
                }
                other => panic!("{endpoint} allows {other}, which nothing here sends"),
            }
        }
        assert_eq!(methods(scim, &format!("{endpoint}/.search")), ["POST"]);
        // In a Bulk request each operation is judged alone.
        for method in ["PUT", "PATCH", "DELETE"] {
            let bulk = |path: &str| {
                let data = if method == "PATCH" {
                    change(endpoint, &theirs.user)
                } else {
                    body(endpoint, &theirs.user, &theirs.group, "bulk")
                };
                Some(
                    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                    "Operations": [{"method": method, "path": path, "data": data}]}),
                )
            };
            ask(
                "POST",
                ("/Bulk", "/Bulk"),
                (bulk(&item), bulk(&none)),
                &[id],
            );
        }
    }
    assert!(asked > 200, "{asked}");
    // members of another tenant in a group of one's own
    let team = format!("/Groups/{}", theirs.group);
    let add = |id: &str| scim.patch(&team, &patch(json!([add_members(&[id])])));
    alike(&add(&ours.user), &[&ours.user], &add(NEVER), &[NEVER]);
    let held = body("/Groups", &ours.user, "", "put");
    let unheld = body("/Groups", NEVER, "", "put");
    alike(
        &scim.put(&team, &held),
        &[&ours.user],
        &scim.put(&team, &unheld),
        &[NEVER],
    );
    assert_eq!(changes(&rows, &app.rows_of(app.tenant)), [""; 0]);
    for path in ["", "/Users", "/Groups", "/Badges"] {
        let cursor = ours.scim.get(&format!("{path}?cursor&count=1"));
        let Some(cursor) = cursor.expect(200).json["nextCursor"]
            .as_str()
            .map(str::to_owned)
        else {
            continue;
        };
        scim.get(&format!("{path}?cursor={cursor}&count=1"))
            .scim_failure(400);
    }
}

#[test]
fn simulations_and_replays_stay_in_their_tenant() {
    let app = TestApp::new();
    let ours = Site::of(&app, "wombat");
    let (scim, api) = app.other_tenant();
    let theirs = Site::fill_in(scim, api, "numbat");
    let rows_before = app.rows_of(app.tenant);
    let simulate = |user: &str, team: &str| {
        theirs.api.post(
            "/sync/simulate",
            &json!({"requests": [
                {"method": "PATCH", "path": format!("/Groups/{team}"), "body": patch(json!([add_members(&[user])]))},
                {"method": "DELETE", "path": format!("/Users/{user}")},
                {"method": "PUT", "path": format!("/Users/{user}"), "body": {"schemas": [USER], "userName": "x"}}
            ]}),
        )
    };
    let (foreign, unknown) = (simulate(&ours.user, &ours.group), simulate(NEVER, NEVER));
    foreign.expect(200);
    let sent = [ours.user.as_str(), &ours.group];
    alike(&foreign, &sent, &unknown, &[NEVER]);
    let listed = rows(&theirs.api, "/sync/requests");
    assert!(!json!(listed).to_string().contains("wombat"));
    assert_eq!(changes(&rows_before, &app.rows_of(app.tenant)), [""; 0]);
}

/// The literal addresses of the router; one that is new belongs into the walk above.
#[test]
fn no_address_of_the_router_is_left_out() {
    let source = include_str!("../../../src/http/routes.rs");
    let mut addresses: Vec<&str> = source
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| text.starts_with('/'))
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    assert_eq!(
        addresses,
        [
            "/.search",
            "/.well-known/jwks.json",
            "/.well-known/oauth-authorization-server",
            "/Bulk",
            "/Groups",
            "/Me",
            "/ResourceTypes",
            "/ResourceTypes/.search",
            "/ResourceTypes/{id}",
            "/Schemas",
            "/Schemas/.search",
            "/Schemas/{urn}",
            "/Users",
            "/healthz",
            "/metrics",
            "/oauth2/token",
            "/readyz",
            "/scim/v2",
            "/scim/v2/ServiceProviderConfig",
            "/scim/{version:v[0-9]+}",
            "/scim/{version:v[0-9]+}/{tail:.*}",
        ]
    );
}
