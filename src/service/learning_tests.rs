//! The learning use cases on both databases: each test is a story that ends with a clean check of every invariant.

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
use crate::store::queries::counters;
use crate::store::queries::enrollments::EnrollmentRow;
use crate::store::queries::groups_learning::GroupRow;
use crate::store::queries::learners::LearnerFilter;
use crate::store::statement::{Bind, Stmt};
use crate::store::{Db, Store, testing};

use super::courses::CourseFields;
use super::directory::bindings::LearnerFacts;
use super::enroll::{EnrollScope, enroll, explain};
use super::groups::{AddOutcome, GroupFields, IfIneligible, LearnerRef, MembersOutcome};
use super::{
    Actor, Connection, Scope, ServiceError, assignments, check, courses, enrollments, groups,
    learners,
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
            let findings = check::check(db, TENANT)?;
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
            jti: "j".to_owned(),
            label: name.to_owned(),
        },
        connection: Some(Arc::new(Connection {
            id,
            name: name.to_owned(),
            client: Client::Okta,
            paused: false,
            live,
            approves,
            switches: Switches::default(),
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
    Ok(
        enrollments::list(db, scope, Some(learner), None, None, 100)?
            .into_iter()
            .map(|view| view.row)
            .collect(),
    )
}

#[test]
fn members_are_enrolled_when_they_join_and_when_a_course_is_assigned() {
    story(|db, scope| {
        let okta = directory(db, scope, "Okta", true, true)?;
        let (ann, ann_learner) = account(db, &okta, "ann", true)?;
        let (bob, bob_learner) = account(db, &okta, "bob", true)?;
        let sales = group(db, scope, "Sales")?.id;
        let security = course(db, scope, "Security")?;
        assert_eq!(push(db, &okta, sales, &[ann])?.added, 1);
        let assigned = assign(db, scope, sales, security)?;
        assert_eq!(
            (
                assigned.effects.enrollments,
                assigned.effects.reasons,
                assigned.effects.cycles
            ),
            (1, 1, 1)
        );
        let joined = push(db, &okta, sales, &[bob, ann])?;
        assert_eq!((joined.added, joined.effects.enrollments), (1, 1));
        let again = push(db, &okta, sales, &[bob, ann])?;
        assert_eq!((again.added, again.effects.is_none()), (0, true));
        assert_eq!(enrolled(db, scope, ann_learner)?.len(), 1);
        let row = &enrolled(db, scope, bob_learner)?[0];
        assert_eq!(
            (row.cycle_n, row.progress_pct, row.withdrawn_at),
            (Some(1), Some(0), None)
        );
        let view = enrollments::view(db, scope, row.id)?;
        assert_eq!(view.reasons.len(), 1);
        assert_eq!(view.reasons[0].group_name.as_deref(), Some("Sales"));
        assert_eq!(
            number(
                db,
                "SELECT count(*) AS n FROM events WHERE event_type = 'enrollment.created'"
            )?,
            2
        );
        Ok(())
    });
}

#[test]
fn the_same_course_from_two_groups_is_one_enrollment_with_two_reasons() {
    story(|db, scope| {
        let (ann, learner) = account(db, scope, "ann", true)?;
        let security = course(db, scope, "Security")?;
        let (sales, berlin) = (
            group(db, scope, "Sales")?.id,
            group(db, scope, "Berlin")?.id,
        );
        assign(db, scope, sales, security)?;
        assign(db, scope, berlin, security)?;
        assert_eq!(push(db, scope, sales, &[ann])?.effects.enrollments, 1);
        let second = push(db, scope, berlin, &[ann])?.effects;
        assert_eq!(
            (second.enrollments, second.reasons, second.cycles),
            (0, 1, 0)
        );
        let row = &enrolled(db, scope, learner)?[0];
        assert_eq!(enrollments::view(db, scope, row.id)?.reasons.len(), 2);
        Ok(())
    });
}

#[test]
fn a_pending_learner_joins_silently_and_is_enrolled_on_approval() {
    story(|db, scope| {
        let okta = directory(db, scope, "Okta", true, false)?;
        let (bob, learner) = account(db, &okta, "bob", true)?;
        let sales = group(db, scope, "Sales")?.id;
        let security = course(db, scope, "Security")?;
        assign(db, scope, sales, security)?;
        let outcome = push(db, &okta, sales, &[bob])?;
        assert_eq!((outcome.added, outcome.effects.is_none()), (1, true));
        assert!(
            outcome
                .notes
                .iter()
                .any(|note| note.code == "member_pending_approval")
        );
        assert_eq!(
            explain(db, scope, learner, security)?[0].blocker,
            Blocker::NotApproved
        );
        let refused = groups::add_members(
            db,
            scope,
            sales,
            &[LearnerRef::Id(learner)],
            IfIneligible::Refuse,
            Source::Rest,
        );
        assert!(
            matches!(refused, Err(ServiceError::Learning(error)) if error.code() == "learner_not_eligible")
        );
        scope.now = Instant(START + DAY);
        let (_, effects) = learners::approve(db, scope, learner)?;
        assert_eq!(effects.enrollments, 1);
        let row = &enrolled(db, scope, learner)?[0];
        assert_eq!(
            enrollments::view(db, scope, row.id)?.reasons[0].required_since,
            START + DAY
        );
        assert_eq!(
            explain(db, scope, learner, security)?[0].blocker,
            Blocker::Enrolled
        );
        assert!(learners::approve(db, scope, learner)?.1.is_none());
        Ok(())
    });
}

#[test]
fn deactivation_and_removal_end_the_same_in_either_order() {
    story(|db, scope| {
        let sales = group(db, scope, "Sales")?.id;
        let security = course(db, scope, "Security")?;
        assign(db, scope, sales, security)?;
        let (ann, ann_learner) = account(db, scope, "ann", true)?;
        let (bob, bob_learner) = account(db, scope, "bob", true)?;
        push(db, scope, sales, &[ann, bob])?;
        set_active(db, scope, ann, ann_learner, "ann", false)?;
        pull(db, scope, sales, ann)?;
        pull(db, scope, sales, bob)?;
        set_active(db, scope, bob, bob_learner, "bob", false)?;
        for learner in [ann_learner, bob_learner] {
            let rows = enrolled(db, scope, learner)?;
            assert_eq!(rows.len(), 1);
            assert_eq!(rows[0].withdrawn_at, None);
            assert_eq!(
                enrollments::view(db, scope, rows[0].id)?.reasons[0]
                    .end_cause
                    .as_deref(),
                Some("member_removed")
            );
        }
        Ok(())
    });
}

#[test]
fn a_dormant_member_is_enrolled_on_reactivation_in_what_was_assigned_meanwhile() {
    story(|db, scope| {
        let (ann, learner) = account(db, scope, "ann", false)?;
        let sales = group(db, scope, "Sales")?.id;
        let security = course(db, scope, "Security")?;
        assert!(push(db, scope, sales, &[ann])?.effects.is_none());
        assert!(assign(db, scope, sales, security)?.effects.is_none());
        assert_eq!(
            explain(db, scope, learner, security)?[0].blocker,
            Blocker::Dormant
        );
        assert_eq!(set_active(db, scope, ann, learner, "ann", true)?, 1);
        assert_eq!(set_active(db, scope, ann, learner, "ann", true)?, 0);
        Ok(())
    });
}

#[test]
fn leaving_and_rejoining_within_a_month_resumes_the_old_clock() {
    story(|db, scope| {
        let (ann, learner) = account(db, scope, "ann", true)?;
        let sales = group(db, scope, "Sales")?.id;
        let security = course(db, scope, "Security")?;
        assign(db, scope, sales, security)?;
        push(db, scope, sales, &[ann])?;
        scope.now = Instant(START + 9 * DAY);
        pull(db, scope, sales, ann)?;
        scope.now = Instant(START + 11 * DAY);
        let back = push(db, scope, sales, &[ann])?.effects;
        assert_eq!((back.enrollments, back.reasons), (0, 1));
        let row = enrolled(db, scope, learner)?[0].id;
        assert_eq!(
            enrollments::view(db, scope, row)?.reasons[1].required_since,
            START
        );
        pull(db, scope, sales, ann)?;
        scope.now = Instant(START + 60 * DAY);
        push(db, scope, sales, &[ann])?;
        assert_eq!(
            enrollments::view(db, scope, row)?.reasons[2].required_since,
            START + 60 * DAY
        );
        Ok(())
    });
}

#[test]
fn a_withdrawn_enrollment_stays_withdrawn_until_there_is_a_new_cause() {
    story(|db, scope| {
        let (ann, learner) = account(db, scope, "ann", true)?;
        let sales = group(db, scope, "Sales")?.id;
        let security = course(db, scope, "Security")?;
        assign(db, scope, sales, security)?;
        push(db, scope, sales, &[ann])?;
        let row: EnrollmentId = enrolled(db, scope, learner)?[0].id;
        assert!(enrollments::withdraw(db, scope, row, "  ").is_err());
        enrollments::withdraw(db, scope, row, "on leave")?;
        assert!(enroll(db, scope, &EnrollScope::Tenant)?.is_none());
        assert!(push(db, scope, sales, &[ann])?.effects.is_none());
        assert_eq!(
            explain(db, scope, learner, security)?[0].blocker,
            Blocker::Ended("withdrawn".to_owned())
        );
        pull(db, scope, sales, ann)?;
        let back = push(db, scope, sales, &[ann])?.effects;
        assert_eq!((back.enrollments, back.reasons, back.cycles), (1, 1, 0));
        assert_eq!(enrolled(db, scope, learner)?[0].id, row);
        assert_eq!(enrolled(db, scope, learner)?[0].withdrawn_at, None);
        assert_eq!(
            number(
                db,
                "SELECT count(*) AS n FROM events WHERE event_type = 'enrollment.reopened'"
            )?,
            1
        );
        Ok(())
    });
}

#[test]
fn removing_assignments_and_groups_never_unenrolls() {
    story(|db, scope| {
        let (ann, learner) = account(db, scope, "ann", true)?;
        let sales = group(db, scope, "Sales")?;
        let (security, safety) = (course(db, scope, "Security")?, course(db, scope, "Safety")?);
        let first = assign(db, scope, sales.id, security)?.row.id;
        assign(db, scope, sales.id, safety)?;
        push(db, scope, sales.id, &[ann])?;
        assert_eq!(enrolled(db, scope, learner)?.len(), 2);
        assignments::remove(db, scope, first)?;
        assert!(matches!(
            assignments::remove(db, scope, first),
            Err(ServiceError::NotFound { .. })
        ));
        let again = assign(db, scope, sales.id, security)?.effects;
        assert_eq!((again.enrollments, again.reasons), (0, 1));
        assert_eq!(groups::delete(db, scope, sales.id, None)?.memberships, 1);
        assert!(matches!(
            groups::find(db, scope, sales.id),
            Err(ServiceError::NotFound { .. })
        ));
        for row in enrolled(db, scope, learner)? {
            assert_eq!(row.withdrawn_at, None);
            let reasons = enrollments::view(db, scope, row.id)?.reasons;
            assert!(
                reasons
                    .iter()
                    .all(|reason| reason.ended_at.is_some() && !reason.group_live)
            );
            assert_eq!(reasons[0].group_name.as_deref(), Some("Sales"));
        }
        assert_ne!(group(db, scope, "SALES")?.id, sales.id);
        Ok(())
    });
}

#[test]
fn a_draft_course_is_not_assignable_and_publishing_enrolls() {
    story(|db, scope| {
        let (ann, _) = account(db, scope, "ann", true)?;
        let sales = group(db, scope, "Sales")?.id;
        let security = course(db, scope, "Security")?;
        assign(db, scope, sales, security)?;
        let status = |status| CourseFields {
            status: Some(status),
            ..CourseFields::default()
        };
        courses::edit(db, scope, security, None, &status(CourseStatus::Archived))?;
        assert!(push(db, scope, sales, &[ann])?.effects.is_none());
        let stale = courses::edit(
            db,
            scope,
            security,
            Some(1),
            &status(CourseStatus::Published),
        );
        assert!(matches!(stale, Err(ServiceError::Stale { current: 2 })));
        let (row, effects) = courses::edit(
            db,
            scope,
            security,
            Some(2),
            &status(CourseStatus::Published),
        )?;
        assert_eq!((row.version, effects.enrollments), (3, 1));
        let draft = CourseFields {
            title: Some("Draft".to_owned()),
            status: Some(CourseStatus::Draft),
            ..CourseFields::default()
        };
        let draft = courses::create(db, scope, &draft)?.id;
        assert!(
            matches!(assign(db, scope, sales, draft), Err(ServiceError::Learning(error)) if error.code() == "course_not_published")
        );
        Ok(())
    });
}

#[test]
fn an_observing_connection_and_a_small_plan_owe_nothing_until_they_change() {
    story(|db, scope| {
        let okta = directory(db, scope, "Okta", false, true)?;
        let connection = okta.connection.as_ref().map(|connection| connection.id);
        let (ann, learner) = account(db, &okta, "ann", true)?;
        let sales = group(db, scope, "Sales")?.id;
        let security = course(db, scope, "Security")?;
        assign(db, scope, sales, security)?;
        let outcome = push(db, &okta, sales, &[ann])?;
        assert!(
            outcome
                .notes
                .iter()
                .any(|note| note.code == "connection_observing")
        );
        assert_eq!(
            explain(db, scope, learner, security)?[0].blocker,
            Blocker::ConnectionObserving
        );
        run(
            db,
            "UPDATE tenants SET plan = 'starter' WHERE tenant_id = ?",
            vec![TENANT.into()],
        )?;
        run(
            db,
            "UPDATE connections SET mode = 'live' WHERE tenant_id = ?",
            vec![TENANT.into()],
        )?;
        let scoped = connection
            .map(EnrollScope::Connection)
            .unwrap_or(EnrollScope::Tenant);
        assert!(enroll(db, scope, &scoped)?.is_none());
        assert_eq!(
            explain(db, scope, learner, security)?[0].blocker,
            Blocker::ParkedPlan
        );
        assert!(matches!(
            groups::delete(db, scope, sales, None),
            Err(ServiceError::PlanRequired { .. })
        ));
        run(
            db,
            "UPDATE tenants SET plan = 'professional' WHERE tenant_id = ?",
            vec![TENANT.into()],
        )?;
        assert!(enroll(db, scope, &EnrollScope::Connection(ConnectionId::new()))?.is_none());
        assert_eq!(enroll(db, scope, &scoped)?.enrollments, 1);
        Ok(())
    });
}

#[test]
fn replacing_all_members_writes_only_the_difference() {
    story(|db, scope| {
        let sales = group(db, scope, "Sales")?.id;
        let mut users = Vec::new();
        for n in 0..5 {
            users.push(account(db, scope, &format!("p{n}"), true)?.0);
        }
        let replace = |users: &[UserId]| [MembersChange::ReplaceAll(inputs(users))];
        let first = groups::apply_members(db, scope, sales, &replace(&users[..3]))?;
        assert_eq!((first.added, first.ended), (3, 0));
        let same = groups::apply_members(db, scope, sales, &replace(&users[..3]))?;
        assert_eq!((same.added, same.ended), (0, 0));
        let shifted = groups::apply_members(db, scope, sales, &replace(&users[2..]))?;
        assert_eq!((shifted.added, shifted.ended), (2, 2));
        let order = [
            MembersChange::RemoveAll,
            MembersChange::Add(inputs(&users[..1])),
            MembersChange::Add(inputs(&users[4..])),
        ];
        let emptied = groups::apply_members(db, scope, sales, &order)?;
        assert_eq!((emptied.added, emptied.ended), (1, 2));
        let last = groups::apply_members(db, scope, sales, &[MembersChange::RemoveAll])?;
        assert_eq!((last.added, last.ended), (0, 2));
        Ok(())
    });
}

#[test]
fn adding_and_removing_in_one_request_enrolls_nobody() {
    story(|db, scope| {
        let (ann, learner) = account(db, scope, "ann", true)?;
        let sales = group(db, scope, "Sales")?.id;
        let security = course(db, scope, "Security")?;
        assign(db, scope, sales, security)?;
        let changes = [
            MembersChange::Add(inputs(&[ann])),
            MembersChange::Remove(vec![ann.to_string()]),
        ];
        let outcome = groups::apply_members(db, scope, sales, &changes)?;
        assert_eq!((outcome.added, outcome.ended), (0, 0));
        assert!(enrolled(db, scope, learner)?.is_empty());
        Ok(())
    });
}

#[test]
fn unknown_members_are_skipped_beside_known_ones_and_refused_alone() {
    story(|db, scope| {
        let mut okta = directory(db, scope, "Okta", true, true)?;
        let (ann, _) = account(db, &okta, "ann", true)?;
        let sales = group(db, scope, "Sales")?.id;
        let other = group(db, scope, "Other")?.id;
        let ghost = UserId::new();
        let some = push(db, &okta, sales, &[ghost, ann])?;
        assert_eq!(
            (some.added, some.unknown.as_slice()),
            (1, [ghost.to_string()].as_slice())
        );
        assert!(matches!(
            push(db, &okta, sales, &[ghost]),
            Err(ServiceError::Scim(_))
        ));
        let nested = push(db, &okta, sales, &[UserId(other.0)])?;
        assert_eq!(
            (nested.added, nested.notes[0].code),
            (0, "nested_group_ignored")
        );
        let text = MemberInput {
            id: "not-an-id".to_owned(),
            is_group: false,
        };
        assert!(
            groups::apply_members(db, &okta, sales, &[MembersChange::Add(vec![text])]).is_err()
        );
        assert_eq!(
            groups::apply_members(
                db,
                &okta,
                sales,
                &[MembersChange::Remove(vec![
                    ghost.to_string(),
                    "x".to_owned()
                ])]
            )?
            .ended,
            0
        );
        if let Some(connection) = &mut okta.connection {
            Arc::make_mut(connection).switches.unknown_scim_member = UnknownMember::Reject;
        }
        assert!(push(db, &okta, sales, &[ghost, ann]).is_err());
        Ok(())
    });
}

#[test]
fn an_ended_account_ends_memberships_and_its_external_id_brings_the_same_learner_back() {
    story(|db, scope| {
        let okta = directory(db, scope, "Okta", true, true)?;
        let entra = directory(db, scope, "Entra", true, true)?;
        let (dora, learner) = account(db, &okta, "dora", true)?;
        let sales = group(db, scope, "Sales")?;
        let security = course(db, scope, "Security")?;
        assign(db, scope, sales.id, security)?;
        push(db, &okta, sales.id, &[dora])?;
        assert_eq!(end_account(db, &okta, dora, learner)?, 1);
        assert!(learners::find(db, scope, learner)?.facts().deleted);
        assert!(groups::find(db, scope, sales.id)?.version > sales.version);
        assert!(groups::members(db, scope, sales.id, None, None, None, 10)?.is_empty());
        assert!(push(db, &okta, sales.id, &[dora]).is_err());
        let (_, stranger) = account(db, &entra, "dora", true)?;
        assert_ne!(stranger, learner);
        run(
            db,
            "UPDATE users SET user_name = 'd2', user_name_key = 'd2' WHERE tenant_id = ? AND learner_id = ?",
            vec![TENANT.into(), stranger.into()],
        )?;
        let (back, same) = account(db, &okta, "dora", true)?;
        assert_eq!(same, learner);
        assert!(!learners::find(db, scope, learner)?.facts().deleted);
        let effects = push(db, &okta, sales.id, &[back])?.effects;
        assert_eq!((effects.enrollments, effects.reasons), (0, 1));
        assert_eq!(enrolled(db, scope, learner)?.len(), 1);
        Ok(())
    });
}

#[test]
fn a_locked_group_takes_members_and_name_from_its_directory_only() {
    story(|db, scope| {
        let okta = directory(db, scope, "Okta", true, true)?;
        let connection = okta.connection.as_ref().map(|connection| connection.id);
        let (ann, learner) = account(db, &okta, "ann", true)?;
        let sales = group(db, scope, "Sales")?;
        run(
            db,
            "UPDATE learner_groups SET managed_by = ? WHERE tenant_id = ?",
            vec![connection.into(), TENANT.into()],
        )?;
        push(db, &okta, sales.id, &[ann])?;
        let add = groups::add_members(
            db,
            scope,
            sales.id,
            &[LearnerRef::Id(learner)],
            IfIneligible::Refuse,
            Source::Rest,
        );
        assert!(
            matches!(add, Err(ServiceError::Learning(error)) if error.code() == "managed_by_directory")
        );
        assert!(groups::remove_member(db, scope, sales.id, learner).is_err());
        let named = GroupFields {
            name: Some("Revenue".to_owned()),
            ..GroupFields::default()
        };
        assert!(groups::edit(db, scope, sales.id, None, &named).is_err());
        let colored = GroupFields {
            name: Some("Sales".to_owned()),
            color: Some("#00ff00".to_owned()),
            ..GroupFields::default()
        };
        let row = groups::edit(db, scope, sales.id, Some(sales.version), &colored)?;
        assert_eq!((row.color.as_deref(), row.version), (Some("#00FF00"), 2));
        assert_eq!(
            groups::edit(db, scope, sales.id, Some(2), &colored)?.version,
            2
        );
        groups::release(db, scope, sales.id)?;
        assert_eq!(
            groups::edit(db, scope, sales.id, None, &named)?.name,
            "Revenue"
        );
        groups::remove_member(db, scope, sales.id, learner)?;
        assert!(matches!(
            groups::remove_member(db, scope, sales.id, learner),
            Err(ServiceError::NotFound { .. })
        ));
        Ok(())
    });
}

#[test]
fn people_add_learners_by_any_reference() {
    story(|db, scope| {
        let okta = directory(db, scope, "Okta", true, false)?;
        let (_, ann) = account(db, scope, "Ann", true)?;
        let (_, bob) = account(db, scope, "bob", true)?;
        let (_, carl) = account(db, &okta, "carl", true)?;
        let sales = group(db, scope, "Sales")?.id;
        let refs = [
            LearnerRef::UserName("ANN".to_owned()),
            LearnerRef::ExternalId("x-bob".to_owned()),
            LearnerRef::Id(carl),
        ];
        assert!(
            groups::add_members(db, scope, sales, &refs, IfIneligible::Refuse, Source::Rest)
                .is_err()
        );
        let (results, outcome) =
            groups::add_members(db, scope, sales, &refs, IfIneligible::Skip, Source::Rest)?;
        let outcomes: Vec<_> = results
            .iter()
            .map(|result| (result.learner, result.outcome.clone()))
            .collect();
        let refused = AddOutcome::Refused("not_approved".to_owned());
        assert_eq!(
            outcomes,
            [
                (Some(ann), AddOutcome::Added),
                (Some(bob), AddOutcome::Added),
                (Some(carl), refused)
            ]
        );
        assert_eq!(outcome.added, 2);
        let (results, _) =
            groups::add_members(db, scope, sales, &refs, IfIneligible::Pend, Source::Rest)?;
        let outcomes: Vec<_> = results.into_iter().map(|result| result.outcome).collect();
        assert_eq!(
            outcomes,
            [AddOutcome::NoOp, AddOutcome::NoOp, AddOutcome::Pended]
        );
        let view = groups::view(db, scope, sales)?;
        assert_eq!(
            (view.counts.active, view.counts.pending, view.counts.dormant),
            (2, 1, 0)
        );
        let page = groups::members(db, scope, sales, None, None, None, 2)?;
        assert_eq!(page.len(), 2);
        assert_eq!(
            groups::members(db, scope, sales, None, None, Some(page[1].learner_id), 2)?.len(),
            1
        );
        let pending = LearnerFilter {
            approval: Some(crate::learning::learner::Approval::Pending),
            ..LearnerFilter::default()
        };
        assert_eq!(learners::list(db, scope, &pending, None, 10)?.len(), 1);
        let part = LearnerFilter {
            name_part: Some("nn".to_owned()),
            active: Some(true),
            ..LearnerFilter::default()
        };
        assert_eq!(learners::list(db, scope, &part, None, 10)?.len(), 1);
        Ok(())
    });
}

#[test]
fn a_group_name_is_unique_ignoring_case_and_options_are_versioned() {
    story(|db, scope| {
        let sales = group(db, scope, "Sales")?.id;
        let security = course(db, scope, "Security")?;
        let options = Options::new(true, Due::Relative(30), Some(12))?;
        let assigned = assignments::assign(db, scope, sales, security, options)?;
        assert_eq!(
            (assigned.row.due(), assigned.row.recert_months),
            (Due::Relative(30), Some(12))
        );
        let edited = assignments::edit(db, scope, assigned.row.id, Some(1), Options::default())?;
        assert_eq!((edited.row.version, edited.row.due()), (2, Due::None));
        assert!(matches!(
            assignments::edit(db, scope, assigned.row.id, Some(1), options),
            Err(ServiceError::Stale { current: 2 })
        ));
        let date = chrono::NaiveDate::from_ymd_opt(2026, 2, 1).map_or(Due::None, Due::Date);
        let past = assignments::edit(
            db,
            scope,
            assigned.row.id,
            None,
            Options::new(true, date, None)?,
        )?;
        assert_eq!(past.warnings, ["due_date_in_past"]);
        let query = groups::GroupQuery {
            q: Some("ALE".to_owned()),
            ..groups::GroupQuery::default()
        };
        assert_eq!(groups::list(db, scope, &query, None, 10)?.len(), 1);
        assert!(groups::list(db, scope, &query, Some("sales"), 10)?.is_empty());
        Ok(())
    });
}

#[test]
fn taken_names_and_double_assignments_are_refused() {
    let refused = |second: fn(&mut Db, &Scope, GroupId, CourseId) -> Result<(), ServiceError>,
                   code: &'static str| {
        testing::on_both(|store: &Store| {
            let told: Result<(), ServiceError> = store.write_blocking("refused", move |db| {
                let scope = begin(db)?;
                let sales = group(db, &scope, "Sales")?.id;
                let security = course(db, &scope, "Security")?;
                assign(db, &scope, sales, security)?;
                second(db, &scope, sales, security)
            });
            assert!(
                matches!(told, Err(ServiceError::Learning(error)) if error.code() == code),
                "{code}"
            );
        });
    };
    refused(
        |db, scope, _, _| group(db, scope, "  sALES ").map(drop),
        "group_name_taken",
    );
    refused(
        |db, scope, sales, security| assign(db, scope, sales, security).map(drop),
        "already_assigned",
    );
    refused(
        |db, scope, _, _| {
            for title in ["A", "B"] {
                let fields = CourseFields {
                    title: Some(title.to_owned()),
                    code: Some("Sec-1".to_owned()),
                    ..CourseFields::default()
                };
                courses::create(db, scope, &fields)?;
            }
            Ok(())
        },
        "course_code_taken",
    );
}

#[test]
fn a_large_group_is_written_in_sets() {
    story(|db, scope| {
        let mut users = Vec::new();
        for n in 0..1203 {
            users.push(account(db, scope, &format!("p{n}"), true)?.0);
        }
        let sales = group(db, scope, "Sales")?.id;
        let security = course(db, scope, "Security")?;
        assign(db, scope, sales, security)?;
        let all = groups::apply_members(
            db,
            scope,
            sales,
            &[MembersChange::ReplaceAll(inputs(&users))],
        )?;
        assert_eq!(
            (all.added, all.effects.enrollments, all.effects.cycles),
            (1203, 1203, 1203)
        );
        let fewer = groups::apply_members(
            db,
            scope,
            sales,
            &[MembersChange::ReplaceAll(inputs(&users[..2]))],
        )?;
        assert_eq!((fewer.added, fewer.ended), (0, 1201));
        Ok(())
    });
}

#[test]
fn a_broken_row_is_found_by_the_check() {
    testing::on_both(|store: &Store| {
        let told: Result<(), ServiceError> = store.write_blocking("broken", |db| {
            let scope = begin(db)?;
            let (ann, _) = account(db, &scope, "ann", true)?;
            let sales = group(db, &scope, "Sales")?.id;
            let security = course(db, &scope, "Security")?;
            assign(db, &scope, sales, security)?;
            push(db, &scope, sales, &[ann])?;
            run(
                db,
                "DELETE FROM enrollment_reasons WHERE tenant_id = ?",
                vec![TENANT.into()],
            )?;
            run(
                db,
                "UPDATE learner_groups SET name_key = 'other' WHERE tenant_id = ?",
                vec![TENANT.into()],
            )?;
            run(
                db,
                "UPDATE counters SET value = 9 WHERE tenant_id = ? AND name = 'users'",
                vec![TENANT.into()],
            )?;
            let names: Vec<String> = check::check(db, TENANT)?
                .into_iter()
                .map(|finding| finding.name)
                .collect();
            for expected in [
                "I-2 nothing is owed",
                "every enrollment has a reason",
                "folded keys match (name of groups)",
                "the counter of users is right",
            ] {
                assert!(
                    names.iter().any(|name| name == expected),
                    "{expected} in {names:?}"
                );
            }
            assert_eq!(check::all(db)?.len(), names.len());
            Ok(())
        });
        assert!(told.is_ok(), "{told:?}");
    });
}

#[test]
fn another_tenants_rows_are_unknown() {
    story(|db, scope| {
        let sales = group(db, scope, "Sales")?.id;
        let (ann, _) = account(db, scope, "ann", true)?;
        let elsewhere = Scope {
            tenant: TenantId(8),
            request: RequestId::new(),
            ..scope.clone()
        };
        assert!(matches!(
            groups::find(db, &elsewhere, sales),
            Err(ServiceError::NotFound { .. })
        ));
        assert!(push(db, &elsewhere, sales, &[ann]).is_err());
        Ok(())
    });
}
