//! Plans without learner groups (S-02, §7.15): what every route answers to a tenant that never had any, and to one that
//! has them still.

use rollcall::learning::plan::SubscriptionPlan;

use super::walk::{Operation, Site, operations};
use crate::harness::build::rows;
use crate::harness::{Reply, TestApp, Value, group, json, member_list, patch, user};

/// Whether a route is about groups, and so about a plan that includes them. Every other must work on every plan.
fn is_of_groups(operation: &Operation) -> bool {
    let path = operation.path.as_str();
    path.starts_with("/groups")
        || path.starts_with("/assignments")
        || path == "/exports/members.csv"
}

#[track_caller]
fn refused(name: &str, reply: &Reply) {
    assert_eq!(reply.status, 403, "{name}: {reply:?}");
    assert_eq!(reply.json["code"], "plan_upgrade_required", "{name}");
    assert_eq!(reply.json["current_plan"], "starter", "{name}");
    assert_eq!(
        reply.json["required_plans"],
        json!(["professional", "business"]),
        "{name}"
    );
}

/// What a directory hears about groups.
#[track_caller]
fn refused_by_scim(reply: &Reply) {
    reply.scim_failure(403);
    let detail = reply.json["detail"].as_str().unwrap_or_default();
    assert!(
        detail.contains("Professional") && detail.contains("Business"),
        "{detail}"
    );
}

#[test]
fn a_tenant_that_never_had_groups_hears_of_the_plan_on_every_route_about_them_and_on_no_other() {
    let app = TestApp::on_starter();
    let (scim, api) = app.other_tenant();
    let site = Site::fill_in(scim, api, "numbat");
    let ours = app.api();
    let mut about_groups = 0;
    for operation in operations() {
        let name = format!("{} {}", operation.method, operation.path);
        if operation.detail["requestBody"]["content"]["text/csv"].is_object() {
            continue;
        }
        let reply = operation.send(&ours, &site);
        if !is_of_groups(&operation) {
            assert_ne!(reply.json["code"], "plan_upgrade_required", "{name}");
            reply.expect_below_500();
            continue;
        }
        about_groups += 1;
        refused(&name, &reply);
        if operation.method != "GET" {
            let body = operation
                .body(&site)
                .map(|body| body.to_string().into_bytes());
            let dry = format!("{}?dry_run=true", operation.address(&site));
            refused(&name, &ours.send(&operation.method, &dry, body.as_deref()));
        }
    }
    assert!(about_groups > 15, "{about_groups}");
    for kind in ["members", "cohort", "assignments"] {
        refused(
            kind,
            &crate::csv::upload(
                &ours,
                &format!("kind={kind}"),
                "group,email\nSales,ann@acme.test\n",
            ),
        );
    }
    crate::csv::import(&ours, "kind=learners", "email\nann@acme.test\n");
    assert!(
        rows(&ours, "/audit-events")
            .iter()
            .all(|one| one["entity"] != "group")
    );
}

#[test]
fn a_directory_hears_of_the_plan_at_every_address_of_groups_and_its_users_keep_working() {
    let app = TestApp::configured(|config| config.group_memberships = true);
    app.set_plan(SubscriptionPlan::Starter);
    let scim = app.scim();
    let types = scim.get("/ResourceTypes");
    assert_eq!(types.expect(200).names("name"), ["User"]);
    let never = super::places::NEVER;
    let ann = app.user("ann@acme.test");
    for (endpoint, type_name, body) in [
        ("/Groups", "Group", group("Sales", &[&ann])),
        (
            "/GroupMemberships",
            "GroupMembership",
            json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:GroupMembership"],
                "group": {"value": never}, "member": {"value": ann}}),
        ),
    ] {
        scim.get(&format!("/ResourceTypes/{type_name}"))
            .scim_failure(404);
        for path in [
            endpoint.to_owned(),
            format!("{endpoint}/{never}"),
            format!("{endpoint}/.search"),
        ] {
            let allow = scim
                .send("OPTIONS", &path, None)
                .expect(204)
                .header("allow")
                .to_owned();
            for method in allow
                .split(", ")
                .filter(|one| *one != "OPTIONS" && *one != "HEAD")
            {
                let body = match (method, path.ends_with(".search")) {
                    ("GET" | "DELETE", _) => None,
                    ("POST", true) => Some(
                        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}),
                    ),
                    ("PATCH", _) => Some(patch(
                        json!([{"op": "add", "path": "members", "value": member_list(&[&ann])}]),
                    )),
                    _ => Some(body.clone()),
                };
                let bytes = body.map(|body| body.to_string().into_bytes());
                refused_by_scim(&scim.send(method, &path, bytes.as_deref()));
            }
        }
    }
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": group("Sales", &[])},
        {"method": "DELETE", "path": format!("/Groups/{never}")},
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": user("bob@acme.test")},
    ]});
    let done = scim.post("/Bulk", &bulk).expect(200).json["Operations"].clone();
    let statuses: Vec<&Value> = done
        .as_array()
        .expect("operations")
        .iter()
        .map(|one| &one["status"])
        .collect();
    assert_eq!(statuses, ["403", "403", "201"], "{done}");
    // users: everything as ever
    assert_eq!(scim.get("/Users").expect(200).json["totalResults"], 2);
    assert_eq!(scim.get("").expect(200).json["totalResults"], 2);
    let path = format!("/Users/{ann}");
    scim.put(&path, &user("anna@acme.test")).expect(200);
    scim.patch(
        &path,
        &patch(json!([{"op": "replace", "path": "active", "value": false}])),
    )
    .expect(200);
    scim.get("/Users?filter=userName eq \"anna@acme.test\"")
        .expect(200);
    scim.delete(&path).expect(204);
}

#[test]
fn groups_from_before_a_downgrade_are_read_and_not_written_and_an_upgrade_enrolls_what_is_owed() {
    let app = TestApp::new();
    let site = Site::of(&app, "wombat");
    let waiting = crate::csv::upload(
        &site.api,
        "kind=members",
        "group,email\nwombat team,wombat-bob@acme.test\n",
    );
    let waiting = waiting.expect(201).id();
    let before = site.everything();
    app.set_plan(SubscriptionPlan::Starter);
    let all = app.rows_of(app.tenant);
    for operation in operations() {
        let name = format!("{} {}", operation.method, operation.path);
        if !is_of_groups(&operation) {
            continue;
        }
        let reply = operation.send(&site.api, &site);
        if operation.method == "GET" {
            reply.expect(200);
        } else {
            refused(&name, &reply);
        }
    }
    refused("commit", &crate::csv::commit(&site.api, &waiting));
    assert_eq!(app.rows_of(app.tenant), all);
    // what was there is there, frozen
    for ((path, now), (_, then)) in site.everything().iter().zip(&before) {
        let kept = [
            "/courses",
            "/enrollments",
            "/completions",
            "/exports/members.csv",
        ];
        if kept.iter().any(|one| path == &format!("GET {one}")) {
            assert_eq!(now, then, "{path}");
        }
    }
    let team = site.api.get(&format!("/groups/{}", site.group));
    assert_eq!(team.expect(200).json["frozen"], true);
    assert_eq!(site.api.get("/plan").expect(200).json["frozen"], true);

    // the directory goes on writing groups that exist; nobody is owed anything
    refused_by_scim(&site.scim.post("/Groups", &group("another", &[])));
    let carl = app.user("carl@acme.test");
    let add = patch(json!([{"op": "add", "path": "members", "value": member_list(&[&carl])}]));
    site.scim
        .patch(&format!("/Groups/{}", site.group), &add)
        .expect(204);
    let logged = app.logged("a parked push", |row| row["outcome"] == "parked");
    assert_eq!(logged["warnings"][0]["code"], "parked_plan", "{logged}");
    let mine = |app: &TestApp| {
        let people = rows(&app.api(), "/learners?q=carl");
        let id = people[0]["id"].as_str().expect("an id").to_owned();
        rows(&app.api(), &format!("/enrollments?learner_id={id}"))
    };
    assert_eq!(mine(&app).len(), 0);
    app.set_plan(SubscriptionPlan::Professional);
    let owed = mine(&app);
    assert_eq!(owed.len(), 1, "{owed:?}");
    assert_eq!(owed[0]["course_id"], site.course);
    site.api
        .patch(
            &format!("/groups/{}", site.group),
            &json!({"description": "again"}),
        )
        .expect(200);
    app.check();
}
