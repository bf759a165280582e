//! Files as people's spreadsheets write them, and files that cannot be read.

use crate::harness::{TestApp, build::rows, json};

use super::{import, outcomes, upload, upload_bytes};

const TEXT: &str = "user_name,display_name\nköln,Änne Größe\n";

fn utf16(text: &str, little: bool) -> Vec<u8> {
    format!("\u{feff}{text}")
        .encode_utf16()
        .flat_map(|unit| {
            if little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        })
        .collect()
}

#[test]
fn every_encoding_and_delimiter_gives_the_same_learner() {
    let windows: Vec<u8> = TEXT
        .chars()
        .map(|c| u8::try_from(u32::from(c)).expect("Latin-1"))
        .collect();
    for (bytes, encoding, delimiter, notes) in [
        (TEXT.as_bytes().to_vec(), "utf-8", ",", json!([])),
        (
            format!("\u{feff}{TEXT}").into_bytes(),
            "utf-8",
            ",",
            json!([]),
        ),
        (utf16(TEXT, true), "utf-16le", ",", json!([])),
        (utf16(TEXT, false), "utf-16be", ",", json!([])),
        (windows, "windows-1252", ",", json!(["encoding_guessed"])),
        (TEXT.replace(',', ";").into_bytes(), "utf-8", ";", json!([])),
        (
            TEXT.replace(',', "\t").into_bytes(),
            "utf-8",
            "tab",
            json!([]),
        ),
        (
            format!("sep=|\r\n{}", TEXT.replace(',', "|")).into_bytes(),
            "utf-8",
            "|",
            json!([]),
        ),
    ] {
        let app = TestApp::new();
        let plan = upload_bytes(&app.api(), "kind=learners", &bytes);
        plan.expect(201);
        assert_eq!(plan.json["file"]["encoding"], encoding);
        assert_eq!(plan.json["file"]["delimiter"], delimiter);
        assert_eq!(plan.json["file"]["notes"], notes);
        super::commit(&app.api(), &plan.id()).expect(200);
        assert_eq!(rows(&app.api(), "/learners")[0]["name"], "Änne Größe");
    }
}

#[test]
fn people_say_how_columns_and_dates_are_written_and_nothing_is_guessed() {
    let app = TestApp::new();
    let api = app.api();
    app.group("Sales", &[]);
    let course = json!({"title": "Security basics", "code": "SEC", "status": "published"});
    api.post("/courses", &course).expect(201);
    let text = "Team,Kurs,due_date\nSales,SEC,04.03.2026\n";
    let missing = upload(&api, "kind=assignments", text);
    missing.expect(422);
    assert_eq!(missing.json["code"], "missing_column");
    let guess = upload(
        &api,
        "kind=assignments&columns=group:Team,course_code:Kurs",
        text,
    );
    assert_eq!(
        outcomes(&api, &guess.expect(201).id()),
        ["2 error bad_date"]
    );
    let query = "kind=assignments&columns=group:Team,course_code:Kurs&date_format=dd.mm.yyyy";
    import(&api, query, text);
    let group = rows(&api, "/groups")[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let assigned = rows(&api, &format!("/groups/{group}/assignments"));
    assert_eq!(assigned[0]["due"]["date"], "2026-03-04");
}

#[test]
fn what_is_no_file_of_ours_is_refused_with_its_code_and_changes_nothing() {
    let app = TestApp::new();
    let api = app.api();
    for (query, text, status, code) in [
        ("kind=learners", "", 422, "empty_file"),
        ("kind=learners", "name\nann\n", 422, "missing_column"),
        (
            "kind=learners",
            "email,E-Mail\na@b,c@d\n",
            422,
            "duplicate_column",
        ),
        (
            "kind=learners&columns=email:mail",
            "email\na@b\n",
            422,
            "unknown_column",
        ),
        ("kind=people", "email\na@b\n", 400, "invalid_parameter"),
        ("", "email\na@b\n", 400, "invalid_parameter"),
        (
            "kind=learners&delimiter=x",
            "email\na@b\n",
            400,
            "invalid_parameter",
        ),
        (
            "kind=learners&columns=email",
            "email\na@b\n",
            400,
            "invalid_parameter",
        ),
        (
            "kind=learners&encoding=latin",
            "email\na@b\n",
            400,
            "invalid_parameter",
        ),
        (
            "kind=learners&surprise=1",
            "email\na@b\n",
            400,
            "unknown_parameter",
        ),
    ] {
        let refused = upload(&api, query, text);
        refused.expect(status);
        assert_eq!(refused.header("content-type"), "application/problem+json");
        if status == 422 {
            assert_eq!(refused.json["code"], code, "{query} {text:?}");
        }
    }
    let broken = upload_bytes(
        &api,
        "kind=learners",
        b"\xEF\xBB\xBFemail\na@b.test\n\xFF\n",
    );
    broken.expect(422);
    assert_eq!(broken.json["code"], "not_text");
    let kind = api.with_header("Content-Type", "application/json");
    kind.send("POST", "/imports?kind=learners", Some(b"{}"))
        .expect(415);
    assert!(rows(&api, "/learners").is_empty());
}

#[test]
fn a_tenant_without_groups_imports_learners_only() {
    let app = TestApp::on_starter();
    let api = app.api();
    let refused = upload(&api, "kind=members", "group,email\nA,b@c.test\n");
    refused.expect(403);
    assert_eq!(refused.json["code"], "plan_upgrade_required");
    let done = import(&api, "kind=learners", "email\nann@acme.test\n");
    assert_eq!(done["result"]["rows"], json!({"created": 1}));
}
