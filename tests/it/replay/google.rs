//! Google Workspace. Interop notes §7, thin evidence: POST, PATCH or PUT, deactivate, and a DELETE days later; no groups.

use crate::harness::{TestApp, USER, json, patch};

#[test]
fn an_account_is_made_changed_suspended_and_deleted_days_later() {
    let app = TestApp::new();
    let scim = app.scim();
    let body = json!({ "schemas": [USER], "userName": "kai@acme.test", "name": { "givenName": "Kai", "familyName": "Lund" }, "emails": [{ "value": "kai@acme.test", "primary": true }], "active": true });
    assert_eq!(
        scim.get("/Users?filter=userName eq \"kai@acme.test\"")
            .expect(200)
            .json["totalResults"],
        0
    );
    let id = scim.post("/Users", &body).expect(201).id();
    let path = format!("/Users/{id}");
    let group = app.group("Made by hand", &[&id]);
    let mut renamed = body.clone();
    renamed["name"]["familyName"] = json!("Berg");
    assert_eq!(
        scim.put(&path, &renamed).expect(200).json["name"]["familyName"],
        "Berg"
    );
    assert_eq!(
        scim.patch(
            &path,
            &patch(json!([{ "op": "replace", "path": "active", "value": false }]))
        )
        .expect(200)
        .json["active"],
        false
    );
    assert_eq!(
        scim.get(&format!("/Groups/{group}")).members(),
        [id.as_str()]
    );
    for days in [1, 6, 23] {
        app.clock.advance_millis(days * 24 * 3_600_000);
        assert_eq!(scim.get(&path).expect(200).json["active"], false);
    }
    scim.delete(&path).expect(204);
    scim.get(&path).scim_failure(404);
    assert!(scim.get(&format!("/Groups/{group}")).members().is_empty());
    assert_ne!(scim.post("/Users", &body).expect(201).id(), id);
}
