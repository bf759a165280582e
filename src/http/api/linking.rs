//! `/learners/{id}/link` and `/unlink`: two learners who are one person.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Answer, Body, Call};
use super::learners::Learner;
use super::members::{LearnerRef, one_learner};
use super::need;
use super::reply::Reply;
use crate::ids::LearnerId;
use crate::service::linking::{self, Linked};
use crate::service::{ServiceError, group_members};

/// Who is the same person, and how one knows.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"learner_id": "0199a2b9-0000-7000-8000-000000000002", "reason": "Confirmed with HR: one person, two directories"}))]
pub struct LinkLearner {
    /// The learner whose accounts the one of the path gets.
    #[serde(default)]
    #[schema(nullable = false)]
    pub learner_id: Option<LearnerId>,
    /// In place of `learner_id`.
    #[serde(default)]
    #[schema(nullable = false)]
    pub learner: Option<LearnerRef>,
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// Why.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Two people after all"}))]
pub struct UnlinkLearner {
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// What linking, or taking it back, came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkedLearner {
    /// Who has the accounts now.
    pub learner: Learner,
    /// Whom they were taken from.
    pub from: Learner,
    /// Memberships that came with the accounts.
    pub memberships: i64,
    /// Completions that came with them.
    pub completions: i64,
    pub enrollments_created: i64,
}

impl From<&Linked> for LinkedLearner {
    fn from(linked: &Linked) -> Self {
        Self {
            learner: Learner::from(&linked.learner),
            from: Learner::from(&linked.from),
            memberships: linked.memberships,
            completions: linked.completions,
            enrollments_created: linked.effects.enrollments,
        }
    }
}

/// Make one learner of two: the one of the path is kept and gets the other's accounts, memberships and completions. Active when
/// any account is. Also how a former learner who is back gets their history: the former one is the one of the path.
#[utoipa::path(post, path = "/learners/{id}/link", tag = "Learners", params(("id" = LearnerId, Path)), request_body = LinkLearner,
    security(("token" = ["learners:write"])),
    responses((status = 200, description = "Both learners.", body = LinkedLearner),
        (status = 409, description = "`already_linked`, `ambiguous_reference`"), (status = 422, description = "`validation_failed`")))]
pub async fn link(call: Call<need::LearnersWrite>, body: Body) -> Answer {
    let id: LearnerId = call.id("Learner", "id")?;
    let link: LinkLearner = body.read()?;
    let other = one_learner(link.learner_id, link.learner, "")?;
    call.change("link learners", move |db, scope| {
        let mut named = group_members::named(db, scope, std::slice::from_ref(&other))?;
        let other = named
            .pop()
            .ok_or_else(|| ServiceError::not_found("Learner", id))?;
        let linked = linking::link(db, scope, id, other, &link.reason)?;
        Reply::ok(&LinkedLearner::from(&linked))
    })
    .await
}

/// Take a link back: the learner of the path gets their accounts again, and what came with them.
#[utoipa::path(post, path = "/learners/{id}/unlink", tag = "Learners", params(("id" = LearnerId, Path)), request_body = UnlinkLearner,
    security(("token" = ["learners:write"])),
    responses((status = 200, description = "Both learners.", body = LinkedLearner), (status = 409, description = "`already_linked`")))]
pub async fn unlink(call: Call<need::LearnersWrite>, body: Body) -> Answer {
    let id: LearnerId = call.id("Learner", "id")?;
    let unlink: UnlinkLearner = body.read()?;
    call.change("unlink learners", move |db, scope| {
        let linked = linking::unlink(db, scope, id, &unlink.reason)?;
        Reply::ok(&LinkedLearner::from(&linked))
    })
    .await
}
