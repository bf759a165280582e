//! The switches that hold a connection to the letter of a value, or to a precondition. U-13, U-14, N-03, ET-12.

use super::switches::{one, pair};
use crate::harness::{ENT, json, user};

#[test]
fn any_country_takes_names_of_countries() {
    // U-13: what was stored before nobody looks at again
    let pair = pair(|switches, on| switches.any_country = on);
    let named = json!([{ "country": "Norway", "type": "work" }]);
    pair.attribute("addresses", &named, &named, "invalidValue");
    let path = format!("/Users/{}", pair.app.user("ada"));
    let change =
        |path: &str, value: &str| one(json!({ "op": "add", "path": path, "value": value }));
    let country = "addresses[type eq \"work\"].country";
    pair.on.patch(&path, &change(country, "Norway")).expect(200);
    pair.off.patch(&path, &change("title", "x")).expect(200);
    let code = pair.off.patch(&path, &change(country, "no"));
    assert_eq!(code.expect(200).json["addresses"][0]["country"], "no");
    pair.off
        .patch(&path, &change(country, "Sverige"))
        .scim_error("invalidValue");
}

#[test]
fn any_certificate_takes_any_bytes() {
    // U-14
    let pair = pair(|switches, on| switches.any_certificate = on);
    let random = json!([{ "value": "cmFuZG9tIGJ5dGVz" }]);
    pair.attribute("x509Certificates", &random, &random, "invalidValue");
    // SEQUENCE { SEQUENCE { INTEGER 7 }, SEQUENCE { OID 1.1 }, BIT STRING }
    let mut body = user("ada");
    body["x509Certificates"] = json!([{ "value": "MA4wAwIBBzADBgEpAwIACQ==" }]);
    let made = pair.off.post("/Users", &body);
    assert_eq!(
        made.expect(201).json["x509Certificates"],
        body["x509Certificates"]
    );
}

#[test]
fn any_manager_takes_texts_that_name_nobody() {
    // N-03, D-21: by default stored as sent; else the manager is a user of this tenant
    let pair = pair(|switches, on| switches.any_manager = on);
    let manager = format!("{ENT}:manager");
    for nobody in ["the boss", "0199a2c4-0000-7000-8000-000000000000"] {
        let value = json!({ "value": nobody });
        pair.attribute(&manager, &value, &value, "invalidValue");
    }
    let (theirs, _) = pair.app.other_tenant();
    let foreign = theirs.post("/Users", &user("boss")).expect(201).id();
    let path = format!("/Users/{}", pair.app.user("ada"));
    let set = |id: &str| one(json!({ "op": "add", "path": manager, "value": { "value": id } }));
    pair.off
        .patch(&path, &set(&foreign))
        .scim_error("invalidValue");
    let boss = pair.app.user("boss");
    let managed = pair.off.patch(&path, &set(&boss));
    assert_eq!(managed.expect(200).json[ENT]["manager"]["value"], boss);
}

#[test]
fn require_if_match_wants_a_version_on_every_change() {
    // ET-12: 428, changing nothing; also for an operation of a bulk request
    let pair = pair(|switches, on| switches.require_if_match = on);
    let made = pair.on.post("/Users", &user("ada"));
    let path = format!("/Users/{}", made.expect(201).id());
    let title = one(json!({ "op": "add", "path": "title", "value": "x" }));
    pair.on.put(&path, &user("eve")).scim_failure(428);
    pair.on.patch(&path, &title).scim_failure(428);
    pair.on.delete(&path).scim_failure(428);
    pair.on.delete("/Users/nobody").scim_failure(404);
    let bulk = |version: Option<&str>| {
        let mut operation = json!({ "method": "PATCH", "path": path, "data": title });
        if let Some(version) = version {
            operation["version"] = json!(version);
        }
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
        let done = pair.on.post(
            "/Bulk",
            &json!({ "schemas": schemas, "Operations": [operation] }),
        );
        done.expect(200).json["Operations"][0]["status"].clone()
    };
    assert_eq!(bulk(None), "428");
    assert_eq!(pair.on.get(&path).json, made.json);
    assert_eq!(bulk(Some(&made.etag())), "200");
    let tag = pair.on.get(&path).etag();
    pair.on
        .with_header("If-Match", &tag)
        .delete(&path)
        .expect(204);
    let free = format!("/Users/{}", pair.app.user("bo"));
    pair.off.patch(&free, &title).expect(200);
    pair.off.delete(&free).expect(204);
}
