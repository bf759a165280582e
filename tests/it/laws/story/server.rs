//! The server beside its reference: each step is sent to the one and done to the other, then both are looked at.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, SecondsFormat, Utc};
use rollcall::learning::plan::SubscriptionPlan;

use super::reference::{COURSES, GROUPS, PEOPLE, Reference, Terms};
use super::steps::{Face, Step};
use crate::csv::{commit, upload};
use crate::harness::build::rows;
use crate::harness::{
    Client, Reply, TestApp, USER, Value, add_members, group, json, patch, remove_member,
};

pub struct Server {
    app: TestApp,
    scim: Client,
    api: Client,
    connection: String,
    reference: Reference,
    /// SCIM ids by account, group ids by number, learner ids by person, course ids.
    users: [Option<String>; PEOPLE],
    groups: [Option<String>; GROUPS],
    learners: Vec<String>,
    courses: Vec<String>,
    assignments: BTreeMap<(usize, usize), String>,
    /// How many cycles each enrollment has had: never fewer (I-3).
    cycles: BTreeMap<(usize, usize), i64>,
}

fn expect(reply: &Reply, status: u16) -> Result<(), String> {
    if reply.status == status {
        Ok(())
    } else {
        Err(format!("{status} was expected\n{reply:?}"))
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what}: found {found:?}, expected {expected:?}"))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn name(person: usize) -> String {
    format!("person{person}@acme.test")
}

fn instant(app: &TestApp) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(app.clock.now().0).unwrap_or_default()
}

impl Server {
    pub fn start() -> Self {
        let app = TestApp::with_okta();
        let (scim, api) = (app.scim(), app.api());
        let courses = (0..COURSES)
            .map(|number| {
                let body = json!({"title": format!("Course {number}"), "code": format!("C{number}"), "status": "published"});
                api.post("/courses", &body).expect(201).id()
            })
            .collect();
        let connections = rows(&api, "/connections");
        Self {
            connection: text(&connections[0]["id"]).to_owned(),
            reference: Reference::new(instant(&app)),
            scim,
            api,
            app,
            users: Default::default(),
            groups: Default::default(),
            learners: Vec::new(),
            courses,
            assignments: BTreeMap::new(),
            cycles: BTreeMap::new(),
        }
    }

    /// Sends a step, does it to the reference, and looks at both.
    pub fn play(&mut self, step: &Step) -> Result<(), String> {
        self.app.clock.advance_millis(1_000);
        self.reference.now = instant(&self.app);
        self.send(step)?;
        self.compare()
    }

    /// The end of a story: the reconciler finds nothing to do, and every invariant holds.
    pub fn end(&mut self) -> Result<(), String> {
        self.app.reconcile();
        self.compare()?;
        self.app.check();
        Ok(())
    }

    fn send(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Create(who) => self.create(*who),
            Step::Delete(who) => self.delete(*who),
            Step::Activate(who, active) => self.activate(*who, *active),
            Step::Decide(who, approval) => self.decide(*who, *approval),
            Step::NewGroup(group, face) => self.new_group(*group, *face),
            Step::EndGroup(group, face) => self.end_group(*group, *face),
            Step::Add(group, who, face) => self.add(*group, who, *face),
            Step::Replace(group, who) => self.replace(*group, who),
            Step::Remove(group, who, face) => self.remove(*group, *who, *face),
            Step::AddAndRemove(group, who) => self.add_and_remove(*group, *who),
            Step::Assign(group, course, months, due) => {
                let terms = self.terms(*months, *due);
                self.assign(*group, *course, terms)
            }
            Step::Edit(group, course, months, due, future) => {
                let terms = self.terms(*months, *due);
                self.edit(*group, *course, terms, *future)
            }
            Step::Cohort(group, who, course, months, due) => {
                let terms = self.terms(*months, *due);
                self.cohort(*group, who, *course, terms)
            }
            Step::Unassign(group, course) => self.unassign(*group, *course),
            Step::Withdraw(who, course) => self.withdraw(*who, *course),
            Step::Complete(who, course) => self.complete(*who, *course),
            Step::Waive(who, course) => self.except(*who, *course, true),
            Step::Extend(who, course) => self.except(*who, *course, false),
            Step::Publish(course, published) => self.publish(*course, *published),
            Step::Plan(plan) => {
                let to = if *plan {
                    SubscriptionPlan::Professional
                } else {
                    SubscriptionPlan::Starter
                };
                self.app.set_plan(to);
                self.reference.set_plan(*plan);
                Ok(())
            }
            Step::Observe(observe) => {
                let mode = if *observe { "observe" } else { "live" };
                let path = format!("/connections/{}", self.connection);
                expect(&self.api.patch(&path, &json!({ "mode": mode })), 200)?;
                self.reference.live = !observe;
                self.reference.enroll(None);
                Ok(())
            }
            Step::Reconcile => {
                self.app.reconcile();
                Ok(())
            }
            Step::Wait(hours) => {
                self.app.clock.advance_millis(hours * 60 * 60 * 1000);
                self.reference.now = instant(&self.app);
                // A token lives for a year.
                let token = |kind, connection| self.app.token(kind, None, connection);
                let (scim, api) = (token("scim", Some("okta")), token("api", None));
                self.scim = self.app.client("/scim/v2", Some(&scim));
                self.api = self.app.client("/api/v1", Some(&api));
                Ok(())
            }
        }
    }

    fn create(&mut self, who: usize) -> Result<(), String> {
        let body = json!({"schemas": [USER], "userName": name(who), "externalId": format!("x{who}"), "active": true});
        let reply = self.scim.post("/Users", &body);
        if self.users[who].is_some() {
            return expect(&reply, 409);
        }
        expect(&reply, 201)?;
        self.users[who] = Some(reply.id());
        self.reference.create(who);
        let person = self.reference.accounts[who].unwrap_or_default();
        let found = rows(&self.api, "/learners")
            .into_iter()
            .find(|row| text(&row["name"]) == name(who))
            .map(|row| text(&row["id"]).to_owned())
            .ok_or("the learner of a new account is not listed")?;
        if let Some(before) = self.learners.get(person) {
            // §8
            return same("the learner who came back", &found, before);
        }
        self.learners.push(found);
        Ok(())
    }

    fn delete(&mut self, who: usize) -> Result<(), String> {
        let Some(id) = self.users[who].take() else {
            return Ok(());
        };
        let path = format!("/Users/{id}");
        expect(&self.scim.delete(&path), 204)?;
        expect(&self.scim.delete(&path), 404)?;
        self.reference.delete(who);
        Ok(())
    }

    fn activate(&mut self, who: usize, active: bool) -> Result<(), String> {
        let (Some(id), Some(person)) = (&self.users[who], self.reference.accounts[who]) else {
            return Ok(());
        };
        let body = patch(json!([{"op": "replace", "path": "active", "value": active}]));
        let reply = self.scim.patch(&format!("/Users/{id}"), &body);
        expect(&reply, 200)?;
        // I-8
        same("active", &reply.json["active"], &json!(active))?;
        self.reference.activate(person, active);
        Ok(())
    }

    fn decide(&mut self, who: usize, approval: super::reference::Approval) -> Result<(), String> {
        use super::reference::Approval;
        let Some(person) = self.reference.accounts[who] else {
            return Ok(());
        };
        let verb = match approval {
            Approval::Approved => "approve",
            Approval::Pending => "revoke",
            Approval::Rejected => "reject",
        };
        let path = format!("/learners/{}/{verb}", self.learners[person]);
        expect(&self.api.post(&path, &json!({})), 200)?;
        self.reference.decide(person, approval);
        Ok(())
    }

    fn new_group(&mut self, number: usize, face: Face) -> Result<(), String> {
        let named = format!("Group {number}");
        let reply = if face == Face::Scim {
            self.scim.post("/Groups", &group(&named, &[]))
        } else {
            self.api.post("/groups", &json!({ "name": named }))
        };
        if !self.reference.plan {
            return expect(&reply, 403);
        }
        if self.groups[number].is_some() {
            return expect(&reply, 409);
        }
        expect(&reply, 201)?;
        self.groups[number] = Some(reply.id());
        self.reference.groups[number] = Some(super::reference::Group {
            managed: face == Face::Scim,
            ..Default::default()
        });
        Ok(())
    }

    fn end_group(&mut self, number: usize, face: Face) -> Result<(), String> {
        let Some(id) = self.groups[number].clone() else {
            return Ok(());
        };
        if face == Face::Scim {
            expect(&self.scim.delete(&format!("/Groups/{id}")), 204)?;
        } else {
            let reply = self.api.delete(&format!("/groups/{id}"));
            if !self.reference.plan {
                return expect(&reply, 403);
            }
            expect(&reply, 204)?;
        }
        self.groups[number] = None;
        self.assignments.retain(|(group, _), _| *group != number);
        self.reference.delete_group(number);
        Ok(())
    }

    /// Those of these accounts that exist, each once: their people and their SCIM ids.
    fn present(&self, who: &[usize]) -> (Vec<usize>, Vec<String>, Vec<usize>) {
        let once: BTreeSet<usize> = who.iter().copied().collect();
        let mut found = (Vec::new(), Vec::new(), Vec::new());
        for account in once {
            if let (Some(person), Some(id)) =
                (self.reference.accounts[account], &self.users[account])
            {
                found.0.push(person);
                found.1.push(id.clone());
                found.2.push(account);
            }
        }
        found
    }

    fn managed(&self, number: usize) -> bool {
        self.reference.groups[number]
            .as_ref()
            .is_some_and(|group| group.managed)
    }

    fn add(&mut self, number: usize, who: &[usize], face: Face) -> Result<(), String> {
        let (people, ids, accounts) = self.present(who);
        let Some(id) = self.groups[number].clone().filter(|_| !people.is_empty()) else {
            return Ok(());
        };
        match face {
            Face::Scim => {
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                let body = patch(json!([add_members(&ids)]));
                // §5: whoever it is, it succeeds; §7.15: whatever the plan.
                expect(&self.scim.patch(&format!("/Groups/{id}"), &body), 204)?;
            }
            Face::Rest => {
                let learners: Vec<Value> = people
                    .iter()
                    .map(|person| json!({"id": self.learners[*person]}))
                    .collect();
                let reply = self.api.post(
                    &format!("/groups/{id}/members"),
                    &json!({ "learners": learners }),
                );
                if !self.reference.plan {
                    return expect(&reply, 403);
                }
                if self.managed(number) {
                    return expect(&reply, 409);
                }
                // S-08
                let members = self.reference.groups[number].as_ref();
                let refused = people.iter().any(|person| {
                    !self.reference.people[*person].addable()
                        && !members.is_some_and(|group| group.members.contains_key(person))
                });
                if refused {
                    return expect(&reply, 422);
                }
                expect(&reply, 200)?;
            }
            Face::Csv => {
                let lines: String = accounts
                    .iter()
                    .map(|account| format!("{id},{}\n", name(*account)))
                    .collect();
                if !self.import("members", &format!("group,user_name\n{lines}"))?
                    || self.managed(number)
                {
                    return Ok(());
                }
            }
        }
        self.reference.add(number, &people, face == Face::Scim);
        Ok(())
    }

    /// Plans and commits a file; `false` when the plan of the tenant has no groups.
    fn import(&self, kind: &str, file: &str) -> Result<bool, String> {
        let planned = upload(&self.api, &format!("kind={kind}"), file);
        if !self.reference.plan {
            expect(&planned, 403)?;
            return Ok(false);
        }
        expect(&planned, 201)?;
        expect(&commit(&self.api, &planned.id()), 200)?;
        Ok(true)
    }

    fn replace(&mut self, number: usize, who: &[usize]) -> Result<(), String> {
        let (people, ids, _) = self.present(who);
        let Some(id) = self.groups[number].clone().filter(|_| !people.is_empty()) else {
            return Ok(());
        };
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let body = group(&format!("Group {number}"), &ids);
        expect(&self.scim.put(&format!("/Groups/{id}"), &body), 200)?;
        let leaving: Vec<usize> = self.reference.groups[number]
            .iter()
            .flat_map(|group| group.members.keys().copied())
            .filter(|person| !people.contains(person))
            .collect();
        self.reference.remove(number, &leaving);
        self.reference.add(number, &people, true);
        Ok(())
    }

    fn remove(&mut self, number: usize, who: usize, face: Face) -> Result<(), String> {
        let (people, ids, accounts) = self.present(&[who]);
        let (Some(id), Some(person)) = (self.groups[number].clone(), people.first().copied())
        else {
            return Ok(());
        };
        match face {
            Face::Scim => {
                let body = patch(json!([remove_member(&ids[0])]));
                expect(&self.scim.patch(&format!("/Groups/{id}"), &body), 204)?;
            }
            Face::Rest => {
                let path = format!("/groups/{id}/members/{}", self.learners[person]);
                let reply = self.api.delete(&path);
                if !self.reference.plan {
                    return expect(&reply, 403);
                }
                if self.managed(number) {
                    return expect(&reply, 409);
                }
                let is_member = self.reference.groups[number]
                    .as_ref()
                    .is_some_and(|group| group.members.contains_key(&person));
                expect(&reply, if is_member { 204 } else { 404 })?;
            }
            Face::Csv => {
                let file = format!(
                    "group,user_name,action\n{id},{},remove\n",
                    name(accounts[0])
                );
                if !self.import("members", &file)? || self.managed(number) {
                    return Ok(());
                }
            }
        }
        self.reference.remove(number, &[person]);
        Ok(())
    }

    /// §7.18: who was no member before is enrolled nowhere by it.
    fn add_and_remove(&mut self, number: usize, who: usize) -> Result<(), String> {
        let (people, ids, _) = self.present(&[who]);
        let Some(id) = self.groups[number].clone().filter(|_| !people.is_empty()) else {
            return Ok(());
        };
        let body = patch(json!([add_members(&[&ids[0]]), remove_member(&ids[0])]));
        expect(&self.scim.patch(&format!("/Groups/{id}"), &body), 204)?;
        self.reference.remove(number, &people);
        Ok(())
    }

    /// A due date is so many days from today, or before it.
    fn terms(&self, months: Option<u32>, due: Option<i64>) -> Terms {
        let today = self.reference.now.date_naive();
        let day = |days: i64| -> NaiveDate {
            let some = Days::new(days.unsigned_abs());
            if days < 0 { today - some } else { today + some }
        };
        Terms {
            months,
            due: due.map(day),
        }
    }

    /// §6.4, §6.5: whatever it makes of certificates is confirmed at once, and told.
    fn edit(
        &mut self,
        number: usize,
        course: usize,
        terms: Terms,
        future: bool,
    ) -> Result<(), String> {
        let Some(id) = self.assignments.get(&(number, course)).cloned() else {
            return Ok(());
        };
        let due = terms.due.map(|day| json!({"kind": "date", "date": day}));
        let body = json!({"due": due, "recert_months": terms.months, "confirm": true,
            "apply_to": if future { "future" } else { "all" }});
        let reply = self.api.patch(&format!("/assignments/{id}"), &body);
        if !self.reference.plan {
            return expect(&reply, 403);
        }
        expect(&reply, 200)?;
        let extended = self.reference.edit(number, course, terms, future);
        same(
            "who would have expired",
            &reply.json["impact"]["extended"],
            &json!(extended),
        )
    }

    /// A file that makes a group, assigns it a course and lets people join.
    fn cohort(
        &mut self,
        number: usize,
        who: &[usize],
        course: usize,
        terms: Terms,
    ) -> Result<(), String> {
        let (people, _, accounts) = self.present(who);
        if people.is_empty() {
            return Ok(());
        }
        let or_nothing = |text: Option<String>| text.unwrap_or_default();
        let lines: String = accounts
            .iter()
            .map(|account| {
                format!(
                    "Group {number},{},C{course},true,{},{}\n",
                    name(*account),
                    or_nothing(terms.due.map(|day| day.to_string())),
                    or_nothing(terms.months.map(|months| months.to_string()))
                )
            })
            .collect();
        let file = format!("group,email,course_code,mandatory,due_date,recert_months\n{lines}");
        if !self.import("cohort", &file)? {
            return Ok(());
        }
        let group = self.reference.groups[number].as_ref();
        let assigned = group.and_then(|group| group.assignments.get(&course));
        // A row is refused whole: by the directory's lock, by other terms, by a course that is not published.
        let refused = match assigned {
            Some(assigned) => assigned.terms != terms,
            None => !self.reference.published[course],
        };
        if self.managed(number) || refused {
            return Ok(());
        }
        let is_new = assigned.is_none();
        if self.groups[number].is_none() {
            let named = format!("Group {number}");
            let made = rows(&self.api, "/groups")
                .into_iter()
                .find(|row| row["name"] == named)
                .ok_or("the group of a cohort is not listed")?;
            self.groups[number] = Some(text(&made["id"]).to_owned());
            self.reference.groups[number] = Some(super::reference::Group::default());
        }
        if is_new {
            let id = self.groups[number].clone().unwrap_or_default();
            let made = rows(&self.api, &format!("/groups/{id}/assignments"))
                .into_iter()
                .find(|row| text(&row["course"]["id"]) == self.courses[course])
                .ok_or("the course of a cohort is not assigned")?;
            self.assignments
                .insert((number, course), text(&made["id"]).to_owned());
            self.reference.assign(number, course, terms);
        }
        self.reference.add(number, &people, false);
        Ok(())
    }

    fn assign(&mut self, number: usize, course: usize, terms: Terms) -> Result<(), String> {
        let Some(id) = self.groups[number].clone() else {
            return Ok(());
        };
        let mut body = json!({"course_id": self.courses[course], "mandatory": true});
        if let Some(months) = terms.months {
            body["recert_months"] = json!(months);
        }
        if let Some(day) = terms.due {
            body["due"] = json!({"kind": "date", "date": day});
        }
        let reply = self.api.post(&format!("/groups/{id}/assignments"), &body);
        if !self.reference.plan {
            return expect(&reply, 403);
        }
        if !self.reference.published[course] {
            return expect(&reply, 422);
        }
        if self.assignments.contains_key(&(number, course)) {
            return expect(&reply, 409);
        }
        expect(&reply, 201)?;
        self.assignments.insert((number, course), reply.id());
        self.reference.assign(number, course, terms);
        Ok(())
    }

    fn unassign(&mut self, number: usize, course: usize) -> Result<(), String> {
        let Some(id) = self.assignments.get(&(number, course)).cloned() else {
            return Ok(());
        };
        let reply = self.api.delete(&format!("/assignments/{id}"));
        if !self.reference.plan {
            return expect(&reply, 403);
        }
        expect(&reply, 204)?;
        self.assignments.remove(&(number, course));
        self.reference.unassign(number, course);
        Ok(())
    }

    /// The id of a live enrollment of somebody who is here.
    fn enrollment(&self, who: usize, course: usize) -> Option<(usize, String)> {
        let person = self.reference.accounts[who]?;
        if self.reference.enrollments.get(&(person, course)) != Some(&false) {
            return None;
        }
        let path = format!("/enrollments?learner_id={}", self.learners[person]);
        let found = rows(&self.api, &path)
            .into_iter()
            .find(|row| text(&row["course_id"]) == self.courses[course])?;
        Some((person, text(&found["id"]).to_owned()))
    }

    fn withdraw(&mut self, who: usize, course: usize) -> Result<(), String> {
        let Some((person, id)) = self.enrollment(who, course) else {
            return Ok(());
        };
        let body = json!({"reason": "asked for"});
        let reply = self.api.post(&format!("/enrollments/{id}/withdraw"), &body);
        expect(&reply, 200)?;
        self.reference.withdraw(person, course);
        Ok(())
    }

    fn complete(&mut self, who: usize, course: usize) -> Result<(), String> {
        let Some(person) = self.reference.accounts[who] else {
            return Ok(());
        };
        let at = self
            .reference
            .now
            .to_rfc3339_opts(SecondsFormat::Millis, true);
        let body = json!({"completions": [{"learner_id": self.learners[person], "course_id": self.courses[course],
            "completed_at": at, "source": "player"}]});
        let reply = self.api.post("/completions", &body);
        expect(&reply, 200)?;
        same(
            "the completion",
            &reply.json["results"][0]["outcome"],
            &json!("recorded"),
        )?;
        self.reference.complete(person, course);
        Ok(())
    }

    fn except(&mut self, who: usize, course: usize, waiver: bool) -> Result<(), String> {
        let Some((person, id)) = self.enrollment(who, course) else {
            return Ok(());
        };
        let day = self.reference.now.date_naive() + Days::new(20);
        let (path, body) = if waiver {
            ("waiver", json!({"reason": "not needed"}))
        } else {
            ("extension", json!({"reason": "more time", "due": day}))
        };
        let reply = self.api.post(&format!("/enrollments/{id}/{path}"), &body);
        expect(&reply, 200)?;
        if waiver {
            self.reference.waived.insert((person, course));
        } else {
            self.reference.extend(person, course, day);
        }
        Ok(())
    }

    fn publish(&mut self, course: usize, published: bool) -> Result<(), String> {
        let status = if published { "published" } else { "archived" };
        let path = format!("/courses/{}", self.courses[course]);
        expect(&self.api.patch(&path, &json!({ "status": status })), 200)?;
        self.reference.published[course] = published;
        self.reference.enroll(None);
        Ok(())
    }

    /// The visible state of both.
    fn compare(&mut self) -> Result<(), String> {
        self.compare_members()?;
        self.compare_enrollments()
    }

    fn compare_members(&self) -> Result<(), String> {
        for (number, id) in self.groups.iter().enumerate() {
            let (Some(id), Some(group)) = (id, &self.reference.groups[number]) else {
                continue;
            };
            let found: BTreeMap<String, String> = rows(&self.api, &format!("/groups/{id}/members"))
                .iter()
                .map(|row| {
                    let learner = text(&row["learner_id"]).to_owned();
                    (learner, text(&row["state"]).to_owned())
                })
                .collect();
            let expected: BTreeMap<String, String> = group
                .members
                .keys()
                .map(|person| {
                    let state = self.reference.state(*person).to_owned();
                    (self.learners[*person].clone(), state)
                })
                .collect();
            same(&format!("members of group {number}"), &found, &expected)?;
            // I-8: the directory reads back whom it wrote, pending ones too.
            let shown = self.scim.get(&format!("/Groups/{id}"));
            expect(&shown, 200)?;
            let mut expected: Vec<String> = group
                .members
                .keys()
                .filter_map(|person| {
                    let account = self
                        .reference
                        .accounts
                        .iter()
                        .position(|one| *one == Some(*person))?;
                    self.users[account].clone()
                })
                .collect();
            expected.sort();
            same("members in SCIM", &shown.members(), &expected)?;
        }
        Ok(())
    }

    fn compare_enrollments(&mut self) -> Result<(), String> {
        let mut found = BTreeMap::new();
        for row in rows(&self.api, "/enrollments") {
            let person = self
                .learners
                .iter()
                .position(|id| *id == text(&row["learner_id"]));
            let course = self
                .courses
                .iter()
                .position(|id| *id == text(&row["course_id"]));
            let (Some(person), Some(course)) = (person, course) else {
                return Err(format!("an enrollment of nobody: {row}"));
            };
            let pair = (person, course);
            if found.insert(pair, !row["withdrawn_at"].is_null()).is_some() {
                return Err(format!("I-1: two enrollments of {pair:?}"));
            }
            let cycles = row["cycle"]["n"].as_i64().unwrap_or_default();
            let before = self.cycles.insert(pair, cycles).unwrap_or(1);
            if cycles < before {
                return Err(format!(
                    "I-3: {before} cycles of {pair:?} have become {cycles}"
                ));
            }
            self.compare_reasons(pair, &row)?;
        }
        // I-2, I-3: all that were made and nothing else.
        same(
            "enrollments (withdrawn?)",
            &found,
            &self.reference.enrollments,
        )
    }

    fn compare_reasons(&self, pair: (usize, usize), row: &Value) -> Result<(), String> {
        let mut expected: Vec<(usize, String, String)> = Vec::new();
        for (number, reason) in self.reference.reasons.iter().enumerate() {
            if (reason.person, reason.course) == pair && reason.ended.is_none() {
                let since = reason.since.to_rfc3339_opts(SecondsFormat::Millis, true);
                let status = self.reference.status(number).to_owned();
                expected.push((reason.group, since, status));
            }
        }
        expected.sort();
        let mut found: Vec<(usize, String, String)> = Vec::new();
        let none = Vec::new();
        for reason in row["reasons"].as_array().unwrap_or(&none) {
            if !reason["ended_at"].is_null() || reason["kind"] != "group" {
                continue;
            }
            let group = self
                .groups
                .iter()
                .position(|id| id.as_deref() == reason["group"]["id"].as_str())
                .ok_or_else(|| format!("a live reason of a group that is gone: {row}"))?;
            found.push((
                group,
                text(&reason["since"]).to_owned(),
                text(&reason["standing"]["status"]).to_owned(),
            ));
        }
        found.sort();
        same(
            &format!("live reasons of {pair:?}\n{row}\n"),
            &found,
            &expected,
        )
    }
}
