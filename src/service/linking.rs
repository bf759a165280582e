//! Two learners who are one person: an administrator gives the accounts of one to the other, or takes that back (§7.13, §8).
//!
//! Nothing of the past is rewritten. What lasts ends with the one learner and begins with the other: memberships, as whoever
//! wrote them wrote them, and through `enroll` their reasons, which keep the clock of those that ended. Completions are voided
//! there and recorded here. Whoever has no account left has left; their own record stays readable. Not here: who may be one
//! person (`suggestions`).

use serde_json::json;

use crate::ids::{LearnerId, LinkId};
use crate::learning::course::line;
use crate::learning::error::LearningError;
use crate::learning::event::EventType;
use crate::learning::learner::Facts;
use crate::learning::membership::EndCause;
use crate::store::Db;
use crate::store::queries::learners::{self as people, AccountRow, LearnerRow};
pub use crate::store::queries::links::LinkRow;
use crate::store::queries::memberships::{self, Which};
use crate::store::queries::{groups_learning, links as rows, suggestions};

use super::completions::{self, Recorded, Report};
use super::enroll::{self, Effects, EnrollScope, by};
use super::obligations::Narrow;
use super::{Scope, ServiceError, cycles, learners};

/// What linking, or taking it back, came to.
#[derive(Clone, Debug)]
pub struct Linked {
    /// Who has the accounts now.
    pub learner: LearnerRow,
    /// Whom they were taken from.
    pub from: LearnerRow,
    /// Memberships that went with them.
    pub memberships: i64,
    /// Completions that went with them.
    pub completions: i64,
    pub effects: Effects,
}

fn check(row: &LearnerRow) -> Result<(), ServiceError> {
    if row.anonymized_at.is_some() {
        return Err(LearningError::Erased.into());
    }
    match row.linked_to {
        Some(to) => Err(LearningError::AlreadyLinked {
            learner: row.id,
            to,
        }
        .into()),
        None => Ok(()),
    }
}

/// What stands at a completion that is recorded for the other learner now; taking the link back finds them by it.
fn moved(link: LinkId) -> String {
    format!("recorded for another learner, who is the same person (link {link})")
}

/// Makes one learner of two: `id` is kept, the accounts of `other` become theirs. Errors: the same learner twice, one who is
/// linked already, not found.
pub fn link(
    db: &mut Db,
    scope: &Scope,
    id: LearnerId,
    other: LearnerId,
    why: &str,
) -> Result<Linked, ServiceError> {
    let why = line("reason", why, 500)?;
    if id == other {
        return Err(ServiceError::invalid(
            "/learner_id",
            "`learner_id` is the learner of the path; name the other one",
        ));
    }
    people::lock(db, scope.tenant, &[id, other])?;
    let (kept, gone) = (
        learners::find(db, scope, id)?,
        learners::find(db, scope, other)?,
    );
    check(&kept)?;
    check(&gone)?;
    let by = by(scope);
    let (was, theirs) = (kept.facts(), gone.facts());
    groups_learning::touch_of_learner(db, scope.tenant, other, scope.now)?;
    let accounts = rows::move_accounts(db, scope.tenant, other, id)?;
    let memberships = rows::begin_like(db, scope.tenant, other, id, None, &by)?;
    let which = Which::Learner(other);
    memberships::end(db, scope.tenant, which, EndCause::Linked, &by)?;
    learners::write(db, scope, &kept, was.joined(theirs))?;
    let left = Facts {
        deleted: true,
        ..theirs
    };
    learners::write(db, scope, &gone, left)?;
    if was.deleted && !theirs.deleted {
        let (name, email) = (&gone.display_name, gone.email.as_deref());
        people::update_name(db, scope.tenant, id, name, email, scope.now)?;
    }
    let link = LinkId::new();
    rows::insert(db, scope.tenant, (link, id, other), &accounts, &why, &by)?;
    suggestions::decide(db, scope.tenant, (id, other), "confirmed", &by)?;
    let mut effects = settle(db, scope, (other, id))?;
    effects.enrollments += rows::copy_other_reasons(db, scope.tenant, other, id, &by)?;
    rows::copy_exceptions(db, scope.tenant, other, id, &by)?;
    let completions = record(db, scope, (other, id))?;
    rows::void(db, scope.tenant, other, None, &moved(link), &by)?;
    rows::carry_progress(db, scope.tenant, other, id)?;
    effects.cycles += cycles::open_due(db, scope.tenant, &Narrow::Learner(id), &by)?;
    let told = json!({"linked_id": other, "accounts": accounts, "memberships": memberships, "completions": completions, "reason": why});
    learners::event(db, scope, id, EventType::LearnerLinked, told)?;
    let told = json!({"linked_to": id, "accounts": accounts, "reason": why});
    learners::event(db, scope, other, EventType::LearnerLinked, told)?;
    Ok(Linked {
        learner: learners::find(db, scope, id)?,
        from: learners::find(db, scope, other)?,
        memberships,
        completions,
        effects,
    })
}

/// Enrolls whom new memberships oblige, by the clock of the reasons that have just ended for the other.
fn settle(
    db: &mut Db,
    scope: &Scope,
    (from, to): (LearnerId, LearnerId),
) -> Result<Effects, ServiceError> {
    let effects = enroll::enroll(db, scope, &EnrollScope::Learner(to))?;
    rows::carry_clocks(db, scope.tenant, from, to, scope.request)?;
    Ok(effects)
}

/// Records for one learner what the other has completed; what the same source has reported of both is there once.
fn record(
    db: &mut Db,
    scope: &Scope,
    (from, to): (LearnerId, LearnerId),
) -> Result<i64, ServiceError> {
    let mut reports = Vec::new();
    for one in rows::earned(db, scope.tenant, from)? {
        let source = one.source().ok_or_else(|| {
            ServiceError::Bug(anyhow::anyhow!("completion {} has no known source", one.id))
        })?;
        reports.push(Report {
            learner: to,
            course: one.course_id,
            completed_at: one.completed_at(),
            source,
            source_ref: one.source_ref.clone(),
            score: one.score,
            evidence_ref: one.evidence_ref,
        });
    }
    let recorded = completions::record(db, scope, &reports)?;
    let new = recorded
        .iter()
        .filter(|one| matches!(one, Recorded::Now(_)));
    Ok(i64::try_from(new.count()).unwrap_or(i64::MAX))
}

/// Takes a link back: the accounts that came with it are the learner's own again, and with them every membership that stands
/// through them; the completions that came with it count here again. What was completed since stays where it was recorded.
/// Errors: not linked, or the one who has the accounts is linked in turn.
pub fn unlink(
    db: &mut Db,
    scope: &Scope,
    id: LearnerId,
    why: &str,
) -> Result<Linked, ServiceError> {
    let why = line("reason", why, 500)?;
    let link = |db: &mut Db| {
        rows::of_linked(db, scope.tenant, id)?
            .ok_or_else(|| ServiceError::not_found("Link of learner", id))
    };
    let other = link(db)?.learner_id;
    people::lock(db, scope.tenant, &[id, other])?;
    let link = link(db)?;
    let (row, holder) = (
        learners::find(db, scope, id)?,
        learners::find(db, scope, other)?,
    );
    check(&holder)?;
    let by = by(scope);
    groups_learning::touch_of_learner(db, scope.tenant, other, scope.now)?;
    let accounts = rows::return_accounts(db, scope.tenant, &link.accounts(), other, id)?;
    let theirs = rows::through(db, scope.tenant, other, &accounts)?;
    let mut memberships = 0;
    if !accounts.is_empty() {
        memberships += rows::begin_like(db, scope.tenant, other, id, Some(&accounts), &by)?;
        let both = (link.request_id, other);
        memberships += rows::begin_again(db, scope.tenant, id, both, &by)?;
        let which = Which::Periods(&theirs);
        memberships::end(db, scope.tenant, which, EndCause::Unlinked, &by)?;
    }
    let back = people::accounts(db, scope.tenant, id)?;
    learners::write(db, scope, &row, facts_of(row.facts(), &back))?;
    let rest = people::accounts(db, scope.tenant, other)?;
    let after = facts_of(holder.facts(), &rest);
    if after.deleted {
        let which = Which::Learner(other);
        memberships::end(db, scope.tenant, which, EndCause::UserDeleted, &by)?;
    }
    learners::write(db, scope, &holder, after)?;
    rows::end(db, scope.tenant, link.id, &by)?;
    suggestions::decide(db, scope.tenant, (id, other), "declined", &by)?;
    rows::revoke_exceptions(db, scope.tenant, other, link.request_id, &by)?;
    let taken_back = format!("the link was taken back: {why}");
    rows::void(
        db,
        scope.tenant,
        other,
        Some(link.request_id),
        &taken_back,
        &by,
    )?;
    let completions = rows::restore(db, scope.tenant, id, &moved(link.id))?;
    let mut effects = settle(db, scope, (other, id))?;
    effects += enroll::enroll(db, scope, &EnrollScope::Learner(other))?;
    for one in [id, other] {
        effects.cycles += cycles::reopen(db, scope, one, None)?;
    }
    let told = json!({"linked_to": other, "accounts": accounts, "memberships": memberships, "completions": completions, "reason": why});
    learners::event(db, scope, id, EventType::LearnerUnlinked, told)?;
    let told = json!({"linked_id": id, "accounts": accounts, "reason": why});
    learners::event(db, scope, other, EventType::LearnerUnlinked, told)?;
    Ok(Linked {
        learner: learners::find(db, scope, id)?,
        from: learners::find(db, scope, other)?,
        memberships,
        completions,
        effects,
    })
}

/// What a learner is with these accounts.
fn facts_of(facts: Facts, accounts: &[AccountRow]) -> Facts {
    let deleted = !accounts.iter().any(|one| one.deleted_at.is_none());
    Facts {
        deleted,
        active: if deleted {
            facts.active
        } else {
            learners::any_active(accounts)
        },
        ..facts
    }
}
