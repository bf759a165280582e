//! `/learner-suggestions`: learners who may be one person, for an administrator to say.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Body, Call};
use super::linking::LinkedLearner;
use super::need;
use super::page::{Page, PageQuery};
use super::reply::Reply;
use crate::clock::Instant;
use crate::ids::{LearnerId, SuggestionId};
use crate::service::listing::Place;
use crate::service::suggestions::{self, State, SuggestionRow};

/// Two learners who may be one person.
#[derive(Debug, Serialize, ToSchema)]
pub struct Suggestion {
    pub id: SuggestionId,
    /// Who has come, or goes by another name now.
    pub learner: SuggestedLearner,
    /// Whom that reminds of.
    pub other: SuggestedLearner,
    /// What they have in common: `employee_number`, `user_name`, `email`.
    pub matched: Vec<String>,
    pub state: State,
    pub found_at: Instant,
    pub decided_at: Option<Instant>,
    pub decided_by: Option<String>,
}

/// One of the two.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestedLearner {
    pub id: LearnerId,
    pub name: String,
    /// Since when they have left.
    pub deleted_at: Option<Instant>,
}

impl From<&SuggestionRow> for Suggestion {
    fn from(row: &SuggestionRow) -> Self {
        Self {
            id: row.id,
            learner: SuggestedLearner {
                id: row.learner_id,
                name: row.learner_name.clone(),
                deleted_at: row.learner_deleted_at.map(Instant),
            },
            other: SuggestedLearner {
                id: row.other_id,
                name: row.other_name.clone(),
                deleted_at: row.other_deleted_at.map(Instant),
            },
            matched: row.matched.split(',').map(str::to_owned).collect(),
            state: State::parse(&row.state).unwrap_or(State::Open),
            found_at: Instant(row.found_at),
            decided_at: row.decided_at.map(Instant),
            decided_by: row.decided_by.clone(),
        }
    }
}

/// What narrows a list of suggestions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListSuggestions {
    /// Any unless told.
    #[param(inline)]
    pub state: Option<State>,
    #[param(inline)]
    pub learner_id: Option<LearnerId>,
}

/// List learners who may be one person: by employee number, user name or address. Nothing follows from a suggestion until it is
/// confirmed.
#[utoipa::path(get, path = "/learner-suggestions", tag = "Learners", params(ListSuggestions, PageQuery),
    security(("token" = ["learners:read"])),
    responses((status = 200, description = "A page of suggestions.", body = Page<Suggestion>)))]
pub async fn list(call: Call<need::LearnersRead>) -> Answer {
    let (asked, page): (ListSuggestions, _) = call.listed()?;
    let list = call.list(page, "")?;
    let paging = list.paging.clone();
    let found = call
        .read(move |db, scope| suggestions::list(db, scope, asked.state, asked.learner_id, &paging))
        .await?;
    let place = |row: &SuggestionRow| Place::id(row.id.0);
    Ok(call.page(found, &list, place, |row| Suggestion::from(row)))
}

/// How one knows.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "HR says: the same person, hired again"}))]
pub struct ConfirmSuggestion {
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// Confirm that two learners are one person: who has left, or else was here first, is kept with all their history and gets the
/// other's accounts, memberships and completions.
#[utoipa::path(post, path = "/learner-suggestions/{id}/confirm", tag = "Learners", params(("id" = SuggestionId, Path)),
    request_body = ConfirmSuggestion, security(("token" = ["learners:write"])),
    responses((status = 200, description = "Both learners.", body = LinkedLearner), (status = 409, description = "`already_linked`")))]
pub async fn confirm(call: Call<need::LearnersWrite>, body: Body) -> Answer {
    let id: SuggestionId = call.id("Suggestion", "id")?;
    let confirm: ConfirmSuggestion = body.read()?;
    call.change("confirm suggestion", move |db, scope| {
        let linked = suggestions::confirm(db, scope, id, &confirm.reason)?;
        Reply::ok(&LinkedLearner::from(&linked))
    })
    .await
}

/// Say that two learners are two people. They are not suggested again.
#[utoipa::path(post, path = "/learner-suggestions/{id}/decline", tag = "Learners", params(("id" = SuggestionId, Path)),
    security(("token" = ["learners:write"])),
    responses((status = 200, description = "The suggestion.", body = Suggestion), (status = 409, description = "`already_linked`")))]
pub async fn decline(call: Call<need::LearnersWrite>) -> Answer {
    let id: SuggestionId = call.id("Suggestion", "id")?;
    call.change("decline suggestion", move |db, scope| {
        Reply::ok(&Suggestion::from(&suggestions::decline(db, scope, id)?))
    })
    .await
}
