//! A tenant that random steps are played in, with every answer and the final state made comparable: ids become numbers.

use std::cell::RefCell;

use rollcall::clock::Instant;
use rollcall::ids::{CourseId, LearnerId, TenantId};
use rollcall::learning::assignment::Options;
use rollcall::scim::message::SearchRequest;
use rollcall::scim::patch::{self, PatchRequest};
use rollcall::scim::quirks::Client;
use rollcall::scim::version::IfMatch;
use rollcall::service::courses::{self, CourseFields};
use rollcall::service::directory::{self, Kind, Written};
use rollcall::service::enroll::{self, Effects, EnrollScope};
use rollcall::service::{
    Connection, Scope, ServiceError, assignments, check, connections,
    enrollments::{self, PairFilter},
};
use rollcall::store::Db;
use rollcall::store::listing::Paging;
use serde_json::{Value, json};

use super::ground::{self, Ground, NOW, call};
use super::steps::{Change, NOBODY, Step};

const UNKNOWN: &str = "01890000-0000-7000-8000-000000000000";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// One tenant and what was made in it.
pub struct World<'a> {
    ground: &'a Ground,
    tenant: TenantId,
    connection: Connection,
    courses: Vec<CourseId>,
    users: Vec<String>,
    groups: Vec<String>,
    /// Whom notes named, in the order in which they first did: ids are no two databases' own.
    learners: RefCell<Vec<String>>,
}

/// What one step was answered.
pub struct Answer {
    pub shown: String,
    pub changed: bool,
}

impl<'a> World<'a> {
    /// A tenant with a connection and two published courses.
    pub fn new(ground: &'a Ground) -> Self {
        let tenant = ground.tenant();
        let made = ground.store.write_blocking("world", move |db| {
            let connection = connections::create(db, tenant, "directory", Client::Generic, NOW)?;
            let scope = Scope::system(tenant, "law", NOW);
            let course = |db: &mut Db, title: &str| {
                courses::create(
                    db,
                    &scope,
                    &CourseFields {
                        title: Some(title.to_owned()),
                        ..CourseFields::default()
                    },
                )
                .map(|row| row.id)
            };
            Ok::<_, ServiceError>((
                connection,
                vec![course(db, "Safety")?, course(db, "Ethics")?],
            ))
        });
        let (connection, courses) = made.expect("a world is made");
        Self {
            ground,
            tenant,
            connection,
            courses,
            users: Vec::new(),
            groups: Vec::new(),
            learners: RefCell::default(),
        }
    }

    fn scope(&self, now: Instant) -> Scope {
        Scope {
            connection: Some(self.connection.clone().into()),
            ..Scope::system(self.tenant, "law", now)
        }
    }

    fn pick(made: &[String], number: usize) -> String {
        match made.len() {
            0 => UNKNOWN.to_owned(),
            _ if number == NOBODY => UNKNOWN.to_owned(),
            len => made.get(number % len).cloned().unwrap_or_default(),
        }
    }

    fn members(&self, numbers: &[usize]) -> Value {
        numbers
            .iter()
            .map(|number| json!({ "value": Self::pick(&self.users, *number) }))
            .collect()
    }

    fn operation(&self, change: &Change) -> Value {
        match change {
            Change::Add(numbers) => {
                json!({ "op": "add", "path": "members", "value": self.members(numbers) })
            }
            Change::Remove(number) => {
                json!({ "op": "remove", "path": format!("members[value eq \"{}\"]", Self::pick(&self.users, *number)) })
            }
            Change::RemoveListed(numbers) => {
                json!({ "op": "remove", "path": "members", "value": self.members(numbers) })
            }
            Change::Replace(numbers) => {
                json!({ "op": "replace", "path": "members", "value": self.members(numbers) })
            }
            Change::RemoveAll => json!({ "op": "remove", "path": "members" }),
            Change::Rename(name) => {
                json!({ "op": "replace", "path": "displayName", "value": name })
            }
        }
    }

    /// Plays the step of this position in the sequence.
    pub fn play(&mut self, position: usize, step: &Step) -> Answer {
        let now = Instant(NOW.0 + i64::try_from(position).unwrap_or(0) * 1_000);
        match step {
            Step::CreateUser(user) => self.create(now, Kind::User, user.clone()),
            Step::CreateGroup(group, members) => {
                let mut group = group.clone();
                group["members"] = self.members(members);
                self.create(now, Kind::Group, group)
            }
            Step::ReplaceUser(number, user) => self.replace(
                now,
                (Kind::User, Self::pick(&self.users, *number)),
                user.clone(),
            ),
            Step::ReplaceGroup(number, group, members) => {
                let mut group = group.clone();
                if let Some(members) = members {
                    group["members"] = self.members(members);
                }
                self.replace(now, (Kind::Group, Self::pick(&self.groups, *number)), group)
            }
            Step::PatchUser(number, operations) => self.patch(
                now,
                (Kind::User, Self::pick(&self.users, *number)),
                operations,
            ),
            Step::PatchGroup(number, changes) => {
                let operations: Vec<Value> = changes
                    .iter()
                    .map(|change| self.operation(change))
                    .collect();
                self.patch(
                    now,
                    (Kind::Group, Self::pick(&self.groups, *number)),
                    &operations,
                )
            }
            Step::DeleteUser(number) => {
                self.delete(now, (Kind::User, Self::pick(&self.users, *number)))
            }
            Step::DeleteGroup(number) => {
                self.delete(now, (Kind::Group, Self::pick(&self.groups, *number)))
            }
            Step::Assign(group, course) => {
                self.assign(now, &Self::pick(&self.groups, *group), *course)
            }
        }
    }

    fn create(&mut self, now: Instant, kind: Kind, body: Value) -> Answer {
        let scope = self.scope(now);
        let done = self.ground.store.write_blocking("create", move |db| {
            directory::create(db, &scope, call(true), kind, &body)
        });
        if let Ok(written) = &done {
            let made = if kind == Kind::User {
                &mut self.users
            } else {
                &mut self.groups
            };
            made.push(written.id.clone());
        }
        self.answer(done)
    }

    fn replace(&self, now: Instant, (kind, id): (Kind, String), body: Value) -> Answer {
        let scope = self.scope(now);
        self.answer(self.ground.store.write_blocking("replace", move |db| {
            directory::replace(
                db,
                &scope,
                call(true),
                (kind, &id),
                &body,
                &IfMatch::default(),
            )
        }))
    }

    fn patch(&self, now: Instant, (kind, id): (Kind, String), operations: &[Value]) -> Answer {
        let scope = self.scope(now);
        let switches = scope.switches();
        let resource_type = kind
            .resource_type(&ground::REGISTRY)
            .expect("both kinds are there");
        let request = PatchRequest::parse(
            json!({ "schemas": [PATCH_OP], "Operations": operations }),
            &switches,
        );
        match request.and_then(|request| patch::compile(&request, resource_type, &switches)) {
            Ok(compiled) => self.answer(self.ground.store.write_blocking("patch", move |db| {
                directory::patch(
                    db,
                    &scope,
                    call(true),
                    (kind, &id),
                    &compiled,
                    &IfMatch::default(),
                )
            })),
            Err(error) => self.answer(Err(error.into())),
        }
    }

    fn delete(&self, now: Instant, (kind, id): (Kind, String)) -> Answer {
        let scope = self.scope(now);
        self.answer(self.ground.store.write_blocking("delete", move |db| {
            directory::delete(db, &scope, call(true), (kind, &id), &IfMatch::default())
        }))
    }

    fn assign(&self, now: Instant, group: &str, course: usize) -> Answer {
        let scope = Scope {
            connection: None,
            ..self.scope(now)
        };
        let (Ok(group), Some(course)) = (
            group.parse(),
            self.courses.get(course % self.courses.len()).copied(),
        ) else {
            return Answer {
                shown: String::new(),
                changed: false,
            };
        };
        let done = self.ground.store.write_blocking("assign", move |db| {
            assignments::assign(db, &scope, group, course, Options::default())
        });
        match done {
            Ok(assigned) => Answer {
                shown: format!("assigned {:?}", assigned.effects),
                changed: true,
            },
            Err(error) => Answer {
                shown: self.numbered(format!("refused: {error}")),
                changed: false,
            },
        }
    }

    /// # Panics
    /// When the server is at fault: a law has no input that may cause that.
    fn answer(&self, done: Result<Written, ServiceError>) -> Answer {
        match done {
            Ok(written) => {
                let body = written.resource.map(|resource| resource.body);
                let shown = format!(
                    "{} {} {:?} {} +{} -{} {:?} {:?} {} {body:?}",
                    written.id,
                    written.version,
                    written.external_id,
                    written.changed,
                    written.members_added,
                    written.members_ended,
                    written.effects,
                    written.notes,
                    written.changes,
                );
                Answer {
                    shown: self.numbered(shown),
                    changed: written.changed,
                }
            }
            Err(
                error @ (ServiceError::Bug(_) | ServiceError::Retry | ServiceError::Unavailable(_)),
            ) => panic!("{error}"),
            Err(error) => Answer {
                shown: self.numbered(format!("refused: {error}")),
                changed: false,
            },
        }
    }

    fn numbered(&self, mut text: String) -> String {
        for (word, made) in [("user", &self.users), ("group", &self.groups)] {
            for (number, id) in made.iter().enumerate() {
                text = text.replace(id.as_str(), &format!("{word} {number}"));
            }
        }
        let mut named = self.learners.borrow_mut();
        for found in text.clone().split("learner/").skip(1) {
            let Some(id) = found.get(..36).filter(|id| id.parse::<LearnerId>().is_ok()) else {
                continue;
            };
            let number = named.iter().position(|one| one == id).unwrap_or_else(|| {
                named.push(id.to_owned());
                named.len() - 1
            });
            text = text.replace(id, &number.to_string());
        }
        text
    }

    /// Every resource of a kind: id and body.
    fn list(&self, kind: Kind) -> Vec<(String, String)> {
        let scope = self.scope(NOW);
        let request = SearchRequest::from_query("count=1000").expect("valid");
        let found = self
            .ground
            .store
            .read_blocking(move |db| directory::search(db, &scope, call(true), kind, &request))
            .expect("a list");
        assert_eq!(
            usize::try_from(found.total).ok(),
            Some(found.resources.len()),
            "the total of all {}s",
            kind.name()
        );
        found
            .resources
            .into_iter()
            .map(|resource| (resource.id, resource.body))
            .collect()
    }

    /// Users, groups and enrollments as they are in the end, one per line.
    pub fn state(&self) -> String {
        let resources = [Kind::User, Kind::Group]
            .map(|kind| self.list(kind))
            .concat();
        let mut lines: Vec<String> = resources
            .into_iter()
            .map(|(_, body)| self.numbered(body))
            .collect();
        let scope = self.scope(NOW);
        let rows = self
            .ground
            .store
            .read_blocking(move |db| {
                let all = Paging::first(10_000);
                enrollments::list(db, &scope, PairFilter::default(), false, &all)
            })
            .expect("enrollments")
            .rows;
        let mut enrolled: Vec<String> = rows
            .iter()
            .map(|view| &view.row)
            .map(|row| {
                format!(
                    "{} in {} since {} cycle {:?}",
                    row.learner_name, row.course_title, row.created_at, row.cycle_n
                )
            })
            .collect();
        enrolled.sort();
        lines.extend(enrolled);
        lines.join("\n")
    }

    /// Laws 5 and 6 on the state as it is; the first breach.
    pub fn breach(&self) -> Option<String> {
        let later = Instant(NOW.0 + 86_400_000);
        for kind in [Kind::User, Kind::Group] {
            for (id, body) in self.list(kind) {
                let sent: Value = serde_json::from_str(&body).expect("a response is JSON");
                let before = sent["meta"]["version"].as_str().map(str::to_owned);
                let scope = self.scope(later);
                let target = id.clone();
                let done = self.ground.store.write_blocking("replace", move |db| {
                    directory::replace(
                        db,
                        &scope,
                        call(true),
                        (kind, &target),
                        &sent,
                        &IfMatch::default(),
                    )
                });
                match done {
                    Ok(written)
                        if !written.changed && Some(written.version.to_string()) == before => {}
                    other => {
                        return Some(format!(
                            "PUT of what was read: {body}\nis answered {}",
                            self.answer(other).shown
                        ));
                    }
                }
            }
        }
        let (scope, tenant) = (self.scope(later), self.tenant);
        let (effects, findings) = self
            .ground
            .store
            .write_blocking("check", move |db| {
                let findings = check::check(db, tenant, scope.now)?;
                Ok::<_, ServiceError>((enroll::enroll(db, &scope, &EnrollScope::Tenant)?, findings))
            })
            .expect("the check runs");
        if let Some(finding) = findings.first() {
            return Some(finding.to_string());
        }
        (effects != Effects::default()).then(|| format!("something was owed: {effects:?}"))
    }
}
