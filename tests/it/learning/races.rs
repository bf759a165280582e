//! Approvals, assignments and directory pushes on one group, all at once: no enrollment missing, none double, no error.

use crate::harness::binary::Binary;
use crate::harness::build::{assign, course, pairs, rows};
use crate::harness::database::Database;
use crate::harness::{TestApp, add_members, group, json, patch, user};

use rollcall::learning::plan::SubscriptionPlan;

use super::scenario::Faces;

const PEOPLE: usize = 32;
const COURSES: usize = 8;

/// 32 clients: each pushes one waiting person into the group and approves another; eight of them assign a course as well.
fn race(servers: &[Faces]) {
    let (scim, api) = &servers[0];
    let users: Vec<String> = (0..PEOPLE)
        .map(|n| {
            scim.post("/Users", &user(&format!("p{n}")))
                .expect(201)
                .id()
        })
        .collect();
    let learners: Vec<String> = rows(api, "/learners")
        .iter()
        .map(|row| row["id"].as_str().unwrap_or_default().to_owned())
        .collect();
    for learner in &learners {
        api.post(&format!("/learners/{learner}/revoke"), &json!({}))
            .expect(200);
    }
    let team = scim
        .post("/Groups", &group("Everybody", &[]))
        .expect(201)
        .id();
    let courses: Vec<String> = (0..COURSES)
        .map(|n| course(api, &format!("Course {n}")))
        .collect();
    std::thread::scope(|scope| {
        for n in 0..PEOPLE {
            let (scim, api) = &servers[n % servers.len()];
            let (user, learner, team) = (&users[n], &learners[(n + 7) % PEOPLE], &team);
            let course = courses.get(n);
            scope.spawn(move || {
                if let Some(course) = course {
                    assign(api, team, course);
                }
                let add = patch(json!([add_members(&[user])]));
                scim.patch(&format!("/Groups/{team}"), &add).expect(204);
                api.post(&format!("/learners/{learner}/approve"), &json!({}))
                    .expect(200);
            });
        }
    });
    let (_, api) = &servers[servers.len() - 1];
    let found = pairs(&rows(api, "/enrollments"));
    let mut once = found.clone();
    once.dedup();
    assert_eq!(once, found, "none double");
    assert_eq!(found.len(), PEOPLE * COURSES, "none missing");
}

#[test]
fn approvals_assignments_and_pushes_from_32_clients_lose_no_enrollment() {
    let app = TestApp::new();
    race(&[(app.scim(), app.api())]);
    app.check();
}

#[test]
fn the_same_through_two_servers() {
    if !Database::can_be_shared() {
        return;
    }
    let database = Database::fresh();
    let binary = Binary::on(&database.url);
    binary.tenant("acme");
    let (scim, api) = (binary.token("acme", "scim"), binary.token("acme", "api"));
    let (first, second) = (binary.serve(), binary.serve());
    race(&[
        (first.scim(&scim), first.api(&api)),
        (second.scim(&scim), second.api(&api)),
    ]);
    binary.ok(&["check"]);
    assert_eq!((first.stop(), second.stop()), (Some(0), Some(0)));
}

/// The plan goes and comes back and the connection observes and goes live, while a directory pushes into old groups and new ones:
/// in the end nothing is owed, and no reconciler has run (4.14, I-2).
#[test]
fn plans_and_connections_that_change_under_pushes_lose_no_enrollment() {
    let app = TestApp::with_okta();
    let (scim, api) = (app.scim(), app.api());
    let users = app.users(PEOPLE);
    let team = scim.post("/Groups", &group("Old", &[])).expect(201).id();
    let fire = course(&api, "Fire safety");
    assign(&api, &team, &fire);
    let id = rows(&api, "/connections")[0]["id"].clone();
    let connection = format!("/connections/{}", id.as_str().unwrap_or_default());
    std::thread::scope(|scope| {
        for (n, some) in users.chunks(8).enumerate() {
            let (scim, team) = (&scim, &team);
            scope.spawn(move || {
                for user in some {
                    let add = patch(json!([add_members(&[user])]));
                    scim.patch(&format!("/Groups/{team}"), &add).expect(204);
                    // A starter tenant makes no groups.
                    let made = scim.post("/Groups", &group(&format!("New {n} {user}"), &[user]));
                    assert!([201, 403].contains(&made.status), "{made:?}");
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..4 {
                app.set_plan(SubscriptionPlan::Starter);
                app.set_plan(SubscriptionPlan::Business);
            }
        });
        scope.spawn(|| {
            for mode in ["observe", "live", "observe", "live"] {
                api.patch(&connection, &json!({ "mode": mode })).expect(200);
            }
        });
    });
    assert_eq!(pairs(&rows(&api, "/enrollments")).len(), PEOPLE);
    app.check();
}
