//! The learning use cases on both databases: each test is a story that ends with a clean check of every invariant.

mod groups_tests;
mod invariants_tests;
mod joining_tests;
mod meeting_tests;

use std::sync::Arc;

use crate::clock::Instant;
use crate::ids::{
    ConnectionId, CourseId, EnrollmentId, GroupId, LearnerId, RequestId, TenantId, UserId,
};
use crate::learning::assignment::{Due, Options};
use crate::learning::course::CourseStatus;
use crate::learning::group::Origin;
use crate::learning::membership::Source;
use crate::learning::owed::Blocker;
use crate::scim::patch::MembersChange;
use crate::scim::quirks::Client;
use crate::scim::switches::{Switches, UnknownMember};
use crate::scim::validate::MemberInput;
use crate::store::listing::{Paging, Place};
use crate::store::queries::counters;
use crate::store::queries::enrollments::{EnrollmentRow, PairFilter};
use crate::store::queries::groups_learning::GroupRow;
use crate::store::queries::learners::{LearnerFilter, LearnerOrder};
use crate::store::statement::{Bind, Stmt};
use crate::store::{Db, Store, testing};

use super::courses::CourseFields;
use super::directory::bindings::LearnerFacts;
use super::enroll::{EnrollScope, enroll, explain};
use super::group_list::{GroupOrder, GroupSort};
use super::group_members::{AddOutcome, IfIneligible, LearnerRef, MemberFilter};
use super::groups::{GroupFields, MembersOutcome};
use super::{
    Actor, Connection, Scope, ServiceError, approvals, assignments, check, completions, courses,
    enrollments, group_list, group_members, groups, learners,
};

const TENANT: TenantId = TenantId(7);
const DAY: i64 = 24 * 60 * 60 * 1000;
const START: i64 = 1_772_355_600_000;

/// Runs a story on every database there is, then checks every invariant.
fn story(tell: impl Fn(&mut Db, &mut Scope) -> Result<(), ServiceError> + Copy + Send + 'static) {
    testing::on_both(|store: &Store| {
        let told: Result<(), ServiceError> = store.write_blocking("story", move |db| {
            let mut scope = begin(db)?;
            tell(db, &mut scope)?;
            let findings = check::check(db, TENANT, scope.now)?;
            assert!(findings.is_empty(), "{findings:?}");
            Ok(())
        });
        if let Err(error) = told {
            panic!("the story broke off: {error}");
        }
    });
}

fn begin(db: &mut Db) -> Result<Scope, ServiceError> {
    let sql = "INSERT INTO tenants (tenant_id, name, name_key, plan, time_zone, settings, created_at) VALUES (?, ?, ?, 'business', 'Europe/Berlin', '{}', 0)";
    db.execute(Stmt::new(sql).bind(TENANT).bind("Acme").bind("acme"))?;
    Ok(Scope::system(TENANT, "test", Instant(START)))
}

fn run(db: &mut Db, sql: &'static str, binds: Vec<Bind>) -> Result<(), ServiceError> {
    db.execute(Stmt::new(sql).binds(binds))?;
    Ok(())
}

fn number(db: &mut Db, sql: &'static str) -> Result<i64, ServiceError> {
    Ok(db.number(Stmt::new(sql))?)
}

/// A directory's connection and the scope its requests have.
fn directory(
    db: &mut Db,
    scope: &Scope,
    name: &str,
    live: bool,
    approves: bool,
) -> Result<Scope, ServiceError> {
    let id = ConnectionId::new();
    let sql = "INSERT INTO connections (tenant_id, id, name, name_key, idp, mode, approve, lock_groups, switches, created_at) \
               VALUES (?, ?, ?, ?, 'okta', ?, 'auto', ?, '{}', 0)";
    let mode = if live { "live" } else { "observe" };
    run(
        db,
        sql,
        vec![
            TENANT.into(),
            id.into(),
            name.into(),
            name.into(),
            mode.into(),
            true.into(),
        ],
    )?;
    Ok(Scope {
        actor: Actor::Scim {
            jti: "j".into(),
            label: name.into(),
        },
        connection: Some(Arc::new(Connection {
            id,
            name: name.to_owned(),
            client: Client::Okta,
            paused: false,
            brakes: false,
            live,
            approves: Some(approves),
            switches: Switches::default(),
            rights: crate::scim::rights::AttributeRights::default(),
        })),
        ..scope.clone()
    })
}

/// What the directory service does to make an account.
fn account(
    db: &mut Db,
    scope: &Scope,
    name: &str,
    active: bool,
) -> Result<(UserId, LearnerId), ServiceError> {
    let user = UserId::new();
    let facts = LearnerFacts {
        display_name: name.to_owned(),
        email: None,
        active,
        external_id: Some(format!("x-{name}")),
    };
    let learner = learners::for_new_account(db, scope, user, facts)?.id;
    let sql = "INSERT INTO users (tenant_id, id, learner_id, connection_id, user_name, user_name_key, external_id, active, version, created_at, modified_at, doc) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, 0, 0, '{}')";
    let connection = scope.connection.as_ref().map(|connection| connection.id);
    let key = crate::scim::fold::fold(name);
    run(
        db,
        sql,
        vec![
            TENANT.into(),
            user.into(),
            learner.into(),
            connection.into(),
            name.into(),
            key.into(),
            format!("x-{name}").into(),
            active.into(),
        ],
    )?;
    counters::add(db, TENANT, "users", user.0, 1)?;
    Ok((user, learner))
}

fn end_account(
    db: &mut Db,
    scope: &Scope,
    user: UserId,
    learner: LearnerId,
) -> Result<i64, ServiceError> {
    run(
        db,
        "UPDATE users SET deleted_at = 1 WHERE tenant_id = ? AND id = ?",
        vec![TENANT.into(), user.into()],
    )?;
    counters::add(db, TENANT, "users", user.0, -1)?;
    learners::end_account(db, scope, user, learner)
}

fn set_active(
    db: &mut Db,
    scope: &Scope,
    user: UserId,
    learner: LearnerId,
    name: &str,
    active: bool,
) -> Result<i64, ServiceError> {
    run(
        db,
        "UPDATE users SET active = ? WHERE tenant_id = ? AND id = ?",
        vec![active.into(), TENANT.into(), user.into()],
    )?;
    let facts = LearnerFacts {
        display_name: name.to_owned(),
        email: None,
        active,
        external_id: Some(format!("x-{name}")),
    };
    Ok(learners::account_changed(db, scope, learner, facts)?.enrollments)
}

fn group(db: &mut Db, scope: &Scope, name: &str) -> Result<GroupRow, ServiceError> {
    groups::create(
        db,
        scope,
        &GroupFields {
            name: Some(name.to_owned()),
            ..GroupFields::default()
        },
        Origin::Rest,
    )
}

fn course(db: &mut Db, scope: &Scope, title: &str) -> Result<CourseId, ServiceError> {
    Ok(courses::create(
        db,
        scope,
        &CourseFields {
            title: Some(title.to_owned()),
            ..CourseFields::default()
        },
    )?
    .id)
}

fn assign(
    db: &mut Db,
    scope: &Scope,
    group: GroupId,
    course: CourseId,
) -> Result<assignments::Assigned, ServiceError> {
    assignments::assign(db, scope, group, course, Options::default())
}

fn inputs(users: &[UserId]) -> Vec<MemberInput> {
    users
        .iter()
        .map(|user| MemberInput {
            id: user.to_string(),
            is_group: false,
        })
        .collect()
}

fn push(
    db: &mut Db,
    scope: &Scope,
    group: GroupId,
    users: &[UserId],
) -> Result<MembersOutcome, ServiceError> {
    groups::apply_members(db, scope, group, &[MembersChange::Add(inputs(users))])
}

fn pull(
    db: &mut Db,
    scope: &Scope,
    group: GroupId,
    user: UserId,
) -> Result<MembersOutcome, ServiceError> {
    groups::apply_members(
        db,
        scope,
        group,
        &[MembersChange::Remove(vec![user.to_string()])],
    )
}

fn enrolled(
    db: &mut Db,
    scope: &Scope,
    learner: LearnerId,
) -> Result<Vec<EnrollmentRow>, ServiceError> {
    Ok(enrollments::list(
        db,
        scope,
        PairFilter {
            learner: Some(learner),
            course: None,
        },
        false,
        &Paging::first(100),
    )?
    .rows
    .into_iter()
    .map(|view| view.row)
    .collect())
}
