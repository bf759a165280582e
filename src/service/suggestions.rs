//! Two learners who may be one person: noticed, told, confirmed or declined by an administrator (§7.13, §8).
//!
//! A label ties nobody to anybody: mailboxes get reissued, and merging the records of two people is worse than a duplicate. So
//! a match is kept as a question, and only its confirmation links (`linking`).

use serde_json::json;

use crate::ids::{LearnerId, SuggestionId};
use crate::learning::event::EventType;
use crate::scim::message::Note;
use crate::store::Db;
use crate::store::listing::{Found, Paging};
use crate::store::queries::suggestions as rows;
pub use crate::store::queries::suggestions::{Known, SuggestionRow};

use super::enroll::by;
use super::linking::{self, Linked};
use super::{Scope, ServiceError, learners};

crate::learning::spelled! {
    /// What became of a suggestion.
    State {
        Open = "open",
        Confirmed = "confirmed",
        Declined = "declined",
    }
}

/// Looks who an account may belong to that is new or goes by another name, and keeps the question. The notes are for the log.
pub fn look(db: &mut Db, scope: &Scope, known: Known) -> Result<Vec<Note>, ServiceError> {
    let found = rows::matches(db, scope.tenant, &[known])?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let made = rows::insert(db, scope.tenant, &found, &by(scope))?;
    Ok(made
        .into_iter()
        .map(|(_, other)| Note::new("possible_same_person", format!("learner/{other}")))
        .collect())
}

/// A page of suggestions: of one state, about one learner.
pub fn list(
    db: &mut Db,
    scope: &Scope,
    state: Option<State>,
    learner: Option<LearnerId>,
    paging: &Paging,
) -> Result<Found<SuggestionRow>, ServiceError> {
    let state = state.map(State::as_str);
    Ok(rows::page(db, scope.tenant, state, learner, paging)?)
}

/// Reads a suggestion.
pub fn find(db: &mut Db, scope: &Scope, id: SuggestionId) -> Result<SuggestionRow, ServiceError> {
    rows::find(db, scope.tenant, id)?.ok_or_else(|| ServiceError::not_found("Suggestion", id))
}

/// They are one person: the one who was here before is kept, with all their history, and gets the other's accounts.
/// Errors: not found; linked already.
pub fn confirm(
    db: &mut Db,
    scope: &Scope,
    id: SuggestionId,
    why: &str,
) -> Result<Linked, ServiceError> {
    let row = find(db, scope, id)?;
    let former_first = (
        row.learner_deleted_at.is_none(),
        row.other_deleted_at.is_none(),
    );
    let (kept, other) = match former_first {
        (false, true) => (row.learner_id, row.other_id),
        (true, false) => (row.other_id, row.learner_id),
        _ if row.learner_id < row.other_id => (row.learner_id, row.other_id),
        _ => (row.other_id, row.learner_id),
    };
    linking::link(db, scope, kept, other, why)
}

/// They are two people. Declining twice changes nothing; one that was confirmed is taken back by unlinking.
pub fn decline(
    db: &mut Db,
    scope: &Scope,
    id: SuggestionId,
) -> Result<SuggestionRow, ServiceError> {
    let row = find(db, scope, id)?;
    if row.state == State::Confirmed.as_str() {
        return Err(ServiceError::Learning(
            crate::learning::error::LearningError::AlreadyLinked {
                learner: row.learner_id,
                to: row.other_id,
            },
        ));
    }
    let pair = (row.learner_id, row.other_id);
    let declined = State::Declined.as_str();
    if rows::decide(db, scope.tenant, pair, declined, &by(scope))? > 0 {
        let told = json!({"other_id": row.other_id, "matched": row.matched});
        learners::event(
            db,
            scope,
            row.learner_id,
            EventType::SuggestionDeclined,
            told,
        )?;
    }
    find(db, scope, id)
}
