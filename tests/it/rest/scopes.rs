//! Every route with every wrong token: none, of the other kind, with every scope but its own.

use super::walk::{Site, operations};
use crate::harness::TestApp;

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
