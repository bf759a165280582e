//! The PATCH vectors of the checklist's §34, through HTTP: answer, what is stored afterwards, and whether the version moves.

use rollcall::scim::switches::Switches;

use super::acme::{ACME, app};
use crate::harness::{Client, ENT, GROUP, Reply, TestApp, USER, Value, json, patch};

const VECTORS: &str = include_str!("../../../fixtures/scim/patch.jsonl");

// PV-01..PV-84
#[test]
fn every_patch_vector_holds() {
    let app = app();
    let plain = app.scim();
    let creating = app.scim_with(
        "creating",
        Switches {
            replace_creates: true,
            ..Switches::default()
        },
    );
    let members: Vec<(String, String)> = (1..=3)
        .map(|number| (format!("u{number}"), app.user(&format!("member{number}"))))
        .collect();
    let mut wrong = Vec::new();
    for line in VECTORS.lines() {
        let mut line = line.replace("{ENT}", ENT).replace("{ACME}", ACME);
        for (name, id) in &members {
            line = line
                .replace(&format!("\"{name}\""), &format!("\"{id}\""))
                .replace(&format!("\\\"{name}\\\""), &format!("\\\"{id}\\\""))
                .replace(&format!("\\\"{name}\""), &format!("\\\"{id}\""));
        }
        let vector: Value = serde_json::from_str(&line).expect("a vector is JSON");
        let scim = if vector["switch"] == "replace_creates" {
            &creating
        } else {
            &plain
        };
        if let Err(what) = hold(&app, scim, &vector) {
            wrong.push(format!("{}: {what}", vector["id"]));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} fail:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(VECTORS.lines().count(), 84);
}

fn hold(app: &TestApp, scim: &Client, vector: &Value) -> Result<(), String> {
    let is_group = vector["rt"] == "Group";
    let endpoint = if is_group { "/Groups" } else { "/Users" };
    let mut body = vector["before"].clone();
    if let Some(body) = body.as_object_mut() {
        if !is_group {
            body.entry("active").or_insert(Value::Null);
        }
        let urns: Vec<Value> = std::iter::once(json!(if is_group { GROUP } else { USER }))
            .chain(
                body.keys()
                    .filter(|key| key.contains(':'))
                    .map(|key| json!(key)),
            )
            .collect();
        body.insert("schemas".to_owned(), json!(urns));
    }
    let path = format!("{endpoint}/{}", scim.post(endpoint, &body).expect(201).id());
    let before = scim.get(&path);
    app.clock.advance_millis(1_000);
    let answer = scim.patch(&path, &patch(vector["ops"].clone()));
    let after = scim.get(&path);
    scim.delete(&path).expect(204);
    match vector["error"].as_str() {
        Some(keyword) => {
            if answer.status != 400 || answer.json["scimType"] != keyword {
                return Err(format!("{keyword} expected\n{answer:?}"));
            }
            if after.json != before.json {
                return Err(format!("a refused PATCH changed something\n{after:?}"));
            }
        }
        None => {
            let success = if is_group { 204 } else { 200 };
            let expected = plain(&vector["after"], vector);
            let got = plain(&after.json, vector);
            if answer.status != success || got != expected {
                return Err(format!("not {expected}\nbut {got}\n{answer:?}"));
            }
            if !is_group && answer.json != after.json {
                return Err(format!("the answer is not what is stored\n{answer:?}"));
            }
            moved(&before, &after, &answer, vector["changed"] == true)?;
        }
    }
    Ok(())
}

/// Version and `lastModified` move with an effective change and only then (PA-11).
fn moved(before: &Reply, after: &Reply, answer: &Reply, changed: bool) -> Result<(), String> {
    let time = |reply: &Reply| reply.json["meta"]["lastModified"].clone();
    let versions = (before.etag() != after.etag(), time(before) != time(after));
    if versions != (changed, changed) || answer.etag() != after.etag() {
        return Err(format!(
            "changed should be {changed}\n{before:?}\n{after:?}\n{answer:?}"
        ));
    }
    Ok(())
}

/// A resource without what the server adds to it.
fn plain(resource: &Value, vector: &Value) -> Value {
    let mut resource = resource.clone();
    if let Some(all) = resource.as_object_mut() {
        all.remove("id");
        all.remove("meta");
        if vector["after"].get("schemas").is_none() {
            all.remove("schemas");
        }
        for member in all
            .get_mut("members")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            *member = json!({ "value": member["value"] });
        }
        if let Some(members) = all.get_mut("members").and_then(Value::as_array_mut) {
            members.sort_by_key(Value::to_string);
        }
        if let Some(manager) = all.get_mut(ENT).and_then(|ours| ours.get_mut("manager")) {
            *manager = json!({ "value": manager["value"] });
        }
    }
    resource
}
