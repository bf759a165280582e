//! `?dry_run=true`: the plan says exactly what the same request does next, and nothing stays of it (A1, A5).

use crate::harness::build::rows;
use crate::harness::{Client, TestApp, Value, json};

/// Sends a write dry, sees that nothing changed, sends it for real; returns plan and answer.
fn rehearse(
    app: &TestApp,
    method: &str,
    path: &str,
    body: Option<&Value>,
    status: u16,
) -> (Value, Value) {
    let bytes = body.map(|body| body.to_string().into_bytes());
    let api = app.api();
    let before = everything(&api);
    let plan = api
        .send(method, &format!("{path}?dry_run=true"), bytes.as_deref())
        .expect(200)
        .json
        .clone();
    assert_eq!(everything(&api), before, "a dry run leaves nothing behind");
    assert_eq!(plan["response"]["status"], status);
    let answer = api
        .send(method, path, bytes.as_deref())
        .expect(status)
        .json
        .clone();
    (plan, answer)
}

fn everything(api: &Client) -> Value {
    let groups = rows(api, "/groups");
    let members: Vec<Value> = groups
        .iter()
        .flat_map(|group| {
            let id = group["id"].as_str().unwrap_or_default();
            rows(api, &format!("/groups/{id}/members"))
        })
        .collect();
    json!([
        groups,
        members,
        rows(api, "/courses"),
        rows(api, "/enrollments"),
        rows(api, "/learners")
    ])
}

/// The seed's own story by REST.
#[test]
fn a_dry_run_announces_exactly_what_happens_next() {
    let app = TestApp::new();
    for n in 1..=6 {
        app.user(&format!("learner{n}@acme.test"));
    }
    let enrolled = || rows(&app.api(), "/enrollments").len();
    let name = json!({"name": "New Hires Q1 2026", "color": "#2563EB"});
    let (plan, group) = rehearse(&app, "POST", "/groups", Some(&name), 201);
    assert_eq!(plan["changes"][0]["op"], "created");
    assert_eq!(plan["response"]["body"]["name"], "New Hires Q1 2026");
    let group = group["id"].as_str().expect("an id").to_owned();

    let names = |numbers: std::ops::RangeInclusive<usize>| -> Value {
        json!({"learners": numbers
            .map(|n| json!({"user_name": format!("learner{n}@acme.test")}))
            .collect::<Vec<_>>()})
    };
    let members = format!("/groups/{group}/members");
    let (plan, _) = rehearse(&app, "POST", &members, Some(&names(1..=5)), 200);
    assert_eq!(
        plan["summary"]["memberships"],
        json!({"add": 5, "end": 0, "pend": 0})
    );
    assert_eq!(plan["summary"]["learners_affected"], 5);
    assert_eq!(plan["summary"]["enrollments"]["create"], 0);

    let courses = [app.course("Security basics"), app.course("Fire safety")];
    let assignments = format!("/groups/{group}/assignments");
    let assigned = courses.map(|course| {
        let body = json!({"course_id": course, "mandatory": true, "due": {"kind": "date", "date": "2026-03-01"}, "recert_months": 12});
        let before = enrolled();
        let (plan, answer) = rehearse(&app, "POST", &assignments, Some(&body), 201);
        assert_eq!(plan["summary"]["enrollments"], json!({"create": 5, "keep": 0, "remove": 0}));
        assert_eq!(plan["summary"]["cycles_opened"], 5);
        assert_eq!(plan["summary"]["becomes_overdue"], 5, "the date was yesterday");
        assert_eq!(plan["warnings"][0]["code"], "due_date_in_past");
        assert_eq!((answer["enrollment"]["created"].as_i64(), enrolled() - before), (Some(5), 5));
        answer["id"].as_str().expect("an id").to_owned()
    });

    let (plan, answer) = rehearse(&app, "POST", &members, Some(&names(6..=6)), 200);
    assert_eq!(plan["summary"]["memberships"]["add"], 1);
    assert_eq!(plan["summary"]["enrollments"]["create"], 2);
    assert_eq!(answer["enrollments_created"], 2);
    let sixth = answer["results"][0]["learner_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let named: Vec<&Value> = plan["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .filter(|change| change["entity"] == "enrollment")
        .map(|change| &change["course"])
        .collect();
    assert_eq!(named.len(), 2, "{named:?}");

    // The same again changes nothing, and the plan says so.
    let (plan, _) = rehearse(&app, "POST", &members, Some(&names(1..=6)), 200);
    assert_eq!(plan["summary"]["memberships"]["add"], 0);
    assert_eq!(plan["changes"], json!([]));

    let all = enrolled();
    assert_eq!(all, 12);
    for (path, ended) in [
        (format!("/assignments/{}", assigned[0]), 0),
        (format!("{members}/{sixth}"), 1),
        (format!("/groups/{group}"), 5),
    ] {
        let (plan, _) = rehearse(&app, "DELETE", &path, None, 204);
        assert_eq!(
            plan["summary"]["memberships"],
            json!({"add": 0, "end": ended, "pend": 0}),
            "{path}"
        );
        assert_eq!(
            plan["summary"]["enrollments"],
            json!({"create": 0, "keep": 0, "remove": 0}),
            "{path}"
        );
        assert_eq!(enrolled(), all, "nobody is un-enrolled");
    }
}

#[test]
fn a_dry_run_is_refused_as_the_write_itself_would_be() {
    let app = TestApp::new();
    let api = app.api();
    let none = api.post("/groups?dry_run=true", &json!({}));
    assert_eq!(none.expect(422).json["errors"][0]["pointer"], "/name");
    let odd = api.post("/groups?dry_run=maybe", &json!({"name": "Sales"}));
    assert_eq!(odd.expect(400).json["code"], "invalid_parameter");
    let read = api.get("/groups?dry_run=true");
    assert_eq!(read.expect(400).json["code"], "unknown_parameter");
    let typo = api.post("/groups?dryrun=true", &json!({"name": "Sales"}));
    let typo = typo.expect(400);
    assert!(
        typo.json["detail"]
            .to_string()
            .contains("is `dry_run` meant?"),
        "{typo:?}"
    );
    assert!(rows(&api, "/groups").is_empty());
}

#[test]
fn who_waits_and_who_cannot_be_added_is_told_before() {
    let app = TestApp::new();
    app.user("ann@acme.test");
    app.user("bob@acme.test");
    let group = app.group("Sales", &[]);
    let course = app.course("Security basics");
    app.assign(&group, &course);
    let api = app.api();
    let bob = rows(&api, "/learners")
        .into_iter()
        .find(|one| {
            one["name"]
                .as_str()
                .is_some_and(|name| name.contains("bob"))
                || one["email"] == "bob@acme.test"
        })
        .unwrap_or_else(|| rows(&api, "/learners")[1].clone());
    let bob = bob["id"].as_str().expect("an id").to_owned();
    let (plan, _) = rehearse(&app, "POST", &format!("/learners/{bob}/reject"), None, 200);
    assert_eq!(plan["summary"]["learners_affected"], 1);
    let members = format!("/groups/{group}/members");
    let both = |extra: Value| {
        let mut body = json!({"learners": [{"user_name": "ann@acme.test"}, {"id": bob}]});
        for (name, value) in extra.as_object().expect("an object") {
            body[name] = value.clone();
        }
        body
    };
    let skipped = api
        .post(
            &format!("{members}?dry_run=true"),
            &both(json!({"mode": "partial"})),
        )
        .expect(200)
        .json
        .clone();
    assert_eq!(skipped["summary"]["memberships"]["add"], 1);
    assert_eq!(skipped["skipped"][0]["code"], "rejected");
    let (plan, _) = rehearse(
        &app,
        "POST",
        &members,
        Some(&both(json!({"on_ineligible": "pend"}))),
        200,
    );
    assert_eq!(
        plan["summary"]["memberships"],
        json!({"add": 1, "end": 0, "pend": 1})
    );
    assert_eq!(plan["summary"]["enrollments"]["create"], 1, "only Ann");
    let (plan, _) = rehearse(&app, "POST", &format!("/learners/{bob}/approve"), None, 200);
    assert_eq!(plan["summary"]["enrollments"]["create"], 1, "now Bob");
}
