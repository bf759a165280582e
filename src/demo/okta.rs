//! What Okta sends: test of the connection, people by probe and POST, a group push, repeats, a deactivation (§2.2).

use anyhow::ensure;
use serde_json::{Value, json};

use super::client::{Client, encoded, id, total};
use super::{Courses, Stage, assign, report};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

const PEOPLE: &[(&str, &str)] = &[
    ("Ines", "Valdarno"),
    ("Tom", "Berg"),
    ("Ada", "Okafor"),
    ("Jun", "Sato"),
    ("Mia", "Lindqvist"),
];

pub fn play(stage: &Stage, courses: &Courses) -> anyhow::Result<()> {
    let okta = &stage.okta;
    report::chapter("Okta tests the connection and assigns five people");
    okta.get("/Users?startIndex=1&count=2", 200)?;
    okta.get("/Groups?startIndex=1&count=100", 200)?;
    report::line("test connection: both lists answer");
    let mut people = Vec::new();
    for (n, (given, family)) in PEOPLE.iter().enumerate() {
        people.push(person(okta, n, given, family)?);
        report::line(&format!(
            "[{}/{}] {given} {family}: probed, created",
            n + 1,
            PEOPLE.len()
        ));
    }

    report::chapter("Okta pushes the group `Sales`; the admin assigns two courses");
    let probe = encoded("displayName eq \"Sales\"");
    ensure!(
        total(&okta.get(
            &format!("/Groups?filter={probe}&startIndex=1&count=100"),
            200
        )?)? == 0
    );
    let group = id(&okta.post(
        "/Groups",
        &json!({"schemas": [GROUP], "displayName": "Sales", "members": []}),
        201,
    )?)?;
    report::line("group `Sales` created, empty");
    assign(
        stage,
        &group,
        &courses.safety,
        "Fire safety",
        json!({"mandatory": true, "recert_months": 12}),
    )?;
    for (n, person) in people.iter().enumerate().take(3) {
        okta.patch(&format!("/Groups/{group}"), &add(&[person]), 204)?;
        report::line(&format!(
            "member {} of 3 added one by one {}",
            n + 1,
            report::enrolled(&stage.api)?
        ));
    }
    okta.patch(
        &format!("/Groups/{group}"),
        &add(people.get(3..).unwrap_or_default()),
        204,
    )?;
    report::line(&format!(
        "two more in one PATCH {}",
        report::enrolled(&stage.api)?
    ));
    assign(
        stage,
        &group,
        &courses.privacy,
        "Data protection",
        json!({"mandatory": true, "due": {"kind": "relative", "days": 30}}),
    )?;

    report::chapter("Okta repeats itself, as it does: nothing new");
    okta.patch(&format!("/Groups/{group}"), &add(&people), 204)?;
    okta.patch(&format!("/Groups/{group}"), &replace_all(&people), 204)?;
    report::line(&format!(
        "the same members added and pushed again {}",
        report::enrolled(&stage.api)?
    ));

    report::chapter("Okta renames, removes, updates, deactivates: nobody loses an enrollment");
    let rename = json!({"schemas": [PATCH], "Operations": [{"op": "replace", "value": {"id": group, "displayName": "Sales EMEA"}}]});
    okta.patch(&format!("/Groups/{group}"), &rename, 204)?;
    report::line("group renamed to `Sales EMEA`");
    if let Some(leaver) = people.last() {
        let path = format!("members[value eq \"{leaver}\"]");
        let remove = json!({"schemas": [PATCH], "Operations": [{"op": "remove", "path": path}]});
        okta.patch(&format!("/Groups/{group}"), &remove, 204)?;
        report::line(&format!(
            "Mia leaves the group {}",
            report::enrolled(&stage.api)?
        ));
        let mut whole = okta.get(&format!("/Users/{leaver}"), 200)?;
        if let Some(whole) = whole.as_object_mut() {
            whole.insert("title".to_owned(), json!("Account executive"));
            whole.insert("nickName".to_owned(), json!(""));
        }
        let after = okta.put(&format!("/Users/{leaver}"), &whole, 200)?;
        ensure!(
            after["title"] == "Account executive",
            "the PUT did not store the title: {after}"
        );
        report::line("Mia's profile is read, changed and PUT back");
        let off = json!({"schemas": [PATCH], "Operations": [{"op": "replace", "value": {"active": false}}]});
        let after = okta.patch(&format!("/Users/{leaver}"), &off, 200)?;
        ensure!(after["active"] == false, "still active: {after}");
        report::line(&format!(
            "Mia is deactivated {}",
            report::enrolled(&stage.api)?
        ));
    }
    Ok(())
}

fn person(okta: &Client, n: usize, given: &str, family: &str) -> anyhow::Result<String> {
    let name = format!(
        "{}.{}@acme.example",
        given.to_lowercase(),
        family.to_lowercase()
    );
    let probe = encoded(&format!("userName eq \"{name}\""));
    ensure!(
        total(&okta.get(
            &format!("/Users?filter={probe}&startIndex=1&count=100"),
            200
        )?)? == 0
    );
    let made = okta.post(
        "/Users",
        &json!({
            "schemas": [USER], "userName": name, "name": {"givenName": given, "familyName": family},
            "emails": [{"primary": true, "value": name, "type": "work"}], "displayName": format!("{given} {family}"),
            "locale": "en-US", "externalId": format!("00u7kd3k9wQ{n}"), "groups": [], "password": "Tr0ub4dor&3-demo",
            "active": true,
        }),
        201,
    )?;
    ensure!(made.get("password").is_none(), "a password came back");
    id(&made)
}

fn add(people: &[impl AsRef<str>]) -> Value {
    operation("add", people)
}

fn replace_all(people: &[String]) -> Value {
    operation("replace", people)
}

fn operation(op: &str, people: &[impl AsRef<str>]) -> Value {
    let members: Vec<Value> = people
        .iter()
        .map(|id| json!({"value": id.as_ref(), "display": "as Okta knows them"}))
        .collect();
    json!({"schemas": [PATCH], "Operations": [{"op": op, "path": "members", "value": members}]})
}
