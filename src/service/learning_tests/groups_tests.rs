//! Groups and their members: replacing, unknown members, locks, names, large sets, other tenants.

use std::sync::Arc;

use super::*;

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
        assert!(
            group_members::members(
                db,
                scope,
                sales.id,
                &MemberFilter::default(),
                &Paging::first(10)
            )?
            .rows
            .is_empty()
        );
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
        let add = group_members::add_members(
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
        assert!(group_members::remove_member(db, scope, sales.id, learner).is_err());
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
        group_members::remove_member(db, scope, sales.id, learner)?;
        assert!(matches!(
            group_members::remove_member(db, scope, sales.id, learner),
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
            group_members::add_members(db, scope, sales, &refs, IfIneligible::Refuse, Source::Rest)
                .is_err()
        );
        let (results, outcome) =
            group_members::add_members(db, scope, sales, &refs, IfIneligible::Skip, Source::Rest)?;
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
            group_members::add_members(db, scope, sales, &refs, IfIneligible::Pend, Source::Rest)?;
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
        let all = MemberFilter::default();
        let first = Paging {
            total: true,
            ..Paging::first(2)
        };
        let page = group_members::members(db, scope, sales, &all, &first)?;
        assert_eq!((page.rows.len(), page.total), (2, Some(3)));
        let next = Paging {
            after: page.rows.last().map(|row| Place::id(row.learner_id.0)),
            ..first
        };
        let page = group_members::members(db, scope, sales, &all, &next)?;
        assert_eq!((page.rows.len(), page.total), (1, Some(3)));
        let (by_age, ten) = ((LearnerOrder::Created, false), Paging::first(10));
        let pending = LearnerFilter {
            approvals: vec![crate::learning::learner::Approval::Pending],
            ..LearnerFilter::default()
        };
        assert_eq!(
            learners::list(db, scope, &pending, by_age, &ten)?
                .rows
                .len(),
            1
        );
        let part = LearnerFilter {
            name_part: Some("nn".to_owned()),
            active: Some(true),
            ..LearnerFilter::default()
        };
        assert_eq!(
            learners::list(db, scope, &part, by_age, &ten)?.rows.len(),
            1
        );
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
        let how = assignments::EditHow::default();
        let edited = assignments::edit(
            db,
            scope,
            assigned.row.id,
            Some(1),
            Options::default(),
            &how,
        )?;
        assert_eq!((edited.row.version, edited.row.due()), (2, Due::None));
        assert!(matches!(
            assignments::edit(db, scope, assigned.row.id, Some(1), options, &how),
            Err(ServiceError::Stale { current: 2 })
        ));
        let date = chrono::NaiveDate::from_ymd_opt(2026, 2, 1).map_or(Due::None, Due::Date);
        let past = assignments::edit(
            db,
            scope,
            assigned.row.id,
            None,
            Options::new(true, date, None)?,
            &how,
        )?;
        assert_eq!(past.warnings, ["due_date_in_past"]);
        let query = group_list::GroupQuery {
            q: Some("ALE".to_owned()),
            ..group_list::GroupQuery::default()
        };
        let by_name = (GroupSort::By(GroupOrder::Name), false);
        let mut paging = Paging::first(10);
        let page = group_list::list(db, scope, &query, by_name, &paging)?;
        assert_eq!(page.rows.len(), 1);
        paging.after = page
            .rows
            .last()
            .map(|view| group_list::place(view, by_name.0));
        assert!(
            group_list::list(db, scope, &query, by_name, &paging)?
                .rows
                .is_empty()
        );
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
