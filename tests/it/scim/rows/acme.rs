//! The world of the filter and PATCH vectors: four users with the made-up extension, and one group.

use crate::harness::{Client, TestApp, Value, group, json, patch};

/// The made-up extension of the vectors.
pub const ACME: &str = "urn:example:scim:schemas:acme:1.0:User";
/// The extension with an attribute of every kind of `returned`.
pub const SHOWN: &str = "urn:example:scim:schemas:shown:1.0:User";
/// The extension with several values inside one value.
pub const LICENSED: &str = "urn:example:scim:schemas:licensed:1.0:User";
/// The schema of a `.search` body.
pub const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

const FIXTURE: &str = include_str!("../../../fixtures/scim/users.json");
const SCHEMAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/scim/schemas");

/// A server that knows the made-up extensions.
pub fn app() -> TestApp {
    TestApp::with_schemas(SCHEMAS, "2026-03-02T09:00:00Z")
}

/// The users u1–u4 and the group g1, with the times the fixture gives them.
pub struct Acme {
    pub app: TestApp,
    /// What the vectors call it, and the id it has here.
    pub ids: Vec<(&'static str, String)>,
}

/// Makes them in the order of their times.
pub fn acme() -> Acme {
    let app = TestApp::with_schemas(SCHEMAS, "2025-12-31T23:59:59.999Z");
    let scim = app.scim();
    let users: Vec<Value> = serde_json::from_str(FIXTURE).expect("the fixture is JSON");
    let mut world = Acme {
        app,
        ids: Vec::new(),
    };
    let u3 = world.create(&users[2], None);
    world.ids.push(("u3", u3.clone()));
    world.until("2026-01-10T09:00:00.000Z");
    let u1 = world.create(&users[0], Some("Trainee"));
    world.ids.push(("u1", u1.clone()));
    world.until("2026-02-01T00:00:00.000Z");
    let u2 = world.create(&users[1], None);
    world.ids.push(("u2", u2));
    let g1 = scim.post("/Groups", &group("Ops", &[&u3])).expect(201).id();
    world.ids.push(("g1", g1));
    world.until("2026-03-01T12:00:00.000Z");
    let title = |id: &str, title: &str| {
        let change = json!([{ "op": "replace", "path": "title", "value": title }]);
        scim.patch(&format!("/Users/{id}"), &patch(change))
            .expect(200);
    };
    title(&u1, "Engineer");
    world.until("2026-04-01T00:00:00.000Z");
    title(&u3, "Boss");
    title(&u3, "Director");
    world.until("2026-05-05T05:05:05.000Z");
    let u4 = world.create(&users[3], None);
    world.ids.push(("u4", u4));
    world
}

impl Acme {
    fn create(&self, user: &Value, title: Option<&str>) -> String {
        let mut body: Value =
            serde_json::from_str(&self.real(&user.to_string())).expect("still JSON");
        if let Some(body) = body.as_object_mut() {
            for name in ["id", "meta", "groups"] {
                body.remove(name);
            }
            body.entry("active").or_insert(Value::Null);
            if let Some(title) = title {
                body.insert("title".to_owned(), json!(title));
            }
        }
        self.app.scim().post("/Users", &body).expect(201).id()
    }

    fn until(&self, instant: &str) {
        let at = rollcall::clock::Instant::parse(instant).expect("an instant");
        self.app.clock.advance_millis(at.0 - self.app.clock.now().0);
    }

    /// A text of the vectors with the ids of this server in it.
    pub fn real(&self, text: &str) -> String {
        self.ids.iter().fold(text.to_owned(), |text, (name, id)| {
            text.replace(&format!("\"{name}\""), &format!("\"{id}\""))
                .replace(
                    &format!("\"{}\"", name.to_uppercase()),
                    &format!("\"{}\"", id.to_uppercase()),
                )
        })
    }

    /// What the vectors call the resources of a list, sorted.
    pub fn names(&self, ids: &[String]) -> Vec<&'static str> {
        let mut names: Vec<&str> = ids
            .iter()
            .map(|id| {
                self.ids
                    .iter()
                    .find(|(_, known)| known == id)
                    .map_or("?", |(name, _)| *name)
            })
            .collect();
        names.sort_unstable();
        names
    }

    /// Those a filter finds, by GET and by `.search`, which must agree.
    #[track_caller]
    pub fn found(&self, endpoint: &str, filter: &str) -> Vec<&'static str> {
        let scim = self.app.scim();
        let listed = scim.get(&format!("{endpoint}?filter={}", percent(filter)));
        let searched = search(&scim, endpoint, filter);
        assert_eq!(
            listed.expect(200).json,
            searched.expect(200).json,
            "{filter}"
        );
        let ids = listed.names("id");
        assert_eq!(listed.json["totalResults"], ids.len(), "{filter}");
        self.names(&ids)
    }
}

/// A `.search` for a filter.
pub fn search(scim: &Client, endpoint: &str, filter: &str) -> crate::harness::Reply {
    let body = json!({ "schemas": [SEARCH], "filter": filter });
    scim.post(
        &format!("{}/.search", endpoint.trim_end_matches('/')),
        &body,
    )
}

/// Everything but letters and digits percent-encoded.
pub fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
