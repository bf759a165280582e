//! Who is enrolled when: joining, approval, absence, coming back, what ends and what never does.

use super::*;

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
        assert_eq!(view.reasons[0].row.group_name.as_deref(), Some("Sales"));
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
        let elsewhere = group(db, scope, "Support")?.id;
        let mut add = |id| {
            group_members::add_members(
                db,
                scope,
                id,
                &[LearnerRef::Id(learner)],
                IfIneligible::Refuse,
                Source::Rest,
            )
        };
        assert!(
            matches!(add(elsewhere), Err(ServiceError::Learning(error)) if error.code() == "learner_not_eligible")
        );
        // what is so already is a success
        assert_eq!(add(sales)?.1.added, 0);
        scope.now = Instant(START + DAY);
        let (_, effects) = learners::approve(db, scope, learner)?;
        assert_eq!(effects.enrollments, 1);
        let row = &enrolled(db, scope, learner)?[0];
        assert_eq!(
            enrollments::view(db, scope, row.id)?.reasons[0]
                .row
                .required_since,
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
                    .row
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
            enrollments::view(db, scope, row)?.reasons[1]
                .row
                .required_since,
            START
        );
        pull(db, scope, sales, ann)?;
        scope.now = Instant(START + 60 * DAY);
        push(db, scope, sales, &[ann])?;
        assert_eq!(
            enrollments::view(db, scope, row)?.reasons[2]
                .row
                .required_since,
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
                    .all(|reason| reason.row.ended_at.is_some() && !reason.row.group_live)
            );
            assert_eq!(reasons[0].row.group_name.as_deref(), Some("Sales"));
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
