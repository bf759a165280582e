//! The story of the product from beginning to end, told by any number of clients that take turns.

use crate::harness::build::{assign, course, pairs, rows, writes_in_log};
use crate::harness::{
    Client, TestApp, Value, add_members, group, json, patch, remove_member, user,
};

/// A SCIM and a REST client of one server.
pub type Faces = (Client, Client);

/// Plays the whole story; each request goes to the next server in turn.
pub fn play(servers: &[Faces]) {
    let mut turn = 0;
    let mut next = || {
        turn += 1;
        &servers[turn % servers.len()]
    };
    let count = |faces: &Faces| pairs(&rows(&faces.1, "/enrollments"));

    let courses = [
        course(&next().1, "Fire safety"),
        course(&next().1, "Security basics"),
    ];
    let team = next()
        .0
        .post("/Groups", &group("Warehouse", &[]))
        .expect(201)
        .id();
    let assignments = [
        assign(&next().1, &team, &courses[0]),
        assign(&next().1, &team, &courses[1]),
    ];
    let people: Vec<String> = (1..=5)
        .map(|n| {
            next()
                .0
                .post("/Users", &user(&format!("learner{n}@acme.test")))
                .expect(201)
                .id()
        })
        .collect();
    assert!(count(next()).is_empty(), "nobody is a member yet");

    // Two one by one, then all five in one PATCH.
    let path = format!("/Groups/{team}");
    for (number, id) in people[..2].iter().enumerate() {
        next()
            .0
            .patch(&path, &patch(json!([add_members(&[id])])))
            .expect(204);
        assert_eq!(count(next()).len(), 2 * (number + 1));
    }
    let all: Vec<&str> = people.iter().map(String::as_str).collect();
    next()
        .0
        .patch(&path, &patch(json!([add_members(&all)])))
        .expect(204);
    let ten = count(next());
    assert_eq!(ten.len(), 10, "five people, two courses");
    let mut once = ten.clone();
    once.dedup();
    assert_eq!(once, ten, "each once");

    // Every request again.
    for n in 1..=5 {
        next()
            .0
            .post("/Users", &user(&format!("learner{n}@acme.test")))
            .scim_error("uniqueness");
    }
    next()
        .0
        .post("/Groups", &group("Warehouse", &[]))
        .scim_error("uniqueness");
    for course in &courses {
        let again = next().1.post(
            &format!("/groups/{team}/assignments"),
            &json!({ "course_id": course }),
        );
        assert_eq!(
            (again.status, &again.json["code"]),
            (409, &json!("already_assigned")),
            "{again:?}"
        );
    }
    let logged = writes_in_log(&next().1).len();
    for id in &people {
        next()
            .0
            .patch(&path, &patch(json!([add_members(&[id])])))
            .expect(204);
    }
    next()
        .0
        .patch(&path, &patch(json!([add_members(&all)])))
        .expect(204);
    assert_eq!(count(next()), ten, "repeating changes nothing");
    let repeats: Vec<Value> = writes_in_log(&next().1).split_off(logged);
    assert!(
        repeats
            .iter()
            .filter(|row| row["operation"] == "patch")
            .count()
            >= 6
    );
    for row in repeats.iter().filter(|row| row["operation"] == "patch") {
        assert_eq!(row["outcome"], "no_op", "{row}");
    }

    // What ends never un-enrolls.
    next()
        .0
        .patch(&path, &patch(json!([remove_member(&people[0])])))
        .expect(204);
    assert_eq!(count(next()), ten, "a member left");
    next()
        .1
        .delete(&format!("/assignments/{}", assignments[1]))
        .expect(204);
    assert_eq!(count(next()), ten, "a course was taken off the group");
    next().0.delete(&path).expect(204);
    assert_eq!(count(next()), ten, "the group is gone");
    for id in &people {
        next().0.get(&format!("/Users/{id}")).expect(200);
    }

    // The log explains each step.
    let log = writes_in_log(&next().1);
    let steps: Vec<&Value> = log
        .iter()
        .filter(|row| row["outcome"] == "success")
        .collect();
    let operations: Vec<(&str, &str)> = steps
        .iter()
        .map(|row| {
            (
                row["operation"].as_str().unwrap_or_default(),
                row["resource_type"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    let mut expected = vec![("create", "Group")];
    expected.extend([("create", "User"); 5]);
    expected.extend([("patch", "Group"); 4]);
    expected.push(("delete", "Group"));
    assert_eq!(operations, expected);
    let caused: Vec<i64> = steps
        .iter()
        .filter(|row| row["operation"] == "patch")
        .map(|row| row["effects"]["enrollments"].as_i64().unwrap_or(-1))
        .collect();
    assert_eq!(
        caused,
        [2, 2, 6, 0],
        "enrollments caused by each change of the group"
    );
    for row in &steps {
        assert!(
            row["resource_label"]
                .as_str()
                .is_some_and(|label| !label.is_empty()),
            "{row}"
        );
        assert!(
            row["http_status"].is_i64() && row["at"].is_string(),
            "{row}"
        );
    }
}

#[test]
fn five_people_two_courses_ten_enrollments_whatever_happens_afterwards() {
    let app = TestApp::new();
    play(&[(app.scim(), app.api())]);
}
