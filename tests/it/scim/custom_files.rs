//! The operator's folder: what is wrong in it stops the start and says what to fix; what leaves it and comes back.

use std::fs;
use std::path::Path;

use super::custom::{EMPLOYEE, folder};
use crate::harness::binary::Binary;
use crate::harness::database::Database;
use crate::harness::{TestApp, USER, json, patch, user};

fn copy(name: &str, into: &Path) {
    fs::copy(folder().join(name), into.join(name)).expect("an example is copied");
}

/// Exit code 1, one line on what and where; the database is not touched.
#[test]
fn a_wrong_file_stops_the_start_with_file_place_and_advice() {
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    let folder = tempfile::tempdir().expect("a folder");
    let badge = r#"{"name": "Badge", "endpoint": "/Badges", "schema": "urn:x:params:Badge"}"#;
    let schema = |attributes: &str| {
        format!(r#"{{"id": "urn:x:params:Badge", "name": "Badge", "attributes": [{attributes}]}}"#)
    };
    for (text, expected) in [
        ("{", "x.json: the file is not readable as JSON"),
        (
            &schema(r#"{"name": "a"}"#),
            "x.json: no resource type uses urn:x:params:Badge: add",
        ),
        (
            &format!("[{badge}, {}]", schema(r#"{"name": "a", "type": "text"}"#)),
            "x.json: [1].attributes[0].type (attribute a): unknown type `text`; use one of string, boolean, decimal, integer, \
             dateTime, binary, reference, complex",
        ),
        (
            &format!(
                "[{badge}, {}]",
                schema(r#"{"name": "owner", "type": "reference", "referenceTypes": ["Person"]}"#)
            ),
            "[1].attributes[0].referenceTypes (attribute owner): there is no resource type Person; use User, Group, Badge, external or uri",
        ),
        (
            &format!(
                "[{}, {}]",
                badge.replace("/Badges", "/groups"),
                schema(r#"{"name": "a"}"#)
            ),
            "x.json: [0].endpoint: the endpoint /groups is that of Group; choose another",
        ),
        (
            r#"{"id": "urn:ietf:params:scim:schemas:core:2.0:Group", "name": "Mine", "attributes": [{"name": "a"}], "rollcall": {"extends": "Group"}}"#,
            "x.json: id: the schema URN urn:ietf:params:scim:schemas:core:2.0:Group is defined twice: it is built in; choose another `id`",
        ),
        (
            r#"{"id": "urn:x:params:E", "name": "E", "attributes": [{"name": "a"}, {"name": "A"}], "rollcall": {"extends": "User"}}"#,
            "x.json: attributes[1] (attribute A): is defined twice",
        ),
        (
            r#"{"id": "urn:x:params:E", "name": "E", "attributes": [{"name": "a"}], "rollcall": {"extends": "Person"}}"#,
            "x.json: rollcall.extends: there is no resource type Person; there are User, Group",
        ),
    ] {
        fs::write(folder.path().join("x.json"), text).expect("a file is written");
        let schemas = folder.path().display().to_string();
        let ended = binary.run(&["serve", "--listen", "127.0.0.1:0", "--schemas", &schemas]);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{text}\n{said}");
        assert!(
            said.contains(expected),
            "{text}\nexpected {expected}\n{said}"
        );
        assert!(!said.contains("panicked"), "{said}");
    }
    let ended = binary.run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--schemas",
        "/nonexistent/folder",
    ]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("/nonexistent/folder"));
}

/// Data of a file that was taken away is neither shown nor lost, whatever is written meanwhile.
#[test]
fn an_extension_that_is_taken_away_and_put_back_has_its_data() {
    let here = tempfile::tempdir().expect("a folder");
    copy("employee.json", here.path());
    let mut app = TestApp::with_folder(here.path());
    let body = |name: &str, grade: i64| json!({ "schemas": [USER, EMPLOYEE], "userName": name, EMPLOYEE: { "grade": grade, "badgeNumber": name } });
    let ids = ["ada", "bob", "cleo", "dora"]
        .map(|name| app.scim().post("/Users", &body(name, 3)).expect(201).id());

    app.restart(None);
    let scim = app.scim();
    let shown = scim.get(&format!("/Users/{}", ids[0]));
    assert!(!shown.expect(200).text.contains(EMPLOYEE), "{shown:?}");
    assert!(!scim.get("/Users").expect(200).text.contains(EMPLOYEE));
    scim.get(&format!("/Users?filter={EMPLOYEE}:grade eq 3"))
        .scim_error("invalidFilter");
    scim.get(&format!("/Schemas/{EMPLOYEE}")).scim_failure(404);
    let title = patch(json!([{ "op": "replace", "path": "title", "value": "Dr" }]));
    let patched = scim.patch(&format!("/Users/{}", ids[1]), &title);
    assert!(!patched.expect(200).text.contains(EMPLOYEE), "{patched:?}");
    scim.put(&format!("/Users/{}", ids[2]), &user("cleo"))
        .expect(200);
    scim.delete(&format!("/Users/{}", ids[3])).expect(204);
    scim.patch(
        &format!("/Users/{}", ids[0]),
        &patch(json!([{ "op": "replace", "path": EMPLOYEE, "value": { "grade": 9 } }])),
    )
    .expect_below_500();

    app.restart(Some(here.path()));
    let scim = app.scim();
    assert_eq!(
        scim.get("/Users?filter=grade eq 3&sortBy=userName")
            .expect(200)
            .names("userName"),
        ["ada", "bob", "cleo"]
    );
    for id in &ids[..3] {
        let back = scim.get(&format!("/Users/{id}"));
        assert_eq!(back.expect(200).json[EMPLOYEE]["grade"], 3);
        assert_eq!(back.json["schemas"], json!([USER, EMPLOYEE]));
    }
    scim.post("/Users", &body("ada2", 1)).expect(201);
    let taken = json!({ "schemas": [USER, EMPLOYEE], "userName": "new", EMPLOYEE: { "badgeNumber": "cleo" } });
    scim.post("/Users", &taken).scim_error("uniqueness");
    scim.post("/Users", &body("dora", 1)).expect(201);
}

/// A definition that changes is searched by its new rules; one that cannot hold stops the start.
#[test]
fn a_changed_definition_gathers_its_values_anew() {
    let here = tempfile::tempdir().expect("a folder");
    let write = |attribute: &str| {
        let text = format!(
            r#"{{"id": "urn:x:params:E", "name": "E", "attributes": [{{"name": "code"{attribute}}}], "rollcall": {{"extends": "User"}}}}"#
        );
        fs::write(here.path().join("e.json"), text).expect("a file is written");
    };
    write("");
    let mut app = TestApp::with_folder(here.path());
    for (name, code) in [("ada", "Ab"), ("bob", "aB"), ("cleo", "x")] {
        let body =
            json!({ "schemas": [USER], "userName": name, "urn:x:params:E": { "code": code } });
        app.scim().post("/Users", &body).expect(201);
    }
    let found = |app: &TestApp| {
        app.scim()
            .get("/Users?filter=code eq \"Ab\"")
            .expect(200)
            .names("userName")
            .len()
    };
    assert_eq!(found(&app), 2);
    write(r#", "caseExact": true, "uniqueness": "server""#);
    app.restart(Some(here.path()));
    assert_eq!(found(&app), 1);
    let clash =
        json!({ "schemas": [USER], "userName": "dora", "urn:x:params:E": { "code": "aB" } });
    app.scim().post("/Users", &clash).scim_error("uniqueness");
    write("");
    app.restart(Some(here.path()));
    assert_eq!(found(&app), 2);
    write(r#", "uniqueness": "server""#);
    let refused = app
        .try_restart(Some(here.path()))
        .expect_err("two share a value");
    assert!(
        refused.contains("urn:x:params:E:code cannot be unique"),
        "{refused}"
    );
    write("");
    app.restart(Some(here.path()));
    assert_eq!(found(&app), 2);
}
