//! The four users and the group that the vectors of our checklist's §35 start from.

use crate::harness::{ENT, TestApp, USER, group, json};

/// A tenant with u1–u4 and the group `Ops` whose only member is u3.
pub struct People {
    pub app: TestApp,
    pub u1: String,
    pub u2: String,
    pub u3: String,
    pub u4: String,
    pub g1: String,
}

/// Pushes them, a minute apart.
pub fn people() -> People {
    let app = TestApp::new();
    let scim = app.scim();
    let push = |body| {
        app.clock.advance_millis(60_000);
        scim.post("/Users", &body).expect(201).id()
    };
    let u3 = push(json!({
        "schemas": [USER], "userName": "chloe", "name": { "givenName": "Chloé", "familyName": "O'Malley" },
        "title": "Director", "userType": "Employee", "active": true,
        "emails": [{ "value": "chloe@corp.test", "type": "work", "primary": true }, { "value": "chloe@acme.test", "type": "other" }],
        "phoneNumbers": [{ "value": "tel:+1-201-555-0123", "type": "mobile" }],
    }));
    let u1 = push(json!({
        "schemas": [USER, ENT], "externalId": "HR-001", "userName": "ada@acme.test",
        "name": { "givenName": "Ada", "familyName": "Okafor" }, "displayName": "Ada Okafor", "title": "Engineer",
        "userType": "Employee", "active": true,
        "emails": [{ "value": "ada@acme.test", "type": "work", "primary": true }, { "value": "ada@home.test", "type": "home" }],
        ENT: { "employeeNumber": "1001", "department": "Platform", "manager": { "value": u3 } },
    }));
    let u2 = push(json!({
        "schemas": [USER], "externalId": "hr-001", "userName": "Bo.Li", "name": { "familyName": "Li" },
        "userType": "Intern", "title": "100% remote", "active": false, "emails": [{ "value": "bo@acme.test", "type": "work" }],
    }));
    let u4 = push(json!({
        "schemas": [USER, ENT], "userName": "dave", "displayName": "Straße \"D\" \\ 4", ENT: { "department": "platform ops" },
    }));
    app.clock.advance_millis(60_000);
    let g1 = scim.post("/Groups", &group("Ops", &[&u3])).expect(201).id();
    app.clock.advance_millis(60_000);
    People {
        app,
        u1,
        u2,
        u3,
        u4,
        g1,
    }
}
