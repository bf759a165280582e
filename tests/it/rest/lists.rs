//! What every list has in common: it pages, counts and sorts, and a cursor belongs to its order (A1); and the filters
//! of the lists of groups, learners, courses, members and completions (A2).

use std::collections::BTreeSet;

use crate::harness::{Client, TestApp, build::rows, json};
use serde_json::Value;

/// A tenant with a few of everything, and the ids that paths need.
fn filled() -> (TestApp, String, String, String) {
    let app = TestApp::new();
    let people = app.users(3);
    let members: Vec<&str> = people.iter().map(String::as_str).collect();
    let group = app.group("Sales", &members);
    app.group("Berlin", &members[..1]);
    app.group("Alps", &members[..2]);
    let api = app.api();
    for title in ["Fire safety", "Data protection", "Security"] {
        let course = app.course(title);
        app.assign(&group, &course);
    }
    let enrollments = app.enrollments();
    let done: Vec<Value> = enrollments
        .iter()
        .take(3)
        .map(|one| json!({"learner": {"id": one["learner_id"]}, "course_id": one["course_id"], "completed_at": "2026-01-05T09:00:00Z"}))
        .collect();
    api.post("/completions", &json!({"completions": done}))
        .expect(200);
    for name in ["Okta", "Entra"] {
        api.post("/connections", &json!({"name": name, "idp": "generic"}))
            .expect(201);
    }
    let import = api
        .with_header("Content-Type", "text/csv")
        .send(
            "POST",
            "/imports?kind=members",
            Some(
                b"group,email\nSales,nobody@acme.test\nBerlin,nobody@acme.test\nNone,x@acme.test\n",
            ),
        )
        .expect(201)
        .id();
    let learner = enrollments[0]["learner_id"].as_str().expect("an id");
    (app, group, learner.to_owned(), import)
}

/// All rows of a list, a row at a time; with how many the list says it has.
fn walked(api: &Client, path: &str, more: &str) -> (Vec<Value>, i64) {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("{path}?limit=1&include=total{more}{cursor}"));
        let total = page.expect(200).json["page"]["total"].as_i64();
        let total = total.unwrap_or_else(|| panic!("{path} has no total: {page:?}"));
        all.extend(page.json["data"].as_array().expect("rows").clone());
        let next = &page.json["page"]["next_cursor"];
        assert_eq!(page.json["page"]["has_more"], !next.is_null(), "{path}");
        let Some(next) = next.as_str() else {
            return (all, total);
        };
        assert!(all.len() < 200, "{path} goes on for ever");
        cursor = format!("&cursor={next}");
    }
}

#[test]
fn every_list_counts_its_rows_and_shows_each_once_in_every_order() {
    let (app, group, learner, import) = filled();
    let api = app.api();
    let document = api.get("/openapi.json").json.clone();
    let (mut lists, mut orders) = (0, 0);
    for (path, operations) in document["paths"].as_object().expect("paths") {
        let parameters = operations["get"]["parameters"].as_array();
        let named = |name: &str| {
            parameters
                .into_iter()
                .flatten()
                .find(|one| one["name"] == name)
        };
        if named("cursor").is_none() {
            continue;
        }
        lists += 1;
        let id = match path {
            path if path.starts_with("/groups") => &group,
            path if path.starts_with("/learners") => &learner,
            _ => &import,
        };
        let path = path.trim_start_matches("/api/v1").replace("{id}", id);
        let (all, total) = walked(&api, &path, "");
        let distinct: BTreeSet<String> = all.iter().map(Value::to_string).collect();
        assert_eq!(distinct.len(), all.len(), "{path} repeats a row");
        // A page of certificates holds whole learners, so it may be longer than asked.
        assert_eq!(i64::try_from(all.len()), Ok(total), "{path}");
        let plain = api.get(&path).expect(200).json["page"].clone();
        assert!(plain.get("total").is_none(), "{path}: {plain}");
        let Some(sort) = named("sort") else { continue };
        let words = sort["schema"]["enum"].as_array().expect("its values");
        for word in words.iter().filter_map(Value::as_str) {
            let down = word.starts_with('-');
            let (mut sorted, count) = walked(&api, &path, &format!("&sort={word}"));
            assert_eq!((sorted.len(), count), (all.len(), total), "{path} {word}");
            if down {
                let up = walked(&api, &path, &format!("&sort={}", &word[1..])).0;
                sorted.reverse();
                assert_eq!(sorted, up, "{path} {word}");
                orders += 1;
            }
        }
    }
    assert!(lists >= 14, "{lists} lists were found");
    assert!(orders >= 12, "{orders} orders were found");
}

#[test]
fn a_cursor_belongs_to_the_order_it_was_given_out_in() {
    let (app, ..) = filled();
    let api = app.api();
    let page = api.get("/groups?limit=1&sort=-name");
    assert_eq!(page.expect(200).json["data"][0]["name"], "Sales");
    let cursor = page.json["page"]["next_cursor"].as_str().expect("more");
    assert!(page.header("link").contains("sort=-name"), "{page:?}");
    let next = api.get(&format!("/groups?limit=1&sort=-name&cursor={cursor}"));
    assert_eq!(next.expect(200).json["data"][0]["name"], "Berlin");
    for other in ["", "&sort=name", "&sort=-member_count"] {
        let refused = api.get(&format!("/groups?cursor={cursor}{other}"));
        assert_eq!(refused.expect(400).json["code"], "bad_cursor", "{other}");
    }
    let unknown = api.get("/groups?sort=size");
    assert_eq!(unknown.expect(400).json["code"], "invalid_parameter");
}

fn names(api: &Client, path: &str) -> Vec<String> {
    rows(api, path)
        .iter()
        .map(|row| {
            let name = [&row["name"], &row["title"]]
                .into_iter()
                .find_map(Value::as_str);
            name.expect("a name").to_owned()
        })
        .collect()
}

#[test]
fn groups_are_found_and_ordered_by_what_their_list_shows() {
    let app = TestApp::new();
    let api = app.api();
    let (ann, bob) = (app.user("ann"), app.user("bob"));
    let late = app.group("Late", &[&ann]);
    let fine = app.group("Fine", &[&ann, &bob]);
    app.group("Empty", &[]);
    let course = app.course("Fire safety");
    for (group, due) in [(&late, "2026-01-01"), (&fine, "2099-01-01")] {
        let new =
            json!({"course_id": course, "mandatory": true, "due": {"kind": "date", "date": due}});
        api.post(&format!("/groups/{group}/assignments"), &new)
            .expect(201);
    }
    api.patch(&format!("/groups/{late}"), &json!({"color": "#2563eb"}))
        .expect(200);
    // The date is past when the clock says so; extra time for those who come late is over then, too.
    app.at("2026-12-01T09:00:00Z");
    for (query, expected) in [
        ("?sort=member_count", vec!["Empty", "Late", "Fine"]),
        ("?sort=-member_count", vec!["Fine", "Late", "Empty"]),
        ("?has_overdue=true", vec!["Late"]),
        ("?has_overdue=false", vec!["Empty", "Fine"]),
        ("?has_overdue=false&sort=-name", vec!["Fine", "Empty"]),
        ("?color=%232563EB", vec!["Late"]),
        ("?q=AT", vec!["Late"]),
        ("?sort=created_at", vec!["Late", "Fine", "Empty"]),
    ] {
        assert_eq!(names(&api, &format!("/groups{query}")), expected, "{query}");
    }
    assert_eq!(
        api.get("/groups?color=blue").expect(400).json["code"],
        "invalid_parameter"
    );
    let row = |name: &str| {
        let all = rows(&api, "/groups");
        all.into_iter()
            .find(|row| row["name"] == name)
            .expect("the group")
    };
    let compliance = row("Late")["compliance"].clone();
    assert_eq!(
        (
            &compliance["overdue"],
            &compliance["obligations"],
            &compliance["rate"]
        ),
        (&json!(1), &json!(1), &json!(0.0))
    );
    assert_eq!(row("Empty")["compliance"]["rate"], Value::Null);
    let done = json!({"completions": [
        {"learner": {"user_name": "ann"}, "course_id": course, "completed_at": "2026-12-01T08:00:00Z"}]});
    let before = api.get(&format!("/groups/{fine}"));
    api.post("/completions", &done).expect(200);
    assert_eq!(row("Late")["compliance"]["rate"], json!(1.0));
    assert_eq!(row("Fine")["compliance"]["rate"], json!(0.5));
    assert_eq!(
        names(&api, "/groups?sort=-compliance"),
        ["Late", "Fine", "Empty"]
    );
    // The figures are no part of the version, but of what the tag stands for.
    let group = format!("/groups/{fine}");
    let stale = api.with_header("If-None-Match", &before.etag()).get(&group);
    assert_eq!(stale.expect(200).json["version"], before.json["version"]);
    let same = api.with_header("If-None-Match", &stale.etag()).get(&group);
    assert_eq!(same.status, 304);
    api.with_header("If-Match", &before.etag())
        .patch(&group, &json!({"description": "fine"}))
        .expect(200);
    let late = api
        .with_header("If-Match", &before.etag())
        .patch(&group, &json!({"description": "still"}));
    assert_eq!(late.expect(412).json["code"], "version_conflict");
}

#[test]
fn updated_since_tells_what_changed_oldest_change_first() {
    let app = TestApp::in_zone("UTC", "2026-03-01T09:00:00Z");
    let api = app.api();
    let ids = app.users(3);
    for name in ["A", "B", "C"] {
        app.group(name, &[]);
        app.course(name);
    }
    let find = |path: &str, n: usize| {
        rows(&api, path)[n]["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    };
    let (group, course) = (find("/groups", 1), find("/courses", 1));
    let learner = find("/learners", 1);
    app.at("2026-03-02T09:00:00Z");
    api.patch(&format!("/groups/{group}"), &json!({"description": "Z"}))
        .expect(200);
    api.patch(&format!("/courses/{course}"), &json!({"title": "Z"}))
        .expect(200);
    api.patch(&format!("/learners/{learner}"), &json!({"suspended": true}))
        .expect(200);
    let done = json!({"completions": [{"learner": {"id": learner}, "course_id": course, "completed_at": "2026-03-02T08:00:00Z"}]});
    for (path, id) in [
        ("/groups", &group),
        ("/courses", &course),
        ("/learners", &learner),
    ] {
        let since = |at: &str| rows(&api, &format!("{path}?updated_since={at}"));
        assert_eq!(since("2026-03-03T00:00:00Z").len(), 0, "{path}");
        let changed = since("2026-03-02T00:00:00Z");
        assert_eq!(changed.len(), 1, "{path}");
        assert_eq!(changed[0]["id"], **id, "{path}");
        let all = since("2026-03-01T00:00:00Z");
        assert_eq!((all.len(), &all[2]["id"]), (3, &json!(id)), "{path}");
    }
    app.at("2026-03-04T09:00:00Z");
    api.post("/completions", &done).expect(200);
    assert_eq!(
        rows(&api, "/completions?updated_since=2026-03-04T00:00:00Z").len(),
        1
    );
    assert_eq!(
        rows(&api, "/completions?updated_since=2026-03-05T00:00:00Z").len(),
        0
    );
    assert_eq!(ids.len(), 3);
}

#[test]
fn lists_take_several_values_between_commas() {
    let (app, group, learner, import) = filled();
    let api = app.api();
    api.patch(&format!("/learners/{learner}"), &json!({"suspended": true}))
        .expect(200);
    let count = |path: &str| rows(&api, path).len();
    let members = format!("/groups/{group}/members");
    assert_eq!(count(&format!("{members}?state=active")), 2);
    assert_eq!(count(&format!("{members}?state=active,dormant")), 3);
    assert_eq!(count(&format!("{members}?state=pending")), 0);
    assert_eq!(count(&format!("{members}?source=scim,rest")), 3);
    assert_eq!(count(&format!("{members}?source=rest,import")), 0);
    let then = "as_of=2026-01-01T00:00:00Z";
    assert_eq!(count(&format!("{members}?state=active,dormant&{then}")), 0);
    assert_eq!(count("/courses?status=draft,published"), 3);
    assert_eq!(count("/courses?status=draft,archived"), 0);
    assert_eq!(count("/courses?q=afe"), 1);
    assert_eq!(count("/learners?approval=approved,pending"), 3);
    assert_eq!(
        count(&format!("/imports/{import}/rows?outcome=error,added")),
        3
    );
    let bad = api.get(&format!("{members}?state=active,gone"));
    assert_eq!(bad.expect(400).json["errors"][0]["parameter"], "state");
}

#[test]
fn the_sync_log_is_searched_by_time_status_change_and_text() {
    let app = TestApp::in_zone("UTC", "2026-03-01T09:00:00Z");
    let api = app.api();
    let ann = app.user("ann");
    let sales = app.group("Sales", &[&ann]);
    app.at("2026-03-02T09:00:00Z");
    app.scim()
        .patch(
            &format!("/Groups/{sales}"),
            &json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{"op": "replace", "path": "displayName", "value": "Sales Team"}]}),
        )
        .expect_below_500();
    app.scim().get("/Users/none").expect(404);
    app.settle(|| rows(&api, "/sync/requests?http_status=404").len() == 1);
    let count = |query: &str| rows(&api, &format!("/sync/requests?{query}")).len();
    assert_eq!(count("since=2026-03-02T00:00:00Z"), 2);
    assert_eq!(count("until=2026-03-02T00:00:00Z&operation=create"), 2);
    assert_eq!(count("changed=displayName&operation=patch"), 1);
    // A person is found inside another resource's body, too.
    assert_eq!(count(&format!("q={ann}&operation=create")), 2);
    assert_eq!(count("q=nothing+has+this"), 0);
    // What was done to somebody is found by who they are, and how often they were looked at is not.
    app.scim().get(&format!("/Users/{ann}")).expect(200);
    app.settle(|| count("operation=read&http_status=200") == 1);
    assert_eq!(count(&format!("resource_id={ann}")), 1);
    assert_eq!(
        count(&format!("resource_id={ann}&operation=create,patch")),
        1
    );
    assert_eq!(count(&format!("resource_id={ann}&operation=read")), 0);
    assert_eq!(count("outcome=rejected,failed"), 1);
    assert_eq!(count("outcome=rejected,success&operation=read"), 2);
    let lines = api
        .with_header("Accept", "application/x-ndjson")
        .get("/sync/requests?since=2026-03-02T00:00:00Z");
    assert_eq!(lines.expect(200).text.lines().count(), 3);
}
