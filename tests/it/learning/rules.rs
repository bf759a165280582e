//! The seed's rules S-01 to S-17 (§1), each through every face where it applies: SCIM, REST, CSV.
//!
//! S-03 (menus) and the ticking of S-05 are the console's; what they lead to is here.

use super::examples::{assign as assign_with, complete, enrollments, learner};
use crate::csv::import;
use crate::harness::build::rows;
use crate::harness::{
    Client, LEARNER_GROUP, TestApp, Value, add_members, group, json, patch, remove_member,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Face {
    Scim,
    Rest,
    Csv,
}

const ALL: [Face; 3] = [Face::Scim, Face::Rest, Face::Csv];

/// A tenant with two people, and what the faces need to speak of them.
struct World {
    app: TestApp,
    api: Client,
    scim: Client,
    users: Vec<String>,
    learners: Vec<String>,
}

const NAMES: [&str; 2] = ["learner1@acme.test", "learner2@acme.test"];

impl World {
    fn new() -> Self {
        let app = TestApp::new();
        let users = app.users(NAMES.len());
        let (api, scim) = (app.api(), app.scim());
        let learners = NAMES.iter().map(|name| learner(&api, name)).collect();
        Self {
            app,
            api,
            scim,
            users,
            learners,
        }
    }

    /// A group of this name, made through a face; a file makes it with a member.
    fn make(&self, face: Face, name: &str) -> String {
        match face {
            Face::Scim => self
                .scim
                .post("/Groups", &group(name, &[]))
                .expect(201)
                .id(),
            Face::Rest => self
                .api
                .post("/groups", &json!({ "name": name }))
                .expect(201)
                .id(),
            Face::Csv => {
                import(
                    &self.api,
                    "kind=cohort",
                    &format!("group,email\n{name},{}\n", NAMES[0]),
                );
                self.named(name).expect("the group of the file")
            }
        }
    }

    fn named(&self, name: &str) -> Option<String> {
        rows(&self.api, "/groups")
            .into_iter()
            .find(|row| row["name"] == name)
            .map(|row| row["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Lets people join through a face.
    fn add(&self, face: Face, group: &str, people: &[usize]) {
        match face {
            Face::Scim => {
                let ids: Vec<&str> = people.iter().map(|n| self.users[*n].as_str()).collect();
                self.scim
                    .patch(
                        &format!("/Groups/{group}"),
                        &patch(json!([add_members(&ids)])),
                    )
                    .expect(204);
            }
            Face::Rest => {
                let learners: Vec<Value> = people
                    .iter()
                    .map(|n| json!({"id": self.learners[*n]}))
                    .collect();
                self.api
                    .post(
                        &format!("/groups/{group}/members"),
                        &json!({ "learners": learners, "on_ineligible": "pend" }),
                    )
                    .expect(200);
            }
            Face::Csv => {
                let lines: String = people
                    .iter()
                    .map(|n| format!("{group},{}\n", NAMES[*n]))
                    .collect();
                import(&self.api, "kind=members", &format!("group,email\n{lines}"));
            }
        }
    }

    fn remove(&self, face: Face, group: &str, person: usize) {
        match face {
            Face::Scim => {
                let body = patch(json!([remove_member(&self.users[person])]));
                self.scim
                    .patch(&format!("/Groups/{group}"), &body)
                    .expect(204);
            }
            Face::Rest => {
                let path = format!("/groups/{group}/members/{}", self.learners[person]);
                self.api.delete(&path).expect(204);
            }
            Face::Csv => {
                let text = format!("group,email,action\n{group},{},remove\n", NAMES[person]);
                import(&self.api, "kind=members", &text);
            }
        }
    }

    /// Assigns a course by its code; SCIM has no assignments.
    fn assign(&self, face: Face, group: &str, code: &str) {
        let course = rows(&self.api, "/courses")
            .into_iter()
            .find(|row| row["code"] == code)
            .expect("the course")["id"]
            .clone();
        match face {
            Face::Csv => {
                let text = format!("group,course_code\n{group},{code}\n");
                import(&self.api, "kind=assignments", &text);
            }
            Face::Scim | Face::Rest => {
                assign_with(
                    &self.app,
                    group,
                    course.as_str().unwrap_or_default(),
                    json!({}),
                );
            }
        }
    }

    fn course(&self, code: &str) -> String {
        self.api
            .post(
                "/courses",
                &json!({"title": code, "code": code, "status": "published"}),
            )
            .expect(201)
            .id()
    }

    /// In how many courses a person is enrolled.
    fn enrolled(&self, person: usize) -> usize {
        enrollments(&self.app, &self.learners[person]).len()
    }

    fn members(&self, group: &str) -> usize {
        rows(&self.api, &format!("/groups/{group}/members")).len()
    }
}

#[test]
fn s_01_a_group_bundles_learners_for_enrollment_and_its_progress_is_told() {
    let world = World::new();
    let team = world.make(Face::Rest, "Team");
    let course = world.course("SEC");
    assign_with(&world.app, &team, &course, json!({"mandatory": true}));
    world.add(Face::Scim, &team, &[0, 1]);
    complete(
        &world.app,
        &world.learners[0],
        &course,
        "2026-03-01T09:00:00Z",
    );
    let report = world.api.get(&format!("/groups/{team}/compliance"));
    let total = &report.expect(200).json["total"]["mandatory"];
    assert_eq!(
        (&total["obligations"], &total["rate"]),
        (&json!(2), &json!(0.5))
    );
    let progress = rows(&world.api, &format!("/groups/{team}/progress"));
    assert_eq!(progress.len(), 2);
}

#[test]
fn s_02_two_plans_have_groups_and_one_has_none_through_any_face() {
    use rollcall::learning::plan::SubscriptionPlan::{Business, Professional, Starter};
    let world = World::new();
    for (plan, status) in [(Starter, 403), (Professional, 201), (Business, 201)] {
        world.app.set_plan(plan);
        let name = format!("{plan:?}");
        let rest = world
            .api
            .post("/groups", &json!({"name": format!("{name} by REST")}));
        rest.expect(status);
        let scim = world
            .scim
            .post("/Groups", &group(&format!("{name} by SCIM"), &[]));
        scim.expect(status);
        let text = format!("group,email\n{name} by file,{}\n", NAMES[0]);
        let file = crate::csv::upload(&world.api, "kind=cohort", &text);
        file.expect(status);
        if status == 403 {
            assert_eq!(rest.json["code"], "plan_upgrade_required");
            assert_eq!(file.json["code"], "plan_upgrade_required");
            scim.scim_failure(403);
        }
    }
}

#[test]
fn s_04_and_s_14_a_name_is_required_and_the_rest_is_optional_and_changed_at_will() {
    let world = World::new();
    world
        .api
        .post("/groups", &json!({"color": "#FF0000"}))
        .expect(422);
    let nameless = json!({"schemas": [crate::harness::GROUP]});
    world
        .scim
        .post("/Groups", &nameless)
        .scim_error("invalidValue");
    for face in ALL {
        let id = world.make(face, &format!("{face:?}"));
        let renamed = format!("{face:?} renamed");
        if face == Face::Scim {
            let body = patch(json!([
                {"op": "replace", "path": "displayName", "value": renamed},
                {"op": "add", "path": format!("{LEARNER_GROUP}:color"), "value": "#abcdef"},
                {"op": "add", "path": format!("{LEARNER_GROUP}:description"), "value": "text"},
            ]));
            world
                .scim
                .patch(&format!("/Groups/{id}"), &body)
                .expect(204);
        } else {
            let body = json!({"name": renamed, "color": "#abcdef", "description": "text"});
            world.api.patch(&format!("/groups/{id}"), &body).expect(200);
        }
        let shown = world.api.get(&format!("/groups/{id}")).json;
        assert_eq!(
            (&shown["name"], &shown["color"], &shown["description"]),
            (&json!(renamed), &json!("#ABCDEF"), &json!("text")),
            "{face:?}"
        );
    }
}

#[test]
fn s_05_s_06_and_s_07_several_join_any_number_of_groups_at_once_and_are_enrolled_in_all_their_courses()
 {
    for face in ALL {
        let world = World::new();
        for (name, code) in [("One", "A"), ("Two", "B")] {
            let team = world.make(Face::Rest, name);
            world.course(code);
            world.assign(Face::Rest, &team, code);
            world.add(face, &team, &[0, 1]);
            assert_eq!(world.members(&team), 2, "{face:?}");
        }
        assert_eq!((world.enrolled(0), world.enrolled(1)), (2, 2), "{face:?}");
        world.app.check();
    }
}

#[test]
fn s_08_who_is_not_approved_is_no_member_until_they_are() {
    for face in ALL {
        let world = World::new();
        let team = world.make(Face::Rest, "Team");
        world.course("A");
        world.assign(Face::Rest, &team, "A");
        let path = format!("/learners/{}", world.learners[0]);
        world
            .api
            .post(&format!("{path}/revoke"), &json!({}))
            .expect(200);
        let refused = world.api.post(
            &format!("/groups/{team}/members"),
            &json!({"learners": [{"id": world.learners[0]}]}),
        );
        refused.expect(422);
        // §5: where it must not be refused, it waits.
        world.add(face, &team, &[0]);
        let row = &rows(&world.api, &format!("/groups/{team}/members"))[0];
        assert_eq!(row["state"], "pending", "{face:?}");
        assert_eq!(world.enrolled(0), 0, "{face:?}");
        world
            .api
            .post(&format!("{path}/approve"), &json!({}))
            .expect(200);
        assert_eq!(world.enrolled(0), 1, "{face:?}");
        world.app.check();
    }
}

#[test]
fn s_09_an_assignment_takes_three_optional_settings() {
    let world = World::new();
    let team = world.make(Face::Rest, "Team");
    for (code, settings) in [
        ("A", json!({})),
        ("B", json!({"mandatory": true})),
        ("C", json!({"due": {"kind": "date", "date": "2026-12-31"}})),
        ("D", json!({"due": {"kind": "relative", "days": 30}})),
        ("E", json!({"recert_months": 120})),
    ] {
        let course = world.course(code);
        let id = assign_with(&world.app, &team, &course, settings.clone());
        let shown = world.api.get(&format!("/assignments/{id}")).json;
        for (name, default) in [
            ("mandatory", json!(false)),
            ("due", Value::Null),
            ("recert_months", Value::Null),
        ] {
            let expected = settings.get(name).unwrap_or(&default);
            assert_eq!(&shown[name], expected, "{code} {name}");
        }
    }
    world.course("F");
    import(
        &world.api,
        "kind=assignments",
        "group,course_code,mandatory,due_days,recert_months\nTeam,F,yes,10,6\n",
    );
    let all = rows(&world.api, &format!("/groups/{team}/assignments"));
    let last = all
        .iter()
        .find(|row| row["course"]["title"] == "F")
        .expect("assigned by a file");
    assert_eq!(
        (&last["mandatory"], &last["due"], &last["recert_months"]),
        (
            &json!(true),
            &json!({"kind": "relative", "days": 10}),
            &json!(6)
        )
    );
}

#[test]
fn s_10_and_s_11_members_are_enrolled_at_once_and_who_joins_later_then() {
    for assigning in [Face::Rest, Face::Csv] {
        for joining in ALL {
            let world = World::new();
            let team = world.make(Face::Rest, "Team");
            world.course("A");
            world.add(joining, &team, &[0]);
            world.assign(assigning, &team, "A");
            assert_eq!(
                (world.enrolled(0), world.enrolled(1)),
                (1, 0),
                "{assigning:?} {joining:?}"
            );
            world.add(joining, &team, &[1]);
            assert_eq!(world.enrolled(1), 1, "{assigning:?} {joining:?}");
        }
    }
}

#[test]
fn s_12_s_13_and_s_15_nothing_that_ends_takes_an_enrollment_or_a_learner_away() {
    for face in ALL {
        let world = World::new();
        let team = world.make(Face::Rest, "Team");
        let courses = [world.course("A"), world.course("B")];
        let ids = courses.map(|course| assign_with(&world.app, &team, &course, json!({})));
        world.add(face, &team, &[0, 1]);
        let before = rows(&world.api, "/enrollments").len();
        assert_eq!(before, 4);
        world.remove(face, &team, 0);
        assert_eq!(world.members(&team), 1, "S-13 {face:?}");
        assert_eq!(rows(&world.api, "/enrollments").len(), before, "S-13");
        world
            .api
            .delete(&format!("/assignments/{}", ids[0]))
            .expect(204);
        assert_eq!(rows(&world.api, "/enrollments").len(), before, "S-12");
        if face == Face::Scim {
            world.scim.delete(&format!("/Groups/{team}")).expect(204);
        } else {
            world.api.delete(&format!("/groups/{team}")).expect(204);
        }
        let kept = rows(&world.api, "/enrollments");
        assert_eq!(kept.len(), before, "S-15 {face:?}");
        assert!(kept.iter().all(|row| row["withdrawn_at"].is_null()));
        assert_eq!(rows(&world.api, "/learners").len(), 2, "S-15 {face:?}");
        world.app.check();
    }
}

#[test]
fn s_16_and_s_17_one_group_is_driven_by_every_face() {
    // §7.3: a group that nobody manages has the last writer.
    let world = World::new();
    let team = world.make(Face::Csv, "New Hires Q1 2026");
    world.remove(Face::Scim, &team, 0);
    world.add(Face::Rest, &team, &[0]);
    world.remove(Face::Csv, &team, 0);
    world.add(Face::Scim, &team, &[0, 1]);
    assert_eq!(world.members(&team), 2);
    assert_eq!(
        world.scim.get(&format!("/Groups/{team}")).members().len(),
        2
    );
    world.app.check();
}
