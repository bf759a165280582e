//! Tenants are walls (A6): every route of the table, with another tenant's things in every place where a thing can be named.

use super::places::{Asked, NEVER, NOBODY, Place, places, same};
use super::walk::{Operation, Site, operations};
use crate::harness::{Client, Reply, TestApp};

/// The values of a tenant that fit a place, and one that fits it and never existed.
fn values(operation: &Operation, place: &Place, ours: &Site) -> (Vec<String>, &'static str) {
    let ids = || ours.ids().into_iter().map(str::to_owned);
    match place {
        Place::Path(name) => (vec![ours.id(&operation.path, name)], NEVER),
        Place::Query { only_ids: true, .. } | Place::Field(_) => {
            // a token's is of another form
            (ids().filter(|id| id.len() == NEVER.len()).collect(), NEVER)
        }
        Place::Query { .. } => (ids().chain(ours.names()).collect(), NOBODY),
        Place::Id { which, .. } => (ids().nth(*which).into_iter().collect(), NEVER),
        Place::Person { .. } => (vec![format!("{}-ann@acme.test", ours.mark)], NOBODY),
    }
}

/// What an answer tells of another tenant beyond what was sent.
fn tells(reply: &Reply, ours: &Site, sent: &[&str]) -> bool {
    let mut text = reply.text.clone();
    for value in sent {
        text = text.replace(value, "");
    }
    text.contains(&ours.mark) || ours.ids().iter().any(|id| text.contains(id))
}

/// Sends a request with a tenant's values and one with values of nobody; says how the answers differ.
fn difference(
    client: &Client,
    ours: &Site,
    (foreign, unknown): (&Asked, &Asked),
    (sent, never): (&[&str], &[&str]),
    nothing: &mut Option<String>,
) -> Option<String> {
    let rounds: &[bool] = if foreign.method == "GET" {
        &[false]
    } else {
        &[true, false]
    };
    rounds.iter().find_map(|dry| {
        let theirs = foreign.send(client, *dry);
        let ask = || same(&unknown.send(client, *dry), never);
        // what a read says of nothing it says again
        let nobodys = match foreign.method.as_str() {
            "GET" => nothing.get_or_insert_with(ask).clone(),
            _ => ask(),
        };
        let differs = same(&theirs, sent) != nobodys;
        (differs || tells(&theirs, ours, sent)).then(|| {
            format!(
                "{} {}: {theirs:?}\nbut of what never was: {nobodys}",
                foreign.method,
                foreign.address(*dry)
            )
        })
    })
}

/// The rows that are in one list alone.
pub fn changes(before: &[String], after: &[String]) -> Vec<String> {
    let only = |these: &[String], those: &[String]| {
        let alone = these.iter().filter(|row| !those.contains(row));
        alone.cloned().collect::<Vec<_>>()
    };
    [only(before, after), only(after, before)].concat()
}

#[test]
fn whatever_another_tenant_has_is_answered_like_what_never_was() {
    let app = TestApp::new();
    let ours = Site::of(&app, "wombat");
    let (scim, api) = app.other_tenant();
    let theirs = Site::fill_in(scim, api, "numbat");
    let before = ours.everything();
    let rows = app.rows_of(app.tenant);
    let (mut leaks, mut asked) = (Vec::new(), 0);
    for operation in operations() {
        if operation.detail["requestBody"]["content"]["text/csv"].is_object() {
            continue;
        }
        let name = format!("{} {}", operation.method, operation.path);
        let own = Asked::of(&operation, &theirs);
        let mut whole = (own.clone(), own.clone());
        let (mut sent, mut nevers) = (Vec::new(), Vec::new());
        for place in places(&operation, &theirs) {
            let (foreign, never) = values(&operation, &place, &ours);
            let unknown = own.clone().with(&place, never);
            let mut nothing = None;
            for value in &foreign {
                let asks = own.clone().with(&place, value);
                let pair = ([value.as_str()], [never]);
                leaks.extend(difference(
                    &theirs.api,
                    &ours,
                    (&asks, &unknown),
                    (&pair.0, &pair.1),
                    &mut nothing,
                ));
                asked += 1;
            }
            if let (Place::Path(_) | Place::Id { .. }, Some(value)) = (&place, foreign.first()) {
                let never = format!("{}{:02}", &NEVER[..NEVER.len() - 2], sent.len());
                whole = (whole.0.with(&place, value), whole.1.with(&place, &never));
                nevers.push(never);
                sent.push(value.clone());
            }
        }
        // the whole request of another tenant
        if !sent.is_empty() {
            let sent: Vec<&str> = sent.iter().map(String::as_str).collect();
            let nevers: Vec<&str> = nevers.iter().map(String::as_str).collect();
            leaks.extend(difference(
                &theirs.api,
                &ours,
                (&whole.0, &whole.1),
                (&sent, &nevers),
                &mut None,
            ));
        }
        let changed = changes(&rows, &app.rows_of(app.tenant));
        if !changed.is_empty() {
            leaks.push(format!("{name} changed another tenant: {changed:#?}"));
            break;
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n\n"));
    assert!(asked > 300, "{asked}");
    assert_eq!(ours.everything(), before);
}

#[test]
fn nothing_that_a_tenant_is_shown_or_told_counts_what_another_has() {
    let app = TestApp::new();
    let (scim, api) = app.other_tenant();
    let theirs = Site::fill_in(scim, api, "numbat");
    let before = theirs.everything();
    let ours = Site::of(&app, "wombat");
    for (now, then) in theirs.everything().iter().zip(&before) {
        assert_eq!(now, then);
    }
    for (path, total) in [("/Users", 3), ("/Groups", 1), ("", 4)] {
        let all = theirs.scim.get(path);
        assert_eq!(all.expect(200).json["totalResults"], total, "{path}");
    }
    // nor is a total of what another tenant's names find
    let mut totals = 0;
    for operation in operations() {
        for place in places(&operation, &theirs) {
            let lists = operation.detail.to_string().contains("\"include\"");
            let Place::Query { name, .. } = &place else {
                continue;
            };
            if !lists || operation.method != "GET" {
                continue;
            }
            for value in values(&operation, &place, &ours).0 {
                let all = Asked::of(&operation, &theirs).with(&place, &value);
                let reply = theirs
                    .api
                    .get(&format!("{}&include=total", all.address(false)));
                if reply.status == 200 && value.contains("wombat") {
                    assert_eq!(reply.json["page"]["total"], 0, "{} {name}", operation.path);
                    totals += 1;
                }
            }
        }
    }
    assert!(totals > 10, "{totals}");
}

#[test]
fn a_cursor_is_of_no_use_to_another_tenant() {
    let app = TestApp::new();
    let ours = Site::of(&app, "wombat");
    let (scim, api) = app.other_tenant();
    let theirs = Site::fill_in(scim, api, "numbat");
    let mut tried = 0;
    for operation in operations() {
        if operation.method != "GET" || !operation.detail.to_string().contains("\"cursor\"") {
            continue;
        }
        let page = |site: &Site, more: &str| {
            let address = Asked::of(&operation, site).address(false);
            let mark = if address.contains('?') { '&' } else { '?' };
            site.api.get(&format!("{address}{mark}limit=1{more}"))
        };
        let first = page(&ours, "");
        let Some(cursor) = first.expect(200).json["page"]["next_cursor"].as_str() else {
            continue;
        };
        page(&ours, &format!("&cursor={cursor}")).expect(200);
        let (with, made_up) = (
            page(&theirs, &format!("&cursor={cursor}")),
            page(&theirs, "&cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        );
        assert_eq!(
            with.expect(400).json["code"],
            "bad_cursor",
            "{}",
            operation.path
        );
        assert_eq!(
            same(&with, &[cursor]),
            same(&made_up, &[]),
            "{}",
            operation.path
        );
        tried += 1;
    }
    assert!(tried >= 8, "{tried}");
}

#[test]
fn an_idempotency_key_of_another_tenant_is_a_new_key() {
    let app = TestApp::new();
    let ours = Site::of(&app, "wombat");
    let (scim, api) = app.other_tenant();
    let theirs = Site::fill_in(scim, api, "numbat");
    for operation in operations() {
        if operation.method != "POST"
            || operation.detail["requestBody"]["content"]["text/csv"].is_object()
        {
            continue;
        }
        let name = &operation.path;
        let asked = Asked::of(&operation, &ours);
        let keyed = |client: &Client| client.with_header("Idempotency-Key", name);
        let first = asked.send(&keyed(&ours.api), false);
        first.expect_below_500();
        let plain = asked.send(&theirs.api, true);
        let again = asked.send(&keyed(&theirs.api), false);
        assert_eq!(again.header("idempotency-replayed"), "", "{name}");
        assert_ne!(again.status, 409, "{name}: {again:?}");
        assert!(!tells(&again, &ours, &ours.ids()), "{name}: {again:?}");
        if plain.status != 200 {
            assert_eq!(again.status, plain.status, "{name}: {again:?}");
        }
    }
}

#[test]
fn a_file_that_names_another_tenants_things_is_refused_like_one_that_names_nothing() {
    let app = TestApp::new();
    let ours = Site::of(&app, "wombat");
    let (scim, api) = app.other_tenant();
    let theirs = Site::fill_in(scim, api, "numbat");
    let code = coded(&ours);
    let rows = app.rows_of(app.tenant);
    for (kind, text) in [
        (
            "members",
            "group,email\n{group},{mark}-ann@acme.test\n{group_name},{mark}-bob@acme.test\n",
        ),
        (
            "members",
            "group,user_name\nnumbat team,{mark}-ann@acme.test\n",
        ),
        (
            "members",
            "group,external_id\nnumbat team,{mark}-ann@acme.test\n",
        ),
        (
            "learners",
            "email,external_id\n{mark}-ann@acme.test,{mark}\n",
        ),
        (
            "cohort",
            "group,email,course_code\n{group_name},{mark}-ann@acme.test,{code}\n",
        ),
        (
            "assignments",
            "group,course_code\n{group},{code}\nnumbat team,{code}\n",
        ),
        (
            "completions",
            "email,course_code,completed_at\n{mark}-ann@acme.test,{code},2026-01-02\n",
        ),
    ] {
        let told = |group: &str, name: &str, mark: &str, code: &str| {
            let text = text
                .replace("{group_name}", name)
                .replace("{group}", group)
                .replace("{mark}", mark)
                .replace("{code}", code);
            let plan = crate::csv::upload(&theirs.api, &format!("kind={kind}"), &text);
            let id = plan.expect(201).id();
            let outcomes = theirs.api.get(&format!("/imports/{id}/rows"));
            let sent = [group, name, mark, code];
            (
                same(&outcomes, &sent),
                plan.json["plan"]["summary"].clone(),
                plan,
            )
        };
        let foreign = told(&ours.group, "wombat team", "wombat", &code);
        let unknown = told(NEVER, "nobody team", "nobody", "NOTHING");
        assert_eq!((&foreign.0, &foreign.1), (&unknown.0, &unknown.1), "{kind}");
        assert!(
            !tells(&foreign.2, &ours, &[&ours.group, "wombat"]),
            "{kind}"
        );
    }
    assert_eq!(changes(&rows, &app.rows_of(app.tenant)), [""; 0]);
}

/// Gives a tenant's course a code; returns it.
fn coded(site: &Site) -> String {
    let code = "WOMBAT-1";
    let body = crate::harness::json!({ "code": code });
    site.api
        .patch(&format!("/courses/{}", site.course), &body)
        .expect(200);
    code.to_owned()
}
