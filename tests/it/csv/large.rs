//! What is too large for one transaction: a job does it, beside other requests, and over `kill -9`.

use std::time::{Duration, Instant};

use crate::harness::binary::Binary;
use crate::harness::build::{assign, course, pairs, rows};
use crate::harness::database::Database;
use crate::harness::{Client, json};

use super::{commit, upload, wait};

const ROWS: usize = 5000;

fn people(count: usize) -> String {
    let lines: String = (0..count)
        .map(|n| format!("learner{n}@acme.test\n"))
        .collect();
    format!("email\n{lines}")
}

fn members(count: usize) -> String {
    let lines: String = (0..count)
        .map(|n| format!("Everybody,learner{n}@acme.test\n"))
        .collect();
    format!("group,email\n{lines}")
}

/// Waits until nothing waits.
fn quiet(api: &Client) {
    let started = Instant::now();
    loop {
        let jobs = rows(api, "/jobs");
        if jobs.iter().all(|job| job["state"] == "done") {
            return;
        }
        assert!(
            started.elapsed() < Duration::from_secs(120),
            "the jobs do not end: {}",
            json!(jobs)
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn large_imports_and_assignments_are_finished_after_kill_9() {
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    binary.tenant("acme");
    let token = binary.token("acme", "api");
    let mut server = binary.serve();
    let api = server.api(&token);

    // The plan is made in the background; the commit is broken off and goes on by itself.
    let plan = upload(&api, "kind=learners", &people(ROWS));
    plan.expect(202);
    let id = plan.id();
    assert_eq!(
        wait(&api, &id, "planned")["plan"]["summary"]["learners"]["create"],
        ROWS
    );
    commit(&api, &id).expect(202);
    server.kill();
    server = binary.serve();
    let api = server.api(&token);
    let done = wait(&api, &id, "committed");
    assert_eq!(done["result"]["rows"], json!({"created": ROWS}));

    // Memberships, with a course that everybody owes.
    let team = api
        .post("/groups", &json!({"name": "Everybody"}))
        .expect(201)
        .id();
    let first = course(&api, "Fire safety");
    assign(&api, &team, &first);
    let plan = upload(&api, "kind=members", &members(ROWS));
    let id = plan.expect(202).id();
    let planned = wait(&api, &id, "planned");
    assert_eq!(planned["plan"]["summary"]["enrollments"]["create"], ROWS);
    commit(&api, &id).expect(202);
    let progress = || api.get(&format!("/imports/{id}")).json["done"].as_u64();
    let started = Instant::now();
    // Somewhere in the middle, where the machine lets us.
    while progress() == Some(0) && started.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(5));
    }
    server.kill();
    binary.ok(&["check"]);
    server = binary.serve();
    let api = server.api(&token);
    let done = wait(&api, &id, "committed");
    assert_eq!(done["result"]["rows"], json!({"added": ROWS}));
    assert_eq!(done["result"]["enrollments"], ROWS);

    // A second course for all of them: the answer comes at once, the rest behind it.
    let second = course(&api, "Security basics");
    let assignment = assign(&api, &team, &second);
    let shown = api.get(&format!("/assignments/{assignment}"));
    assert!(
        shown.expect(200).json["enrolling"].is_object()
            || pairs(&rows(&api, "/enrollments")).len() == 2 * ROWS
    );
    server.kill();
    binary.ok(&["check"]);
    server = binary.serve();
    let api = server.api(&token);
    quiet(&api);
    assert!(api.get(&format!("/assignments/{assignment}")).json["enrolling"].is_null());
    let mut enrolled = pairs(&rows(&api, "/enrollments"));
    assert_eq!(enrolled.len(), 2 * ROWS);
    enrolled.dedup();
    assert_eq!(enrolled.len(), 2 * ROWS, "an enrollment twice");

    // Gone at once; nobody is un-enrolled.
    api.delete(&format!("/groups/{team}")).expect(204);
    api.get(&format!("/groups/{team}")).expect(404);
    server.kill();
    binary.ok(&["migrate"]);
    server = binary.serve();
    let api = server.api(&token);
    quiet(&api);
    assert_eq!(rows(&api, "/enrollments").len(), 2 * ROWS);
    assert_eq!(server.stop(), Some(0));
    binary.ok(&["check"]);
}
