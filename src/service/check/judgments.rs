//! The invariants of statuses: what only the status function itself can tell (I-9, I-10, I-11, I-15).
//!
//! Obligations are read as reports read them, a page of learners at a time, and judged twice over.

use std::collections::HashMap;

use crate::clock::Instant;
use crate::ids::{CourseId, LearnerId, ReasonId, TenantId};
use crate::learning::figures::Tally;
use crate::learning::membership::State;
use crate::learning::obligation::Judgment;
use crate::learning::standing::{self, Cycle};
use crate::store::Db;
use crate::store::queries::invariants::{self, Broken};
use crate::store::queries::obligations::page_end;

use super::super::ServiceError;
use super::super::obligations::{self, AsOf, Gathered, Narrow};
use super::{Findings, count};

/// Learners judged at a time.
const PAGE: i64 = 2000;

#[derive(Default)]
struct Broke {
    impure: Broken,
    worse: Broken,
    merged: Broken,
    uncounted: Broken,
}

pub(super) fn check(
    db: &mut Db,
    tenant: TenantId,
    now: Instant,
    findings: &mut Findings,
) -> Result<(), ServiceError> {
    let mut broke = Broke::default();
    let mut after = None;
    while let Some(upto) = page_end(db, tenant, after, PAGE)? {
        let narrow = Narrow::Learners(after, upto);
        let present = obligations::gather(db, tenant, &narrow, AsOf::present(now))?;
        let told = AsOf {
            at: now,
            known_then: true,
            past: true,
        };
        let past = obligations::gather(db, tenant, &narrow, told)?;
        pure(&present, &past, &mut broke.impure);
        monotone(&present, &mut broke.worse);
        merged(&present, &mut broke.merged);
        let obliged = invariants::obliged(db, tenant, (after, upto), now)?;
        counted(&present, &obliged, &mut broke.uncounted);
        after = Some(upto);
    }
    findings.note(
        (
            "I-9 the present is what the history says",
            "a report about this instant will say something else tomorrow",
            "no request can do this: restore the rows of the learner's history from a backup, and report it",
        ),
        "reason",
        broke.impure,
    );
    findings.note(
        (
            "I-10 a completion never worsens a status",
            "somebody is worse off for having completed a course once more",
            "report it",
        ),
        "reason",
        broke.worse,
    );
    findings.note(
        (
            "I-11 a learner sees the strictest of their obligations",
            "the learner's view and a group's report contradict each other",
            "report it",
        ),
        "learner",
        broke.merged,
    );
    findings.note(
        (
            "I-15 every obligation is counted once",
            "the figures of a report do not add up",
            "no request can do this: restore the rows of the learner's obligations from a backup, and report it",
        ),
        "learner",
        broke.uncounted,
    );
    Ok(())
}

/// I-9: judged by the present rows and by the history up to now, each obligation is the same.
fn pure(present: &Gathered, past: &Gathered, broken: &mut Broken) {
    let seen = |gathered: &Gathered| -> HashMap<ReasonId, (Judgment, State)> {
        let judged = gathered.judged();
        judged
            .map(|one| (one.row.reason_id, (one.judgment.clone(), one.state())))
            .collect()
    };
    let (now, then) = (seen(present), seen(past));
    for (reason, judged) in &now {
        if then.get(reason) != Some(judged) {
            count(broken, reason.0);
        }
    }
    for reason in then.keys().filter(|reason| !now.contains_key(reason)) {
        count(broken, reason.0);
    }
}

/// I-10: without the newest completion, validity ends no later.
fn monotone(gathered: &Gathered, broken: &mut Broken) {
    for judged in gathered.judged() {
        let row = judged.row;
        let completions = gathered.completions((row.learner_id, row.course_id));
        let Some((_, fewer)) = completions.split_last() else {
            continue;
        };
        let before = gathered.judge_with(row, fewer, gathered.as_of.at).judgment;
        if before.valid_until > judged.judgment.valid_until {
            count(broken, row.reason_id.0);
        }
    }
}

/// I-11: the learner's view is due no later than any obligation, and mandatory exactly when one is.
fn merged(gathered: &Gathered, broken: &mut Broken) {
    let mut pairs: HashMap<(LearnerId, CourseId), Vec<(bool, Judgment)>> = HashMap::new();
    for judged in gathered.judged() {
        pairs
            .entry((judged.row.learner_id, judged.row.course_id))
            .or_default()
            .push((judged.options.mandatory, judged.judgment));
    }
    for ((learner, _), obligations) in pairs {
        let view = standing::merge(&obligations, Cycle::default(), false);
        let sound = view.mandatory == obligations.iter().any(|(mandatory, _)| *mandatory)
            && obligations
                .iter()
                .filter_map(|(_, judgment)| judgment.due)
                .all(|due| view.due.is_some_and(|earliest| earliest <= due));
        if !sound {
            count(broken, learner.0);
        }
    }
}

/// I-15: the statuses of a learner's obligations add up to as many as there are.
fn counted(gathered: &Gathered, obliged: &[(LearnerId, i64)], broken: &mut Broken) {
    let mut tallies: HashMap<LearnerId, Tally> = HashMap::new();
    for judged in gathered.judged() {
        let tally = tallies.entry(judged.row.learner_id).or_default();
        tally.add(&judged.judgment, false);
    }
    for (learner, expected) in obliged {
        if tallies.remove(learner).unwrap_or_default().total() != *expected {
            count(broken, learner.0);
        }
    }
    for learner in tallies.keys() {
        count(broken, learner.0);
    }
}
