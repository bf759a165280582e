//! The sync log: one row for each request, and the row explains itself.

use crate::harness::{TestApp, USER, add_members, json, patch, user};

#[test]
fn every_request_leaves_one_row_with_its_outcome() {
    let app = TestApp::new();
    let ann = app.user("ann@acme.test");
    app.scim()
        .get("/Users?filter=userName eq \"ann@acme.test\"")
        .expect(200);
    app.scim().get(&format!("/Users/{ann}")).expect(200);
    app.scim()
        .post("/Users", &user("ANN@acme.test"))
        .expect(409);
    app.scim().send("POST", "/Users", Some(b"{")).expect(400);
    app.scim()
        .patch(
            &format!("/Users/{ann}"),
            &patch(json!([{ "op": "replace", "path": "title", "value": "Lead" }])),
        )
        .expect(200);
    app.scim().delete(&format!("/Users/{ann}")).expect(204);

    for (operation, outcome, status) in [
        ("create", "success", 201),
        ("probe", "success", 200),
        ("read", "success", 200),
        ("create", "rejected", 409),
        ("create", "rejected", 400),
        ("patch", "success", 200),
        ("delete", "success", 204),
    ] {
        app.logged(operation, |row| {
            row["operation"] == operation
                && row["outcome"] == outcome
                && row["http_status"] == status
        });
    }
    let all = crate::harness::build::rows(&app.api(), "/sync/requests");
    assert_eq!(all.len(), 7, "{}", json!(all));
}

#[test]
fn a_refusal_says_what_the_client_was_told() {
    let app = TestApp::new();
    app.user("ann@acme.test");
    let reply = app.scim().post("/Users", &user("ann@acme.test"));
    let row = app.logged("the refusal", |row| row["outcome"] == "rejected");
    assert_eq!(row["scim_type"], "uniqueness");
    let one = app.api().get(&format!(
        "/sync/requests/{}",
        row["id"].as_str().unwrap_or_default()
    ));
    assert_eq!(
        one.expect(200).json["id"].as_str(),
        Some(reply.header("x-request-id")),
        "the id the client saw"
    );
}

#[test]
fn no_password_and_no_token_gets_into_the_log() {
    let app = TestApp::new();
    let secret = "hunter2-correct-horse";
    app.scim()
        .post(
            "/Users",
            &json!({ "schemas": [USER], "userName": "ann", "password": secret }),
        )
        .expect(201);
    let ann = app.scim().get("/Users").names("id").remove(0);
    app.scim()
        .patch(
            &format!("/Users/{ann}"),
            &patch(json!([{ "op": "replace", "value": { "password": secret } }])),
        )
        .expect(200);
    app.scim()
        .patch(
            &format!("/Users/{ann}"),
            &patch(json!([{ "op": "replace", "path": "password", "value": secret }])),
        )
        .expect(200);
    app.scim()
        .post(
            "/Users",
            &json!({ "schemas": [USER], "userName": "ann", "PASSWORD": secret }),
        )
        .expect(409);
    app.logged("the refusal", |row| row["outcome"] == "rejected");
    for row in crate::harness::build::rows(&app.api(), "/sync/requests") {
        let one = app.api().get(&format!(
            "/sync/requests/{}",
            row["id"].as_str().unwrap_or_default()
        ));
        one.expect(200);
        assert!(!one.text.contains(secret), "{one:?}");
        assert!(!one.text.contains("eyJ"), "a token\n{one:?}");
    }
}

#[test]
fn a_change_of_members_says_how_many_came_and_went() {
    let app = TestApp::new();
    let users = app.users(3);
    let group = app.group("Sales", &[&users[0]]);
    let path = format!("/Groups/{group}");
    app.scim().patch(&path, &patch(json!([add_members(&[&users[1], &users[2]]), { "op": "remove", "path": format!("members[value eq \"{}\"]", users[0]) }]))).expect(204);
    let row = app.logged("the patch", |row| row["operation"] == "patch");
    assert_eq!(
        (
            &row["effects"]["members_added"],
            &row["effects"]["members_ended"]
        ),
        (&json!(2), &json!(1)),
        "{row}"
    );
    assert_eq!(row["resource_label"], "Sales");
}
