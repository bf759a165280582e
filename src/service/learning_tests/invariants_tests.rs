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

#[test]
fn each_invariant_is_seen_when_it_is_broken_on_purpose() {
    use crate::store::queries::invariants;
    testing::on_both(|store: &Store| {
        for invariant in invariants::ALL {
            assert!(
                invariant.name == IMPOSSIBLE
                    || BREACHES.iter().any(|(name, _)| *name == invariant.name),
                "nobody breaks `{}`",
                invariant.name
            );
        }
        for (name, sql) in BREACHES {
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
                assert_eq!(check::check(db, TENANT)?, []);
                for text in *sql {
                    let text = text.replace("NEW", db.dialect().new_id);
                    db.execute(Stmt::new(text).once(true))?;
                }
                let found = check::check(db, TENANT)?;
                assert!(
                    found.iter().any(|finding| finding.name == *name),
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
