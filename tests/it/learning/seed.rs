//! The seed's own story by REST: a cohort is made, approved, taught, joined by a sixth, and taken apart again; enrollments and
//! completions stay as they are at every step, and each dry run announces exactly what then happens.

use crate::harness::build::rows;
use crate::harness::{Client, TestApp, Value, json};

/// What a story must never take away: enrollments with their cycles, and completions (I-3).
fn records(api: &Client) -> (Vec<String>, Vec<String>) {
    let shown = |path: &str, fields: &[&str]| -> Vec<String> {
        let mut all: Vec<String> = rows(api, path)
            .iter()
            .map(|row| fields.iter().map(|field| row[*field].to_string()).collect())
            .collect();
        all.sort();
        all
    };
    (
        shown(
            "/enrollments",
            &[
                "id",
                "learner_id",
                "course_id",
                "created_at",
                "withdrawn_at",
            ],
        ),
        shown("/completions", &["id", "completed_at", "voided_at"]),
    )
}

/// How many live memberships, enrollments and cycles there are.
fn numbers(api: &Client) -> [i64; 3] {
    let members: i64 = rows(api, "/groups")
        .iter()
        .map(|group| {
            let count = |state: &str| group["counts"][state].as_i64().unwrap_or_default();
            count("active") + count("pending") + count("dormant")
        })
        .sum();
    let enrollments = rows(api, "/enrollments");
    let cycles = enrollments.iter().map(|row| row["cycle"]["n"].as_i64());
    [
        members,
        i64::try_from(enrollments.len()).unwrap_or_default(),
        cycles.map(Option::unwrap_or_default).sum(),
    ]
}

/// Sends a write dry, sees that it leaves nothing, sends it in earnest, and sees that what it did is what was announced, in
/// every number; the summary and the answer.
fn rehearsed(api: &Client, method: &str, path: &str, body: &Value, status: u16) -> (Value, Value) {
    let bytes = (method != "DELETE").then(|| body.to_string().into_bytes());
    let (before, count) = (records(api), numbers(api));
    let plan = api.send(method, &format!("{path}?dry_run=true"), bytes.as_deref());
    plan.expect(200);
    assert_eq!(records(api), before, "I-14: {method} {path}");
    assert_eq!(numbers(api), count, "I-14: {method} {path}");
    let answer = api.send(method, path, bytes.as_deref());
    answer.expect(status);
    let announced = |pointer: &str| {
        plan.json["summary"]
            .pointer(pointer)
            .and_then(Value::as_i64)
    };
    let sum = |one: &str, other: &str| announced(one).zip(announced(other)).map(|(a, b)| a + b);
    let came = sum("/memberships/add", "/memberships/pend");
    let membership = came.zip(announced("/memberships/end")).map(|(a, b)| a - b);
    let after = numbers(api);
    assert_eq!(
        [
            membership,
            announced("/enrollments/create"),
            announced("/cycles_opened")
        ],
        [0, 1, 2].map(|n| Some(after[n] - count[n])),
        "{method} {path}"
    );
    assert_eq!(announced("/enrollments/remove"), Some(0));
    assert_eq!(plan.json["response"]["status"], status);
    (plan.json["summary"].clone(), answer.json)
}

#[test]
fn new_hires_of_a_quarter_from_their_approval_to_the_end_of_their_group() {
    // S-04, S-05, S-08 to S-13, S-15, S-17
    let app = TestApp::with_okta();
    app.approve_by_hand("okta");
    let api = app.api();
    let none = json!({});
    app.users(6);
    let mut learners: Vec<(String, String)> = rows(&api, "/learners")
        .iter()
        .map(|row| {
            assert_eq!(row["approval"], "pending");
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            (text("name"), text("id"))
        })
        .collect();
    learners.sort();
    let id = |n: usize| learners[n].1.clone();

    let (_, made) = rehearsed(
        &api,
        "POST",
        "/groups",
        &json!({"name": "New Hires Q1 2026", "color": "#2563eb"}),
        201,
    );
    assert_eq!(
        (&made["name"], &made["color"]),
        (&json!("New Hires Q1 2026"), &json!("#2563EB"))
    );
    let group = made["id"].as_str().expect("an id").to_owned();
    let members = format!("/groups/{group}/members");
    let five = json!({"learners": (0..5).map(|n| json!({"id": id(n)})).collect::<Vec<_>>()});
    // S-08
    let refused = api.post(&members, &five);
    refused.expect(422);
    assert_eq!(refused.json["errors"].as_array().map(Vec::len), Some(5));
    for n in 0..6 {
        let (summary, _) = rehearsed(
            &api,
            "POST",
            &format!("/learners/{}/approve", id(n)),
            &none,
            200,
        );
        assert_eq!(summary["learners_affected"], 1);
    }
    let (summary, _) = rehearsed(&api, "POST", &members, &five, 200);
    assert_eq!(
        summary["memberships"],
        json!({"add": 5, "end": 0, "pend": 0})
    );

    let mut assignments = Vec::new();
    let courses = ["Security basics", "Fire safety"].map(|title| app.course(title));
    for (n, course) in courses.iter().enumerate() {
        let body = json!({"course_id": course, "mandatory": true,
            "due": {"kind": "date", "date": "2026-03-31"}, "recert_months": 12});
        let path = format!("/groups/{group}/assignments");
        let (summary, made) = rehearsed(&api, "POST", &path, &body, 201);
        // S-10
        assert_eq!(
            (
                &summary["enrollments"]["create"],
                &made["enrollment"]["created"]
            ),
            (&json!(5), &json!(5))
        );
        assert_eq!(records(&api).0.len(), 5 * (n + 1));
        assignments.push(made["id"].as_str().expect("an id").to_owned());
    }
    let done = json!({"completions": [{"learner_id": id(0), "course_id": courses[0],
        "completed_at": "2026-03-01T09:00:00Z", "source": "player"}]});
    api.post("/completions", &done).expect(200);

    // S-11
    let sixth = json!({"learners": [{"id": id(5)}]});
    let (summary, answer) = rehearsed(&api, "POST", &members, &sixth, 200);
    assert_eq!(
        (
            &summary["enrollments"]["create"],
            &answer["enrollments_created"]
        ),
        (&json!(2), &json!(2))
    );
    let kept = records(&api);
    assert_eq!((kept.0.len(), kept.1.len()), (12, 1));

    // S-12, S-13, S-15
    for (path, ended) in [
        (format!("/assignments/{}", assignments[0]), 0),
        (format!("{members}/{}", id(1)), 1),
        (format!("/groups/{group}"), 5),
    ] {
        let (summary, _) = rehearsed(&api, "DELETE", &path, &none, 204);
        assert_eq!(
            (
                &summary["memberships"]["end"],
                &summary["enrollments"]["remove"]
            ),
            (&json!(ended), &json!(0)),
            "{path}"
        );
        assert_eq!(records(&api), kept, "{path}");
    }
    assert_eq!(rows(&api, "/learners").len(), 6, "accounts stay");
    api.get(&format!("/groups/{group}")).expect(404);
    app.check();
}
