//! ETags and conditional requests. Checklist §22.

use std::thread;

use crate::harness::{Client, TestApp, Value, add_members, group, json, patch, user};
use crate::scim::people::people;

fn title(text: &str) -> Value {
    patch(json!([{ "op": "replace", "path": "title", "value": text }]))
}

// ET-01, ET-02, ET-03, ET-13, ET-14
#[test]
fn every_answer_with_one_resource_carries_a_weak_tag_that_meta_repeats() {
    let app = TestApp::new();
    let scim = app.scim();
    assert_eq!(
        scim.get("/ServiceProviderConfig").json["etag"]["supported"],
        true
    );
    let created = scim.post("/Users", &user("eve"));
    let path = format!("/Users/{}", created.expect(201).id());
    let read = scim.get(&path);
    let put = scim.put(
        &path,
        &json!({ "schemas": [crate::harness::USER], "userName": "eve", "nickName": "E" }),
    );
    let patched = scim.patch(&path, &title("CTO"));
    let group = scim.post("/Groups", &group("Ops", &[]));
    for reply in [&created, &read, &put, &patched, &group] {
        let tag = reply.etag();
        assert!(
            tag.starts_with("W/\"") && tag.ends_with('"') && tag.len() > 4,
            "{tag}"
        );
        assert_eq!(reply.json["meta"]["version"], json!(tag));
    }
    let silent = scim.patch(
        &format!("/Groups/{}", group.id()),
        &patch(json!([add_members(&[&created.id()])])),
    );
    assert!(silent.expect(204).etag().starts_with("W/"));
    assert_eq!(
        scim.send("HEAD", &path, None).expect(200).etag(),
        patched.etag()
    );
    for list in ["/Users", "/Groups", "/", "/Schemas", "/ResourceTypes"] {
        assert_eq!(scim.get(list).expect(200).header("etag"), "", "{list}");
    }
    assert_eq!(
        scim.get("/Users").json["Resources"][0]["meta"]["version"],
        json!(patched.etag())
    );
    let conditional = scim.with_header("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT");
    conditional.get(&path).expect(200);
    scim.with_header("If-None-Match", "*")
        .get("/Users")
        .expect(200);
}

// ET-04
#[test]
fn the_tag_moves_with_an_effective_change_and_only_then() {
    let p = people();
    let scim = p.app.scim();
    let path = format!("/Users/{}", p.u1);
    let mut seen = vec![scim.get(&path).etag()];
    for (reply, moves) in [
        (scim.patch(&path, &title("Engineer")), false),
        (scim.patch(&path, &title("One")), true),
        (scim.patch(&path, &title("One")), false),
        (scim.put(&path, &scim.get(&path).json), false),
        (scim.patch(&path, &title("Engineer")), true),
    ] {
        let tag = reply.expect(200).etag();
        assert_eq!(tag != seen[seen.len() - 1], moves, "{tag}");
        if moves {
            assert!(!seen.contains(&tag), "a tag never comes back");
            seen.push(tag);
        }
    }
    let user = scim.get(&format!("/Users/{}", p.u3)).etag();
    scim.patch(
        &format!("/Groups/{}", p.g1),
        &patch(json!([{ "op": "remove", "path": "members" }])),
    )
    .expect(204);
    assert_eq!(
        scim.get(&format!("/Users/{}", p.u3)).etag(),
        user,
        "who is viewed does not change with the view (D-30)"
    );
}

// ET-05
#[test]
fn a_reader_who_has_it_gets_304_for_every_form_of_the_condition() {
    let p = people();
    let scim = p.app.scim();
    for path in [format!("/Users/{}", p.u1), format!("/Groups/{}", p.g1)] {
        let tag = scim.get(&path).etag();
        for condition in [
            tag.clone(),
            tag.replace("W/", ""),
            "*".to_owned(),
            format!("W/\"98\", {tag} ,W/\"99\""),
        ] {
            for method in ["GET", "HEAD"] {
                let reply = scim
                    .with_header("If-None-Match", &condition)
                    .send(method, &path, None);
                assert!(reply.expect(304).text.is_empty());
                assert_eq!(reply.etag(), tag);
            }
        }
        for condition in ["W/\"98\"", "\"\"", "W/\"98\", \"99\"", "garbage"] {
            scim.with_header("If-None-Match", condition)
                .get(&path)
                .expect(200);
        }
        scim.with_header("If-None-Match", &tag)
            .get(&format!("{path}?attributes=meta"))
            .expect(304);
    }
    scim.with_header("If-None-Match", "*")
        .get("/Users/ghost")
        .scim_failure(404);
}

// ET-06, ET-07, ET-11
#[test]
fn a_writer_names_the_version_in_any_form_on_every_verb() {
    let p = people();
    let scim = p.app.scim();
    let (user, group) = (format!("/Users/{}", p.u1), format!("/Groups/{}", p.g1));
    let before = (scim.get(&user).json.clone(), scim.get(&group).json.clone());
    for stale in [
        "W/\"99\"",
        "\"99\"",
        "99",
        "",
        "garbage",
        "\"",
        "W/",
        "W/\"99\", W/\"98\"",
        "W/\"1",
        "*x",
        "\u{fc}",
    ] {
        // an empty header is not sent by the client; a list of nothing is
        let client = scim.with_header("If-Match", if stale.is_empty() { "," } else { stale });
        for (path, body) in [(&user, &before.0), (&group, &before.1)] {
            client.put(path, body).scim_failure(412);
            client
                .patch(
                    path,
                    &patch(json!([{ "op": "replace", "path": "displayName", "value": "X" }])),
                )
                .scim_failure(412);
            client.delete(path).scim_failure(412);
        }
    }
    assert_eq!(
        (&scim.get(&user).json, &scim.get(&group).json),
        (&before.0, &before.1)
    );
    for form in ["W/#", "#", "W/\"98\", #", "*", "bare"] {
        let tag = scim.get(&user).etag();
        let strong = tag.trim_start_matches("W/").to_owned();
        let condition = match form {
            "W/#" => tag,
            "bare" => strong.trim_matches('"').to_owned(),
            other => other.replace('#', &strong),
        };
        let client = scim.with_header("If-Match", &condition);
        client.patch(&user, &title(form)).expect(200);
        if form != "*" {
            client.patch(&user, &title("late")).scim_failure(412);
        }
    }
    let tag = scim.get(&group).etag();
    scim.with_header("If-Match", &tag)
        .put(&group, &before.1)
        .expect(200);
    scim.with_header("If-Match", &tag)
        .delete(&group)
        .expect(204);
}

// ET-06: a list may stand on several lines
#[test]
fn conditions_on_several_lines_are_one_list() {
    let app = TestApp::new();
    let path = format!("/Users/{}", app.user("eve"));
    let tag = app.scim().get(&path).etag();
    let two = app
        .scim()
        .with_header("If-Match", "W/\"98\"")
        .and_header("If-Match", &tag);
    two.patch(&path, &title("One")).expect(200);
    two.patch(&path, &title("Two")).scim_failure(412);
    let now = app.scim().get(&path).etag();
    let reading = app
        .scim()
        .with_header("If-None-Match", "\"98\"")
        .and_header("If-None-Match", &now);
    reading.get(&path).expect(304);
}

// ET-08, ET-09, ET-12
#[test]
fn conditions_that_cannot_hold() {
    let p = people();
    let scim = p.app.scim();
    for condition in ["W/\"1\"", "*"] {
        let client = scim.with_header("If-Match", condition);
        for path in [
            "/Users/ghost",
            "/Groups/0199a2c4-0000-7000-8000-000000000000",
        ] {
            client.put(path, &user("x")).scim_failure(404);
            client.patch(path, &title("x")).scim_failure(404);
            client.delete(path).scim_failure(404);
        }
    }
    let path = format!("/Users/{}", p.u1);
    let before = scim.get(&path);
    let none = scim.with_header("If-None-Match", "*");
    none.put(&path, &before.json).scim_failure(412);
    none.patch(&path, &title("x")).scim_failure(412);
    none.delete(&path).scim_failure(412);
    assert_eq!(scim.get(&path).json, before.json);
    none.post("/Users", &user("eve")).expect(201);
    scim.with_header("If-Match", "W/\"7\"")
        .post("/Users", &user("ivy"))
        .expect(201);
    // nobody must send a condition
    scim.patch(&path, &title("free")).expect(200);
}

// ET-10: 32 writers count together; a lost update would lose a number
#[test]
fn no_update_is_lost_between_thirty_two_careful_writers() {
    let app = TestApp::new();
    let path = format!("/Users/{}", app.user("eve"));
    app.scim().patch(&path, &title("0")).expect(200);
    let count = |client: &Client| {
        loop {
            let read = client.get(&path);
            let number: i64 = read.json["title"]
                .as_str()
                .and_then(|text| text.parse().ok())
                .expect("a number");
            let reply = client
                .with_header("If-Match", &read.etag())
                .patch(&path, &title(&(number + 1).to_string()));
            match reply.status {
                200 => return,
                412 => {}
                _ => panic!("{reply:?}"),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                let client = app.scim();
                for _ in 0..3 {
                    count(&client);
                }
            });
        }
    });
    let after = app.scim().get(&path);
    assert_eq!(after.json["title"], "96");
    assert_eq!(after.etag(), "W/\"98\"");
}
