//! Many clients at once: nobody's write is lost, nothing exists twice.

use std::thread;

use crate::harness::{TestApp, add_members, json, patch, user};

#[test]
fn hv_57_of_fifty_creates_of_one_name_exactly_one_succeeds() {
    let app = TestApp::new();
    let mut statuses: Vec<u16> = thread::scope(|scope| {
        let all: Vec<_> = (0..50)
            .map(|_| scope.spawn(|| app.scim().post("/Users", &user("eve@acme.test")).status))
            .collect();
        all.into_iter()
            .map(|one| one.join().expect("a client"))
            .collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(
        statuses[1..].iter().all(|&status| status == 409),
        "{statuses:?}"
    );
    assert_eq!(app.scim().get("/Users").json["totalResults"], 1);
}

#[test]
fn hv_58_a_hundred_parallel_adds_all_land() {
    let app = TestApp::new();
    let users = app.users(100);
    let courses = [app.course("Fire safety"), app.course("Security basics")];
    let group = app.group("Everybody", &[]);
    for course in &courses {
        app.assign(&group, course);
    }
    let before = version(&app.scim().get(&format!("/Groups/{group}")).etag());
    thread::scope(|scope| {
        for part in users.chunks(5) {
            let (app, group) = (&app, &group);
            scope.spawn(move || {
                let scim = app.scim();
                for id in part {
                    let reply = scim.patch(
                        &format!("/Groups/{group}"),
                        &patch(json!([add_members(&[id])])),
                    );
                    assert_eq!(reply.status, 204, "{reply:?}");
                }
            });
        }
    });
    let after = app.scim().get(&format!("/Groups/{group}"));
    assert_eq!(after.members().len(), 100);
    assert_eq!(
        version(&after.etag()),
        before + 100,
        "the version moved once for each add"
    );
    let pairs = crate::harness::build::pairs(&app.enrollments());
    assert_eq!(pairs.len(), 200);
    let mut once = pairs.clone();
    once.dedup();
    assert_eq!(once, pairs);
}

#[test]
fn of_two_writers_with_the_same_etag_one_is_told() {
    let app = TestApp::new();
    let path = format!("/Users/{}", app.user("eve"));
    for round in 0..10 {
        let tag = app.scim().get(&path).etag();
        let mut statuses: Vec<u16> = thread::scope(|scope| {
            let write = |title: String| {
                let client = app.scim().with_header("If-Match", &tag);
                let path = &path;
                scope.spawn(move || {
                    client
                        .patch(
                            path,
                            &patch(json!([{ "op": "replace", "path": "title", "value": title }])),
                        )
                        .status
                })
            };
            let both = [write(format!("a{round}")), write(format!("b{round}"))];
            both.into_iter()
                .map(|one| one.join().expect("a client"))
                .collect()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
    }
}

#[test]
fn members_joining_while_courses_are_assigned_miss_none() {
    let app = TestApp::new();
    let users = app.users(20);
    let courses: Vec<String> = (0..10)
        .map(|number| app.course(&format!("Course {number}")))
        .collect();
    let group = app.group("Everybody", &[]);
    thread::scope(|scope| {
        scope.spawn(|| {
            for id in &users {
                app.scim()
                    .patch(
                        &format!("/Groups/{group}"),
                        &patch(json!([add_members(&[id])])),
                    )
                    .expect(204);
            }
        });
        scope.spawn(|| {
            for course in &courses {
                app.assign(&group, course);
            }
        });
    });
    assert_eq!(crate::harness::build::pairs(&app.enrollments()).len(), 200);
}

/// The number in `W/"7"`.
fn version(tag: &str) -> i64 {
    tag.trim_start_matches("W/")
        .trim_matches('"')
        .parse()
        .expect("a version counter")
}
