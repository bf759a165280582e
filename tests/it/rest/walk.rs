//! Walks over every operation of the OpenAPI document: a tenant with one of everything, and a request for each.

use rollcall::http::api::openapi::DOCUMENT;

use crate::harness::build::rows;
use crate::harness::{Client, TestApp, USER, Value, group, json, user};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// One operation of the document.
#[derive(Clone, Debug)]
pub struct Operation {
    pub method: String,
    pub path: String,
    pub detail: Value,
}

/// All of them.
pub fn operations() -> Vec<Operation> {
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object()
                .expect("operations")
                .iter()
                .map(move |(method, detail)| Operation {
                    method: method.to_uppercase(),
                    path: path.clone(),
                    detail: detail.clone(),
                })
        })
        .collect()
}

impl Operation {
    /// The scopes it needs.
    pub fn scopes(&self) -> Vec<String> {
        let list = self.detail["security"][0]["token"].as_array();
        list.into_iter()
            .flatten()
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect()
    }

    /// The example of its JSON body, with the ids of a tenant in it.
    pub fn body(&self, site: &Site) -> Option<Value> {
        let content = &self.detail["requestBody"]["content"]["application/json"];
        let name = content["schema"]["$ref"].as_str()?.rsplit('/').next()?;
        let mut body = DOCUMENT["components"]["schemas"][name]["example"].clone();
        assert!(
            !body.is_null(),
            "{} {}: the body {name} has no example",
            self.method,
            self.path
        );
        site.fill(&mut body, &self.path);
        Some(body)
    }

    /// The path with the ids of a tenant in it, and the parameters it cannot do without.
    pub fn address(&self, site: &Site) -> String {
        let path: Vec<String> = self
            .path
            .split('/')
            .map(|part| {
                match part
                    .strip_prefix('{')
                    .and_then(|part| part.strip_suffix('}'))
                {
                    Some(name) => site.id(&self.path, name),
                    None => part.to_owned(),
                }
            })
            .collect();
        let required: Vec<String> = self.detail["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|one| one["in"] == "query" && self.wants(one))
            .filter_map(|one| {
                let name = one["name"].as_str()?;
                let value = match one["schema"]["enum"][0].as_str() {
                    Some(first) => first.to_owned(),
                    None => site.id(&self.path, name),
                };
                Some(format!("{name}={value}"))
            })
            .collect();
        let mark = if required.is_empty() { "" } else { "?" };
        format!("{}{mark}{}", path.join("/"), required.join("&"))
    }

    /// Whether it cannot do without a parameter, which may be one of several ways to say the same.
    pub fn wants(&self, parameter: &Value) -> bool {
        let pair = ["learner", "course"]
            .iter()
            .any(|name| parameter["name"] == *name);
        parameter["required"] == true || (pair && self.path == "/explain")
    }

    /// Sends it with an example body.
    pub fn send(&self, client: &Client, site: &Site) -> crate::harness::Reply {
        let body = self.body(site).map(|body| body.to_string().into_bytes());
        client.send(&self.method, &self.address(site), body.as_deref())
    }
}

/// A tenant with one of everything, and its clients.
pub struct Site {
    pub scim: Client,
    pub api: Client,
    pub group: String,
    pub course: String,
    pub spare_course: String,
    pub assignment: String,
    pub user: String,
    pub learner: String,
    pub outsider: String,
    pub enrollment: String,
    pub connection: String,
    pub jti: String,
    pub request: String,
    /// Planned, with a row that is refused; also the id of its job.
    pub import: String,
    pub completion: String,
    pub exception: String,
    pub suggestion: String,
    /// What its names begin with.
    pub mark: String,
}

impl Site {
    /// Fills a tenant; `mark` makes its names its own.
    pub fn fill_in(scim: Client, api: Client, mark: &str) -> Self {
        let user_id = scim
            .post("/Users", &user(&format!("{mark}-ann@acme.test")))
            .expect(201)
            .id();
        scim.post("/Users", &user(&format!("{mark}-bob@acme.test")))
            .expect(201);
        let team = scim
            .post("/Groups", &group(&format!("{mark} team"), &[&user_id]))
            .expect(201)
            .id();
        let course = |title: &str| {
            let body = json!({"title": format!("{mark} {title}"), "status": "published"});
            api.post("/courses", &body).expect(201).id()
        };
        let (first, spare) = (course("one"), course("two"));
        let assignment = api
            .post(
                &format!("/groups/{team}/assignments"),
                &json!({"course_id": first, "mandatory": true, "due": {"kind": "date", "date": "2026-06-30"}, "recert_months": 12}),
            )
            .expect(201)
            .id();
        let members = rows(&api, &format!("/groups/{team}/members"));
        let learner = members[0]["learner_id"]
            .as_str()
            .expect("a learner")
            .to_owned();
        let outsider = rows(&api, "/learners")
            .iter()
            .filter_map(|one| one["id"].as_str().map(str::to_owned))
            .rfind(|id| *id != learner)
            .expect("another learner");
        let enrollment = rows(&api, &format!("/enrollments?learner_id={learner}"))[0]["id"]
            .as_str()
            .expect("an enrollment")
            .to_owned();
        let connection = api
            .post(
                "/connections",
                &json!({"name": format!("{mark} link"), "idp": "generic"}),
            )
            .expect(201)
            .id();
        let token = api.post(
            "/tokens",
            &json!({"label": format!("{mark} script"), "kind": "api"}),
        );
        let jti = token.expect(201).json["jti"]
            .as_str()
            .expect("a jti")
            .to_owned();
        // One that may run again: a part of it was skipped.
        let nobody = "0199a2c4-0000-7000-8000-00000000dead";
        let add = crate::harness::patch(json!([crate::harness::add_members(&[&user_id, nobody])]));
        scim.patch(&format!("/Groups/{team}"), &add)
            .expect_below_500();
        let request = rows(&api, "/sync/requests?outcome=partial")[0]["id"]
            .as_str()
            .expect("a request")
            .to_owned();
        let import = crate::csv::upload(
            &api,
            "kind=members",
            &format!("group,email\n{mark} team,{mark}-bob@acme.test\n{mark} team,not an address\n"),
        );
        let third = course("three");
        let done = json!({"completions": [{"learner_id": outsider, "course_id": third,
            "completed_at": "2026-03-01T08:00:00Z", "source": "admin", "source_ref": "before"}]});
        let done = api.post("/completions", &done);
        let completion = done.expect(200).json["results"][0]["id"]
            .as_str()
            .expect("a completion")
            .to_owned();
        let more = json!({"due": "2026-09-30", "reason": "On leave"});
        let extended = api.post(&format!("/enrollments/{enrollment}/extension"), &more);
        let exception = extended.expect(200).json["exceptions"][0]["id"]
            .as_str()
            .expect("an exception")
            .to_owned();
        // Hired again under another name: the number suggests who it was.
        let numbered = |name: &str| {
            let mut account = user(&format!("{mark}-{name}@acme.test"));
            account["schemas"] = json!([USER, ENTERPRISE]);
            account[ENTERPRISE] = json!({"employeeNumber": format!("{mark}-7")});
            scim.post("/Users", &account).expect(201).id()
        };
        let former = numbered("carl");
        scim.delete(&format!("/Users/{former}")).expect(204);
        numbered("carol");
        let suggestion = rows(&api, "/learner-suggestions?state=open")[0]["id"]
            .as_str()
            .expect("a suggestion")
            .to_owned();
        Self {
            import: import.expect(201).id(),
            completion,
            exception,
            suggestion,
            mark: mark.to_owned(),
            scim,
            api,
            group: team,
            course: first,
            spare_course: spare,
            assignment,
            user: user_id,
            learner,
            outsider,
            enrollment,
            connection,
            jti,
            request,
        }
    }

    /// Of an app's own tenant.
    pub fn of(app: &TestApp, mark: &str) -> Self {
        Self::fill_in(app.scim(), app.api(), mark)
    }

    /// The id that a parameter of a path wants.
    pub fn id(&self, path: &str, name: &str) -> String {
        let what = path
            .trim_start_matches('/')
            .split(['/', ':'])
            .next()
            .unwrap_or_default();
        let found = match (name, what) {
            ("learner" | "learner_id", _) | ("id", "learners") => &self.learner,
            ("course" | "course_id", _) | ("id", "courses") => &self.course,
            ("jti", _) => &self.jti,
            ("id", "groups") => &self.group,
            ("id", "assignments") => &self.assignment,
            ("id", "enrollments") => &self.enrollment,
            ("id", "connections") => &self.connection,
            ("id", "sync") => &self.request,
            ("id", "imports" | "jobs") => &self.import,
            ("id", "completions") => &self.completion,
            ("exception", _) => &self.exception,
            ("id", "learner-suggestions") => &self.suggestion,
            _ => panic!("{path}: a tenant has nothing that `{name}` could be; give it one"),
        };
        found.clone()
    }

    /// Every id that the tenant has.
    pub fn ids(&self) -> Vec<&str> {
        vec![
            &self.group,
            &self.course,
            &self.spare_course,
            &self.assignment,
            &self.user,
            &self.learner,
            &self.outsider,
            &self.enrollment,
            &self.connection,
            &self.jti,
            &self.request,
            &self.import,
            &self.completion,
            &self.exception,
        ]
    }

    /// What people of the tenant would call its things.
    pub fn names(&self) -> Vec<String> {
        [
            "-ann@acme.test",
            "-bob@acme.test",
            " team",
            " one",
            " link",
            "",
        ]
        .iter()
        .map(|rest| format!("{}{rest}", self.mark))
        .collect()
    }

    /// Puts ids into an example where its own stand.
    fn fill(&self, body: &mut Value, path: &str) {
        match body {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let id = match name.as_str() {
                        "course_id" | "course" => Some(&self.spare_course),
                        "learner_id" | "learner" => Some(&self.outsider),
                        "connection_id" => Some(&self.connection),
                        "group_id" => Some(&self.group),
                        "enrollment_id" => Some(&self.enrollment),
                        "id" if path.contains("members") || path.contains("learners") => {
                            Some(&self.outsider)
                        }
                        "id" => Some(&self.outsider),
                        _ => None,
                    };
                    match id {
                        Some(id) if value.is_string() => *value = Value::from(id.as_str()),
                        _ => self.fill(value, path),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| {
                if item.as_str().is_some_and(|text| text.starts_with("0199a2")) {
                    let id = match path.starts_with("/sync") {
                        true => &self.request,
                        false => &self.outsider,
                    };
                    *item = Value::from(id.as_str());
                } else {
                    self.fill(item, path);
                }
            }),
            _ => {}
        }
    }

    /// Brings the tenant into the state that an operation starts from.
    pub fn prepare(&self, operation: &Operation) {
        if operation.path.ends_with("/restore") {
            self.api
                .delete(&format!("/groups/{}", self.group))
                .expect(204);
        }
        if operation.path.ends_with("/unlink") {
            let link = json!({"learner_id": self.learner, "reason": "one person"});
            self.api
                .post(&format!("/learners/{}/link", self.outsider), &link)
                .expect(200);
        }
        if operation.path.ends_with("/restart") {
            let done = json!({"completions": [{"learner_id": self.learner, "course_id": self.course,
                "completed_at": "2026-03-02T08:00:00Z", "source": "admin", "source_ref": self.learner}]});
            self.api.post("/completions", &done).expect(200);
        }
    }

    /// Everything that the tenant's own client can see: every route that reads, with its ids.
    pub fn everything(&self) -> Vec<(String, String)> {
        operations()
            .into_iter()
            .filter(|one| one.method == "GET")
            .map(|one| {
                let reply = one.send(&self.api, self);
                (
                    format!("GET {}", one.path),
                    format!("{} {}", reply.status, reply.text),
                )
            })
            .collect()
    }
}
