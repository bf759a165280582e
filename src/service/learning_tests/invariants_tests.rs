//! Each invariant of `rollcall check` is broken on purpose and seen.

use super::*;

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
            let names: Vec<String> = check::check(db, TENANT, scope.now)?
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
            assert_eq!(check::all(db, scope.now)?.len(), names.len());
            Ok(())
        });
        assert!(told.is_ok(), "{told:?}");
    });
}

/// What breaks each invariant. `NEW` is an id; the rest is the same on both databases.
const BREACHES: &[(&str, &[&str])] = &[
    (
        "I-1 one open cycle per enrollment",
        &[
            "INSERT INTO enrollment_cycles (tenant_id, enrollment_id, n, opened_at, opened_by, progress_pct) \
           SELECT tenant_id, id, 7, 0, 'restart', 0 FROM enrollments",
            "UPDATE enrollment_cycles SET completed_at = NULL",
        ],
    ),
    (
        "every enrollment has a cycle",
        &["DELETE FROM enrollment_cycles"],
    ),
    (
        "every enrollment has a reason",
        &["DELETE FROM enrollment_reasons"],
    ),
    (
        "every reason has its enrollment",
        &["DELETE FROM enrollments"],
    ),
    (
        "a withdrawn enrollment has no live reason",
        &["UPDATE enrollments SET withdrawn_at = 1"],
    ),
    (
        "a live group reason has a live membership and assignment",
        &["UPDATE assignments SET ended_at = 1"],
    ),
    (
        "every completion has its enrollment",
        &["DELETE FROM enrollments"],
    ),
    (
        "a completed cycle has its completion",
        &["DELETE FROM completions"],
    ),
    (
        "I-13 every reason keeps its snapshot",
        &["UPDATE enrollment_reasons SET group_name = NULL"],
    ),
    (
        "I-4 no reason is older than what it follows from",
        &["UPDATE enrollment_reasons SET recorded_at = 1"],
    ),
    (
        "a past of a learner ends before the next begins",
        &["UPDATE learner_periods SET began_at = ended_at + 1"],
    ),
    (
        "a live membership has both ends",
        &["UPDATE learners SET deleted_at = 1"],
    ),
    (
        "I-5 one live membership per group and learner",
        &[
            "DROP INDEX memberships_live",
            "INSERT INTO memberships (tenant_id, id, group_id, learner_id, user_id, source, added_by, added_at, request_id) \
           SELECT tenant_id, NEW, group_id, learner_id, user_id, source, added_by, added_at, request_id FROM memberships",
        ],
    ),
    ("I-3 no enrollment goes away", &["DELETE FROM enrollments"]),
    (
        "I-3 no cycle goes away",
        &["UPDATE enrollment_cycles SET n = n + 1"],
    ),
    (
        "I-3 nobody is withdrawn but by a person",
        &["UPDATE enrollments SET withdrawn_at = 1"],
    ),
    (
        "I-4 nobody is enrolled by a group who could not be",
        &["UPDATE learner_periods SET began_at = began_at - 1, approval = 'pending'"],
    ),
    (
        "I-5 an ended period stays ended",
        &["UPDATE memberships SET ended_by = 'somebody'"],
    ),
    (
        "I-5 only its directory writes the members of a locked group",
        &[
            "INSERT INTO connections (tenant_id, id, name, name_key, idp, mode, approve, lock_groups, switches, created_at) \
             SELECT tenant_id, NEW, 'k', 'k', 'okta', 'live', 'auto', active, '{}', 0 FROM learners",
            "UPDATE learner_groups SET managed_by = (SELECT id FROM connections)",
            "UPDATE memberships SET source = 'rest'",
        ],
    ),
    (
        "I-6 a repeated request changes nothing",
        &[
            "INSERT INTO sync_requests (tenant_id, id, at, token_hint, method, path, operation, outcome, http_status, duration_us, members_added, \
             members_ended, enrollments, notes, changes) SELECT tenant_id, NEW, 0, '', 'PATCH', '/', 'patch', 'no_op', 200, 0, 1, 0, 0, '[]', '{}' FROM learners",
        ],
    ),
    (
        "I-6 a cause is written down once",
        &[
            "DROP INDEX enrollment_reasons_cause",
            "INSERT INTO enrollment_reasons (tenant_id, id, learner_id, course_id, kind, group_id, assignment_id, membership_id, required_since, \
             recorded_at, request_id, group_name, course_title, mandatory, actor) SELECT tenant_id, NEW, learner_id, course_id, kind, group_id, \
             assignment_id, membership_id, required_since, recorded_at, request_id, group_name, course_title, mandatory, actor \
             FROM enrollment_reasons",
        ],
    ),
    (
        "I-7 what has ended follows from what is, not from how it came",
        &["UPDATE enrollment_reasons SET ended_at = recorded_at, end_cause = 'member_removed'"],
    ),
    (
        "I-7 a learner is active by their accounts alone",
        &["UPDATE learners SET active = NOT active"],
    ),
    (
        "I-10 no completion is dated after it was recorded",
        &["UPDATE completions SET completed_at = recorded_at + 1"],
    ),
    (
        "I-11 an assignment's terms are those of its newest version",
        &["UPDATE assignments SET mandatory = NOT mandatory"],
    ),
    (
        "I-12 what refers to something finds it in its own tenant",
        &["UPDATE enrollments SET course_id = NEW"],
    ),
    (
        "I-14 what was refused or rehearsed left nothing",
        &[
            "INSERT INTO sync_requests (tenant_id, id, at, token_hint, method, path, operation, outcome, http_status, duration_us, members_added, \
             members_ended, enrollments, notes, changes) SELECT tenant_id, NEW, 0, '', 'PATCH', '/', 'patch', 'failed', 400, 0, 1, 0, 0, '[]', '{}' FROM learners",
            "UPDATE memberships SET request_id = (SELECT id FROM sync_requests)",
        ],
    ),
    (
        "a live assignment has a live group",
        &["UPDATE learner_groups SET deleted_at = 1"],
    ),
    (
        "an assignment's version is its newest version row",
        &["UPDATE assignments SET version = 9"],
    ),
    (
        "every account names its learner",
        &["UPDATE learners SET deleted_at = 1"],
    ),
    (
        "B49 who was erased has left nothing personal",
        &[
            "INSERT INTO erasures (tenant_id, learner_id, accounts, why, erased_at, erased_by, request_id) \
             SELECT tenant_id, id, '[]', 'x', 0, 'x', id FROM learners",
        ],
    ),
    (
        "searchable values belong to live accounts",
        &[
            "INSERT INTO user_values (tenant_id, attr, value_key, user_id, ord, is_primary) SELECT tenant_id, 1, 'x', NEW, 0, suspended FROM learners",
        ],
    ),
    (
        "values of operators' attributes have a resource",
        &[
            "INSERT INTO resource_values (tenant_id, attr, value_key, resource_id, ord, is_unique) SELECT tenant_id, 1, 'x', NEW, 0, suspended FROM learners",
        ],
    ),
    (
        "versions are positive (users)",
        &["UPDATE users SET version = 0"],
    ),
    (
        "versions are positive (groups)",
        &["UPDATE learner_groups SET version = 0"],
    ),
    (
        "versions are positive (resources)",
        &[
            "INSERT INTO resources (tenant_id, resource_type, id, version, created_at, modified_at, doc) SELECT tenant_id, 'Badge', NEW, 0, 0, 0, '{}' FROM learners",
        ],
    ),
    (
        "the counters of other resources are right",
        &[
            "INSERT INTO resources (tenant_id, resource_type, id, version, created_at, modified_at, doc) SELECT tenant_id, 'Badge', NEW, 1, 0, 0, '{}' FROM learners",
        ],
    ),
    (
        "the counter of users is right",
        &["UPDATE counters SET value = 9"],
    ),
    (
        "the counter of groups is right",
        &["UPDATE counters SET value = 9"],
    ),
];

/// What the schema itself makes impossible: its primary key.
const IMPOSSIBLE: &str = "I-1 one enrollment per learner and course";

/// What no statement of [`invariants::all`](crate::store::queries::invariants::all) judges but a computation, and what breaks it.
const COMPUTED: &[(&str, &[&str])] = &[
    (
        "I-2 nothing is owed",
        &[
            "UPDATE learners SET approval = 'approved'",
            "DELETE FROM enrollment_reasons",
        ],
    ),
    (
        "I-8 an account shows what was written",
        &["UPDATE users SET doc = '{\"userName\":\"somebody else\"}'"],
    ),
    (
        "I-9 the present is what the history says",
        &["UPDATE learner_periods SET ended_at = ended_at + 86400000"],
    ),
    (
        "I-15 every obligation is counted once",
        &["DELETE FROM enrollments"],
    ),
    (
        "folded keys match (userName of users)",
        &["UPDATE users SET user_name_key = 'other'"],
    ),
];

/// A finding names its tenant, its rule, the ids that break it and what to do.
#[test]
fn a_finding_says_where_and_what_to_do() {
    testing::on_both(|store: &Store| {
        let told: Result<(), ServiceError> = store.write_blocking("finding", |db| {
            let scope = begin(db)?;
            let (ann, learner) = account(db, &scope, "ann", true)?;
            let sales = group(db, &scope, "Sales")?.id;
            push(db, &scope, sales, &[ann])?;
            run(
                db,
                "UPDATE learners SET active = NOT active WHERE tenant_id = ?",
                vec![TENANT.into()],
            )?;
            let found = check::check(db, TENANT, scope.now)?;
            assert_eq!(
                found.iter().map(ToString::to_string).collect::<Vec<_>>(),
                [format!(
                    "tenant 7: `I-7 a learner is active by their accounts alone` is broken by 1 rows: the accounts of a learner say \
                     something else about being active than the learner does (learner {learner}); to do: let the directory send \
                     `active` once more, first the other way round"
                )]
            );
            Ok(())
        });
        assert!(told.is_ok(), "{told:?}");
    });
}

/// What a job is still to write, its row says; without the row, or when it has failed, it is a breach (I-2, 4.8).
#[test]
fn what_a_job_is_still_to_write_is_no_breach() {
    let left: &[(&str, &str, &[&str], &str)] = &[
        (
            "enroll",
            "NULL",
            &[
                "DELETE FROM enrollment_reasons",
                "DELETE FROM enrollments",
                "DELETE FROM enrollment_cycles",
                "DELETE FROM events",
            ],
            "I-2 nothing is owed",
        ),
        (
            "end_group",
            "(SELECT id FROM learner_groups)",
            &[
                "UPDATE learner_groups SET deleted_at = 1",
                "UPDATE counters SET value = 0 WHERE name = 'groups'",
                "UPDATE assignments SET ended_at = created_at",
            ],
            "a live membership has both ends",
        ),
        (
            "end_assignment",
            "(SELECT id FROM assignments)",
            &["UPDATE assignments SET ended_at = created_at"],
            "a live group reason has a live membership and assignment",
        ),
    ];
    testing::on_both(|store: &Store| {
        for (kind, subject, sql, breach) in left {
            let told: Result<(), ServiceError> = store.write_blocking("job", move |db| {
                let scope = begin(db)?;
                let (ann, _) = account(db, &scope, "ann", true)?;
                let sales = group(db, &scope, "Sales")?.id;
                let security = course(db, &scope, "Security")?;
                assign(db, &scope, sales, security)?;
                push(db, &scope, sales, &[ann])?;
                for text in *sql {
                    db.execute(Stmt::new(*text).once(true))?;
                }
                let names = |db: &mut Db| -> Result<Vec<String>, ServiceError> {
                    let found = check::check(db, TENANT, scope.now)?;
                    Ok(found.into_iter().map(|finding| finding.name).collect())
                };
                assert!(names(db)?.iter().any(|name| name == breach), "{kind}");
                let job = format!(
                    "INSERT INTO jobs (tenant_id, id, kind, state, permission, subject_id, spec, place, done, result, actor, request_id, \
                     created_at, modified_at) SELECT tenant_id, id, '{kind}', 'waiting', 'x', {subject}, '{{}}', '{{}}', 0, '{{}}', 'x', id, 0, 0 \
                     FROM learners"
                );
                db.execute(Stmt::new(job).once(true))?;
                assert_eq!(names(db)?, Vec::<String>::new(), "{kind}");
                run(db, "UPDATE jobs SET state = 'failed'", Vec::new())?;
                assert!(names(db)?.iter().any(|name| name == breach), "{kind}");
                Err(ServiceError::Depends("taken back".to_owned()))
            });
            assert!(
                matches!(told, Err(ServiceError::Depends(_))),
                "{kind}: {told:?}"
            );
        }
    });
}

#[test]
fn each_invariant_is_seen_when_it_is_broken_on_purpose() {
    use crate::store::queries::invariants;
    testing::on_both(|store: &Store| {
        for invariant in invariants::all() {
            assert!(
                invariant.name == IMPOSSIBLE
                    || BREACHES.iter().any(|(name, _)| *name == invariant.name),
                "nobody breaks `{}`",
                invariant.name
            );
        }
        for (name, sql) in BREACHES.iter().chain(COMPUTED) {
            let told: Result<(), ServiceError> = store.write_blocking("breach", move |db| {
                let mut scope = begin(db)?;
                let (ann, learner) = account(db, &scope, "ann", true)?;
                let sales = group(db, &scope, "Sales")?.id;
                let security = course(db, &scope, "Security")?;
                assign(db, &scope, sales, security)?;
                push(db, &scope, sales, &[ann])?;
                scope.now = Instant(START + DAY);
                let report = completions::Report {
                    learner,
                    course: security,
                    completed_at: scope.now,
                    source: crate::learning::completion::CompletionSource::parse("admin")?,
                    source_ref: None,
                    score: None,
                    evidence_ref: None,
                };
                completions::record(db, &scope, &[report])?;
                learners::reject(db, &scope, learner)?;
                assert_eq!(check::check(db, TENANT, scope.now)?, []);
                for text in *sql {
                    let text = text.replace("NEW", db.dialect().new_id);
                    db.execute(Stmt::new(text).once(true))?;
                }
                let found = check::check(db, TENANT, scope.now)?;
                let finding = found.iter().find(|finding| finding.name == *name);
                assert!(
                    finding.is_some_and(|finding| finding.tenant == TENANT
                        && finding.rows > 0
                        && (finding.of.is_empty() || !finding.ids.is_empty())
                        && !finding.remedy.is_empty()),
                    "{name}: {found:?}"
                );
                Err(ServiceError::Depends("taken back".to_owned()))
            });
            assert!(
                matches!(told, Err(ServiceError::Depends(_))),
                "{name}: {told:?}"
            );
        }
    });
}
