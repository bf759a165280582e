//! CSV out: what a spreadsheet would run is not run, and what was exported can be imported again.

use crate::harness::{TestApp, USER, build::rows, json};

use super::{import, outcomes, upload};

#[test]
fn a_formula_in_a_name_is_text_to_a_spreadsheet_and_itself_to_us() {
    let app = TestApp::new();
    let api = app.api();
    let evil = "=HYPERLINK(\"http://x.test\")";
    let user = json!({"schemas": [USER], "userName": "ann", "displayName": evil,
        "emails": [{"value": "ann@acme.test", "primary": true}]});
    let ann = app.scim().post("/Users", &user).expect(201).id();
    app.group("+1 Team", &[&ann]);
    let learners = api.get("/exports/learners.csv");
    learners.expect(200);
    assert!(
        learners
            .text
            .contains("\"'=HYPERLINK(\"\"http://x.test\"\")\""),
        "{}",
        learners.text
    );
    let raw = api.get("/exports/learners.csv?raw=true");
    assert!(raw.text.contains(",\"=HYPERLINK("), "{}", raw.text);
    let members = api.get("/exports/members.csv");
    assert!(
        members.text.contains("'+1 Team,,ann,ann@acme.test,"),
        "{}",
        members.text
    );
    // What went out comes back as it was.
    let plan = upload(&api, "kind=members", &members.text);
    assert_eq!(outcomes(&api, &plan.expect(201).id()), ["2 no_op -"]);
    let other = TestApp::new();
    import(&other.api(), "kind=learners", &learners.text);
    assert_eq!(rows(&other.api(), "/learners")[0]["name"], evil);
}

#[test]
fn exports_are_lists_with_a_header_a_name_and_crlf() {
    let app = TestApp::new();
    let api = app.api();
    let ids = app.users(2);
    let sales = app.group("Sales Team", &[&ids[0]]);
    let course = app.course("Fire safety");
    app.assign(&sales, &course);
    for (path, first, lines) in [
        (
            "/exports/learners.csv",
            "user_name,email,external_id,display_name,active,",
            3,
        ),
        (
            "/exports/members.csv",
            "group,external_id,user_name,email,display_name,state,",
            2,
        ),
        (
            "/exports/enrollments.csv",
            "user_name,email,display_name,course_code,course_title,",
            2,
        ),
    ] {
        let export = api.get(path);
        export.expect(200);
        assert!(export.text.starts_with(first), "{path}: {}", export.text);
        assert_eq!(
            export.text.matches("\r\n").count(),
            lines,
            "{path}: {}",
            export.text
        );
        assert!(
            export
                .header("content-disposition")
                .contains("-2026-03-02-UTC.csv")
        );
    }
    let members = api.get(&format!("/groups/{sales}/members.csv"));
    members.expect(200);
    assert!(
        members
            .header("content-disposition")
            .contains("members-Sales-Team-2026")
    );
    assert!(members.text.contains(
        "Sales Team,,learner1@acme.test,,learner1@acme.test,active,scim,2026-03-02T09:00:00.000Z"
    ));
    let log = api.get("/exports/sync-requests.csv");
    assert!(
        log.expect(200)
            .text
            .contains(",POST,/scim/v2/Users,create,success,201,"),
        "{}",
        log.text
    );
    let (_, theirs) = app.other_tenant();
    theirs
        .get(&format!("/groups/{sales}/members.csv"))
        .expect(404);
    assert_eq!(
        theirs
            .get("/exports/learners.csv")
            .text
            .matches("\r\n")
            .count(),
        1
    );
    let reader = app.client(
        "/api/v1",
        Some(&app.token("api", Some("groups:read"), None)),
    );
    reader.get("/exports/learners.csv").expect(403);
    reader.get("/exports/members.csv").expect(200);
}

#[test]
fn a_list_longer_than_a_page_is_whole() {
    let app = TestApp::new();
    let api = app.api();
    let lines: String = (0..1100).map(|n| format!("a{n}@acme.test\n")).collect();
    import(&api, "kind=learners", &format!("email\n{lines}"));
    let export = api.get("/exports/learners.csv");
    assert_eq!(export.expect(200).text.matches("\r\n").count(), 1101);
}

#[test]
fn reports_are_csv_for_who_accepts_it() {
    // A2: `/groups/{id}/progress`, `/compliance`, `/reports/compliance`
    let app = TestApp::new();
    let api = app.api();
    let people = app.users(2);
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let sales = app.group("Sales Team", &people);
    app.group("Idle", &[]);
    let course = app.course("Fire, safety");
    let terms = json!({"course_id": course, "mandatory": true, "due": {"kind": "date", "date": "2026-03-31"}});
    api.post(&format!("/groups/{sales}/assignments"), &terms)
        .expect(201);
    app.at("2026-06-01T09:00:00Z");
    let sheet = |path: &str| {
        let reply = api.with_header("Accept", "text/csv").get(path);
        reply.expect(200);
        assert!(
            reply.header("content-type").starts_with("text/csv"),
            "{path}"
        );
        assert!(
            reply.header("content-disposition").contains(".csv"),
            "{path}"
        );
        let lines: Vec<String> = reply.text.lines().map(str::to_owned).collect();
        lines
    };
    let of_group = sheet(&format!("/groups/{sales}/compliance"));
    assert_eq!(
        of_group,
        [
            "course_id,course_title,mandatory,rate,on_track_rate,compliant,expiring,in_grace,in_progress,not_started,overdue,\
             expired,waived,obligations,optional_obligations,progress"
                .to_owned(),
            format!("{course},\"Fire, safety\",true,0,0,0,0,0,0,0,2,0,0,2,0,0"),
        ]
    );
    let progress = sheet(&format!("/groups/{sales}/progress?limit=1"));
    assert_eq!(
        progress.len(),
        3,
        "all members, whatever the page: {progress:?}"
    );
    assert!(progress[1].contains(",active,"), "{progress:?}");
    assert!(
        progress[1].ends_with(",\"Fire, safety\",true,overdue,false,2026-03-31,,0"),
        "{progress:?}"
    );
    let of_tenant = sheet("/reports/compliance");
    assert_eq!(of_tenant.len(), 2, "{of_tenant:?}");
    assert!(of_tenant[1].starts_with(&format!("{sales},Sales Team,0,")));
    let asked = api.get("/reports/compliance?format=csv&group_by=course&status=overdue");
    assert_eq!(asked.expect(200).text.lines().count(), 2);
    let none = api.get("/reports/compliance?format=csv&status=expired,waived");
    assert_eq!(none.expect(200).text.lines().count(), 1);
    let json = api
        .with_header("Accept", "text/csv")
        .get("/reports/compliance?format=json&status=overdue");
    assert_eq!(json.expect(200).json["lines"][0]["name"], "Sales Team");
    let refused = api
        .with_header("Accept", "text/csv")
        .get("/groups/0199a2c4-0000-7000-8000-000000000001/progress");
    refused.expect(404);
}

#[test]
fn the_date_of_a_files_name_is_the_tenants() {
    // A4: "file name carries group, date, time zone"
    let app = TestApp::in_zone("Pacific/Auckland", "2026-03-02T21:00:00Z");
    let sales = app.group("Sales Team", &[]);
    for (path, name) in [
        ("/exports/learners.csv".to_owned(), "learners"),
        (format!("/groups/{sales}/members.csv"), "members-Sales-Team"),
        (
            format!("/groups/{sales}/progress?raw=true"),
            "progress-Sales-Team",
        ),
        (
            "/reports/compliance?format=csv".to_owned(),
            "compliance-report",
        ),
    ] {
        let sheet = app.api().with_header("Accept", "text/csv").get(&path);
        assert_eq!(
            sheet.expect(200).header("content-disposition"),
            format!("attachment; filename=\"{name}-2026-03-03-Pacific-Auckland.csv\"")
        );
    }
}
