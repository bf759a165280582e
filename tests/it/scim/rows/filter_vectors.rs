//! The filter vectors of the checklist's §33, through HTTP: the list and `.search` must both find what the table says.

use super::acme::{acme, percent, search};

const VALID: &str = include_str!("../../../fixtures/scim/filters-valid.txt");
const INVALID: &str = include_str!("../../../fixtures/scim/filters-invalid.txt");

// FV-01..FV-92
#[test]
fn every_valid_filter_finds_exactly_those_the_table_names() {
    let world = acme();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for line in VALID.lines() {
        let mut cells = line.split('\t');
        let (Some(id), Some(filter), Some(expected)) = (cells.next(), cells.next(), cells.next())
        else {
            panic!("{line}: not three cells");
        };
        seen += 1;
        let expected: Vec<&str> = expected.split(' ').filter(|name| *name != "none").collect();
        let found = world.found("/Users", &world.real(filter));
        if found != expected {
            wrong.push(format!("{id} {filter}: found {found:?}, not {expected:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(seen, 92);
}

// FX-01..FX-66
#[test]
fn every_invalid_filter_is_refused_and_the_place_of_the_mistake_is_named() {
    let world = acme();
    let scim = world.app.scim();
    let mut wrong = Vec::new();
    for line in INVALID.lines() {
        let mut cells = line.split('\t');
        let (Some(id), Some(filter)) = (cells.next(), cells.next()) else {
            panic!("{line}: not two cells");
        };
        for reply in [
            scim.get(&format!("/Users?filter={}", percent(filter))),
            search(&scim, "/Users", filter),
        ] {
            let detail = reply.json["detail"].as_str().unwrap_or_default();
            if reply.status != 400
                || reply.json["scimType"] != "invalidFilter"
                || !detail.contains("column")
            {
                wrong.push(format!("{id} {filter}\n{reply:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(INVALID.lines().count(), 66);
}

// FU-01, FU-02, FU-03, FU-04, FU-05
#[test]
fn every_form_of_a_url_is_read_as_the_filter_it_means() {
    let world = acme();
    let scim = world.app.scim();
    let found = |query: &str| {
        let ids = scim.get(&format!("/Users?{query}")).expect(200).names("id");
        world.names(&ids)
    };
    assert_eq!(
        found("filter=userName%20eq%20%22ada%40acme.test%22"),
        ["u1"]
    );
    assert_eq!(found("filter=userName+eq+%22ada%40acme.test%22"), ["u1"]);
    assert_eq!(
        found("filter=emails.value+eq+%22a%2Bb%40acme.test%22"),
        [""; 0]
    );
    let change = crate::harness::json!([{ "op": "add", "path": "emails", "value": [{ "value": "a+b@acme.test", "type": "other" }] }]);
    let u2 = &world.ids[2].1;
    scim.patch(&format!("/Users/{u2}"), &crate::harness::patch(change))
        .expect(200);
    assert_eq!(
        found("filter=emails.value+eq+%22a%2Bb%40acme.test%22"),
        ["u2"]
    );
    assert_eq!(
        found("filter=emails%5Btype%20eq%20%22work%22%5D"),
        ["u1", "u2", "u3"]
    );
    assert_eq!(
        found("filter=emails[type%20eq%20%22work%22]"),
        ["u1", "u2", "u3"]
    );
    scim.get("/Users?filter=title%20pr&filter=active%20eq%20true")
        .scim_error("invalidValue");
}
