//! Tenants are walls (A6), and so are scopes: every route with every wrong token.

use super::walk::{Site, operations};
use crate::harness::{TestApp, add_members, group, json, patch, user};

/// The status a walker gets for what is not theirs: not found, or refused before anything is looked for.
const NOTHING: &[u16] = &[400, 404, 409, 422];

#[test]
fn no_route_reads_counts_or_writes_another_tenants_things() {
    let app = TestApp::new();
    let ours = Site::of(&app, "wombat");
    let (scim, api) = app.other_tenant();
    let theirs = Site::fill_in(scim, api, "numbat");
    let before = ours.everything();
    let mine = [
        &ours.group,
        &ours.course,
        &ours.spare_course,
        &ours.assignment,
        &ours.user,
        &ours.learner,
        &ours.outsider,
        &ours.enrollment,
        &ours.connection,
        &ours.jti,
        &ours.request,
    ];
    let mut leaks = Vec::new();
    let mut asked = 0;
    for operation in operations() {
        let name = format!("{} {}", operation.method, operation.path);
        // Our ids in the path, in the parameters and in the body.
        let reply = operation.send(&theirs.api, &ours);
        asked += 1;
        let names_ours = operation.address(&ours).contains("0")
            && operation.address(&ours) != operation.address(&theirs);
        if names_ours && !NOTHING.contains(&reply.status) {
            leaks.push(format!(
                "{name} with ids of another tenant: {}",
                reply.status
            ));
        }
        // What the answer says must not depend on the thing being there.
        let told = mine
            .iter()
            .filter(|id| !operation.address(&ours).contains(id.as_str()))
            .filter(|id| {
                operation
                    .body(&ours)
                    .is_none_or(|body| !body.to_string().contains(id.as_str()))
            })
            .any(|id| reply.text.contains(id.as_str()));
        if told || reply.text.contains("wombat") {
            leaks.push(format!("{name} tells of another tenant: {}", reply.text));
        }
        // Our ids in a body under their own path.
        if let Some(body) = operation
            .body(&ours)
            .filter(|body| *body != operation.body(&theirs).unwrap_or_default())
        {
            let bytes = body.to_string().into_bytes();
            let reply =
                theirs
                    .api
                    .send(&operation.method, &operation.address(&theirs), Some(&bytes));
            asked += 1;
            let refused = NOTHING.contains(&reply.status)
                || reply.json["results"].to_string().contains("not_found");
            // An id that only narrows what is done to nothing is no leak.
            let nothing_done = reply.json["state"].is_string()
                || reply.json["approved"] == 0
                || reply.status == 404;
            if !refused && !nothing_done {
                leaks.push(format!(
                    "{name} takes ids of another tenant in its body: {} {}",
                    reply.status, reply.text
                ));
            }
        }
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
    assert!(asked >= operations().len());
    assert_eq!(
        ours.everything(),
        before,
        "nothing of the other tenant has changed"
    );
}

#[test]
fn an_id_of_another_tenant_is_answered_like_one_that_never_was() {
    let app = TestApp::new();
    let ours = Site::of(&app, "wombat");
    let (scim, api) = app.other_tenant();
    let theirs = Site::fill_in(scim, api, "numbat");
    let never = "01a20000-0000-7000-8000-00000000abcd";
    for operation in operations() {
        if operation.method != "GET" || !operation.path.contains('{') {
            continue;
        }
        let address = operation.address(&ours);
        let strange = address
            .replace(&ours.id(&operation.path, "id"), never)
            .replace(&ours.jti, never);
        let (foreign, unknown) = (theirs.api.get(&address), theirs.api.get(&strange));
        assert_eq!(foreign.status, unknown.status, "{}", operation.path);
        let same = |reply: &crate::harness::Reply, id: &str| {
            (
                reply.json["code"].clone(),
                reply.json["detail"].to_string().replace(id, "ID"),
            )
        };
        let id = if operation.path.contains("jti") {
            ours.jti.clone()
        } else {
            ours.id(&operation.path, "id")
        };
        assert_eq!(
            same(&foreign, &id),
            same(&unknown, never),
            "{}",
            operation.path
        );
    }
}

#[test]
fn scim_is_walled_too() {
    let app = TestApp::new();
    let ours = Site::of(&app, "wombat");
    let (scim, api) = app.other_tenant();
    let theirs = Site::fill_in(scim, api, "numbat");
    let before = ours.everything();
    let add = patch(json!([add_members(&[&ours.user])]));
    for (kind, id, body) in [
        ("Users", &ours.user, user("new@acme.test")),
        ("Groups", &ours.group, group("new", &[])),
    ] {
        let path = format!("/{kind}/{id}");
        theirs.scim.get(&path).scim_failure(404);
        theirs.scim.put(&path, &body).scim_failure(404);
        theirs
            .scim
            .patch(
                &path,
                &patch(json!([{"op": "replace", "path": "externalId", "value": "x"}])),
            )
            .scim_failure(404);
        theirs.scim.delete(&path).scim_failure(404);
        let found = theirs.scim.get(&format!("/{kind}?filter=id eq \"{id}\""));
        assert_eq!(found.expect(200).json["totalResults"], 0);
        let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{"method": "DELETE", "path": path}]});
        assert_eq!(
            theirs.scim.post("/Bulk", &bulk).expect(200).json["Operations"][0]["status"],
            "404"
        );
    }
    theirs
        .scim
        .patch(&format!("/Groups/{}", theirs.group), &add)
        .scim_failure(400);
    theirs
        .scim
        .post("/Groups", &group("with a stranger", &[&ours.user]))
        .scim_failure(400);
    for filter in ["userName sw \"wombat\"", "displayName co \"wombat\""] {
        let found = theirs.scim.get(&format!("/?filter={filter}"));
        assert!(!found.text.contains("wombat"), "{found:?}");
    }
    assert_eq!(ours.everything(), before);
}

#[test]
fn every_route_wants_exactly_its_scope_and_no_other_token() {
    let app = TestApp::new();
    let site = Site::of(&app, "wombat");
    let all: Vec<String> = site.api.get("/whoami").expect(200).json["token"]["scopes"]
        .as_array()
        .expect("scopes")
        .iter()
        .filter_map(|one| one.as_str().map(str::to_owned))
        .collect();
    let nobody = app.client("/api/v1", None);
    let directory = app.client("/api/v1", Some(&app.token("scim", None, None)));
    for operation in operations() {
        let name = format!("{} {}", operation.method, operation.path);
        assert_eq!(
            operation.send(&nobody, &site).expect(401).json["code"],
            "unauthenticated",
            "{name}"
        );
        assert_eq!(
            operation.send(&directory, &site).expect(403).json["code"],
            "wrong_token_kind",
            "{name}"
        );
        let scopes = operation.scopes();
        if !scopes.is_empty() {
            for scope in &scopes {
                assert!(
                    all.contains(scope),
                    "{name} wants `{scope}`, which is no scope"
                );
            }
            let others: Vec<&str> = all
                .iter()
                .filter(|one| !scopes.contains(one))
                .map(String::as_str)
                .collect();
            let token = app.token("api", Some(&others.join(",")), None);
            let refused = operation.send(&app.client("/api/v1", Some(&token)), &site);
            assert_eq!(refused.expect(403).json["code"], "forbidden", "{name}");
            let told = refused.json["detail"].to_string();
            assert!(
                scopes.iter().any(|scope| told.contains(scope)),
                "{name}: {refused:?}"
            );
        }
        if operation.method == "GET" {
            let only = operation.scopes().join(",");
            let token = app.token(
                "api",
                Some(if only.is_empty() { "sync:read" } else { &only }),
                None,
            );
            let reply = operation.send(&app.client("/api/v1", Some(&token)), &site);
            assert!(
                ![401, 403].contains(&reply.status),
                "{name} with its scope alone: {reply:?}"
            );
        }
    }
}
