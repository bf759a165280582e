//! What Entra ID sends, without and with `aadOptscim062020`: other words, string booleans, lists in a remove, dotted keys (§3.3–3.6).

use anyhow::ensure;
use serde_json::{Value, json};

use super::client::{Client, encoded, id, total};
use super::{Courses, Stage, assign, report};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const OLD_GROUP: &str = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

pub fn play(stage: &Stage, courses: &Courses) -> anyhow::Result<()> {
    let entra = &stage.entra;
    report::chapter("Entra ID tests the connection and provisions two people");
    let nobody =
        encoded("userName eq \"b1c9c3a2-5d0e-4d8e-a3f4-7a2b6d1f00aa\"").replace("%20", "+");
    ensure!(total(&entra.get(&format!("/Users?filter={nobody}"), 200)?)? == 0);
    report::line("test connection: an unknown user is an empty list");
    let tindra = person(entra, "t.okonjo", "Tindra", "Okonjo")?;
    let paul = person(entra, "p.navarro", "Paul", "Navarro")?;
    report::line("Tindra and Paul created; `null` titles and empty roles are left out");

    report::chapter("Entra ID pushes the group `Cohort 7`, then its members");
    let probe = encoded("displayName eq \"Cohort 7\"");
    ensure!(
        total(&entra.get(
            &format!("/Groups?excludedAttributes=members&filter={probe}"),
            200
        )?)? == 0
    );
    let group = json!({
        "schemas": [GROUP, OLD_GROUP], "externalId": "0b7e2f64-cohort-7", "displayName": "Cohort 7",
        "meta": {"resourceType": "Group"},
    });
    let group = id(&entra.post("/Groups", &group, 201)?)?;
    assign(
        stage,
        &group,
        &courses.lifting,
        "Lifting and carrying",
        json!({"mandatory": false}),
    )?;
    let there = encoded(&format!("id eq \"{group}\" and members eq \"{tindra}\""));
    ensure!(total(&entra.get(&format!("/Groups?attributes=id&filter={there}"), 200)?)? == 0);
    for (person, name) in [(&tindra, "Tindra"), (&paul, "Paul")] {
        let add =
            json!({"op": "Add", "path": "members", "value": [{"$ref": null, "value": person}]});
        entra.patch(&format!("/Groups/{group}"), &patch(vec![add]), 204)?;
        report::line(&format!("{name} joins {}", report::enrolled(&stage.api)?));
    }
    ensure!(total(&entra.get(&format!("/Groups?attributes=id&filter={there}"), 200)?)? == 1);

    report::chapter("Without the flag: capitals, a path for each attribute, booleans as text");
    entra.get(&format!("/Users/{tindra}"), 200)?;
    let update = vec![
        json!({"op": "Replace", "path": "displayName", "value": "Tindra O."}),
        json!({"op": "Add", "path": "emails[type eq \"work\"].value", "value": "tindra@acme.example"}),
        json!({"op": "Add", "path": "addresses[type eq \"work\"].locality", "value": "Gdynia"}),
        json!({"op": "Add", "path": "addresses[type eq \"work\"].country", "value": "PL"}),
        json!({"op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": paul}),
        json!({"op": "Replace", "path": "active", "value": "False"}),
    ];
    let after = entra.patch(&format!("/Users/{tindra}"), &patch(update), 200)?;
    ensure!(
        after["active"] == false && after["addresses"].as_array().map(Vec::len) == Some(1),
        "unexpected: {after}"
    );
    ensure!(
        after[ENTERPRISE]["manager"]["value"] == paul,
        "no manager: {after}"
    );
    report::line("six operations on Tindra: one address with two parts, a manager, inactive");
    let remove =
        json!({"op": "Remove", "path": "members", "value": [{"$ref": null, "value": paul}]});
    entra.patch(&format!("/Groups/{group}"), &patch(vec![remove]), 204)?;
    report::line(&format!(
        "Paul leaves by a remove with a list; only he goes {}",
        report::enrolled(&stage.api)?
    ));

    report::chapter("With aadOptscim062020: lower case, one operation with dotted keys");
    let update = vec![
        json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "tindra.okonjo@acme.example"}),
        json!({"op": "replace", "value": {
            "displayName": "Tindra Okonjo", "name.givenName": "Tin", format!("{ENTERPRISE}:department"): "Ops", "active": true,
        }}),
    ];
    let after = entra.patch(&format!("/Users/{tindra}"), &patch(update), 200)?;
    ensure!(
        after["name"]["givenName"] == "Tin" && after.get("name.givenName").is_none(),
        "unexpected: {after}"
    );
    ensure!(
        after["active"] == true && after[ENTERPRISE]["department"] == "Ops",
        "unexpected: {after}"
    );
    report::line("dotted keys are paths: given name, department, active again");
    let back = json!({"op": "add", "path": "members", "value": [{"value": paul}]});
    entra.patch(&format!("/Groups/{group}"), &patch(vec![back]), 204)?;
    let gone = json!({"op": "remove", "path": format!("members[value eq \"{paul}\"]")});
    entra.patch(&format!("/Groups/{group}"), &patch(vec![gone]), 204)?;
    report::line(&format!(
        "Paul comes back and leaves again {}",
        report::enrolled(&stage.api)?
    ));
    Ok(())
}

fn patch(operations: Vec<Value>) -> Value {
    json!({"schemas": [PATCH], "Operations": operations})
}

fn person(entra: &Client, alias: &str, given: &str, family: &str) -> anyhow::Result<String> {
    let name = format!("{alias}@acme.example");
    let probe = encoded(&format!("externalId eq \"{alias}\""));
    ensure!(total(&entra.get(&format!("/Users?filter={probe}"), 200)?)? == 0);
    let made = entra.post(
        "/Users",
        &json!({
            "schemas": [USER, ENTERPRISE], "externalId": alias, "userName": name, "active": true,
            "displayName": format!("{given} {family}"), "title": null,
            "emails": [{"primary": true, "type": "work", "value": name}], "meta": {"resourceType": "User"},
            "name": {"formatted": format!("{given} {family}"), "familyName": family, "givenName": given},
            "roles": [], ENTERPRISE: {"department": "Field"},
        }),
        201,
    )?;
    ensure!(made.get("title").is_none(), "a null came back: {made}");
    id(&made)
}
