//! `/settings`: read with defaults, changed in part, guarded by versions (A1, A2, §2.1).

use crate::harness::build::rows;
use crate::harness::{TestApp, json};

#[test]
fn settings_have_defaults_merge_and_leave_an_event() {
    let app = TestApp::new();
    let api = app.api();
    let first = api.get("/settings");
    let first = &first.expect(200).json;
    assert_eq!(
        (&first["time_zone"], &first["renewal_window_days"]),
        (&json!("UTC"), &json!(30))
    );
    assert_eq!(
        first["approval"],
        json!({"self_signup": "manual", "invite": "auto", "import": "auto", "scim": "auto"})
    );
    let edit = json!({"time_zone": "Europe/Berlin", "return_grace_days": 7, "approval": {"scim": "manual"}});
    let dry = api.patch("/settings?dry_run=true", &edit);
    assert_eq!(
        dry.expect(200).json["response"]["body"]["return_grace_days"],
        7
    );
    assert_eq!(api.get("/settings").json["version"], 1);
    let edited = api.patch("/settings", &edit);
    let edited = &edited.expect(200).json;
    assert_eq!(
        (&edited["approval"]["scim"], &edited["approval"]["invite"]),
        (&json!("manual"), &json!("auto"))
    );
    assert_eq!(
        api.get("/whoami").json["tenant"]["time_zone"],
        "Europe/Berlin"
    );
    assert_eq!(rows(&api, "/audit-events?type=settings.updated").len(), 1);
    let wrong = api.patch(
        "/settings",
        &json!({"return_grace_days": -1, "scim": {"registers": "yes"}, "plan": "business"}),
    );
    assert_eq!(
        wrong.expect(422).json["errors"].as_array().map(Vec::len),
        Some(3)
    );
    let zone = api.patch("/settings", &json!({"time_zone": "Mars/Olympus"}));
    assert_eq!(zone.expect(422).json["errors"][0]["pointer"], "/time_zone");
}

#[test]
fn a_tenant_may_make_if_match_a_duty() {
    let app = TestApp::new();
    let api = app.api();
    let id = app.course("One");
    let path = format!("/courses/{id}");
    api.patch("/settings", &json!({"require_if_match": true}))
        .expect(200);
    let blind = api.patch(&path, &json!({"title": "Two"}));
    assert_eq!(blind.expect(428).json["code"], "precondition_required");
    let tag = api.get(&path).expect(200).etag();
    api.with_header("If-Match", &tag)
        .patch(&path, &json!({"title": "Two"}))
        .expect(200);
    api.with_header("If-Match", &tag)
        .patch(&path, &json!({"title": "Three"}))
        .expect(412);
    let tag = api.get("/settings").expect(200).etag();
    api.patch("/settings", &json!({"require_if_match": false}))
        .expect(428);
    api.with_header("If-Match", &tag)
        .patch("/settings", &json!({"require_if_match": false}))
        .expect(200);
    api.patch(&path, &json!({"title": "Four"})).expect(200);
}
