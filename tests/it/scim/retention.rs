//! What the server forgets, and when: profiles of accounts that have ended, bodies of the sync log.

use diesel::sql_types::Text;
use rollcall::store::statement::Stmt;

use crate::harness::build::rows;
use crate::harness::{TestApp, json, patch, user};

const MARK: &str = "ada.okafor.marker";

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Every account and every request in the log, ended and emptied ones too.
fn stored(app: &TestApp) -> String {
    let tenant = app.tenant;
    let lines = app.write(move |db| {
        let accounts = "SELECT user_name || ' ' || user_name_key || ' ' || COALESCE(display_name_key, '') || doc AS line FROM users WHERE tenant_id = ?";
        let log = "SELECT COALESCE(resource_label, '') || changes || notes || COALESCE(request_body, '') || \
                   COALESCE(response_body, '') AS line FROM sync_requests WHERE tenant_id = ?";
        let mut lines: Vec<Line> = db.load(Stmt::new(accounts).bind(tenant))?;
        lines.extend(db.load::<Line>(Stmt::new(log).bind(tenant))?);
        Ok(lines)
    });
    lines.into_iter().map(|one| one.line + "\n").collect()
}

fn days(app: &TestApp, count: i64) {
    app.clock.advance_millis(count * 24 * 60 * 60 * 1000);
}

#[test]
fn a_deleted_account_leaves_no_personal_data_after_the_period() {
    // SE-14: in no table, until then in the log only; the person's record of learning stays, and so does what is young
    let app = TestApp::with_okta();
    let scim = app.scim();
    let mut ada = user(MARK);
    ada["externalId"] = json!("HR-1");
    ada["nickName"] = json!("Ada the secret nickname");
    ada["emails"] = json!([{ "value": format!("{MARK}@acme.test") }]);
    let id = scim.post("/Users", &ada).expect(201).id();
    let bo = app.user("bo.marker");
    let change =
        patch(json!([{ "op": "replace", "path": "nickName", "value": "another secret nickname" }]));
    scim.patch(&format!("/Users/{id}"), &change).expect(200);
    scim.delete(&format!("/Users/{id}")).expect(204);
    app.logged("the deletion", |row| row["operation"] == "delete");
    app.reconcile();
    assert!(stored(&app).contains("secret nickname"), "not yet");

    days(&app, 100);
    let young = patch(json!([{ "op": "replace", "path": "nickName", "value": "young nickname" }]));
    scim.patch(&format!("/Users/{bo}"), &young).expect(200);
    app.reconcile();
    let left = stored(&app);
    assert!(
        !left.contains("secret nickname") && !left.contains(MARK),
        "{left}"
    );
    assert!(left.contains("young nickname") && left.contains("bo.marker"));
    let log = rows(&app.api(), "/sync/requests");
    let of_ada: Vec<_> = log.iter().filter(|row| row["resource_id"] == id).collect();
    assert!(of_ada.len() >= 3, "the requests are still told: {log:?}");
    app.check();
    // who comes back is known by the directory's id, and the name is free
    scim.get(&format!("/Users/{id}")).scim_failure(404);
    scim.post("/Users", &ada).expect(201);
    app.check();
}

#[test]
fn bodies_of_the_sync_log_go_after_the_tenants_period_and_a_round_ends_where_it_is_done() {
    // SE-14, B43: the setting decides; what happened is told without them
    let app = TestApp::new();
    let settings = json!({ "payload_retention_days": 10 });
    app.api().patch("/settings", &settings).expect(200);
    app.user("ada");
    let row = app.logged("the creation", |row| row["operation"] == "create");
    let path = format!("/sync/requests/{}", row["id"].as_str().expect("an id"));
    let bodies = |wanted: bool| {
        let shown = app.api().get(&path);
        let text = shown.expect(200).json.clone();
        assert_eq!(text["request_body"].is_null(), !wanted, "{text}");
        assert_eq!(text["response_body"].is_null(), !wanted, "{text}");
        assert_eq!(text["operation"], "create");
    };
    app.reconcile();
    bodies(true);
    days(&app, 9);
    app.reconcile();
    bodies(true);
    days(&app, 2);
    app.reconcile();
    bodies(false);
    app.reconcile();
    bodies(false);
}
