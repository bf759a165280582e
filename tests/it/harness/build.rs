//! Builders and questions in the words of the domain; each goes through the front door, so none can make an impossible state.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::app::TestApp;
use super::client::Client;
use super::{group, user};

impl TestApp {
    /// Pushes a user; returns the id.
    pub fn user(&self, name: &str) -> String {
        self.scim().post("/Users", &user(name)).expect(201).id()
    }

    /// Pushes `learner1@acme.test` … ; returns their ids.
    pub fn users(&self, count: usize) -> Vec<String> {
        (1..=count)
            .map(|number| self.user(&format!("learner{number}@acme.test")))
            .collect()
    }

    /// Pushes a group with these members; returns the id.
    pub fn group(&self, name: &str, members: &[&str]) -> String {
        self.scim()
            .post("/Groups", &group(name, members))
            .expect(201)
            .id()
    }

    /// Makes a published course; returns the id.
    pub fn course(&self, title: &str) -> String {
        course(&self.api(), title)
    }

    /// Assigns a course to a group; returns the assignment's id.
    pub fn assign(&self, group: &str, course: &str) -> String {
        assign(&self.api(), group, course)
    }

    /// Every enrollment of the tenant.
    pub fn enrollments(&self) -> Vec<Value> {
        rows(&self.api(), "/enrollments")
    }

    /// The newest row of the sync log that satisfies a condition. Reads and refusals are logged in batches, so this waits.
    #[track_caller]
    pub fn logged(&self, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let mut rows = rows(&self.api(), "/sync/requests");
            rows.sort_by_key(|row| row["id"].as_str().map(str::to_owned));
            if let Some(found) = rows.iter().rev().find(|row| condition(row)) {
                return found.clone();
            }
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "no row in the sync log: {what}\n{}",
                json!(rows)
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Makes a published course.
pub fn course(api: &Client, title: &str) -> String {
    api.post(
        "/courses",
        &json!({ "title": title, "status": "published" }),
    )
    .expect(201)
    .id()
}

/// Assigns a course.
pub fn assign(api: &Client, group: &str, course: &str) -> String {
    api.post(
        &format!("/groups/{group}/assignments"),
        &json!({ "course_id": course }),
    )
    .expect(201)
    .id()
}

/// Every row of a REST list, page by page.
pub fn rows(api: &Client, path: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let next = cursor
            .map(|cursor| format!("&cursor={cursor}"))
            .unwrap_or_default();
        let mark = if path.contains('?') { '&' } else { '?' };
        let limit = if path.contains("limit=") {
            ""
        } else {
            "limit=200"
        };
        let page = api.get(&format!("{path}{mark}{limit}{next}"));
        page.expect(200);
        rows.extend(page.json["data"].as_array().cloned().unwrap_or_default());
        cursor = page.json["page"]["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return rows;
        }
    }
}

/// The rows of the sync log that are not reads, oldest first.
pub fn writes_in_log(api: &Client) -> Vec<Value> {
    let mut rows = rows(api, "/sync/requests");
    rows.retain(|row| row["operation"] != "read" && row["operation"] != "probe");
    rows.sort_by_key(|row| row["id"].as_str().map(str::to_owned));
    rows
}

/// `learner × course` of each enrollment, sorted: what must never have a double.
pub fn pairs(enrollments: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut pairs: Vec<(String, String)> = enrollments
        .iter()
        .map(|one| (text(&one["learner_id"]), text(&one["course_id"])))
        .collect();
    pairs.sort();
    pairs
}
